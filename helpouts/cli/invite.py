"""``helpouts invite``: a code for somebody who has not applied."""

from __future__ import annotations

import json

import click

from helpouts import i18n
from helpouts.cli.base import COMMAND_LINE, Runtime, pass_runtime
from helpouts.vetting.service import issue


@click.command()
@click.option("--category", required=True, help="Slug of the category that the code opens, e.g. it.")
@click.option("--email", default="", help="The only address that may use the code; the code is mailed there.")
@click.option("--locale", type=click.Choice(list(i18n.LANGUAGES)), default=i18n.DEFAULT_LOCALE, help="Of the mail.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_runtime
def invite(runtime: Runtime, category: str, email: str, locale: str, as_json: bool) -> None:
    """Make an invitation code with which somebody can become an expert."""
    with runtime.database.write() as db:
        invitation, code = issue(db, category, email, COMMAND_LINE, locale=locale)
        answer = {
            "code": code,
            "category": category,
            "email": invitation.email,
            "expires_at": invitation.expires_at.isoformat(),
            "url": f"{runtime.config.public_url.rstrip('/')}/join?code={code}",
        }
    if as_json:
        click.echo(json.dumps(answer))
        return
    click.echo(f"code:     {code}")
    click.echo(f"category: {category}")
    click.echo(f"for:      {invitation.email or 'anybody who has it'}")
    click.echo(f"expires:  {invitation.expires_at:%Y-%m-%d %H:%M} UTC")
    click.echo(f"open:     {answer['url']}")
