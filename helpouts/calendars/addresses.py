"""Which addresses calendars may be read from: the open internet, and what the operator allows of the own network.

Without this, whoever connects a calendar could make the site's worker talk to machines that only it can reach
(server-side request forgery, OWASP ASVS 5.0 section 1.3.6).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Prefixes in which IPv6 carries an IPv4 address, which is what is reached in the end (RFC 6052, RFC 3056).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
LONGEST = 2000


def is_open(address: str, allowed: Sequence[str] = ()) -> bool:
    """Whether a connection to an IP address may be made.

    :param allowed: addresses and networks (``10.0.0.0/8``) of the operator's choice; names in it are ignored here.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(ip.version == network.version and ip in network for network in _networks(allowed)):
        return True
    inner = _carried(ip)
    if inner is not None and inner != ip:
        return is_open(str(inner), allowed)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def name_is_allowed(host: str, allowed: Sequence[str]) -> bool:
    """Whether the operator named this very host (or its IP address): it may be private, and may go without TLS."""
    if host.lower() in {entry.lower() for entry in allowed}:
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(ip.version == network.version and ip in network for network in _networks(allowed))


def normalised(url: str, allowed: Sequence[str] = ()) -> str:
    """An address as typed, as one that can be read: webcal becomes https (plain http where the operator allows it).

    :raises HelpoutsError: when it cannot be one, with ``field="url"``.
    """
    url = url.strip()
    if len(url) > LONGEST or any(ord(character) <= 32 for character in url):
        raise HelpoutsError(_l("This is not an address: copy it again, without spaces."), field="url")
    if "://" not in url:
        url = f"https://{url}"
    scheme, _, rest = url.partition("://")
    scheme = {"webcal": "https", "webcals": "https"}.get(scheme.lower(), scheme.lower())
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, _port = parts.hostname or "", parts.port
        if not host.isascii():
            host.encode("idna")
    except (ValueError, UnicodeError):
        raise HelpoutsError(_l("This is not an address: copy it again, without spaces."), field="url") from None
    if not host or ("." not in host and ":" not in host and not name_is_allowed(host, allowed)):
        raise HelpoutsError(_l("This is not an address: copy it again, without spaces."), field="url")
    if parts.username or parts.password:
        text = _l("Leave user name and password out of the address: there are fields for them.")
        raise HelpoutsError(text, field="url")
    if scheme != "https" and not (scheme == "http" and name_is_allowed(host, allowed)):
        raise HelpoutsError(_l("The address must begin with https:// or webcal://."), field="url")
    return f"{scheme}://{rest.partition('#')[0]}"


def _networks(allowed: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for entry in allowed:
        try:
            found.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            continue
    return found


def _carried(ip: Address) -> Address | None:
    """The IPv4 address within an IPv6 one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo
    return ip.ipv4_mapped or ip.sixtofour or (teredo[1] if teredo else None)
