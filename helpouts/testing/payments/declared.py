"""What a backend says of itself."""

# ruff: noqa: D102  # the checks' names are sentences
from __future__ import annotations

import re

from helpouts.payments import Capabilities, PayeeStatus, PaymentBackend, access, service
from helpouts.payments.ledger import KINDS
from helpouts.testing.payments.case import Case
from helpouts.testing.payments.checks import Checks


class DeclaredChecks(Checks):
    """Its name, its capabilities, its account of the ledger, and who is ready to pay and be paid."""

    def test_has_the_methods_of_the_contract(self, case: Case) -> None:
        assert isinstance(case.backend, PaymentBackend)

    def test_has_a_name_that_fits_into_urls_and_tables(self, case: Case) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,39}", case.backend.name)
        assert case.backend.name == case.name

    def test_has_a_title_and_a_summary_for_people(self, case: Case) -> None:
        assert str(case.backend.title)
        assert str(case.backend.summary)

    def test_declares_capabilities_with_currency_codes(self, case: Case) -> None:
        capabilities = case.backend.capabilities
        assert isinstance(capabilities, Capabilities)
        assert capabilities.currencies
        assert all(re.fullmatch(r"[A-Z]{3}", code) for code in capabilities.currencies)

    def test_an_in_transaction_backend_has_no_outside_features(self, case: Case) -> None:
        capabilities = case.backend.capabilities
        if capabilities.in_transaction:
            assert not (capabilities.can_be_pending)
            assert not (capabilities.webhooks)
            assert not (capabilities.idempotency_ttl)
            assert capabilities.interaction == "none"

    def test_names_a_funding_account_that_the_ledger_knows(self, case: Case) -> None:
        kind, _, name = case.backend.funding_account(case.world.customer_id).partition(":")
        assert kind in KINDS
        assert name
        assert (kind == "wallet") == case.backend.capabilities.in_transaction

    def test_sets_people_up_on_this_site_or_not_at_all(self, case: Case) -> None:
        url = case.backend.setup_url(case.world.customer_id)
        assert url == "" or (url.startswith("/") and not url.startswith("//"))

    def test_says_who_is_ready_and_what_is_missing(self, case: Case) -> None:
        with case.runtime.database.read() as db:
            for status in (
                case.backend.payer_status(case.context(db), case.world.customer_id),
                case.backend.payee_status(case.context(db), case.world.expert_id),
                case.backend.payer_status(case.context(db), 10**6),
            ):
                assert isinstance(status, PayeeStatus)
                assert status.ready == (not status.needs)

    def test_shows_no_setting_in_its_repr_or_description(self, case: Case) -> None:
        booking_id = case.hold()
        with case.runtime.database.read() as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            shown = repr(case.backend) + "".join(f"{a}{b}" for a, b in case.backend.describe(access.view(payment)))
            plugin = case.runtime.registry.plugin_of("helpouts_payment_backends", case.name) or ""
            declared = case.runtime.registry.setting_declarations(plugin)
            values = case.context(db).settings
        assert all(str(values[key]) not in shown for key, s in declared.items() if s.secret and values[key])
