"""All pages of the console in the order of its menu."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_admin import BaseView

from helpouts.i18n import lazy_gettext as _l
from helpouts_admin.views.applications import ApplicationsView
from helpouts_admin.views.audit import AuditView
from helpouts_admin.views.bookings import BookingsView
from helpouts_admin.views.calls import CallsView
from helpouts_admin.views.coupons import CouponsView
from helpouts_admin.views.experts import ExpertsView
from helpouts_admin.views.health import HealthView
from helpouts_admin.views.invitations import InvitationsView
from helpouts_admin.views.jobs import JobsView, MailsView
from helpouts_admin.views.ledger import LedgerView
from helpouts_admin.views.listings import ListingsView
from helpouts_admin.views.more import MoreView
from helpouts_admin.views.overview import OverviewView
from helpouts_admin.views.packages import PackagesView
from helpouts_admin.views.payments import PaymentsView, RefundsView
from helpouts_admin.views.payouts import PayoutsView
from helpouts_admin.views.plugins import PluginsView
from helpouts_admin.views.reports import ReportsView
from helpouts_admin.views.requests import RequestsView
from helpouts_admin.views.reviews import ReviewsView
from helpouts_admin.views.rooms import RoomsView
from helpouts_admin.views.site import SiteView
from helpouts_admin.views.users import UsersView


def pages(app: Flask) -> tuple[BaseView, list[Any]]:
    """The overview, and everything below it."""
    experts, business, site = _l("Experts"), _l("Business"), _l("Site")
    return OverviewView(), [
        ApplicationsView(_l("Applications"), experts),
        InvitationsView(_l("Invitations"), experts),
        ExpertsView(_l("Experts"), experts),
        ListingsView(_l("Listings"), experts),
        BookingsView(_l("Bookings"), business),
        RoomsView(_l("Live rooms"), business),
        CallsView(_l("Calls for an operator"), business),
        PaymentsView(_l("Payments"), business),
        RefundsView(_l("Refunds"), business),
        PayoutsView(_l("Payouts"), business),
        PackagesView(_l("Packages"), business),
        LedgerView(_l("Ledger"), business),
        CouponsView(_l("Coupons"), business),
        RequestsView(_l("Requests"), business),
        ReviewsView(_l("Reviews"), business),
        ReportsView(_l("Reports"), business),
        PluginsView(_l("Plugins"), site, "console_plugins", "plugins"),
        SiteView(_l("Site settings"), site, "console_site", "site"),
        UsersView(_l("Users"), site),
        JobsView(_l("Jobs"), site),
        MailsView(_l("Mails"), site),
        AuditView(_l("Audit log"), site),
        HealthView(_l("Health"), site, "console_health", "health"),
        MoreView(app),
    ]
