"""Enabling, disabling and configuring plugins while the site runs."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.db.once import forget, once
from helpouts.errors import ConfigurationError, HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.models import PluginFailure, PluginFlag, PluginSettingRow
from helpouts.plugins.records import Setting
from helpouts.plugins.secrets import seal, unseal
from helpouts.plugins.switches import forget_switches, switches
from helpouts.runtime import runtime_of


def set_enabled(db: Session, name: str, enabled: bool, actor: Actor) -> None:
    """Enable or disable a plugin; all processes obey at their next use of it.

    :raises NotFound: when no plugin of that name is installed.
    """
    registry = runtime_of(db).registry
    if name not in registry.plugins:
        known = ", ".join(sorted(registry.plugins))
        raise NotFound(_l("There is no plugin “%(name)s”; installed: %(known)s.", name=name, known=known))
    flag = db.get(PluginFlag, name)
    if flag is None:
        flag = PluginFlag(name=name)
        db.add(flag)
    flag.enabled, flag.changed_at, flag.changed_by = enabled, clock.now(), actor.user_id
    db.flush()
    registry.forget_flags(db)
    record(db, actor, "plugin.enable" if enabled else "plugin.disable", plugin=name)


def read_settings(db: Session, plugin: str) -> dict[str, Any]:
    """All settings of a plugin, defaults filled in, secrets decrypted; read once in each transaction.

    :raises ConfigurationError: when a secret cannot be had, or a stored value does not fit the declaration (any more).
    """
    return dict(once(db, ("helpouts.settings", plugin), lambda: _read_settings(db, plugin)))


def _read_settings(db: Session, plugin: str) -> dict[str, Any]:
    runtime = runtime_of(db)
    declared = runtime.registry.setting_declarations(plugin)
    values = {key: setting.default for key, setting in declared.items()}
    for key, (value, secret) in switches(db).plugins.get(plugin, {}).items():
        if key not in declared:
            continue
        if secret is not None:
            values[key] = unseal(runtime.config.key("master_key"), plugin, key, secret)
        else:
            values[key] = value
        try:
            check_value(declared[key], values[key])
        except HelpoutsError as error:
            raise ConfigurationError(f"the stored setting {plugin}.{key} does not fit: {error}") from None
    return values


def write_settings(db: Session, plugin: str, changes: Mapping[str, Any], actor: Actor) -> None:
    """Change settings of a plugin: all of them, or none when one is wrong.

    The audit entry names the keys; values of secrets are nowhere but in their encrypted row.

    :raises HelpoutsError: for an unknown key or a value that does not fit; ``field`` is the key.
    """
    runtime = runtime_of(db)
    declared = runtime.registry.setting_declarations(plugin)
    for key, value in changes.items():
        if key not in declared:
            known = ", ".join(sorted(declared)) or "-"
            raise HelpoutsError(_l("“%(key)s” is not a setting; known: %(known)s.", key=key, known=known), field=key)
        check_value(declared[key], value)
    for key, value in changes.items():
        row = db.get(PluginSettingRow, (plugin, key)) or PluginSettingRow(plugin=plugin, key=key)
        if declared[key].secret:
            row.value, row.secret = None, seal(runtime.config.key("master_key"), plugin, key, value)
        else:
            row.value = value
        row.changed_at = clock.now()
        db.add(row)
    db.flush()
    forget_switches(db)
    forget(db, ("helpouts.settings", plugin))
    shown = {key: "***" if declared[key].secret else value for key, value in changes.items()}
    record(db, actor, "plugin.settings", plugin=plugin, changes=shown)


def check_value(setting: Setting, value: Any) -> None:
    """Refuse a value that the declaration does not allow.

    :raises HelpoutsError: with the setting's key as ``field`` and what would be right.
    """
    kind: type = type(value)
    if kind is not setting.type:
        raise HelpoutsError(_l("This must be of the kind %(kind)s.", kind=setting.type.__name__), field=setting.key)
    if setting.required and value in ("", []):
        raise HelpoutsError(_l("This must not be empty."), field=setting.key)
    if setting.type is list and not all(isinstance(part, str) for part in value):
        raise HelpoutsError(_l("This must be a list of texts."), field=setting.key)
    if setting.choices and any(part not in setting.choices for part in (value if setting.type is list else [value])):
        raise HelpoutsError(_l("Choose one of: %(choices)s.", choices=", ".join(setting.choices)), field=setting.key)
    size = value if setting.type is int else len(value) if setting.type in (str, list) else 0
    if setting.minimum is not None and size < setting.minimum:
        raise HelpoutsError(_l("The least is %(minimum)s.", minimum=setting.minimum), field=setting.key)
    if setting.maximum is not None and size > setting.maximum:
        raise HelpoutsError(_l("The most is %(maximum)s.", maximum=setting.maximum), field=setting.key)


def note_failure(db: Session, plugin: str, where: str, error: BaseException) -> None:
    """Remember that a plugin raised, for the console."""
    text = "".join(traceback.format_exception(error))[-8000:]
    db.add(PluginFailure(plugin=plugin, where=where, message=f"{type(error).__name__}: {error}", traceback=text))
