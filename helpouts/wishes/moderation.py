"""What a request and its answers may not carry: ways around the site.

The same is asked of listings: no mail addresses, telephone numbers or links.  Whoever reads a request does not know its
writer, and the money-back promise ends where people meet elsewhere.
"""

from __future__ import annotations

import re

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

_MAIL = re.compile(r"[\w.+-]+\s*(?:@|\(at\)|\[at\])\s*[\w-]+(?:\s*(?:\.|\(dot\)|\[dot\])\s*[\w-]+)+", re.IGNORECASE)
#: Ends of host names count in small letters only: "ASP.NET" is no address.
_LINK = re.compile(
    r"(?i:https?://|\bwww\.)\S+|\b[\w-]+\.(?:com|net|org|info|biz|io|me|app|de|at|ch|eu|uk|fr)\b(?:/\S*)?"
)
#: A telephone number: at least eight digits, perhaps in groups; dates, versions and prices have fewer or other signs.
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ ()/\-]{0,2}\d){7,14}(?![\w.])")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
_MESSENGER = re.compile(r"\b(?:whats\s?app|telegram|t\.me|skype|paypal)\b", re.IGNORECASE)


def check(text: str, field: str) -> str:
    """The text, if it leads nobody away from the site.

    :raises HelpoutsError: at ``field``, with what to do.
    """
    plain = _DATE.sub(" ", text)
    if _MAIL.search(plain):
        raise HelpoutsError(_l("Leave out mail addresses: everything is arranged here."), field=field)
    if _PHONE.search(plain):
        raise HelpoutsError(_l("Leave out telephone numbers: you talk over video here."), field=field)
    if _LINK.search(plain) or _MESSENGER.search(plain):
        raise HelpoutsError(_l("Leave out links and other services: everything is arranged here."), field=field)
    return text
