"""``helpouts user``: accounts and roles from the command line, each step in the audit trail."""

from __future__ import annotations

import json
import secrets

import click

from helpouts import i18n
from helpouts.accounts import service
from helpouts.accounts.passwords import check_password
from helpouts.audit.service import record
from helpouts.cli.base import COMMAND_LINE, Runtime, pass_runtime

_role = click.Choice(list(service.ROLES))


@click.group()
def user() -> None:
    """Make accounts, give and take roles."""


@user.command()
@click.option("--email", required=True, help="Mail address to sign in with; counts as confirmed.")
@click.option("--name", default="", help="Name as others see it; the part before the @ when left out.")
@click.option("--role", "roles", multiple=True, type=_role, help="May be given several times.")
@click.option("--password", default="", help="Made and printed when left out.")
@click.option("--locale", type=click.Choice(list(i18n.LANGUAGES)), default=i18n.DEFAULT_LOCALE, help="Language.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_runtime
def create(
    runtime: Runtime, email: str, name: str, roles: tuple[str, ...], password: str, locale: str, as_json: bool
) -> None:
    """Make an account that can sign in at once."""
    name = name or email.partition("@")[0]
    if password:
        check_password(password, (name, email))
    chosen = password or secrets.token_urlsafe(15)
    with runtime.database.write() as db:
        made = service.create_user(db, email, chosen, name, roles, confirmed=True, locale=locale)
        record(db, COMMAND_LINE, "user.create", made, roles=[role.name for role in made.roles])
        answer = {"email": made.email, "name": made.name, "roles": [role.name for role in made.roles]}
    if as_json:
        click.echo(json.dumps(answer if password else {**answer, "password": chosen}))
        return
    click.echo(f"made {made.email} ({', '.join(role.name for role in made.roles)})")
    if not password:
        click.echo(f"password: {chosen}")


@user.group()
def role() -> None:
    """Give and take roles."""


@role.command()
@click.argument("email")
@click.argument("name", type=_role)
@click.option("--reason", default="", help="For the audit trail.")
@pass_runtime
def add(runtime: Runtime, email: str, name: str, reason: str) -> None:
    """Give the account EMAIL the role NAME."""
    with runtime.database.write() as db:
        given = service.grant_role(db, service.get_user(db, email), name, COMMAND_LINE, reason)
    click.echo(f"{email} is {name} now" if given else f"{email} was {name} before")


@role.command()
@click.argument("email")
@click.argument("name", type=_role)
@click.option("--reason", default="", help="For the audit trail.")
@pass_runtime
def remove(runtime: Runtime, email: str, name: str, reason: str) -> None:
    """Take the role NAME from the account EMAIL and sign it out everywhere."""
    with runtime.database.write() as db:
        taken = service.revoke_role(db, service.get_user(db, email), name, COMMAND_LINE, reason)
    click.echo(f"{email} is no longer {name}" if taken else f"{email} was not {name}")
