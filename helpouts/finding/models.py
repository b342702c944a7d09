"""The index that finding reads.  All of it is derived: ``helpouts finding rebuild`` makes it anew.

On SQLite the terms of :class:`ListingSearch` are also in the full-text table ``listing_text`` (FTS5), whose row ids are
the positions; triggers keep the two the same.  On PostgreSQL a GIN index stands on the column itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, ForeignKey, Index, LargeBinary, String, Text, event
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from helpouts.db import Base, BigInt

#: Terms of a listing: a text with spaces between them, a ``tsvector`` where there is one.
Terms: Any = Text().with_variant(TSVECTOR(), "postgresql")
#: Words are compared byte by byte, so that a range of them is what begins alike.
Bytewise: Any = String(80).with_variant(String(80, collation="C"), "postgresql")


class ListingSearch(Base):
    """A listing that is on sale, flat: all that a search filters, sorts and counts by.

    Minutes are epoch minutes (UTC) unless said otherwise.
    """

    __tablename__ = "listing_search"
    __table_args__ = (
        Index("ix_listing_search_category_position", "category", "position"),
        Index("ix_listing_search_price_position", "price", "position"),
        Index("ix_listing_search_stars_below_position", "stars_below", "position"),
        Index("ix_listing_search_words", "words", postgresql_using="gin", info={"dialect": "postgresql"}).ddl_if(
            dialect="postgresql"
        ),
    )

    #: the place in the order of quality, the best first, see :func:`helpouts.finding.ranking.position`
    position: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), unique=True)
    expert_id: Mapped[int] = mapped_column(index=True)
    category: Mapped[str] = mapped_column(String(40))
    subcategory: Mapped[str] = mapped_column(String(60))
    #: the most that a session of the main length costs, minor units
    price: Mapped[int]
    #: the mean of the ratings in hundredths of a star; 0 without any
    rating: Mapped[int]
    #: the weighed rating as thousandths of a star below five: the best have the least
    stars_below: Mapped[int]
    #: what is counted for the filters, see :mod:`helpouts.finding.traits`
    traits: Mapped[str] = mapped_column(Text, index=True)
    #: minutes of notice and of the horizon; of several people's the stricter
    notice: Mapped[int]
    horizon: Mapped[int]
    #: the next starts: every ``step`` minutes from ``free_from`` to ``free_to``; None when there are none
    free_from: Mapped[int | None]
    free_to: Mapped[int | None]
    step: Mapped[int]
    #: when this row has to be looked at again
    due_at: Mapped[int] = mapped_column(index=True)
    #: the day (days since 1970) up to which ``starts`` is known, exclusive
    known_until: Mapped[int]
    #: in which quarters of an hour sessions can begin, see :mod:`helpouts.finding.masks`
    starts: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[str] = mapped_column(Terms)


#: The same as a table: statements over its columns are put together in a fraction of the time.
LISTINGS: Any = ListingSearch.__table__


class SearchWord(Base):
    """A word that some listing has; ``shown`` is how it was written, "" for a mere stem."""

    __tablename__ = "search_word"

    word: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    #: the word from its end, to find compounds by their last part
    backwards: Mapped[str] = mapped_column(Bytewise, index=True)
    shown: Mapped[str] = mapped_column(String(80))


class SearchGram(Base):
    """Three letters in a row of a :class:`SearchWord`, to find words that are nearly the same."""

    __tablename__ = "search_gram"

    gram: Mapped[str] = mapped_column(String(3), primary_key=True)
    word: Mapped[str] = mapped_column(Bytewise, primary_key=True)


#: For the migration and for ``create_all``.
SQLITE = (
    """CREATE VIRTUAL TABLE listing_text USING fts5(words, content='listing_search', content_rowid='position',
  tokenize="unicode61 remove_diacritics 0", detail=none, columnsize=0)""",
    """CREATE TRIGGER listing_search_added AFTER INSERT ON listing_search BEGIN
  INSERT INTO listing_text(rowid, words) VALUES (NEW.position, NEW.words);
END""",
    """CREATE TRIGGER listing_search_gone AFTER DELETE ON listing_search BEGIN
  INSERT INTO listing_text(listing_text, rowid, words) VALUES ('delete', OLD.position, OLD.words);
END""",
    """CREATE TRIGGER listing_search_changed AFTER UPDATE OF position, words ON listing_search
WHEN OLD.position <> NEW.position OR OLD.words <> NEW.words BEGIN
  INSERT INTO listing_text(listing_text, rowid, words) VALUES ('delete', OLD.position, OLD.words);
  INSERT INTO listing_text(rowid, words) VALUES (NEW.position, NEW.words);
END""",
)

#: PostgreSQL has to know the frequencies of some thousand terms, to tell rare ones from frequent ones, and soon.  A row
#: is written every day and keeps its old terms in the index until it is vacuumed.  Terms go into the index at once: a
#: list of pending ones would be read from end to end by every part of every search.
POSTGRESQL = (
    "ALTER TABLE listing_search ALTER COLUMN words SET STATISTICS 300",
    "ALTER INDEX ix_listing_search_words SET (fastupdate = off)",
    """ALTER TABLE listing_search SET (autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)""",
)

for _dialect, _statements in (("sqlite", SQLITE), ("postgresql", POSTGRESQL)):
    for _statement in _statements:
        _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1's DDL
        event.listen(ListingSearch.__table__, "after_create", _ddl.execute_if(dialect=_dialect))
