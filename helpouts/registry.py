"""The plugins of a site: discovery, isolation of failures, typed look-ups.

The only file that touches the plugin manager.  Everything installed is loaded at start, whatever the flags
say; whether a plugin is *enabled* is read from the database at each use, so that all processes obey at once.
What a plugin's records must look like is checked here, once, in :mod:`helpouts.plugins.checks`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
import structlog
from sqlalchemy.orm import Session

from helpouts import hookspecs, i18n
from helpouts.catalog.category import Category, standin_category
from helpouts.db.once import forget, once
from helpouts.errors import Conflict, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices.channel import NotificationChannel
from helpouts.payments.backend import PaymentBackend, StandinBackend
from helpouts.plugins import records
from helpouts.plugins.checks import check_records
from helpouts.plugins.switches import forget_switches, switches
from helpouts.sessions.transport import VideoTransport
from helpouts.storage.backend import StorageBackend, standin_backend
from helpouts.vetting.rule import VettingRule

if TYPE_CHECKING:
    from flask import Flask

    from helpouts.config import Config

GROUP = "helpouts"
log = structlog.get_logger("helpouts.registry")
R = TypeVar("R")

#: Hook, attribute that names the record, for the four families and what else is looked up by name.
_FAMILIES = {
    "helpouts_categories": "slug",
    "helpouts_payment_backends": "name",
    "helpouts_vetting_rules": "name",
    "helpouts_video_transports": "name",
    "helpouts_notification_channels": "name",
    "helpouts_storage_backends": "name",
}
_SURFACES = (
    "helpouts_settings",
    "helpouts_blueprints",
    "helpouts_admin_views",
    "helpouts_cli_commands",
    "helpouts_health_checks",
    "helpouts_jobs",
    "helpouts_live_routes",
    "helpouts_migrations",
    "helpouts_user_data",
)


@dataclass
class Plugin:
    """One plugin as it was found: where it comes from, and what went wrong, if anything did."""

    name: str
    distribution: str
    version: str
    module: Any = None
    error: str = ""
    traceback: str = ""
    records: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def loaded(self) -> bool:
        """Whether the plugin can be used at all."""
        return self.module is not None and not self.error

    def fail(self, what: str, error: BaseException) -> None:
        """Remember why the plugin is not usable; its records are dropped."""
        self.error = f"{what}: {type(error).__name__}: {error}"
        self.traceback = "".join(traceback.format_exception(error))
        self.records = {}
        log.error("plugin failed", plugin=self.name, distribution=self.distribution, error=self.error)


class Registry:
    """All plugins of one process and what they offer."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        for spec in hookspecs.SPECS:
            self._manager.add_hookspecs(spec)
        self.plugins: dict[str, Plugin] = {}
        self._families: dict[str, dict[str, tuple[str, Any]]] = {hook: {} for hook in _FAMILIES}

    # -- loading ---------------------------------------------------------------------------------------------

    def add(self, name: str, load: Callable[[], Any], distribution: str = "", version: str = "") -> Plugin:
        """Load one plugin; whatever it raises is kept in its :class:`Plugin` and shown, never passed on."""
        plugin = Plugin(name, distribution, version)
        if name in self.plugins:
            other = self.plugins[name]
            plugin.error = (
                f"the name {name!r} is taken: it is offered by {other.distribution} {other.version}"
                f" and by {distribution} {version}; uninstall one of them"
            )
            self.plugins[f"{name} ({distribution})"] = plugin
            log.error("plugin name taken", plugin=name, error=plugin.error)
            return plugin
        self.plugins[name] = plugin
        try:
            plugin.module = load()
            self._manager.register(plugin.module, name=name)
            self._manager.check_pending()
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
                raise
            if plugin.module is not None and self._manager.is_registered(plugin.module):
                self._manager.unregister(plugin.module)
            plugin.fail("cannot be loaded", error)
            return plugin
        self._collect(plugin)
        if plugin.loaded and hasattr(plugin.module, "__path__"):  # a single module has no folder for translations
            i18n.add_catalogues(plugin.module.__name__)
        return plugin

    def _collect(self, plugin: Plugin) -> None:
        found: dict[str, list[Any]] = {}
        try:
            for hook in (*_FAMILIES, *_SURFACES):
                found[hook] = list(self._call_one(plugin, hook))
                check_records(plugin.name, hook, found[hook])
            for hook, attribute in _FAMILIES.items():
                self._check_names(plugin, hook, [getattr(record, attribute) for record in found[hook]])
        except Exception as error:
            self._manager.unregister(plugin.module)
            plugin.fail("raised in a hook", error)
            return
        plugin.records = found
        for hook, attribute in _FAMILIES.items():
            for record in found[hook]:
                self._families[hook][getattr(record, attribute)] = (plugin.name, record)

    def _check_names(self, plugin: Plugin, hook: str, names: Sequence[str]) -> None:
        for position, name in enumerate(names):
            taken = self._families[hook].get(name)
            other = self.plugins[taken[0]] if taken else plugin
            if taken or name in names[:position]:
                raise Conflict(
                    f"{hook} has two records named {name!r}: one of {other.distribution} {other.version},"
                    f" one of {plugin.distribution} {plugin.version}"
                )

    def _call_one(self, plugin: Plugin, hook: str, **values: Any) -> Iterable[Any]:
        results = self._only(plugin, hook)(**values)
        return results[0] if results and results[0] is not None else ()

    def _only(self, plugin: Plugin, hook: str) -> Callable[..., list[Any]]:
        """The hook's caller with every other plugin left out, so that no failure can reach them."""
        others = [p for p in self._manager.get_plugins() if p is not plugin.module]
        return self._manager.subset_hook_caller(hook, others)

    # -- enabled or not --------------------------------------------------------------------------------------

    def enabled(self, db: Session) -> frozenset[str]:
        """Names of the plugins that are loaded and enabled; the flags are read once in each transaction."""
        off = switches(db).off
        return frozenset(name for name, plugin in self.plugins.items() if plugin.loaded and name not in off)

    @staticmethod
    def forget_flags(db: Session) -> None:
        """Read the flags again at the next use (after changing one)."""
        forget_switches(db)
        for hook in _FAMILIES:
            forget(db, ("helpouts.enabled", hook))

    def listeners(self, hook: str) -> list[str]:
        """Names of the loaded plugins that implement an event hook.

        :raises LookupError: when there is no such hook.
        """
        caller = getattr(self._manager.hook, hook, None)
        if caller is None:
            raise LookupError(f"there is no hook {hook!r}")
        return [implementation.plugin_name for implementation in caller.get_hookimpls()]

    def tell(self, plugin: str, hook: str, db: Session, values: Mapping[str, Any]) -> None:
        """Call one plugin's implementation of an event hook; what it raises is passed on to the caller (a job)."""
        if plugin in self.plugins and self.plugins[plugin].loaded:
            self._only(self.plugins[plugin], hook)(db=db, **values)

    def fill_demo(self, db: Session, customers: Sequence[int], experts: Sequence[int]) -> None:
        """Let every enabled plugin bring its part of the demo's content."""
        for name in self.listeners("helpouts_demo"):
            if name in self.enabled(db):
                self._only(self.plugins[name], "helpouts_demo")(db=db, customers=customers, experts=experts)

    def bring_apps(self, app: Flask) -> None:
        """Let the add-ons extend the web application; one that fails is left out and shown."""
        for name in self.listeners("helpouts_web_app"):
            try:
                self._only(self.plugins[name], "helpouts_web_app")(app=app)
            except Exception as error:
                self.plugins[name].fail("cannot extend the web application", error)

    # -- the four families -----------------------------------------------------------------------------------

    def _of(self, db: Session, hook: str) -> dict[str, Any]:
        return once(db, ("helpouts.enabled", hook), lambda: self._enabled_of(db, hook))

    def _enabled_of(self, db: Session, hook: str) -> dict[str, Any]:
        enabled = self.enabled(db)
        return {name: record for name, (plugin, record) in sorted(self._families[hook].items()) if plugin in enabled}

    def _named(self, hook: str, name: str, kind: str) -> Any:
        try:
            return self._families[hook][name][1]
        except KeyError:
            known = ", ".join(sorted(self._families[hook])) or "none"
            raise NotFound(f"there is no {kind} {name!r}; known: {known}") from None

    def plugin_of(self, hook: str, name: str) -> str | None:
        """The plugin that offers the record ``name`` of a family's hook."""
        found = self._families[hook].get(name)
        return found[0] if found else None

    def categories(self, db: Session) -> dict[str, Category]:
        """The enabled categories by slug, in the order of their plugins' names."""
        return self._of(db, "helpouts_categories")

    def category(self, slug: str) -> Category:
        """A category by its stored slug, enabled or not; a stand-in when its plugin is gone."""
        found = self._families["helpouts_categories"].get(slug)
        return found[1] if found else standin_category(slug)

    def payment_backends(self, db: Session) -> dict[str, PaymentBackend]:
        """The enabled payment backends by name."""
        return self._of(db, "helpouts_payment_backends")

    def payment_backend(self, name: str) -> PaymentBackend:
        """A payment backend by its stored name; one that refuses to move money when its plugin is gone."""
        found = self._families["helpouts_payment_backends"].get(name)
        return found[1] if found else StandinBackend(name)

    def vetting_rules(self, db: Session) -> dict[str, VettingRule]:
        """The enabled vetting rules by name."""
        return self._of(db, "helpouts_vetting_rules")

    def video_transports(self, db: Session) -> dict[str, VideoTransport]:
        """The enabled video transports by name."""
        return self._of(db, "helpouts_video_transports")

    def video_transport(self, name: str) -> VideoTransport:
        """A video transport by name.

        :raises NotFound: lists the names that are known.
        """
        transport: VideoTransport = self._named("helpouts_video_transports", name, "video transport")
        return transport

    def notification_channels(self, db: Session) -> dict[str, NotificationChannel]:
        """The enabled ways of reaching people, by name, in the order of their names."""
        return dict(sorted(self._of(db, "helpouts_notification_channels").items()))

    def storage_backends(self, db: Session) -> dict[str, StorageBackend]:
        """The enabled storage backends of plugins by name."""
        return self._of(db, "helpouts_storage_backends")

    def storage_backend(self, name: str) -> StorageBackend:
        """A plugin's storage backend by its stored name, enabled or not; a stand-in when the plugin is gone."""
        found = self._families["helpouts_storage_backends"].get(name)
        return found[1] if found else standin_backend(name)

    # -- surfaces --------------------------------------------------------------------------------------------

    def surface(self, hook: str, kind: type[R]) -> Iterator[tuple[str, R]]:
        """(plugin, record) of all loaded plugins for one of the surface hooks; the caller checks the flag."""
        for plugin in self.plugins.values():
            for record in plugin.records.get(hook, ()):
                if isinstance(record, kind):
                    yield plugin.name, record

    def setting_declarations(self, plugin: str) -> dict[str, records.Setting]:
        """The settings that a plugin declares, by key.

        :raises NotFound: when there is no such plugin.
        """
        if plugin not in self.plugins:
            raise NotFound(_l("There is no plugin “%(name)s”.", name=plugin))
        declared = self.plugins[plugin].records.get("helpouts_settings", ())
        return {setting.key: setting for setting in declared}


