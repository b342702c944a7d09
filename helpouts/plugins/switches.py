"""What operators set while the site runs: settings of the site and of plugins, and plugins that are off.

Nearly every request needs them and they are a few rows, so they are read together, once in each transaction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, literal_column, select, union_all
from sqlalchemy.orm import Session

from helpouts.db.once import forget, once
from helpouts.db.prepared import Prepared
from helpouts.plugins.models import PluginFlag, PluginSettingRow, SiteSetting

_KEY = "helpouts.switches"
_NOTHING: ColumnElement[Any] = literal_column("NULL")
_SWITCHES = Prepared(
    union_all(
        select(
            PluginSettingRow.plugin.label("plugin"),
            PluginSettingRow.key.label("key"),
            PluginSettingRow.value.label("value"),
            PluginSettingRow.secret.label("secret"),
        ),
        select(literal_column("''"), SiteSetting.key, SiteSetting.value, _NOTHING),
        select(PluginFlag.name, _NOTHING, _NOTHING, _NOTHING).where(PluginFlag.enabled.is_(False)),
    )
)


class Switches(NamedTuple):
    """The rows as they are; not to be changed.

    :ivar settings: site settings that differ from their defaults.
    :ivar off: names of the plugins that are switched off.
    :ivar plugins: stored settings by plugin and key: (value, sealed secret).
    """

    settings: dict[str, Any]
    off: set[str]
    plugins: dict[str, dict[str, tuple[Any, str | None]]]


def switches(db: Session) -> Switches:
    """All of them, as they are in this transaction."""
    return once(db, _KEY, lambda: _read(db))


def forget_switches(db: Session) -> None:
    """Read them again at the next use: this transaction has changed one."""
    forget(db, _KEY)


def _read(db: Session) -> Switches:
    found = Switches({}, set(), {})
    for plugin, key, value, secret in _SWITCHES.all(db, {}):
        if key is None:
            found.off.add(plugin)
        elif plugin:
            found.plugins.setdefault(plugin, {})[key] = (value, secret)
        else:
            found.settings[key] = value
    return found
