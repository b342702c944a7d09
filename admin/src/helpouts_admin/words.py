"""How states and outcomes are called and coloured in the console."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup as Markup

from helpouts.i18n import lazy_gettext as _l

#: State or outcome to its name and its tone; "warning" says that somebody must act.
WORDS: dict[str, tuple[Any, str]] = {
    "received": (_l("Received"), "warning"),
    "contacted": (_l("In contact"), "warning"),
    "invited": (_l("Invited"), "success"),
    "joined": (_l("Joined"), "success"),
    "declined": (_l("Declined"), "danger"),
    "appealed": (_l("Appealed"), "warning"),
    "draft": (_l("Draft"), "neutral"),
    "in_review": (_l("In review"), "warning"),
    "live": (_l("Live"), "success"),
    "suspended": (_l("Suspended"), "danger"),
    "retired": (_l("Retired"), "neutral"),
    "active": (_l("Active"), "success"),
    "paused": (_l("Paused"), "neutral"),
    "stopped": (_l("Stopped"), "danger"),
    "inactive": (_l("Blocked"), "danger"),
    "held": (_l("Held"), "warning"),
    "confirmed": (_l("Confirmed"), "success"),
    "in_session": (_l("In session"), "success"),
    "completed": (_l("Completed"), "neutral"),
    "cancelled": (_l("Cancelled"), "danger"),
    "expired": (_l("Expired"), "neutral"),
    "no_show": (_l("No-show"), "danger"),
    "scheduled": (_l("Scheduled"), "neutral"),
    "open": (_l("Open"), "success"),
    "ended": (_l("Ended"), "neutral"),
    "pass": (_l("Passed"), "success"),
    "fail": (_l("Failed"), "danger"),
    "person": (_l("Needs a person"), "warning"),
    "ready": (_l("Waiting"), "neutral"),
    "leased": (_l("Running"), "success"),
    "done": (_l("Done"), "success"),
    "dead": (_l("Given up"), "danger"),
    "answered": (_l("Answered"), "success"),
    "closed": (_l("Closed"), "neutral"),
    "taken": (_l("Taken"), "success"),
    "withdrawn": (_l("Taken back"), "neutral"),
    "removed": (_l("Taken off"), "danger"),
    "resolved": (_l("Resolved"), "success"),
    "published": (_l("Published"), "success"),
    "hidden": (_l("Hidden"), "danger"),
    "used": (_l("Used"), "neutral"),
    "revoked": (_l("Revoked"), "danger"),
    "valid": (_l("Valid"), "success"),
    "created": (_l("Created"), "neutral"),
    "action_required": (_l("Waits for the customer"), "warning"),
    "pending": (_l("Pending"), "warning"),
    "captured": (_l("Captured"), "success"),
    "part_refunded": (_l("Refunded in part"), "neutral"),
    "refunded": (_l("Refunded"), "neutral"),
    "voided": (_l("Released"), "neutral"),
    "failed": (_l("Failed"), "danger"),
    "running": (_l("Running"), "success"),
    "preparing": (_l("The film is being made"), "warning"),
    "deleted": (_l("Deleted"), "neutral"),
    "system": (_l("The site itself"), "neutral"),
    "requested": (_l("Requested"), "warning"),
    "escalated": (_l("Disputed"), "warning"),
    "granted": (_l("Granted"), "success"),
    "refused": (_l("Refused"), "danger"),
    "denied": (_l("Denied"), "danger"),
    "paid": (_l("Paid"), "success"),
    "waiting": (_l("Waiting for us"), "warning"),
    "review": (_l("Waiting for us"), "warning"),
    "enabled": (_l("On"), "success"),
    "disabled": (_l("Off"), "neutral"),
    "broken": (_l("Broken"), "danger"),
    "error": (_l("Error"), "danger"),
    "warning": (_l("Warning"), "warning"),
    "info": (_l("Note"), "neutral"),
    "customer": (_l("Customer"), "neutral"),
    "expert": (_l("Expert"), "neutral"),
    "owner": (_l("Owner"), "neutral"),
    "manager": (_l("Manager"), "neutral"),
    "member": (_l("Member"), "neutral"),
    "support": (_l("Support"), "success"),
    "curator": (_l("Curator"), "success"),
    "finance": (_l("Finance"), "success"),
    "admin": (_l("Administrator"), "warning"),
    "prepared": (_l("Prepared"), "neutral"),
    "succeeded": (_l("Succeeded"), "success"),
    "unknown": (_l("Unknown outcome"), "danger"),
    "prelaunch": (_l("Before the start"), "warning"),
    "invitation_only": (_l("By invitation only"), "warning"),
    "individual": (_l("Individual"), "neutral"),
    "company": (_l("Company"), "neutral"),
    "free": (_l("Free"), "neutral"),
    "fixed": (_l("Per session"), "neutral"),
    "per_minute": (_l("Per minute"), "neutral"),
    "flexible": (_l("Flexible"), "neutral"),
    "moderate": (_l("Moderate"), "neutral"),
    "strict": (_l("Strict"), "neutral"),
    "instant": (_l("Right now"), "neutral"),
    "good": (_l("Good"), "success"),
    "fair": (_l("Fair"), "warning"),
    "poor": (_l("Poor"), "danger"),
    "lost": (_l("Lost"), "danger"),
}


def word(state: object) -> str:
    """The name of a state in the language in force; an unknown one as it is, with spaces."""
    found = WORDS.get(str(state))
    return str(found[0]) if found else str(state).replace("_", " ")


def known(text: str) -> str:
    """The name of a stored word in the language in force; what somebody has written, as it is."""
    return word(text) if text in WORDS else text


def tone(state: object) -> str:
    """How the state is coloured."""
    found = WORDS.get(str(state))
    return found[1] if found else "neutral"


def badge(state: object) -> Markup:
    """The state as a coloured label; colour is never its only sign, the word is there too."""
    return Markup('<span class="badge badge--{}">{}</span>').format(tone(state), word(state))


def options(*states: str) -> list[tuple[str, str]]:
    """Choices of a filter over states."""
    return [(state, word(state)) for state in states]