def load_registry(config: Config) -> Registry:
    """Load everything that is installed, but for what the configuration leaves out.

    What comes with Helpouts goes first, so that nothing else can take its names; the rest in the order of names.
    """
    registry = Registry()
    for distribution in sorted(distributions(), key=lambda d: (not _is_ours(d), _name(d))):
        for entry in _entries(registry, distribution):
            if entry.name in config.plugins_off or (config.safe_mode and not _is_ours(distribution)):
                continue
            if entry.name in registry.plugins and registry.plugins[entry.name].distribution == _name(distribution):
                continue  # the same distribution seen twice on the path
            registry.add(entry.name, entry.load, _name(distribution), _version(distribution))
    return registry


def _entries(registry: Registry, distribution: Distribution) -> Sequence[EntryPoint]:
    """The distribution's entry points in our group; a file that cannot be read is shown as a failed plugin."""
    try:
        return tuple(distribution.entry_points.select(group=GROUP))
    except Exception as error:
        if f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or ""):
            broken = Plugin(_name(distribution), _name(distribution), _version(distribution))
            broken.fail("its entry points cannot be read", error)
            registry.plugins.setdefault(broken.name, broken)
        return ()


def _field(distribution: Distribution, name: str) -> str:
    try:
        return str(distribution.metadata[name] or "")
    except Exception:
        return ""  # a leftover folder without METADATA; nothing to load from it


def _name(distribution: Distribution) -> str:
    return _field(distribution, "Name")


def _version(distribution: Distribution) -> str:
    return _field(distribution, "Version")


def _is_ours(distribution: Distribution) -> bool:
    return _field(distribution, "Author") == "The Helpouts developers"
