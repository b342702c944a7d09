"""Public pages: browse, search, listings, experts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts.catalog import lookup, pages, queries, slot_answers
from helpouts.catalog.cards import picture_path
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.records import SearchRequest
from helpouts.catalog.service import is_open, may_edit
from helpouts.clock import clock
from helpouts.coupons.codes import normal
from helpouts.errors import NotFound
from helpouts.i18n import current_zone
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages.offers import on_sale, saving
from helpouts.scheduling.display import group_by_day
from helpouts.scheduling.service import FreeTime, free_time
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import OPERATOR_ROLES, current_actor, requires
from helpouts.wishes import saved
from helpouts.wishes.chips import chips_of

bp = Blueprint("catalog", __name__)


@bp.get("/c/<slug>")
@requires("public")
def category(slug: str) -> ResponseReturnValue:
    """One field of help: its topics, filters and listings; gone while its plugin is off."""
    db = current_db()
    found = current_runtime().registry.categories(db).get(slug)
    if found is None:
        raise NotFound(_l("There is no such field of help here at the moment."))
    wanted = pages.search_request(request.args, found)
    return _results("helpouts/category.html", wanted, category=pages.category_view(found), base={"slug": slug})


@bp.get("/search")
@requires("public")
def search() -> ResponseReturnValue:
    """Search over everything on sale."""
    wanted = pages.search_request(request.args)
    return _results("helpouts/search.html", wanted, categories=queries.category_tiles(current_db(), counted=False))


def _results(template: str, wanted: SearchRequest, base: Mapping[str, str] | None = None, **values: Any) -> str:
    """A page of search results: hits, filters, what was asked for, and what to do when there is nothing."""
    from helpouts.wishes.request_views import new_url  # it uses the experts' own pages, which use this module

    db = current_db()
    page = queries.search(db, wanted)
    categories = current_runtime().registry.categories(db)
    currency = current_runtime().config.currency
    endpoint = str(request.endpoint)
    args = {name: request.args.getlist(name)[:20] for name in list(request.args)[:60]}
    kept = saved.query_of(wanted)
    timed: dict[str, Any] = {name: args[name] for name in ("date", "time", "around") if wanted.free_at and name in args}
    asked = chips_of(wanted, categories, currency)
    in_path = [chip for chip in asked if not (base and chip.drops[0][0] == "category")]
    return render_template(
        template,
        search=wanted,
        page=page,
        language_options=[(option.value, option.label) for option in page.languages],
        page_url=pages.page_url(endpoint, request.args, **(base or {})),
        chips=[
            (chip.label, url_for(endpoint, **dict[str, Any](chip.without(args) | dict(base or {})))) for chip in in_path
        ],
        all_url=url_for(endpoint, **dict[str, Any](base or {})),
        save_url=url_for("wishes.save", **timed | kept) if kept or timed else "",
        request_url=new_url(wanted),
        now_url=lambda card: url_for("instant.ask", listing=card.slug),
        time_problem=pages.time_problem(request.args, wanted),
        wished=request.args,
        today=clock.now().astimezone(ZoneInfo(current_zone())).date().isoformat(),
        currency=currency,
        viewer_zone=current_zone(),
        **values,
    )


@bp.get("/l/<slug>")
@requires("public")
def listing(slug: str) -> ResponseReturnValue:
    """One listing with its free times; its expert and the operators see it before it is live, too."""
    db = current_db()
    found = lookup.listing_by_slug(db, slug)
    if found is None or not (pages.visible(found) or _insider(found.expert)):
        raise NotFound(_l("This listing is not there, or not any more."))
    registry = current_runtime().registry
    category = registry.category(found.category)
    bookable = is_open(db, found)
    free = free_time(db, found) if bookable else None
    view = pages.shown_listing(db, found, free.first(found.length_minutes) if free else None)
    start = pages.slot_start(request.args.get("from", ""), view.next_free_at)
    chosen, people = pages.wanted(db, found, request.args, free.people if free else ())
    end = start + timedelta(days=pages.SLOT_DAYS)
    length = chosen.length_minutes or found.length_minutes
    days = group_by_day(free.starts(start, end, length, chosen.host_id) if free else [], current_zone())
    days, later = pages.first_days(days, end)
    return render_template(
        "helpouts/catalog/listing.html",
        listing=view,
        record=found,
        category=pages.category_view(category) if found.category in registry.categories(db) else None,
        category_name=pages.category_view(category)["name"],
        facts=pages.facts(category, found),
        reviews=queries.reviews_of(db, listing_id=found.id),
        bookable=bookable,
        chosen=chosen,
        people=people,
        paused=pages.visible(found) and not bookable,
        days=days,
        later=later,
        offers=[(offer, saving(offer, found)) for offer in on_sale(db, found)] if bookable else (),
        source=_source(found, chosen, free) if free else None,
        is_later=bool(request.args.get("from")),
        viewer_zone=current_zone(),
        cancellation_label=pages.cancellation(found),
        language_names=pages.languages(found.languages),
        canonical_url=_absolute(view.url),
        structured_data=pages.listing_data(db, view, found, category),
    )


def _source(listing: Listing, chosen: pages.Wanted, free: FreeTime) -> dict[str, str]:
    """Where scripts find the times of other months, and the last instant that may have any."""
    url = url_for("catalog.slots", listing_id=listing.id, **chosen.args())
    return {"url": url, "until": (free.now + timedelta(days=free.horizon_days)).isoformat()}


@bp.get("/l/<int:listing_id>/slots")
@requires("public")
def slots(listing_id: int) -> ResponseReturnValue:
    """Free times from an instant on, or of a month, as a piece of a page or as JSON (``Accept: application/json``)."""
    db = current_db()
    found = lookup.listing(db, listing_id)
    if found is None or not is_open(db, found):
        raise NotFound(_l("This listing cannot be booked at the moment."))
    zone, month = pages.zone_of(request.args), request.args.get("month", "")
    start, end = pages.month_of(month, zone) if month else pages.stretch(request.args)
    starts = pages.starts(db, found, start, end, pages.wanted(db, found, request.args)[0])
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return slot_answers.as_json(starts, zone, end, summaries=bool(month))
    answer = Response(
        render_template("helpouts/catalog/_slots_panel.html", days=group_by_day(starts, zone), viewer_zone=zone),
        content_type="text/html; charset=utf-8",
    )
    answer.headers["Vary"] = "Accept, Cookie"
    return answer


@bp.get("/e/<slug>")
@requires("public")
def expert(slug: str) -> ResponseReturnValue:
    """An expert: who they are, what was checked, what they offer, what people say."""
    db = current_db()
    found = pages.expert_by_slug(db, slug)
    if found is None or not (found.state == "active" or _insider(found)):
        raise NotFound(_l("This expert is not here, or not any more."))
    view = pages.expert_view(db, found)
    listings = queries.listings_of(db, found)
    return render_template(
        "helpouts/expert.html",
        expert=view,
        bio=found.bio,
        listings=listings,
        coupon=normal(request.args.get("coupon", "")),
        reviews=queries.reviews_of(db, expert_id=found.id),
        language_names=pages.languages(found.languages),
        canonical_url=_absolute(view.url),
        structured_data=pages.expert_data(db, view, listings),
    )


@bp.get("/e/<slug>/picture.svg")
@requires("public")
def picture(slug: str) -> ResponseReturnValue:
    """An expert's drawn picture; kept by browsers for ever under the address that :func:`picture_path` makes."""
    found = pages.expert_by_slug(current_db(), slug)
    if found is None or not found.owner.avatar or not (found.state == "active" or _insider(found)):
        raise NotFound(_l("This expert is not here, or not any more."))
    answer = Response(found.owner.avatar, content_type="image/svg+xml; charset=utf-8")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    final = request.full_path == picture_path(slug, found.owner.avatar)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if final else "no-cache"
    return answer


def _insider(expert: Expert) -> bool:
    """Whether the person at hand may see what the public does not: the expert's own people and the operators."""
    if not current_user.is_authenticated:
        return False
    return may_edit(expert, current_actor("expert")) or current_user.has_any_role(*OPERATOR_ROLES)


def _absolute(path: str) -> str:
    base: Any = current_runtime().config.public_url
    return f"{base.rstrip('/')}{path}"


from helpouts.catalog import desk, serving_views  # noqa: E402, F401  # the experts' own pages, on the same blueprint
