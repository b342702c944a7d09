"""The settings of this plugin."""

from __future__ import annotations

from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import Setting

#: The name under which the core knows this plugin.
PLUGIN = "vetting_profile"

SETTINGS = (
    Setting(
        "experience_length",
        int,
        40,
        _l("Least length of the experience in an application"),
        help=_l("In characters."),
        minimum=0,
        maximum=2000,
    ),
    Setting(
        "bio_length",
        int,
        40,
        _l("Least length of an expert's own description"),
        help=_l("In characters."),
        minimum=0,
        maximum=2000,
    ),
    Setting(
        "description_length",
        int,
        100,
        _l("Least length of a listing's description"),
        help=_l("In characters."),
        minimum=0,
        maximum=2000,
    ),
    Setting(
        "similarity",
        int,
        80,
        _l("Texts this alike count as the same"),
        help=_l("In percent of the word triples that two descriptions share."),
        minimum=50,
        maximum=100,
    ),
)
