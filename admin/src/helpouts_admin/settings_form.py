"""The form of a plugin's settings, made from the records that it declares.

Nothing of a secret is ever in the page: only whether it is set.  An empty secret field means "leave it", a box
takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its type stubs
from wtforms.form import BaseForm

from helpouts.errors import ConfigurationError, HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.plugins.models import PluginSettingRow
from helpouts.plugins.records import Setting
from helpouts.plugins.secrets import unseal
from helpouts.plugins.service import check_value
from helpouts.runtime import runtime_of

PREFIX = "setting"
CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept: plain values by key, and the state of each secret ("" not set, "set", or what is wrong with it)."""

    values: dict[str, Any]
    secrets: dict[str, str]


def stored(db: Session, plugin: str, declared: Mapping[str, Setting]) -> Stored:
    """The settings of a plugin for showing; secrets only as their state."""
    values = {key: setting.default for key, setting in declared.items() if not setting.secret}
    secrets = {key: "" for key, setting in declared.items() if setting.secret}
    master = runtime_of(db).config.key("master_key")
    for row in db.scalars(select(PluginSettingRow).where(PluginSettingRow.plugin == plugin)):
        if row.key in secrets and row.secret is not None:
            try:
                secrets[row.key] = "set" if unseal(master, plugin, row.key, row.secret) else ""
            except ConfigurationError as error:
                secrets[row.key] = str(error)
        elif row.key in values:
            values[row.key] = row.value
    return Stored(values, secrets)


def build(declared: Mapping[str, Setting], now: Stored, posted: MultiDict[str, str] | None = None) -> BaseForm:
    """The form, filled with what was posted, else with what is stored."""
    form = BaseForm({key: _field(setting, now) for key, setting in declared.items()}, prefix=PREFIX)
    form.process(posted, data={key: _shown(declared[key], value) for key, value in now.values.items()})
    return form


def changes(
    form: BaseForm, declared: Mapping[str, Setting], now: Stored, posted: MultiDict[str, str]
) -> tuple[dict[str, Any], bool]:
    """(what is to be written, whether all of it is right); errors are put beside their fields.

    Fields that nobody has declared are handed on, so that the service refuses them.
    """
    wanted: dict[str, Any] = {}
    for key, setting in declared.items():
        field = form[key]
        if setting.secret:
            if posted.get(f"{CLEAR}-{key}"):
                wanted[key] = ""
            elif field.data:
                wanted[key] = field.data
        elif field.process_errors:
            field.errors = [_("Enter a whole number.")]
        else:
            value = _read(setting, field.data)
            if value != now.values[key]:
                wanted[key] = value
    fine = not any(form[key].process_errors for key in declared)
    for key, value in wanted.items():
        try:
            check_value(declared[key], value)
        except HelpoutsError as error:
            form[key].errors = [str(error)]
            fine = False
    known = {f"{PREFIX}-{key}" for key in declared}
    strange = {name.removeprefix(f"{PREFIX}-"): posted[name] for name in posted if name.startswith(f"{PREFIX}-")}
    wanted.update({key: value for key, value in strange.items() if f"{PREFIX}-{key}" not in known})
    return wanted, fine


def _shown(setting: Setting, value: Any) -> Any:
    return "\n".join(value) if setting.type is list and not setting.choices else value


def _read(setting: Setting, data: Any) -> Any:
    if setting.type is list and not setting.choices:
        return [line.strip() for line in (data or "").splitlines() if line.strip()]
    if setting.type is list:
        return list(data or [])
    if setting.type is str:
        return (data or "").strip()
    return data


def _field(setting: Setting, now: Stored) -> Any:
    label, about = str(setting.label), str(setting.help)
    choices = [SelectChoice(value=choice, label=choice) for choice in setting.choices]
    if setting.secret:
        state = now.secrets[setting.key]
        about = " ".join(filter(None, (about, _("Set.") if state == "set" else state or _("Not set."))))
        keeps = {"autocomplete": "new-password", "placeholder": _("Leave empty to keep it") if state else ""}
        made: Any = PasswordField(label, description=about, render_kw=keeps)
    elif setting.type is bool:
        made = BooleanField(label, description=about)
    elif setting.type is int:
        made = IntegerField(label, description=about)
    elif choices and setting.type is list:
        made = SelectMultipleField(label, description=about, choices=choices, validate_choice=False)
    elif choices:
        made = SelectField(label, description=about, choices=choices, validate_choice=False)
    elif setting.type is list:
        made = TextAreaField(label, description=" ".join(filter(None, (about, _("One in each line.")))))
    else:
        made = StringField(label, description=about)
    return made
