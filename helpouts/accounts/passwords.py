"""What makes a password good enough, and how it is kept.

Length is what counts (at least 12 characters, no rules of composition: OWASP ASVS 5.0, 6.2.1 and 6.2.5).  Refused
are passwords that a guesser tries first: those put together from a few common words, names of the site or of the
person, digits, repeats and rows of keys.  The list is ours and works offline.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from passlib.context import CryptContext  # type: ignore[import-untyped]

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

MIN_LENGTH = 12
#: far above the 64 that must be allowed (ASVS 6.2.9), yet small enough to hash.
MAX_LENGTH = 256
SCHEME = "argon2"

#: passlib's options.  None: argon2id with 64 MiB, three passes, four lanes (RFC 9106, section 4).  Tests make it cheap.
COST: dict[str, int] = {}

_UNLEET = str.maketrans("0134578@$!€", "oleastbasie")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "01234567890123456789",
)
_EITHER_WAY = (*_ROWS, *(row[::-1] for row in _ROWS))
#: Words of which the passwords that are tried first are made, from the usual top lists.
_COMMON = frozenset(
    """
    a aa abc abcd access account admin administrator adobe alexander amanda america andrea andrew angel angela anna
    anthony apple april arsenal ashley asshole august austin autumn azerty baby babygirl back bailey banana
    barcelona baseball basketball batman beach bear beautiful bella benjamin berlin beyonce big bitch black blink
    blue bond booboo boss boy brandon brown bubbles buster butterfly california canada captain carlos carmen
    carolina casper change changeme charlie cheese chelsea cherry chicken chocolate chris christian christmas
    christopher coffee compaq computer cookie corvette cowboys cristina dallas daniel daniela dark david december
    default demo dennis diamond dollar dolphin donald dragon eagles einstein elephant elizabeth eminem enter
    estrella everton facebook family father february ferrari fish flower fluffy football for forever fox freedom
    friday friend friends fuck fucker fuckme fuckyou fussball gabriel garfield geheim george ginger girl god golf
    good google gorgeous green guest guitar hallo hammer hannah happy harley harry heart heaven hello help helpouts
    herzlich hockey hola home honey horse hottie house hunter i icecream iloveu iloveyou in internet is it jackson
    jaguar jake january jasmine jason jennifer jessica jesus john jonathan jordan joseph joshua july june junior
    justin kennwort killer king kitty lady ladybug lakers laura lauren legend letmein lily linda little liverpool
    login lol lord love lovely lover loveyou lucky maggie magic manager manchester march marina marlboro martin
    master matrix matthew maverick may me melissa mercedes merlin michael michelle mickey midnight mine minecraft
    mom monday money monkey monster morgan mother mountain mustang my myspace naruto natasha new newyork nicholas
    nicole nintendo november number october of office ok on one online orange pa parola pass passw password
    passwords passwort patrick peanut people pepper peter phoenix player please pokemon porsche prince princess
    private purple pussy queen rabbit rachel rainbow ranger red root rose runner sabrina samantha samsung saturday
    scarface schalke schatz scooter secret september server sexy shadow silver slipknot smile snoopy snowman soccer
    sommer sophie spider spiderman spring star starwars steelers strawberry summer sunday sunflower sunshine super
    superman support sweet sweetie system taylor tennis teresa test tester the thomas thunder thursday tiger tigger
    tinkerbell to tom trustno tuesday tweety two typ user valentina vanessa veronica victoria video wednesday
    welcome william willkommen winner winter wizard wolf yamaha yankees year yellow you your zaq
    """.split()  # noqa: SIM905  # a list would be 400 lines long
)
#: A password of at most this many different common words is refused.
_MOST_WORDS = 3


def hash_password(password: str) -> str:
    """The argon2id hash of a password that :func:`check_password` has let through."""
    return str(_context().hash(normalize(password)))


def verify_password(password: str, hashed: str) -> bool:
    """Whether a password fits its hash."""
    return bool(_context().verify(normalize(password), hashed))


def _context() -> CryptContext:
    return CryptContext(schemes=[SCHEME], **COST)


def normalize(password: str) -> str:
    """Unicode NFKD, so that the same keys mean the same password on every device (as Flask-Security does)."""
    return unicodedata.normalize("NFKD", password)


def check_password(password: str, known: Iterable[str] = (), field: str = "password") -> None:
    """Refuse a password that is too short, too long or easily guessed.

    :param known: what a guesser knows of the person: name, mail address, name of the site.
    :raises HelpoutsError: with what to do.
    """
    if len(password) < MIN_LENGTH:
        raise HelpoutsError(
            _l(
                "Use at least %(length)s characters. A few words that do not belong together are easy to remember.",
                length=MIN_LENGTH,
            ),
            field=field,
        )
    if len(password) > MAX_LENGTH:
        raise HelpoutsError(_l("Use at most %(length)s characters.", length=MAX_LENGTH), field=field)
    if is_guessable(password, known):
        raise HelpoutsError(
            _l("This password is among the first that are tried. Choose one that nobody would guess."), field=field
        )


def is_guessable(password: str, known: Iterable[str] = ()) -> bool:
    """Whether a password is made of next to nothing but common words, known facts, rows of keys and repeats."""
    plain = normalize(password).casefold()
    if len(set(plain)) <= 4:
        return True
    words = _COMMON | {part for text in known for part in re.findall(r"[a-z]{3,}", text.casefold())}
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    for read in (re.sub(r"[\W\d_]", "", plain), re.sub(r"[\W\d_]", "", core.translate(_UNLEET))):
        if len(read) + _digits_that_count(plain) < 6 or _made_of(_without_rows(read), words):
            return True
    return False


def _digits_that_count(plain: str) -> int:
    """How many of the digits and signs are more than a row, a repeat or a year at the end."""
    return len(set(re.sub(r"(19|20)\d\d|[^\W\d_]", "", _without_rows(plain))))


def _without_rows(text: str) -> str:
    """Cut out stretches of four and more neighbouring keys, forwards or backwards, and runs of one character."""
    text = re.sub(r"(.)\1{3,}", "", text)
    kept, at = "", 0
    while at < len(text):
        length = max((n for row in _EITHER_WAY for n in range(4, 21) if text[at : at + n] in row), default=0)
        length = min(length, len(text) - at)
        kept += "" if length >= 4 else text[at]
        at += max(1, length) if length >= 4 else 1
    return kept


def _made_of(text: str, words: frozenset[str] | set[str]) -> bool:
    """Whether the text is at most three of the words, one after the other (a repeated word counts once)."""
    found: dict[int, set[frozenset[str]]] = {0: {frozenset()}}
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - 20), end):
            if start in found and text[start:end] in words:
                grown = {used | {text[start:end]} for used in found[start]}
                found.setdefault(end, set()).update(used for used in grown if len(used) <= _MOST_WORDS)
        if end in found and not found[end]:
            del found[end]
    return len(text) in found
