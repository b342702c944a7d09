"""Join, answer, restart and leave over HTTP, with the manners of WHIP (RFC 9725)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus

from aiohttp import web

from helpouts.i18n import gettext as _
from helpouts.sessions.transport import TransportFull
from helpouts_video_aiortc.driver import RelayDriver, UnknownGrant, running
from helpouts_video_aiortc.leg import Leg
from helpouts_video_aiortc.sdp import BadAnswer, parse_answer

BODY_LIMIT = 32 * 1024
"""Bytes; a browser's answer to the offer takes about 5 KiB."""
SDP = "application/sdp"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _problem(status: HTTPStatus, detail: str, **headers: str) -> web.Response:
    """A problem document (RFC 9457)."""
    body = json.dumps({"title": status.phrase, "status": int(status), "detail": detail})
    return web.Response(status=status, text=body, content_type="application/problem+json", headers=headers)


def _with_driver(handler: Callable[[RelayDriver, web.Request], Awaitable[web.StreamResponse]]) -> Handler:
    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        driver = running()
        if driver is None:
            detail = _("The video relay has not started here yet.")
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, **{"Retry-After": "2"})
        return await handler(driver, request)

    return handle


def _gone() -> web.Response:
    return _problem(HTTPStatus.NOT_FOUND, _("This connection is over: ask the room for a new grant."))


def _stale(request: web.Request, leg: Leg) -> bool:
    """Whether If-Match names another ICE session than the latest (RFC 9110 section 13.1.1); absent means any."""
    wanted = [tag.strip() for tag in request.headers.get("If-Match", "*").split(",")]
    return "*" not in wanted and leg.etag not in wanted


def _outdated() -> web.Response:
    return _problem(HTTPStatus.PRECONDITION_FAILED, _("There is a newer offer: answer that one."))


def _offer(driver: RelayDriver, leg: Leg, status: HTTPStatus, **headers: str) -> web.Response:
    headers |= {"ETag": leg.etag, "Cache-Control": "no-store"}
    return web.Response(status=status, text=driver.offer(leg), content_type=SDP, headers=headers)


@_with_driver
async def join(driver: RelayDriver, request: web.Request) -> web.StreamResponse:
    """``POST /legs`` with the grant's token: 201, Location, ETag and the offer."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer" or not token.isascii():
            raise UnknownGrant
        leg = await driver.redeem(token.strip())
    except UnknownGrant:
        detail = _("The grant is unknown, used or expired: ask the room for a new one.")
        return _problem(HTTPStatus.UNAUTHORIZED, detail, **{"WWW-Authenticate": "Bearer"})
    except TransportFull as full:
        detail = _("All lines are busy: try again in a moment.")
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, **{"Retry-After": str(full.retry_after)})
    return _offer(driver, leg, HTTPStatus.CREATED, Location=f"{driver.url}/{leg.id}")


@_with_driver
async def answer(driver: RelayDriver, request: web.Request) -> web.StreamResponse:
    """``PATCH /legs/{leg}`` with the answer to the latest offer: 204."""
    leg = driver.leg(request.match_info["leg"])
    if leg is None:
        return _gone()
    if request.content_type != SDP:
        return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("Send the answer as application/sdp."))
    body = await _body(request)
    if body is None:
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The answer is too long."))
    if _stale(request, leg):
        return _outdated()
    try:
        leg.answer(parse_answer(body.decode("utf-8", "replace")))
    except BadAnswer as bad:
        return _problem(HTTPStatus.BAD_REQUEST, str(bad))
    await driver.settle(leg)
    return web.Response(status=HTTPStatus.NO_CONTENT)


@_with_driver
async def offer(driver: RelayDriver, request: web.Request) -> web.StreamResponse:
    """``POST /legs/{leg}/offer``: 200 with an offer of the codecs that suit both sides; all else stays as it is."""
    leg = driver.leg(request.match_info["leg"])
    return _gone() if leg is None else _offer(driver, leg, HTTPStatus.OK)


@_with_driver
async def restart(driver: RelayDriver, request: web.Request) -> web.StreamResponse:
    """``POST /legs/{leg}/restart``: 200 with an offer of new ICE credentials and its ETag; media goes on meanwhile."""
    leg = driver.leg(request.match_info["leg"])
    if leg is None:
        return _gone()
    if _stale(request, leg):
        return _outdated()
    leg.restart()
    return _offer(driver, leg, HTTPStatus.OK)


@_with_driver
async def leave(driver: RelayDriver, request: web.Request) -> web.StreamResponse:
    """``DELETE /legs/{leg}``: 200, also when it is over already."""
    leg = driver.leg(request.match_info["leg"])
    if leg is not None:
        await driver.drop(leg)
    return web.Response(status=HTTPStatus.OK)


async def _body(request: web.Request) -> bytes | None:
    """The body, None when it is longer than :data:`BODY_LIMIT`; read piecewise, so that its length need not be told."""
    if (request.content_length or 0) > BODY_LIMIT:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(4096):
        body += chunk
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)
