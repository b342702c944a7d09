"""Changes of a text that two people write at once (operational transformation, with a server that gives the order).

A change is a list that walks over the whole text: a number above 0 keeps so many characters, one below 0 deletes so
many, a string is put in here.  Characters are Unicode code points.  :func:`transform` takes two changes of the same
text and gives each as it has to be after the other, so that both orders make one text (property TP1 of Ressel et al.,
"An integrating, transformation-oriented approach to concurrency control", 1996; with a central order no more is
needed).  What one side puts in is never deleted by a concurrent change of the other.  The same in the browser:
``static/js/room/text-changes.js``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

Part = int | str
Change = list[Part]


class NotAChange(HelpoutsError):
    """This is no change, or none of this text."""

    def __init__(self) -> None:
        super().__init__(_l("The notes were not in step. Reload the page."))


def parse(value: object) -> Change:
    """A change from what a browser sent, in its shortest form.

    :raises NotAChange: for anything else; and for characters that a database cannot keep.
    """
    if not isinstance(value, list) or len(value) > 1000:
        raise NotAChange
    for part in value:
        if isinstance(part, bool) or not isinstance(part, (int, str)) or part in (0, ""):
            raise NotAChange
        if isinstance(part, str) and ("\0" in part or any("\ud800" <= letter <= "\udfff" for letter in part)):
            raise NotAChange
    return _joined(value)


def before(change: Change) -> int:
    """The length of the texts that the change fits."""
    return sum(abs(part) for part in change if isinstance(part, int))


def apply(text: str, change: Change) -> str:
    """The text after the change.

    :raises NotAChange: when it is one of a longer or shorter text.
    """
    if before(change) != len(text):
        raise NotAChange
    out, at = [], 0
    for part in change:
        if isinstance(part, str):
            out.append(part)
        else:
            if part > 0:
                out.append(text[at : at + part])
            at += abs(part)
    return "".join(out)


def transform(first: Change, second: Change) -> tuple[Change, Change]:
    """Both as they are after the other; where both put something in at one place, ``first``'s comes first.

    :raises NotAChange: when they are not changes of one text.
    """
    if before(first) != before(second):
        raise NotAChange
    left, right = _Walk(first), _Walk(second)
    one: Change = []
    two: Change = []
    while True:
        if isinstance(left.part, str):
            one.append(left.part)
            two.append(len(left.part))
            left.step()
        elif isinstance(right.part, str):
            one.append(len(right.part))
            two.append(right.part)
            right.step()
        elif left.part is None or right.part is None:
            return _joined(one), _joined(two)
        else:
            length = min(abs(left.part), abs(right.part))
            keeps = left.part > 0, right.part > 0
            if keeps[1]:
                one.append(length if keeps[0] else -length)
            if keeps[0]:
                two.append(length if keeps[1] else -length)
            left.take(length)
            right.take(length)


class _Walk:
    """Goes along the parts of a change, also over a part of one."""

    def __init__(self, change: Sequence[Part]) -> None:
        self._parts = iter(change)
        self.part: Part | None = next(self._parts, None)

    def step(self) -> None:
        self.part = next(self._parts, None)

    def take(self, length: int) -> None:
        assert isinstance(self.part, int)
        self.part += -length if self.part > 0 else length
        if not self.part:
            self.step()


def _joined(parts: Iterable[Part]) -> Change:
    """Neighbours of one kind made one."""
    out: Change = []
    for part in parts:
        if out and _kind(out[-1]) == _kind(part):
            out[-1] += part  # type: ignore[operator]  # both are texts or both numbers
        elif part not in (0, ""):
            out.append(part)
    return out


def _kind(part: Part) -> str:
    return "put in" if isinstance(part, str) else "keep" if part > 0 else "delete"
