"""What the public pages say about a listing or an expert, beyond their cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.accounts.zones import known
from helpouts.bookings.policy import policy_text
from helpouts.catalog.cards import Credential, ExpertCard, ListingCard, expert_card, listing_card
from helpouts.catalog.category import Category, CategoryField
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.queries import FACET_PREFIX, language_name
from helpouts.catalog.records import SearchRequest
from helpouts.catalog.service import is_open
from helpouts.clock import clock
from helpouts.coupons.codes import normal
from helpouts.errors import HelpoutsError
from helpouts.i18n import current_zone, in_language
from helpouts.i18n import gettext as _
from helpouts.payments.money import to_decimal
from helpouts.runtime import runtime_of
from helpouts.scheduling.display import Day
from helpouts.scheduling.service import choices, free_minutes, next_free
from helpouts.scheduling.stored import Hours
from helpouts.scheduling.zones import day_start, from_minute
from helpouts.wishes.times import instant

#: Days of free times that a listing's page shows at once, and at most on demand.
SLOT_DAYS, MOST_SLOT_DAYS = 14, 31
#: Times shown at once; somebody who is free all day fills a page otherwise.
MOST_SLOTS = 120
#: Most that a price filter can say, in major units.
MOST_PRICE = 1_000_000
#: A search for a day without a time means the middle of it; most minutes earlier or later that one may ask for.
NOON, MOST_AROUND = "12:00", 720


@dataclass(frozen=True, slots=True)
class ListingView(ListingCard):
    """A listing as its own page shows it."""

    description: str = ""
    requirements: str = ""
    state: str = "live"


def search_request(args: MultiDict[str, str], category: Category | None = None) -> SearchRequest:
    """What an address asks for; whatever makes no sense is left out."""
    chosen = category.slug if category else _text(args, "category", 40)
    facets = {
        key.removeprefix(FACET_PREFIX): [value.replace("\x00", "")[:100] for value in args.getlist(key)[:20]]
        for key in list(args)[:60]
        if key.startswith(FACET_PREFIX)
    }
    price = _text(args, "price", 10)
    price_max = _number(args, "price_max", MOST_PRICE)
    return SearchRequest(
        q=_text(args, "q", 200),
        category=chosen,
        subcategory=_text(args, "sub", 60),
        price=price if price in ("free", "paid") else "",
        price_max=None if price_max is None else price_max * 100,
        free_at=instant(_text(args, "date", 10), _text(args, "time", 5) or NOON, current_zone()),
        around_minutes=_number(args, "around", MOST_AROUND) or 0,
        available_now=_text(args, "now", 1) == "1",
        language=_text(args, "language", 3),
        rating_min=min(_number(args, "rating_min", 5) or 0, 5),
        facets=facets,
        sort=_text(args, "sort", 20) or "relevance",
        page=max(1, _number(args, "page", 100_000) or 1),
    )


def time_problem(args: MultiDict[str, str], wanted: SearchRequest) -> str:
    """What is wrong with the time that an address asks for, in words; "" when nothing is."""
    if not (args.get("date") or args.get("time")):
        return ""
    if wanted.free_at is None:
        return _("Give a day and a time, such as tomorrow at 15:30; it was left out of the search.")
    if wanted.free_at + timedelta(minutes=wanted.around_minutes) < clock.now():
        return _("This time is over: choose a later one.")
    return ""


def listing_view(db: Session, listing: Listing) -> ListingView:
    """The listing with its next free time and its expert's credentials."""
    return shown_listing(db, listing, next_free(db, [listing])[listing.id] if is_open(db, listing) else None)


def shown_listing(db: Session, listing: Listing, next_free_at: datetime | None) -> ListingView:
    """The same where the next free time is known already, None when it cannot be booked."""
    card = listing_card(listing, listing.expert, next_free_at)
    return ListingView(
        **{name: getattr(card, name) for name in ListingCard.__dataclass_fields__ if name != "expert"},
        expert=expert_view(db, listing.expert),
        description=listing.description,
        requirements=listing.requirements,
        state=listing.state,
    )


