"""Every option of the configuration, documented where it is declared.

``helpouts doctor --options`` and docs/operators.md are made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option: ``key`` in the TOML file, ``HELPOUTS_KEY`` in the environment.

    :param choices: the only values that a text may have.
    :param minimum: least value of a number; ``maximum``: the greatest.
    """

    key: str
    type: type
    default: Any
    help: str
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


OPTIONS: tuple[Option, ...] = (
    Option("data", str, "./var", "Folder for the SQLite database, uploaded files, keys and logs."),
    Option("database", str, "", "SQLAlchemy URL; empty means SQLite in the data folder."),
    Option("public_url", str, "http://127.0.0.1:8000", "Where people reach the site; used in mails and calendars."),
    Option("live_url", str, "", "Where browsers reach the live process; empty: the site's host, live port."),
    Option(
        "live_origins",
        list,
        (),
        "Origins of further live processes, where they are not that of the site or of live_url; pages may reach them.",
    ),
    Option("host", str, "127.0.0.1", "Address that the web and live processes listen on."),
    Option("port", int, 8000, "Port of the web process.", minimum=1, maximum=65535),
    Option("live_port", int, 0, "Port of the live process; 0 means the web port plus one.", minimum=0, maximum=65535),
    Option("web_workers", int, 2, "Number of web worker processes.", minimum=1, maximum=512),
    Option("node", str, "", "Name of this live node; empty: host name and live port."),
    Option("drain_on_stop", bool, False, "SIGTERM waits for the live process's calls to end; a second one does not."),
    Option(
        "drain_minutes",
        int,
        240,
        "How long a live process that is drained waits for its calls at most.",
        minimum=1,
        maximum=1440,
    ),
    Option("secret_key", str, "", "Signs tokens; empty: made once and kept in the data folder.", secret=True),
    Option(
        "master_key",
        str,
        "",
        "Encrypts secrets of plugins (32 bytes, base64); empty: kept in the data folder.",
        secret=True,
    ),
    Option("site_name", str, "Helpouts", "Name of the site."),
    Option("mail_host", str, "", "SMTP server; empty: mails are written to the folder mail in the data folder."),
    Option("mail_port", int, 25, "Port of the SMTP server.", minimum=1, maximum=65535),
    Option("mail_user", str, "", "User at the SMTP server."),
    Option("mail_password", str, "", "Password at the SMTP server.", secret=True),
    Option("mail_tls", str, "none", "Transport security of mail.", choices=("none", "starttls", "tls")),
    Option("mail_from", str, "Helpouts <helpouts@localhost>", "Sender of the site's mails."),
    Option("video_transport", str, "aiortc", "Name of the video transport that new sessions use."),
    Option("storage", str, "folder", "Name of the storage backend that keeps recordings and files."),
    Option("payment_backend", str, "wallet", "Name of the payment backend that new bookings use."),
    Option("currency", str, "EUR", "Currency of new listings."),
    Option("plugins_off", list, (), "Names of plugins that are not loaded at all."),
    Option("safe_mode", bool, False, "Load only the plugins that come with Helpouts."),
    Option(
        "trusted_proxies",
        int,
        0,
        "Number of reverse proxies in front whose X-Forwarded headers count.",
        minimum=0,
        maximum=16,
    ),
    Option("demo", bool, False, "This is a demo: shows the credentials page and allows test money."),
    Option(
        "calendar_allow",
        list,
        (),
        "Hosts and networks of your own from which experts' calendars may be read although they are private.",
    ),
    Option("login_rate", str, "20 per minute", "Rate limit of sign-in, sign-up and codes, per address."),
)
