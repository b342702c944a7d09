"""``helpouts ledger``: checking the books."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from helpouts.cli.base import Runtime, pass_runtime
from helpouts.payments.verify import verify


@click.group()
def ledger() -> None:
    """The double-entry ledger."""


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_runtime
def verify_command(runtime: Runtime, as_json: bool) -> None:
    """Check that every invariant of the money holds; exit code 1 when one does not."""
    with runtime.database.read() as db:
        findings = verify(db)
    runtime.database.dispose()
    good = not any(finding.violations for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": good, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            mark = "ok  " if not finding.violations else "FAIL"
            count = f" ({finding.violations})" if finding.violations else ""
            click.echo(f"{mark} {finding.key:<4}{finding.says}{count}")
        click.echo("The books balance." if good else "The books are broken: stop payouts and look at the rows above.")
    click.get_current_context().exit(0 if good else 1)
