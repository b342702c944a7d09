"""What plugins and core share: records of the smaller hooks, flags, settings, secrets."""

from helpouts.plugins.records import (
    AdminView,
    CliCommand,
    HealthCheck,
    JobHandler,
    LiveRoute,
    Migrations,
    PluginBlueprint,
    Problem,
    Setting,
    UserData,
)

__all__ = [
    "AdminView",
    "CliCommand",
    "HealthCheck",
    "JobHandler",
    "LiveRoute",
    "Migrations",
    "PluginBlueprint",
    "Problem",
    "Setting",
    "UserData",
]
