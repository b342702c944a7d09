"""A site of any size to search in: index rows of all kinds, over people and listings that are copies of one.

Free time is 28 days of office hours, half of it taken, in a few hundred patterns; words follow Zipf's law.  The rows
are made as the product's own functions make them, but written in bulk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import text

from helpouts.catalog.category import Category, Subcategory
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.db import Database
from helpouts.db.metadata import metadata
from helpouts.finding import index, masks, ranking, words
from helpouts.finding.models import ListingSearch
from helpouts.scheduling.zones import to_minute
from helpouts.testing.factories import make_user

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = to_minute(NOW)
#: Slugs of the fields.
FIELDS = ("it", "home", "fashion", "education")
TOPICS = tuple(Subcategory(f"t{number}", {"en": f"Topic {number}"}) for number in range(6))
CATEGORIES = tuple(
    Category(
        slug,
        {"en": slug.title()},
        {"en": ""},
        "info",
        tuple(Subcategory(f"t{n}", {"en": f"Topic {n}"}) for n in range(6)),
    )
    for slug in FIELDS
)
SYLLABLES = (
    "ba",
    "dor",
    "fil",
    "gan",
    "hem",
    "jo",
    "kul",
    "lam",
    "mir",
    "nop",
    "pa",
    "rus",
    "sot",
    "tev",
    "wok",
    "zim",
)
VOCABULARY = ["".join((a, b, c)) for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES[:12]]
CHANCES = list(accumulate(1 / (rank + 10) for rank in range(len(VOCABULARY))))
COLUMNS = [column.name for column in ListingSearch.__table__.columns]
UNIQUE = {"user": ("email", "fs_uniquifier"), "expert": ("slug",), "listing": ("slug",)}


def fill(database: Database, size: int) -> None:
    """Tables, copies, index rows, words; the database must be empty."""
    with database.write_engine.begin() as connection:
        metadata.create_all(connection)
    with database.write() as db:
        user = make_user(db, "Jonas Weber", "expert")
        expert = Expert(slug="expert", name="Jonas Weber", headline="Helps", languages=["en", "de"])
        db.add(expert)
        db.flush()
        db.add(ExpertMember(expert_id=expert.id, user_id=user.id, role="owner"))
        db.add(
            Listing(
                slug="listing",
                expert_id=expert.id,
                category="it",
                title="Set up your wireless router",
                price_minor=2500,
            )
        )
    with database.write() as db:
        for table in ("user", "expert", "expert_member", "listing"):
            db.execute(text(_copies(table, metadata.tables[table].columns.keys(), size)))
        index.learn(db, {word: word for word in VOCABULARY})
    if database.is_sqlite:
        _fill_sqlite(database, size)
    else:
        _fill_postgresql(database, size)


def _copies(table: str, columns: list[str], size: int) -> str:
    def value(name: str) -> str:
        if name == "id" or name.endswith("expert_id") or (table == "expert_member" and name == "user_id"):
            return "n.i"
        return f"t.{name} || n.i" if name in UNIQUE.get(table, ()) else f"t.{name}"

    return (
        f'INSERT INTO "{table}" ({", ".join(columns)}) '  # names of our own tables
        f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {size}) "
        f'SELECT {", ".join(map(value, columns))} FROM n, "{table}" t WHERE t.id = 1'
    )


def rows(size: int) -> Iterator[tuple[Any, ...]]:
    """The rows of the index, in the order of their positions on average (which spares the database sorting)."""
    chance = random.Random(20)  # the same site every time
    rings = [_ring(chance) for _ in range(400)]
    levels = sorted((min(255, max(0, round(chance.gauss(150, 35)))) for _ in range(size)), reverse=True)
    numbers = list(range(1, size + 1))
    chance.shuffle(numbers)
    for level, number in zip(levels, numbers, strict=True):
        field, topic = FIELDS[number % 4], f"t{number // 4 % 6}"
        ring, free_from, free_to = rings[number % 400]
        stars = chance.choice((0, 0, 3, 4, 4, 4))
        price = chance.choice((0, 1500, 2000, 2500, 4000, 6000))
        traits = f"{field}|{topic}|{'paid' if price else 'free'}|{stars}|{(',de,', ',en,', ',de,en,')[number % 3]}|;"
        yield (
            *(ranking.position(level, number), number, number, field, topic, price, stars * 110, 1100 - stars * 200),
            *(traits, 60, 60 * 1440, free_from, free_to, 15, MINUTE + 1440, MINUTE // 1440 + 30, ring, _terms(chance)),
        )


def _ring(chance: random.Random) -> tuple[bytes, int, int]:
    today, shift = MINUTE // 1440, chance.choice((-120, -60, 0, 0, 60, 240))
    starts = [
        (today + day) * 1440 + minute
        for day in range(28)
        if (today + day + 3) % 7 < 5
        for minute in range(540 + shift, 1020 + shift, 15)
        if chance.random() < 0.5
    ]
    first = next(start for start in starts if start >= MINUTE + 60)
    return masks.pack(starts), first, first + chance.choice((0, 15, 60))


def _terms(chance: random.Random) -> str:
    """Six words in the title, ten in the summary, thirty in the description."""
    drawn = chance.choices(VOCABULARY, cum_weights=CHANCES, k=46)
    places: dict[str, int] = {}
    for at, word in enumerate(drawn):
        for stem in words.stems(word):
            places.setdefault(stem, 0 if at < 6 else 4 if at < 16 else 5)
    return " ".join(words.term(place, stem) for stem, place in places.items())


def _fill_sqlite(database: Database, size: int) -> None:
    connection = database.engine.raw_connection()
    cursor: Any = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.execute("PRAGMA cache_size=-400000")
    cursor.execute("BEGIN IMMEDIATE")
    cursor.execute("DROP TRIGGER listing_search_added")
    marks = ", ".join("?" * len(COLUMNS))
    cursor.executemany(f"INSERT INTO listing_search VALUES ({marks})", rows(size))  # question marks
    cursor.execute("INSERT INTO listing_text(listing_text) VALUES ('rebuild')")
    cursor.execute("COMMIT")
    cursor.execute("ANALYZE")
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _fill_postgresql(database: Database, size: int) -> None:
    connection = database.engine.raw_connection()
    raw: Any = connection.driver_connection
    with raw.cursor() as cursor:
        cursor.execute("DROP INDEX ix_listing_search_words")
        with cursor.copy(f"COPY listing_search ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows(size):
                *plain, ring, terms = row
                copy.write("\t".join(map(str, plain)) + "\t\\\\x" + ring.hex() + "\t" + terms + "\n")
        cursor.execute(
            "CREATE INDEX ix_listing_search_words ON listing_search USING gin (words) WITH (fastupdate = off)"
        )
    raw.commit()
    raw.autocommit = True
    raw.execute("VACUUM ANALYZE")
    raw.autocommit = False
    connection.close()
