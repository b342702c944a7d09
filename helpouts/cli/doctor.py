"""``helpouts doctor``: what is wrong with this installation, with the fix beside each finding."""

from __future__ import annotations

import json
import smtplib
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import click
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from helpouts.audit.service import first_broken
from helpouts.calendars import health as calendars
from helpouts.cli.base import Runtime, pass_runtime
from helpouts.config import OPTIONS
from helpouts.db import migrate
from helpouts.errors import ConfigurationError
from helpouts.finding.checks import drift
from helpouts.plugins.records import HealthCheck, Problem
from helpouts.plugins.service import read_settings
from helpouts.sessions import nodes
from helpouts.web.headers import live_sources


@click.command()
@click.option("--options", is_flag=True, help="List every option of the configuration and end.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@pass_runtime
def doctor(runtime: Runtime, options: bool, as_json: bool) -> None:
    """Check configuration, database, plugins and mail; exit with 1 when something must be mended."""
    if options:
        for option in OPTIONS:
            name = f"HELPOUTS_{option.key.upper()}"
            click.echo(f"{name:29} {option.type.__name__:5} {option.default!r:28} {option.help}")
        return
    found = list(findings(runtime))
    if as_json:
        rows = [{"severity": p.severity, "text": str(p.text), "fix": str(p.fix)} for p in found]
        click.echo(json.dumps(rows, indent=2))
    else:
        for problem in found:
            click.echo(f"{problem.severity}: {problem.text}")
            if problem.fix:
                click.echo(f"    fix: {problem.fix}")
        click.echo("nothing to mend" if not found else f"{len(found)} finding(s)")
    if any(problem.severity == "error" for problem in found):
        sys.exit(1)


def findings(runtime: Runtime) -> Iterator[Problem]:
    """All that is wrong, core first, then what the plugins' health checks say."""
    config = runtime.config
    if not str(config.public_url).startswith("https://") and "127.0.0.1" not in config.public_url:
        yield Problem("error", "the site is not served over HTTPS", "set public_url to the https:// address")
    try:
        with runtime.database.read() as db:
            db.execute(sql("SELECT 1"))
    except Exception as error:
        yield Problem("error", f"the database does not answer: {error}", "check the option 'database'")
        return
    behind = migrate.pending(runtime.database, runtime.registry)
    if behind:
        yield Problem("error", f"migrations are outstanding: {', '.join(behind)}", "run 'helpouts db upgrade'")
        return
    for name, plugin in runtime.registry.plugins.items():
        if plugin.error:
            yield Problem("error", f"plugin {name} ({plugin.distribution}): {plugin.error}", "update or uninstall it")
    yield from _mail(runtime)
    with runtime.database.read() as db:
        broken = first_broken(db)
        if broken is not None:
            yield Problem("error", f"the audit trail was changed at or before entry {broken}", "compare with a backup")
        yield from _out_of_reach(runtime, db)
        yield from calendars.problems(db)
        strayed = drift(db)
        if strayed:
            text = f"the search's index differs from the listings in {len(strayed)} place(s): {'; '.join(strayed[:3])}"
            yield Problem("warning", text, "see that the worker runs; if it stays, run 'helpouts finding rebuild'")
        yield from _plugins(runtime, db)


def _out_of_reach(runtime: Runtime, db: Session) -> Iterator[Problem]:
    """Live processes whose rooms no page could enter: its policy names other addresses."""
    config = runtime.config
    site, sources = urlsplit(config.public_url).netloc, live_sources(config)
    for node in nodes.alive(db).values():
        found = urlsplit(node.public_url)
        origin = f"{found.scheme}://{found.netloc}"
        if found.netloc != site and not any(fnmatchcase(origin, source) for source in sources):
            text = f"pages may not reach the live process {node.name} at {node.public_url}"
            yield Problem(
                "error", text, f"add {origin} to live_origins of the web process, or give it a path of the site"
            )


def _plugins(runtime: Runtime, db: Session) -> Iterator[Problem]:
    """What the enabled plugins' settings and health checks show; one that raises does not hide the others."""
    checks = list(runtime.registry.surface("helpouts_health_checks", HealthCheck))
    for name in sorted(runtime.registry.enabled(db)):
        try:
            settings = read_settings(db, name)
        except ConfigurationError as error:
            yield Problem("error", str(error), f"mend the settings of {name} in the console")
            continue
        for check in (check for plugin, check in checks if plugin == name):
            try:
                yield from check.check(db, settings)
            except Exception as error:
                text = f"plugin {name}: the check {check.name} failed: {type(error).__name__}: {error}"
                yield Problem("error", text, "update the plugin or disable it")


def _mail(runtime: Runtime) -> Iterator[Problem]:
    config = runtime.config
    if not config.mail_host:
        yield Problem("warning", "no mail server is set: mails are only written to a folder", "set mail_host")
        return
    try:
        with smtplib.SMTP(config.mail_host, config.mail_port, timeout=5) as server:
            server.noop()
    except OSError as error:
        server_name = f"{config.mail_host}:{config.mail_port}"
        yield Problem("error", f"{server_name} does not take mail: {error}", "check mail_host and mail_port")
