"""Addresses, users and passwords of calendars at rest: encrypted as the secrets of plugins are (AES-256-GCM).

The address of a calendar is a secret too: whoever knows it can read the calendar.  A ciphertext that is moved to
another row does not decrypt.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from helpouts.calendars.models import CalendarSource
from helpouts.config import Config
from helpouts.plugins.secrets import seal, unseal

_OWNER = "calendars"


@dataclass(frozen=True, slots=True)
class Access:
    """Where a calendar is and how it is opened; not shown in tracebacks and logs."""

    url: str = field(repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def lock(config: Config, public_id: str, access: Access) -> str:
    """The ciphertext for :attr:`CalendarSource.sealed` of the source with this ``public_id``."""
    # A JSON object never begins with "env:" or "file:", which unseal() would follow.
    return seal(config.key("master_key"), _OWNER, public_id, json.dumps(asdict(access)))


def unlock(config: Config, source: CalendarSource) -> Access:
    """What :func:`lock` hid.

    :raises ConfigurationError: when the master key is another one now.
    """
    return Access(**json.loads(unseal(config.key("master_key"), _OWNER, source.public_id, source.sealed)))