def expert_view(db: Session, expert: Expert) -> ExpertCard:
    """The expert with picture and what was checked, and when."""
    registry = runtime_of(db).registry
    verified = tuple(
        Credential(
            _("Checked: %(field)s", field=in_language(registry.category(held.category).name)),
            formatting.date(held.granted_at),
        )
        for held in expert.categories
    )
    return expert_card(expert, expert.owner.avatar, verified)


def facts(category: Category, listing: Listing) -> list[tuple[str, str]]:
    """(label, answer) of the category's own fields, in the visitor's language."""
    found = [
        (in_language(field.label), _answer(field, listing.fields.get(field.key))) for field in category.listing_fields
    ]
    return [(label, answer) for label, answer in found if answer]


def languages(codes: list[str] | tuple[str, ...]) -> str:
    """Names of languages in one line."""
    return ", ".join(language_name(code) for code in codes)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody chose on a listing's page: one of its lengths, a member by name; None is its own choice.

    :ivar coupon: the code that a link brought, for the checkout.
    """

    length_minutes: int | None = None
    host_id: int | None = None
    coupon: str = ""

    def args(self) -> dict[str, Any]:
        """The same in an address."""
        given = {"length": self.length_minutes, "host": self.host_id, "coupon": self.coupon}
        return {key: value for key, value in given.items() if value}


def wanted(
    db: Session, listing: Listing, args: MultiDict[str, str], people: Sequence[Hours] | None = None
) -> tuple[Wanted, list[User]]:
    """What an address asks for, without what the listing does not offer; and the people to choose from.

    :param people: those who serve the listing, where that is known already.
    """
    length, host = _number(args, "length", 1440), _number(args, "host", 2**31)
    named = choices(db, listing, people)
    lengths = [offered.minutes for offered in listing.offered()[1:]]
    return Wanted(
        length if length in lengths else None,
        host if any(user.id == host for user in named) else None,
        normal(args.get("coupon", "")),
    ), named


def starts(db: Session, listing: Listing, start: datetime, end: datetime, chosen: Wanted) -> list[int]:
    """Free times of the listing from ``start`` to before ``end``, in epoch minutes."""
    return free_minutes(db, listing, start, end, length_minutes=chosen.length_minutes, host_id=chosen.host_id)


def month_of(text: str, zone: str) -> tuple[datetime, datetime]:
    """The instants between which a month such as "2026-12" lies on the clocks of a zone, the past left out.

    :raises HelpoutsError: when it is no month.
    """
    now = clock.now()
    try:
        first = date.fromisoformat(f"{text}-01").toordinal()
        after = (date.fromordinal(first) + timedelta(days=31)).replace(day=1).toordinal()
    except (ValueError, OverflowError):
        raise HelpoutsError(_("Give a month such as 2026-12."), field="month") from None
    bounds = (from_minute(day_start(zone, day)) for day in (first, after))
    start, end = (max(now, min(bound, now + timedelta(days=750))) for bound in bounds)
    return start, end


def stretch(args: MultiDict[str, str]) -> tuple[datetime, datetime]:
    """From when until when an address wants times: ``days`` from the instant ``from``."""
    start = slot_start(args.get("from", ""), None)
    days = _number(args, "days", MOST_SLOT_DAYS)
    return start, start + timedelta(days=SLOT_DAYS if days is None else max(1, days))


def zone_of(args: MultiDict[str, str]) -> str:
    """The zone in which an address wants times shown: any that there is, else the visitor's."""
    zone = args.get("zone", "")
    return zone if zone in known() else current_zone()


def first_days(days: list[Day], later: datetime) -> tuple[list[Day], datetime]:
    """As many whole days as make a page of bearable size, and the instant from which the rest goes on."""
    count = 0
    for index, day in enumerate(days):
        count += len(day.slots)
        if index and count > MOST_SLOTS:
            return days[:index], datetime.fromisoformat(day.slots[0].value.replace("Z", "+00:00"))
    return days, later


def slot_start(text: str, first: datetime | None) -> datetime:
    """From when free times are shown: the instant asked for, else the next free time, never the past."""
    now = clock.now()
    try:
        wanted = datetime.fromisoformat(text.replace("Z", "+00:00"))
        wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=now.tzinfo)
    except ValueError:
        wanted = first or now
    return max(now, min(wanted, now + timedelta(days=750)))


