"""The verbs of accounts, and the command line that uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.accounts.models import Role, User
from helpouts.accounts.passwords import check_password, hash_password, is_guessable, verify_password
from helpouts.accounts.service import (
    ROLES,
    clean_name,
    create_user,
    ensure_roles,
    grant_role,
    normalize_email,
    revoke_role,
)
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry
from helpouts.cli.root import main
from helpouts.errors import Conflict, HelpoutsError
from helpouts.runtime import Runtime

OPERATOR = Actor("operator", None, "root@example.org")


def test_everybody_is_a_customer(db: Session) -> None:
    user = create_user(db, "Anna@Example.org", "x", "Anna", ("support",))
    assert [role.name for role in user.roles] == ["customer", "support"]
    assert user.email == "anna@example.org"
    assert user.confirmed_at is None


def test_one_address_is_one_account_in_whatever_letters(db: Session) -> None:
    create_user(db, "anna@example.org", "x", "Anna")
    with pytest.raises(Conflict, match=r"anna@example\.org"):
        create_user(db, "ANNA@example.org", "x", "Anna")


def test_roles_are_made_once(db: Session) -> None:
    ensure_roles(db)
    ensure_roles(db)
    assert sorted(db.scalars(select(Role.name))) == sorted(ROLES)


def test_roles_are_given_and_taken_with_a_trail(db: Session) -> None:
    user = create_user(db, "anna@example.org", "x", "Anna")
    assert grant_role(db, user, "finance", OPERATOR, "new hire")
    assert not grant_role(db, user, "finance", OPERATOR)
    assert revoke_role(db, user, "finance", OPERATOR)
    assert not revoke_role(db, user, "finance", OPERATOR)
    trail = db.execute(select(AuditEntry.action, AuditEntry.actor, AuditEntry.reason).order_by(AuditEntry.id)).all()
    assert [tuple(row) for row in trail] == [
        ("role.grant", "root@example.org", "new hire"),
        ("role.revoke", "root@example.org", ""),
    ]


def test_the_last_admin_stays(db: Session) -> None:
    first = create_user(db, "anna@example.org", "x", "Anna", ("admin",))
    with pytest.raises(Conflict, match="last admin"):
        revoke_role(db, first, "admin", SYSTEM)
    create_user(db, "bert@example.org", "x", "Bert", ("admin",))
    assert revoke_role(db, first, "admin", SYSTEM)


def test_an_unknown_role_lists_the_known_ones(db: Session) -> None:
    user = create_user(db, "anna@example.org", "x", "Anna")
    for change in (grant_role, revoke_role):
        with pytest.raises(HelpoutsError, match="curator"):
            change(db, user, "emperor", SYSTEM)
    with pytest.raises(Conflict):
        revoke_role(db, user, "customer", SYSTEM)


@pytest.mark.parametrize("good", ["a@b.org", "Ünï@exämple.org", "root@localhost", "a+b@intranet.local"])
def test_addresses_that_are_good(good: str) -> None:
    assert normalize_email(good) == normalize_email(good.upper())


@pytest.mark.parametrize(
    "bad", ["", "a", "a@b", "a@@b.org", "a b@c.org", "a@b.org\nBcc: c@d.org", "a@b.org\0", "<a@b.org>"]
)
def test_addresses_that_are_not(bad: str) -> None:
    with pytest.raises(HelpoutsError) as refusal:
        normalize_email(bad)
    assert refusal.value.field == "email"


@pytest.mark.parametrize("bad", ["", " ", "a\nb", "a\rb", "a\0b", "a\u202eb", "\u200b", "x" * 121])
def test_names_that_are_not(bad: str) -> None:
    with pytest.raises(HelpoutsError) as refusal:
        clean_name(bad)
    assert refusal.value.field == "name"


@pytest.mark.parametrize("name", ["Anna", "José Ñandú", "李小龍", "محمد", "O'Neill-Smith", "💥"])
def test_names_of_all_the_world(name: str) -> None:
    assert clean_name(f"  {name}  ") == name


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "iloveyou1234",
        "qwertyuiop12",
        "qwertzuiop123",
        "letmeinletmein",
        "P@ssw0rd2024!!",
        "123456789012",
        "aaaaaaaaaaaa",
        "1q2w3e4r5t6y",
        "abcdefghijkl",
        "Sommer2026!!!!",
        "dragonmaster99",
        "Anna.Muster2024",
        "muster-anna-1",
        "000111222333",
    ],
)
def test_passwords_that_are_tried_first(password: str) -> None:
    assert is_guessable(password, ["Anna Muster", "anna@example.org"])
    with pytest.raises(HelpoutsError) as refusal:
        check_password(password, ["Anna Muster", "anna@example.org"])
    assert refusal.value.field == "password"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "kV9#mm2!xQ7z",
        "sehr lange gurke im park",
        "синий слон танцует",
        "青い象が公園で踊っています",
        "größere äpfel 77",
    ],
)
def test_passwords_that_will_do(password: str) -> None:
    check_password(password, ["Anna Muster", "anna@example.org"])
    assert verify_password(password, hash_password(password))
    assert not verify_password(password + " ", hash_password(password))


def test_the_hash_is_argon2id_with_full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpouts.accounts.passwords.COST", {})
    assert hash_password("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.fixture
def helpouts(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command line against the runtime's database."""
    monkeypatch.setenv("HELPOUTS_DATABASE", runtime.database.url)
    monkeypatch.setenv("HELPOUTS_DATA", str(runtime.config.data_dir))
    return lambda *arguments: CliRunner().invoke(main, ["user", *arguments])


def test_a_user_from_the_command_line(helpouts: Callable[..., Any], runtime: Runtime) -> None:
    done = helpouts("create", "--email", "root@example.org", "--role", "admin", "--role", "finance", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.output)
    assert made["roles"] == ["customer", "admin", "finance"]
    with runtime.database.read() as db:
        user = db.scalars(select(User)).one()
        assert user.confirmed_at is not None
        assert verify_password(made["password"], user.password or "")
        assert db.scalars(select(AuditEntry.action)).all() == ["user.create"]
    assert helpouts("role", "add", "root@example.org", "support").output == "root@example.org is support now\n"
    assert "no longer" in helpouts("role", "remove", "ROOT@example.org", "support").output


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("create",), 2, "--email"),
        (("create", "--email", "nonsense"), 1, "not a mail address"),
        (("create", "--email", "a@b.org", "--password", "short"), 1, "at least 12"),
        (("create", "--email", "a@b.org", "--role", "emperor"), 2, "emperor"),
        (("role", "add", "nobody@example.org", "admin"), 1, "no account"),
    ],
)
def test_wrong_use_of_the_command_line_changes_nothing(
    helpouts: Callable[..., Any], runtime: Runtime, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = helpouts(*arguments)
    assert done.exit_code == code
    assert says in done.output
    with runtime.database.read() as db:
        assert db.scalars(select(User)).all() == []
