"""Which addresses may be read from."""

from __future__ import annotations

import pytest

from helpouts.calendars.addresses import is_open, normalised
from helpouts.errors import HelpoutsError


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_the_internet_is_open(address):
    assert is_open(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"),
        *("nonsense", ""),
    ],
)
def test_what_only_the_site_can_reach_is_not(address):
    assert not is_open(address)


def test_the_operator_may_open_a_network():
    assert is_open("10.1.2.3", ["10.0.0.0/8", "calendar.intranet"])
    assert is_open("::ffff:10.1.2.3", ["10.0.0.0/8"])
    assert not is_open("11.1.2.3", ["not a network"]) or is_open("11.1.2.3")
    assert not is_open("192.168.1.1", ["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" webcal://example.org/a.ics ", "https://example.org/a.ics"),
        ("WEBCAL://example.org/a.ics", "https://example.org/a.ics"),
        ("example.org/a.ics", "https://example.org/a.ics"),
        ("https://example.org:8443/a?b=c#d", "https://example.org:8443/a?b=c"),
        ("http://calendar.intranet/a", "http://calendar.intranet/a"),
        ("http://10.1.1.1/a", "http://10.1.1.1/a"),
    ],
)
def test_addresses_as_people_type_them(typed, read):
    assert normalised(typed, ["calendar.intranet", "10.0.0.0/8"]) == read


@pytest.mark.parametrize(
    "typed",
    [
        *("http://example.org/a.ics", "ftp://example.org/", "file:///etc/passwd", "https://user:pass@example.org/"),
        *("https://exa mple.org/", "https://example.org:99999/", "https://", "localhost", "x" * 3000, "https://[::1/"),
        "https://example.org/\r\nX: y",
    ],
)
def test_what_is_refused_in_the_form(typed):
    with pytest.raises(HelpoutsError) as refused:
        normalised(typed)
    assert refused.value.field == "url"
