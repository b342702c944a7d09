"""What the core demands of the records that a plugin returns, checked once, when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpouts.catalog.category import Category
from helpouts.notices.channel import NotificationChannel
from helpouts.payments.backend import PaymentBackend
from helpouts.plugins import records
from helpouts.sessions.transport import VideoTransport
from helpouts.storage.backend import StorageBackend
from helpouts.storage.folder import FOLDER
from helpouts.vetting.rule import VettingRule

#: The type of record that each hook returns.
RECORDS: dict[str, type] = {
    "helpouts_categories": Category,
    "helpouts_payment_backends": PaymentBackend,
    "helpouts_vetting_rules": VettingRule,
    "helpouts_video_transports": VideoTransport,
    "helpouts_settings": records.Setting,
    "helpouts_blueprints": records.PluginBlueprint,
    "helpouts_admin_views": records.AdminView,
    "helpouts_cli_commands": records.CliCommand,
    "helpouts_health_checks": records.HealthCheck,
    "helpouts_jobs": records.JobHandler,
    "helpouts_live_routes": records.LiveRoute,
    "helpouts_migrations": records.Migrations,
    "helpouts_notification_channels": NotificationChannel,
    "helpouts_storage_backends": StorageBackend,
    "helpouts_user_data": records.UserData,
}
#: Hooks of which a plugin may return one record at most.
_SINGLE = frozenset({"helpouts_migrations", "helpouts_user_data"})
#: What names of storages look like: they are part of references.
_STORAGE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
SETTING_TYPES = (str, int, bool, list)


def check_records(plugin: str, hook: str, found: Sequence[Any]) -> None:
    """Refuse records that the core could not work with.

    :raises TypeError: a record of another type than the hook's.
    :raises ValueError: too many records, a table without the plugin's prefix, a setting that contradicts itself.
    """
    kind = RECORDS[hook]
    for record in found:
        if not isinstance(record, kind):
            raise TypeError(f"{hook} returns {kind.__name__} records, not {type(record).__name__}")
    if hook in _SINGLE and len(found) > 1:
        raise ValueError(f"{hook} returns one record at most, not {len(found)}")
    if hook == "helpouts_migrations":
        for record in found:
            _check_tables(plugin, record)
            _check_folder(record)
    if hook == "helpouts_storage_backends":
        for backend in found:
            if not _STORAGE_NAME.fullmatch(backend.name) or backend.name == FOLDER.name:
                raise ValueError(f"{backend.name!r} is not a name for a storage backend")
    if hook == "helpouts_settings":
        for setting in found:
            _check_setting(setting)
        keys = [setting.key for setting in found]
        if len(set(keys)) != len(keys):
            raise ValueError(f"the settings repeat a key: {', '.join(sorted(keys))}")


def _check_tables(plugin: str, record: records.Migrations) -> None:
    strange = sorted(name for name in record.metadata.tables if not name.startswith(f"{plugin}_"))
    if strange:
        raise ValueError(f"the tables of a plugin are named {plugin}_*; rename {', '.join(strange)}")


def _check_folder(record: records.Migrations) -> None:
    if not Path(record.path).is_dir():
        raise ValueError(f"there is no folder of migrations {record.path}: is it among the package's files?")


def _check_setting(setting: records.Setting) -> None:
    if setting.type not in SETTING_TYPES:
        known = ", ".join(kind.__name__ for kind in SETTING_TYPES)
        raise ValueError(f"the setting {setting.key!r} is of the type {setting.type!r}; known: {known}")
    if type(setting.default) is not setting.type:
        raise ValueError(f"the default of the setting {setting.key!r} is not of its type {setting.type.__name__}")
    if setting.secret and setting.type is not str:
        raise ValueError(f"the setting {setting.key!r} is a secret, and secrets are texts")
