"""The shapes of what goes in and out, as JSON Schema (2020-12): for the OpenAPI document, and to read bodies by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    """A text."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def instant(description: str) -> Schema:
    """An instant (RFC 3339)."""
    return text(f"{description} (RFC 3339; answers are in UTC).", format="date-time")


def whole(description: str = "", **more: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", **({"description": description} if description else {}), **more}


def listing_of(item: str) -> Schema:
    """An array of a named shape."""
    return {"type": "array", "items": ref(item)}


def ref(name: str) -> Schema:
    """A named shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: str, description: str = "", /, **properties: Schema) -> Schema:
    """An object with just these members; ``required`` names some of them, "*" all."""
    names = list(properties) if required == "*" else required.split()
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | ({"required": names} if names else {}) | ({"description": description} if description else {})


def or_null(schema: Schema) -> Schema:
    """The shape, or null."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


MINOR = "In minor units of the currency: 2500 EUR are 25.00 euros."
PRICING = text("How it is paid.", enum=["fixed", "per_minute", "free"])
_CARD: dict[str, Schema] = {
    "slug": text("The listing's name in addresses."),
    "url": text("The listing's page.", format="uri"),
    "title": text(),
    "summary": text(),
    "category": text(),
    "expert": ref("Expert"),
    "pricing": PRICING,
    "price_minor": whole(MINOR),
    "currency": text("ISO 4217."),
    "length_minutes": whole(),
    "rating": or_null({"type": "number", "description": "Mean of the stars, 1 to 5; null without reviews."}),
    "review_count": whole(),
    "next_free_at": or_null(instant("The next start that can be booked; null when there is none")),
    "available_now": {"type": "boolean"},
}
_PAGE: dict[str, Schema] = {"total": whole(), "page": whole("From 1."), "pages": whole()}

SCHEMAS: dict[str, Schema] = {
    "Expert": obj("*", slug=text(), name=text(), url=text(format="uri")),
    "ListingCard": obj("*", **_CARD),
    "ListingPage": obj("*", items=listing_of("ListingCard"), **_PAGE),
    "Length": obj("*", minutes=whole(), price_minor=whole(MINOR)),
    "Question": obj(
        "*",
        "What the expert's field asks before a booking; send the answers by key.",
        key=text(),
        type=text(enum=["text", "long_text", "choice", "choices", "boolean", "integer"]),
        label=text(),
        required={"type": "boolean"},
        choices={"type": "array", "items": obj("*", value=text(), label=text())},
        maximum=or_null(whole("Longest text in characters, or the greatest number.")),
    ),
    "Listing": obj(
        "*",
        **_CARD,
        description=text(),
        requirements=text(),
        languages={"type": "array", "items": text("ISO 639-1.")},
        lengths=listing_of("Length"),
        cancellation_policy=text(),
        bookable={"type": "boolean", "description": "Whether it can be booked at the moment."},
        questions=listing_of("Question"),
    ),
    "Slots": obj(
        "*",
        starts={"type": "array", "items": instant("A start that can be booked")},
        length_minutes=whole(),
    ),
    "NewBooking": obj(
        "listing start",
        listing=text("The listing's slug."),
        start=instant("One of the listing's slots"),
        length_minutes=whole("One of the listing's lengths; its first by default."),
        zone=text("Your IANA time zone, for mails; the one of the account by default."),
        answers={
            "type": "object",
            "description": "Answers to the listing's questions, by key.",
            "additionalProperties": True,
        },
    ),
    "Booking": obj(
        "*",
        id=text(),
        url=text("The booking's page, with the way into the room.", format="uri"),
        state=text(
            enum=["held", "confirmed", "in_session", "completed", "cancelled", "expired", "no_show"],
        ),
        part=text("Your part in it.", enum=["customer", "expert"]),
        title=text(),
        listing=text("The listing's slug."),
        other=text("The name of the other person."),
        starts_at=instant("Start"),
        ends_at=instant("End"),
        pricing=PRICING,
        amount_minor=whole(f"The most that it can cost. {MINOR}"),
        currency=text("ISO 4217."),
        cancellation_policy=text(),
        proposed_start=or_null(instant("Another time that was proposed and waits for an answer")),
        created_at=instant("When it was made"),
    ),
    "BookingPage": obj("*", items=listing_of("Booking"), **_PAGE),
    "Cancellation": obj("", reason=text("What the other person is told.", maxLength=1000)),
    "Cancelled": obj("*", booking=ref("Booking"), charged_minor=whole(f"What is charged under the policy. {MINOR}")),
    "Move": obj("start", start=instant("The new start"), reason=text(maxLength=1000)),
    "Moved": obj(
        "*",
        booking=ref("Booking"),
        outcome=text("Moved at once, or proposed to the other side.", enum=["done", "proposed"]),
    ),
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text(),
            "title": text(),
            "status": whole(),
            "detail": text("For people, in the language of the request."),
            "code": text("For programs, e.g. “conflict”."),
            "field": text("The member of the request that is meant."),
            "id": text("Under which the site's log tells more."),
        },
    },
}
_KINDS: dict[str, type] = {"string": str, "integer": int, "object": dict}


def read_body(name: str, given: Any) -> Mapping[str, Any]:
    """A request's body, when it has the named shape.

    :raises HelpoutsError: with the member that does not fit as ``field``.
    """
    schema = SCHEMAS[name]
    if not isinstance(given, dict):
        raise HelpoutsError(_l("Send a JSON object."))
    for key in schema.get("required", ()):
        if key not in given:
            raise HelpoutsError(_l("This is missing."), field=key)
    for key, value in given.items():
        wanted = schema["properties"].get(key)
        if wanted is None:
            known = ", ".join(schema["properties"])
            raise HelpoutsError(_l("There is no such member; known: %(known)s.", known=known), field=str(key)[:80])
        kind = _KINDS[wanted["type"]]
        if type(value) is not kind:
            raise HelpoutsError(_l("This must be of the kind %(kind)s.", kind=wanted["type"]), field=key)
        if isinstance(value, str) and ("\x00" in value or len(value) > wanted.get("maxLength", 2000)):
            most = wanted.get("maxLength", 2000)
            raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=most), field=key)
    return given
