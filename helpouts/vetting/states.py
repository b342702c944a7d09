"""The life of an application, as a table.

An appeal is decided by another operator than the one who declined (see :mod:`helpouts.vetting.applications`);
"invite" on an invited application sends a new code in place of the old one.
"""

from __future__ import annotations

from helpouts.states import Machine, change

APPLICATION = Machine(
    "application",
    "received",
    (
        change("contact", "received contacted", "contacted", "operator"),
        change("contact", "appealed", "appealed", "operator"),
        change("invite", "received contacted appealed invited", "invited", "operator system"),
        change("decline", "received contacted appealed invited", "declined", "operator system"),
        change("appeal", "declined", "appealed", "visitor customer expert system"),
        change("join", "invited", "joined", "customer expert system"),
    ),
)
