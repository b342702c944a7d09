"""The second half of the hours form: how much is enough, public holidays, time off; and the version it was made on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.scheduling import holidays, service
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import CAP_BOUNDS, TimeOff

#: Empty rows for time off.
SPARE = 1


@dataclass
class Extras:
    """What is in the inputs, as typed."""

    version: str = "0"
    caps: dict[str, str] = field(default_factory=dict)
    country: str = ""
    subdivision: str = ""
    #: keys of holidays on which the person works, those of one holiday joined by "; "
    worked: list[str] = field(default_factory=list)
    #: (first, last, note)
    time_off: list[tuple[str, str, str]] = field(default_factory=list)

    def pad(self) -> Extras:
        """With the spare rows that somebody may fill in."""
        self.time_off += [("", "", "")] * SPARE
        return self


def shown(row: ScheduleRow, today: date) -> Extras:
    """What is stored; time off that is over is left out."""
    entries = [entry for entry in service.to_time_off(row) if entry.last >= today]
    return Extras(
        version=str(row.version or 0),
        caps={name: str(getattr(row, name) or "") for name in CAP_BOUNDS},
        country=row.holiday_country,
        subdivision=row.holiday_subdivision,
        worked=list(row.holidays_worked),
        time_off=[(entry.first.isoformat(), entry.last.isoformat(), entry.note) for entry in entries],
    ).pad()


def sent(data: MultiDict[str, str]) -> Extras:
    """What was sent, still as typed."""
    rows = zip(data.getlist("off-first"), data.getlist("off-last"), data.getlist("off-note"), strict=False)
    worked = [key for value in data.getlist("worked") for key in value[:400].split("; ")]
    return Extras(
        version=data.get("version", "")[:12],
        caps={name: data.get(name, "").strip()[:6] for name in CAP_BOUNDS},
        country=data.get("holiday_country", "")[:2],
        subdivision=data.get("holiday_subdivision", "")[:32],
        worked=worked[: service.MOST_TIME_OFF],
        time_off=[
            (first.strip()[:10], last.strip()[:10], note.strip()[:80])
            for first, last, note in list(rows)[: service.MOST_TIME_OFF + SPARE + 1]
            if first.strip() or last.strip()
        ],
    )


def save(db: Session, row: ScheduleRow, extras: Extras, today: date, errors: dict[str, str]) -> None:
    """Store all of it; what is wrong is put into ``errors`` by the name of its input.

    :raises HelpoutsError: when anything is wrong.
    """
    user_id = row.user_id
    caps: dict[str, int | None] = {}
    for name, text in extras.caps.items():
        if text and not (text.isascii() and text.isdigit()):
            errors[name] = _("Enter a number, or leave it empty for no limit.")
        caps[name] = int(text) if text.isascii() and text.isdigit() else None
    entries = [*(entry for entry in service.to_time_off(row) if entry.last < today), *_time_off(extras, errors)]
    if errors:
        raise HelpoutsError(_("Please check your answers."))
    service.save_caps(db, user_id, **caps)
    same = extras.country == row.holiday_country
    parts = {code for code, _name in holidays.subdivisions(extras.country)}
    subdivision = extras.subdivision if same or extras.subdivision in parts else ""
    service.save_holidays(db, user_id, extras.country, subdivision, extras.worked if same else ())
    service.save_time_off(db, user_id, entries)


def _time_off(extras: Extras, errors: dict[str, str]) -> Iterable[TimeOff]:
    found = []
    for index, (first, last, note) in enumerate(extras.time_off):
        try:
            found.append(TimeOff(date.fromisoformat(first), date.fromisoformat(last or first), note))
        except ValueError:
            errors[f"off{index}"] = _("Enter the first and the last day.")
        except HelpoutsError as error:
            errors[f"off{index}"] = str(error)
    return found
