"""One request to a push service, guarded: browsers name the address, and people can make browsers say anything.

Only https, only public addresses, no redirects.  The name is resolved once and the connection goes to the address that
was looked at, so a name that changes its mind in between gains nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

TIMEOUT = 5.0


def check_endpoint(endpoint: str, *, allow_local: bool) -> None:
    """Refuse an address that no push service of a browser can have; names are not looked up here.

    :raises HelpoutsError: with what is wrong, field "endpoint".
    """
    try:
        parts = urlsplit(endpoint)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise HelpoutsError(_l("This is not the address of a push service."), field="endpoint") from None
    schemes = ("https", "http") if allow_local else ("https",)
    strange = not endpoint.isascii() or any(ord(letter) <= 32 for letter in endpoint) or len(endpoint) > 2000
    if parts.scheme not in schemes or not host or parts.username is not None or strange:
        raise HelpoutsError(_l("This is not the address of a push service."), field="endpoint")
    if not allow_local and _is_inside(host):
        raise HelpoutsError(_l("A push service is not in a local network."), field="endpoint")


def _is_inside(host: str) -> bool:
    if (
        host == "localhost"
        or host.endswith((".localhost", ".local", ".internal"))
        or "." not in host + (":" in host) * "."
    ):
        return True
    try:
        return not _is_public(host)
    except ValueError:
        return False  # a name


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    return inner.is_global and not inner.is_multicast


def post(endpoint: str, headers: Mapping[str, str], body: bytes, *, allow_local: bool = False) -> int:
    """Send a message to a push service; the status that it answers.

    :raises HelpoutsError: the address is refused.
    :raises OSError: the service cannot be reached, or does not answer in time.
    """
    check_endpoint(endpoint, allow_local=allow_local)
    parts = urlsplit(endpoint)
    secure = parts.scheme == "https"
    host, port = str(parts.hostname), parts.port or (443 if secure else 80)
    address = _resolve(host, port, allow_local)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        sock = socket.create_connection((address, port), TIMEOUT)
        connection.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host) if secure else sock
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", path, body, {"Host": parts.netloc, **headers})
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"{host} does not speak HTTP: {error!r}") from error
    finally:
        connection.close()


def _resolve(host: str, port: int, allow_local: bool) -> str:
    addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [address for address in addresses if allow_local or _is_public(address)]
    if len(allowed) < len(addresses) or not allowed:
        raise HelpoutsError(_l("A push service is not in a local network."), field="endpoint")
    return allowed[0]