def listing_data(db: Session, view: ListingView, listing: Listing, category: Category) -> Mapping[str, Any]:
    """The listing in the words of schema.org."""
    base = runtime_of(db).config.public_url.rstrip("/")
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Service",
        "name": listing.title,
        "description": listing.summary or listing.description[:300],
        "url": base + view.url,
        "serviceType": in_language(category.name),
        "availableLanguage": list(listing.languages),
        "provider": {
            "@type": "Organization" if view.expert.is_company else "Person",
            "name": view.expert.name,
            "url": base + view.expert.url,
        },
        "offers": _offer(listing, base + view.url, is_open(db, listing)),
    }
    return data | _rating(view.rating, view.review_count)


def expert_data(db: Session, view: ExpertCard, listings: list[ListingCard]) -> Mapping[str, Any]:
    """The expert in the words of schema.org."""
    base = runtime_of(db).config.public_url.rstrip("/")
    return {
        "@context": "https://schema.org",
        "@type": "ProfilePage",
        "url": base + view.url,
        "mainEntity": {
            "@type": "Organization" if view.is_company else "Person",
            "name": view.name,
            "description": view.headline,
            "knowsLanguage": list(view.languages),
            "makesOffer": [
                {"@type": "Offer", "name": listing.title, "url": base + listing.url} for listing in listings
            ],
        },
    }


def category_view(category: Category) -> dict[str, Any]:
    """The category in the visitor's language."""
    return {
        "slug": category.slug,
        "name": in_language(category.name),
        "tagline": in_language(category.tagline),
        "icon": category.icon,
        "disclaimer": in_language(category.disclaimer) if category.disclaimer else "",
        "subcategories": [{"slug": sub.slug, "name": in_language(sub.label)} for sub in category.subcategories],
    }


def cancellation(listing: Listing) -> str:
    """What cancelling costs, in one sentence."""
    return policy_text(listing.cancellation_policy, listing.pricing)


def page_url(endpoint: str, args: MultiDict[str, str], **values: Any) -> Any:
    """A function from page number to the address of that page of the same search."""
    kept = {key: args.getlist(key) for key in args if key != "page" and any(args.getlist(key))}
    return lambda page: url_for(endpoint, **{**kept, **values, "page": page})


def visible(listing: Listing) -> bool:
    """Whether everybody may see the listing's page; it may be that it cannot be booked."""
    return listing.state == "live" and listing.expert.state == "active"


def expert_by_slug(db: Session, slug: str) -> Expert | None:
    """The expert with that address."""
    return db.scalar(select(Expert).where(Expert.slug == slug))


def _offer(listing: Listing, url: str, available: bool) -> dict[str, Any]:
    amount = str(to_decimal(listing.price_minor, listing.currency))
    offer: dict[str, Any] = {
        "@type": "Offer",
        "url": url,
        "price": amount,
        "priceCurrency": listing.currency,
        "availability": "https://schema.org/InStock" if available else "https://schema.org/OutOfStock",
    }
    if listing.pricing == "per_minute":
        offer["priceSpecification"] = {
            "@type": "UnitPriceSpecification",
            "price": amount,
            "priceCurrency": listing.currency,
            "unitCode": "MIN",
        }
    return offer


def _rating(rating: float | None, count: int) -> dict[str, Any]:
    if rating is None:
        return {}
    return {
        "aggregateRating": {"@type": "AggregateRating", "ratingValue": rating, "reviewCount": count, "bestRating": 5}
    }


def _answer(field: CategoryField, answer: Any) -> str:
    if answer is None or answer is False or answer == []:
        return ""
    if answer is True:
        return _("Yes")
    labels = {choice.value: in_language(choice.label) for choice in field.choices}
    values = answer if isinstance(answer, list) else [answer]
    return ", ".join(labels.get(value, str(value)) for value in values)


def _text(args: MultiDict[str, str], name: str, most: int) -> str:
    return args.get(name, "").replace("\x00", "").strip()[:most]


def _number(args: MultiDict[str, str], name: str, most: int) -> int | None:
    text = args.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) <= 12 else None
