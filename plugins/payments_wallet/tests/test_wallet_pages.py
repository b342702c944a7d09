"""The page "Wallet": connecting, test money, the statement."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from helpouts_payments_wallet.forms import countries
from helpouts_payments_wallet.models import Connection, TopUp
from helpouts_payments_wallet.privacy import erase, export
from helpouts_payments_wallet.service import add_test_money, connect_payee, connect_payer
from sqlalchemy import func, select

from helpouts.accounts import passwords
from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.audit.actor import SYSTEM
from helpouts.errors import HelpoutsError, NotAllowed
from helpouts.i18n import use_locale
from helpouts.payments import IdempotencyMismatch, service
from helpouts.payments.ledger import balance
from helpouts.plugins.service import read_settings, set_enabled, write_settings
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

HOME = "/x/payments_wallet/"
PASSWORD = "seven purple llamas"
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def user(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    with runtime.database.write() as db:
        write_settings(db, "payments_wallet", {"test_topup": True}, SYSTEM)
        return create_user(db, "anna@example.org", PASSWORD, "Anna Muster", ("expert",), confirmed=True)


@pytest.fixture
def client(runtime: Runtime, user: User) -> FlaskClient:
    """Anna, signed in."""
    made = create_app(runtime).test_client()
    answer = made.post("/login", data={**hidden(made, "/login"), "email": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return made


def hidden(client: FlaskClient, path: str, action: str = "") -> dict[str, str]:
    """The hidden fields of a form on a page."""
    page = client.get(path).text
    if action:
        page = next(form for form in page.split("<form") if f'action="{action}"' in form)
    fields = re.findall(r'<input[^>]*type="hidden"[^>]*>', page)
    pairs = [(re.search(r'name="([^"]+)"', f), re.search(r'value="([^"]*)"', f)) for f in fields]
    return {name[1]: value[1] for name, value in pairs if name and value}


def money_of(runtime: Runtime, user: User) -> int:
    with runtime.database.read() as db:
        return balance(db, f"wallet:{user.id}", "EUR")


@one_database
def test_a_visitor_is_sent_to_the_sign_in_page(runtime: Runtime, user: User) -> None:
    answer = create_app(runtime).test_client().get(HOME)
    assert (answer.status_code, "/login" in answer.location) == (302, True)


@one_database
def test_the_wallet_is_set_up_with_one_tick_and_leads_back(runtime: Runtime, client: FlaskClient, user: User) -> None:
    fields = hidden(client, f"{HOME}?next=/bookings/x/checkout", f"{HOME}connect")
    refused = client.post(f"{HOME}connect", data=fields)
    assert (refused.status_code, "Please agree to the terms" in refused.text) == (400, True)
    answer = client.post(f"{HOME}connect", data={**fields, "pay-terms": "y"})
    assert (answer.status_code, answer.location) == (303, "/bookings/x/checkout")
    with runtime.database.read() as db:
        assert service.ready_to_pay(db, user.id)
        assert not service.ready_to_be_paid(db, user.id)


@one_database
@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_it_leads_nowhere_else(client: FlaskClient, target: str) -> None:
    fields = {**hidden(client, HOME, f"{HOME}connect"), "pay-terms": "y", "next": target}
    assert client.post(f"{HOME}connect", data=fields).location == HOME


@one_database
def test_an_expert_says_who_is_paid(runtime: Runtime, client: FlaskClient, user: User) -> None:
    fields = hidden(client, HOME, f"{HOME}earn")
    assert client.post(f"{HOME}earn", data={**fields, "earn-terms": "y", "earn-name": "Anna"}).status_code == 400
    answer = client.post(
        f"{HOME}earn", data={**fields, "earn-terms": "y", "earn-name": "Anna Muster", "earn-country": "DE"}
    )
    assert answer.status_code == 303
    with runtime.database.read() as db:
        assert service.ready_to_be_paid(db, user.id)
    assert "Ready to be paid since" in client.get(HOME).text


@one_database
def test_a_double_click_tops_up_once(runtime: Runtime, client: FlaskClient, user: User) -> None:
    fields = {**hidden(client, HOME, f"{HOME}top-up"), "topup-amount": "25.50", "topup-currency": "EUR"}
    for _ in range(2):
        assert client.post(f"{HOME}top-up", data=fields).status_code == 303
    assert money_of(runtime, user) == 2550
    page = client.get(HOME).text
    assert "play money" in page
    assert "€25.50" in page


@one_database
@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0", "EUR"),
        ("-5", "EUR"),
        ("500.01", "EUR"),
        ("1.234", "EUR"),
        ("NaN", "EUR"),
        ("1e9", "EUR"),
        ("a", "EUR"),
        ("5", "USD"),
    ],
)
def test_an_amount_outside_the_limits_changes_nothing(
    runtime: Runtime, client: FlaskClient, user: User, amount: str, currency: str
) -> None:
    fields = {**hidden(client, HOME, f"{HOME}top-up"), "topup-amount": amount, "topup-currency": currency}
    assert client.post(f"{HOME}top-up", data=fields).status_code == 400
    assert money_of(runtime, user) == 0


@one_database
def test_a_form_without_its_csrf_token_is_refused(runtime: Runtime, client: FlaskClient, user: User) -> None:
    fields = {**hidden(client, HOME, f"{HOME}top-up"), "topup-amount": "5", "topup-currency": "EUR"}
    stripped = {name: value for name, value in fields.items() if "csrf" not in name}
    assert client.post(f"{HOME}top-up", data=stripped).status_code == 400
    assert money_of(runtime, user) == 0


@one_database
def test_without_the_setting_there_is_no_test_money(runtime: Runtime, client: FlaskClient, user: User) -> None:
    fields = {**hidden(client, HOME, f"{HOME}top-up"), "topup-amount": "5", "topup-currency": "EUR"}
    with runtime.database.write() as db:
        write_settings(db, "payments_wallet", {"test_topup": False}, SYSTEM)
    assert "Test top-up" not in client.get(HOME).text
    assert client.post(f"{HOME}top-up", data=fields).status_code == 403
    assert money_of(runtime, user) == 0


@one_database
def test_the_page_is_gone_while_the_plugin_is_disabled(runtime: Runtime, client: FlaskClient) -> None:
    with runtime.database.write() as db:
        set_enabled(db, "payments_wallet", False, SYSTEM)
    assert client.get(HOME).status_code == 404


@one_database
def test_the_page_speaks_german(runtime: Runtime, client: FlaskClient, user: User) -> None:
    with runtime.database.write() as db:
        db.get_one(User, user.id).locale = "de"
    page = client.get(HOME).text
    assert "Guthaben" in page
    assert "Balance" not in page


def test_one_form_in_eight_threads_tops_up_once(runtime: Runtime, user: User) -> None:
    def click(_: int) -> int:
        def work(db: Any) -> int:
            settings = read_settings(db, "payments_wallet")
            return add_test_money(db, settings, user.id, Decimal(7), "EUR", "t" * 32).id

        return runtime.database.run(work)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(click, range(8)))) == 1
    assert money_of(runtime, user) == 700
    with runtime.database.read() as db:
        assert db.scalar(select(func.count()).select_from(TopUp)) == 1


def test_a_token_stands_for_one_top_up_only(runtime: Runtime, user: User) -> None:
    with runtime.database.write() as db:
        settings = read_settings(db, "payments_wallet")
        add_test_money(db, settings, user.id, Decimal(7), "EUR", "t" * 32)
        with pytest.raises(IdempotencyMismatch):
            add_test_money(db, settings, user.id, Decimal(8), "EUR", "t" * 32)
        with pytest.raises(HelpoutsError):
            add_test_money(db, settings, user.id, Decimal(8), "EUR", "short")
        with pytest.raises(NotAllowed):
            add_test_money(db, {**settings, "test_topup": False}, user.id, Decimal(8), "EUR", "u" * 32)


def test_a_person_gets_a_copy_and_can_be_forgotten(runtime: Runtime, user: User) -> None:
    with runtime.database.write() as db:
        connect_payer(db, user.id, SYSTEM)
        connect_payee(db, user.id, "Anna Muster", "de", "DE123", SYSTEM)
        add_test_money(db, read_settings(db, "payments_wallet"), user.id, Decimal(7), "EUR", "t" * 32)
        copy = export(db, user.id)
        assert copy["connection"]["payee_name"] == "Anna Muster"
        assert copy["connection"]["payee_country"] == "DE"
        assert [row["amount_minor"] for row in copy["statement"]] == [700]
        erase(db, user.id)
        assert db.get(Connection, user.id) is None
        assert balance(db, f"wallet:{user.id}", "EUR") == 700


def test_countries_are_those_of_iso_3166_in_the_order_of_a_dictionary() -> None:
    with use_locale("de"):
        names = dict(countries())
    assert not {"EU", "EZ", "UN", "ZZ"} & set(names)
    order = list(names.values())
    assert order.index("Norwegen") < order.index("Österreich") < order.index("Polen")
