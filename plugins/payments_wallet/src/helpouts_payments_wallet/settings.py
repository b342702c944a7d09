"""What operators can set."""

from __future__ import annotations

from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import Setting

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "currencies",
        list,
        ["EUR"],
        _l("Currencies"),
        _l("Codes of the currencies that wallets may hold, for example EUR. Each is kept to its own account."),
        minimum=1,
    ),
    Setting(
        "test_topup",
        bool,
        False,
        _l("Test top-up"),
        _l("Lets everybody put play money into their wallet. For demonstrations only, never with real people."),
    ),
    Setting(
        "max_topup",
        int,
        500,
        _l("Largest test top-up"),
        _l("In whole units of the currency."),
        minimum=1,
        maximum=100_000,
    ),
)
