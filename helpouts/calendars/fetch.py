"""HTTP to servers of strangers: bounded in time and size, and only to where it may go.

Built on aiohttp, which the site needs anyway, because it lets us look at each socket address in the moment of the
connection: a name that resolves to another address the second time gains nothing, nor does a redirect, nor an odd
way to write an address.  One :class:`Client` is one visit: all its requests together end by its deadline.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

from helpouts.calendars.addresses import is_open, name_is_allowed
from helpouts.calendars.trouble import Trouble
from helpouts.calendars.vault import Access

#: Most bytes of an answer, unpacked; redirects that are followed.
MOST_BYTES, MOST_REDIRECTS = 10 * 1024 * 1024, 5
#: Seconds: for a connection, without a byte, for a whole visit.
CONNECT, SILENCE, VISIT = 5.0, 8.0, 20.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "Helpouts (calendar reader)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    :param url: the address that answered in the end; may be a secret.
    """

    status: int
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    etag: str = ""

    @property
    def text(self) -> str:
        """The body as UTF-8 whatever it is; what is none becomes a mark."""
        return self.body.decode("utf-8-sig", errors="replace")


class Client:
    """One visit to a server, as an asynchronous context.

    :param access: user and password, sent to the host of ``access.url`` only, and to others only by :meth:`trust`.
    :param allowed: the option ``calendar_allow``.
    :param seconds: the time for everything.
    """

    def __init__(self, access: Access, allowed: Sequence[str] = (), seconds: float = VISIT) -> None:
        self._access = access
        self._allowed = tuple(allowed)
        self._seconds = seconds
        self._refused = self._named = False
        self._trusted = {_origin(access.url)}
        self._digest: aiohttp.DigestAuthMiddleware | None = None

    async def __aenter__(self) -> Client:
        self._deadline = asyncio.get_running_loop().time() + self._seconds
        connector = aiohttp.TCPConnector(socket_factory=self._socket, limit=4, ssl=ssl.create_default_context())
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,  # done here, where it is bounded
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": _AGENT, "Accept-Encoding": "gzip, deflate"},
        )
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def trust(self, url: str) -> None:
        """Send user and password to this server too: the first one has named it in an answer that was encrypted."""
        if urlsplit(url).scheme == "https" or name_is_allowed(urlsplit(url).hostname or "", self._allowed):
            self._trusted.add(_origin(url))

    async def request(
        self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None, *, follow: bool = True
    ) -> Answer:
        """The answer to one request, redirects followed with the same method.

        :raises Trouble: ``unreachable``, ``refused``, ``timeout``, ``tls``, ``too_big`` or ``redirects``.
        """
        for _ in range(MOST_REDIRECTS + 1):
            answer, onward = await self._guarded(method, url, body, dict(headers or {}))
            if not onward or not follow:
                return answer
            url = self._next(url, onward)
        raise Trouble("redirects")

    def _next(self, url: str, onward: str) -> str:
        target = urljoin(url, onward)
        parts = urlsplit(target)
        plain_was_allowed = urlsplit(url).scheme == "http"
        if parts.scheme not in ("http", "https") or (parts.scheme == "http" and not plain_was_allowed):
            raise Trouble("refused")
        return target

    async def _guarded(self, method: str, url: str, body: str, headers: dict[str, str]) -> tuple[Answer, str]:
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise Trouble("timeout")
        self._refused = False
        self._named = name_is_allowed(urlsplit(url).hostname or "", self._allowed)
        try:
            async with asyncio.timeout(left):
                return await self._once(method, url, body, headers)
        except Trouble:
            raise
        except TimeoutError:
            raise Trouble("timeout") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError):
            raise Trouble("tls") from None
        except (aiohttp.ClientError, OSError, ValueError):  # ValueError: odd addresses and headers
            raise Trouble("refused" if self._refused else "unreachable") from None

    async def _once(self, method: str, url: str, body: str, headers: dict[str, str]) -> tuple[Answer, str]:
        options: dict[str, Any] = {}
        if self._access.user and _origin(url) in self._trusted:
            if self._digest is not None:
                options["middlewares"] = (self._digest,)
            else:
                key = base64.b64encode(f"{self._access.user}:{self._access.password}".encode()).decode()
                headers = {**headers, "Authorization": f"Basic {key}"}  # RFC 7617
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)
        async with self._session.request(
            method,
            url,
            data=body.encode() if body else None,
            headers=headers,
            allow_redirects=False,
            timeout=timeout,
            **options,
        ) as response:
            if response.status == 401 and "Authorization" in headers and _asks_for_digest(response):
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
                self._digest = aiohttp.DigestAuthMiddleware(self._access.user, self._access.password)
                return await self._once(method, url, body, headers)
            onward = response.headers.get("Location", "") if response.status in _REDIRECTS else ""
            content = b"" if onward else await _bounded(response)
            answer = Answer(response.status, content, url, response.headers.get("ETag", "")[:400])
        return answer, onward

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Makes the socket for one address, after a look at where it leads; aiohttp connects to exactly that one."""
        family, kind, protocol, _name, address = info
        if not self._named and not is_open(str(address[0]), self._allowed):
            self._refused = True
            raise OSError("this address is not read from")
        return socket.socket(family, kind, protocol)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked, as long as it stays below :data:`MOST_BYTES`; a bomb is noticed before it goes off."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise Trouble("broken")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if coding not in ("identity", "") else None
    content = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        try:
            content += chunk if unpack is None else unpack.decompress(chunk, MOST_BYTES - len(content) + 1)
        except zlib.error:
            raise Trouble("broken") from None
        if len(content) > MOST_BYTES:
            raise Trouble("too_big")
    if unpack is not None and not unpack.eof and response.status != 304:
        raise Trouble("broken")
    return bytes(content)


def _asks_for_digest(response: aiohttp.ClientResponse) -> bool:
    return any(value.lower().startswith("digest") for value in response.headers.getall("WWW-Authenticate", []))


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (parts.scheme, (parts.hostname or "").lower(), parts.port)
