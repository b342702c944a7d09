"""How actions, and what they were done to, are called in the audit log; what is stored are their codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from helpouts import formatting
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts_admin import words

#: "part.verb", as :func:`helpouts.audit.service.record` is told.
ACTIONS: dict[str, object] = {
    "application.contact": _l("Applicant written to"),
    "application.decline": _l("Application declined"),
    "application.invite": _l("Applicant invited"),
    "booking.cancel": _l("Booking cancelled"),
    "booking.move": _l("Booking moved"),
    "booking.place": _l("Booked for a customer"),
    "company.hand_over": _l("Company handed over"),
    "company.invite": _l("Invited into a company"),
    "company.join": _l("Joined a company"),
    "company.leave": _l("Left a company"),
    "company.remove": _l("Removed from a company"),
    "company.role": _l("Part in a company changed"),
    "console.export": _l("List saved as a file"),
    "coupon.allow": _l("Coupon allowed again"),
    "coupon.stop": _l("Coupon stopped"),
    "expert.reinstate": _l("Expert back on the site"),
    "expert.suspend": _l("Expert suspended"),
    "help_request.remove": _l("Request taken off"),
    "invitation.issue": _l("Invitation issued"),
    "invitation.redeem": _l("Invitation used"),
    "invitation.revoke": _l("Invitation revoked"),
    "job.retry": _l("Job tried again"),
    "listing.approve": _l("Listing approved"),
    "listing.approve_edit": _l("Change of a listing approved"),
    "listing.decline": _l("Listing declined"),
    "listing.decline_edit": _l("Change of a listing declined"),
    "listing.reinstate": _l("Listing back on the site"),
    "listing.retire": _l("Listing retired"),
    "listing.suspend": _l("Listing suspended"),
    "live.drain": _l("Live process drained"),
    "live.keep": _l("Live process takes rooms again"),
    "payment.refund": _l("Payment refunded"),
    "payout.fail": _l("Payout failed"),
    "payout.pay": _l("Payout paid"),
    "plugin.clear_failures": _l("Failures of a plugin cleared"),
    "plugin.disable": _l("Plugin switched off"),
    "plugin.enable": _l("Plugin switched on"),
    "plugin.settings": _l("Settings of a plugin changed"),
    "recording.open": _l("Recording opened"),
    "recording.retry": _l("Film made again"),
    "refund.decide": _l("Refund decided"),
    "report.file": _l("File of a reported session fetched"),
    "report.read": _l("Report read"),
    "report.resolve": _l("Report resolved"),
    "review.hide": _l("Review hidden"),
    "review.show": _l("Review shown again"),
    "role.grant": _l("Role granted"),
    "role.revoke": _l("Role revoked"),
    "session.end": _l("Session ended"),
    "site.set": _l("Setting of the site changed"),
    "support.ask": _l("Operator asked in"),
    "support.close": _l("Call for an operator closed"),
    "support.dismiss": _l("Operator sent away"),
    "support.enter": _l("Operator entered"),
    "support.leave": _l("Operator left"),
    "support.take": _l("Call taken"),
    "support.withdraw": _l("Call taken back"),
    "user.create": _l("Account created"),
    "user.lock": _l("Account blocked"),
    "user.sign_out": _l("Signed out everywhere"),
    "user.unlock": _l("Account unblocked"),
    "wallet.connect_payee": _l("Wallet connected to be paid"),
    "wallet.connect_payer": _l("Wallet connected to pay"),
}
#: Parts of actions, and tables.
THINGS: dict[str, object] = {
    "application": _l("Application"),
    "booking": _l("Booking"),
    "company": _l("Company"),
    "console": _l("Console"),
    "coupon": _l("Coupon"),
    "expert": _l("Expert"),
    "expert_category": _l("Expert in a field"),
    "help_request": _l("Request for help"),
    "invitation": _l("Invitation"),
    "job": _l("Job"),
    "listing": _l("Listing"),
    "live": _l("Live process"),
    "member_invitation": _l("Invitation into a company"),
    "package": _l("Package"),
    "payment": _l("Payment"),
    "payout": _l("Payout"),
    "plugin": _l("Plugin"),
    "recording": _l("Recording"),
    "refund": _l("Refund"),
    "report": _l("Report"),
    "review": _l("Review"),
    "role": _l("Role"),
    "session": _l("Session"),
    "session_report": _l("Report"),
    "site": _l("Site"),
    "support": _l("Call for an operator"),
    "support_request": _l("Call for an operator"),
    "user": _l("Account"),
    "wallet": _l("Wallet"),
}
#: Names of the details.
DETAILS: dict[str, object] = {
    "after": _l("After"),
    "after_line": _l("Reads from line"),
    "against_rules": _l("Against the rules"),
    "amount": _l("Amount in minor units"),
    "before": _l("Before"),
    "booking": _l("Booking"),
    "category": _l("Field"),
    "changed": _l("Changed"),
    "changes": _l("Changes"),
    "count": _l("How many"),
    "currency": _l("Currency"),
    "email": _l("Mail address"),
    "expert": _l("Expert"),
    "file": _l("File"),
    "filters": _l("Filters"),
    "granted": _l("Granted"),
    "invitation": _l("Invitation"),
    "key": _l("Setting"),
    "kind": _l("Kind"),
    "node": _l("Live process"),
    "plugin": _l("Plugin"),
    "reason": _l("Reason"),
    "role": _l("Role"),
    "roles": _l("Roles"),
    "sessions": _l("Sessions"),
    "user": _l("Account"),
    "view": _l("List"),
    "waived": _l("Rules set aside"),
}
#: Soft rules that an operator may set aside.
RULES: dict[object, object] = {
    "notice": _l("Notice"),
    "horizon": _l("How far ahead"),
    "hours": _l("Working hours"),
    "calendar": _l("Another calendar"),
    "pause": _l("Pause between sessions"),
    "day": _l("Sessions in a day"),
    "week": _l("Sessions in a week"),
}


def action(code: str) -> str:
    """The name of an action; a plugin's own as it is stored."""
    return str(ACTIONS.get(code, code))


def thing(code: str) -> str:
    """The name of a table or of the part of an action."""
    return str(THINGS.get(code, code))


def detail(found: Mapping[str, Any], names: Mapping[str, object] = MappingProxyType({})) -> list[tuple[str, str]]:
    """(name, value) of each detail that says something.

    :param names: of the keys within values, where somebody knows them.
    """
    said = {key: value for key, value in found.items() if value not in (None, "", [], {})}
    return [(str(DETAILS.get(key, key)), _value(value, names)) for key, value in said.items()]


def _value(value: Any, names: Mapping[str, object]) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(_value(part, names) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{names.get(key, key)} = {_value(held, names)}" for key, held in value.items())
    if value in RULES:
        return str(RULES[value])
    moment = _moment(value) if isinstance(value, str) else None
    if moment is not None:
        return formatting.day_time(moment)
    return words.known(str(value))


def _moment(text: str) -> datetime | None:
    """The instant that a text is; None for any other."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
