"""The vetting rule ``profile``: complete, adult, and not there twice.  Only hooks here."""

from __future__ import annotations

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import Setting
from helpouts.vetting import VettingRule
from helpouts_vetting_profile.rule import judge
from helpouts_vetting_profile.settings import SETTINGS


@hookimpl
def helpouts_vetting_rules() -> tuple[VettingRule, ...]:
    """The one rule of this plugin."""
    return (
        VettingRule(
            name="profile",
            title=_l("Complete profile, adult, no duplicates"),
            summary=_l("Looks for missing parts, for people under 18, and for applications and listings made twice."),
            judges=("application", "listing"),
            judge=judge,
        ),
    )


@hookimpl
def helpouts_settings() -> tuple[Setting, ...]:
    """How much text is enough, and how alike is too alike."""
    return SETTINGS
