"""The records of the smaller hooks: settings, pages, jobs, health checks and the like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import click
    from aiohttp import web
    from flask import Blueprint
    from sqlalchemy import MetaData
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting of a plugin.  Unknown keys are refused; values are checked on write and at start.

    :param type: ``str``, ``int``, ``bool`` or ``list`` (of strings).
    :param secret: kept encrypted, or as a reference ``env:NAME`` or ``file:PATH``; never shown again.
    :param minimum: least integer, or least length of a text.
    """

    key: str
    type: type
    default: Any
    label: object
    help: object = ""
    secret: bool = False
    minimum: int | None = None
    maximum: int | None = None
    choices: Sequence[str] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class PluginBlueprint:
    """Pages of a plugin, mounted below ``/x/{plugin}/``, behind the enabled flag and a permission.

    :param permission: "public", "signed_in", "expert" or an operator role; endpoints may declare their own.
    """

    blueprint: Blueprint
    permission: str = "signed_in"


@dataclass(frozen=True, slots=True)
class AdminView:
    """A page in the operators' console.  Knows nothing of the console's own library.

    :param render: ``render(db) -> str`` HTML (a Markup string) for the page's body.
    """

    name: str
    title: object
    permission: str
    render: Callable[[Session], str]
    category: object = ""


@dataclass(frozen=True, slots=True)
class CliCommand:
    """A command, run as ``helpouts x {plugin} {command}``; ``ctx.obj`` is the :class:`helpouts.runtime.Runtime`."""

    command: click.Command


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of a check, with what to do about it."""

    severity: Literal["error", "warning", "info"]
    text: object
    fix: object = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check for ``helpouts doctor`` and the console; returns no problems when all is well."""

    name: str
    title: object
    check: Callable[[Session, Mapping[str, Any]], Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class JobHandler:
    """Work that the worker does for a plugin; ``kind`` is prefixed with the plugin's name by the core.

    :param run: ``run(db, payload)``, in the transaction that finishes the job.
    :param every_seconds: for a periodic job, else 0.
    """

    kind: str
    run: Callable[[Session, Mapping[str, Any]], None]
    every_seconds: int = 0


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """A route in the live process (asyncio), mounted at ``/x/{plugin}{path}`` behind the enabled flag."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Migrations:
    """A plugin's tables: all named ``{plugin}_*``, with an Alembic version table of their own.

    :param path: folder of the revision files, absolute.
    """

    metadata: MetaData
    path: str


@dataclass(frozen=True, slots=True)
class UserData:
    """What a plugin knows of a person: for export, and for erasing (GDPR articles 15, 17 and 20)."""

    export: Callable[[Session, int], Mapping[str, Any]]
    erase: Callable[[Session, int], None]
