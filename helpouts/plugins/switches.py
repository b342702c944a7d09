"""What operators set while the site runs: settings of the site, and plugins that are off.

Nearly every request needs both and they are a few rows, so they are read together, once in each transaction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from helpouts.db import Json
from helpouts.db.columns import rows
from helpouts.db.once import forget, once
from helpouts.plugins.models import PluginFlag, SiteSetting

_KEY = "helpouts.switches"
_setting, _flag = SiteSetting.__table__.c, PluginFlag.__table__.c
_SWITCHES = union_all(
    select(literal(1), _setting.key, _setting.value),
    select(literal(0), _flag.name, cast(null(), Json)).where(_flag.enabled.is_(False)),
)


class Switches(NamedTuple):
    """Site settings that differ from their defaults, and names of the plugins that are switched off."""

    settings: dict[str, Any]
    off: frozenset[str]


def switches(db: Session) -> Switches:
    """All of them, as they are in this transaction."""
    return once(db, _KEY, lambda: _read(db))


def forget_switches(db: Session) -> None:
    """Read them again at the next use: this transaction has changed one."""
    forget(db, _KEY)


def _read(db: Session) -> Switches:
    found = rows(db, _SWITCHES)
    return Switches(
        {key: value for is_setting, key, value in found if is_setting},
        frozenset(key for is_setting, key, _value in found if not is_setting),
    )
