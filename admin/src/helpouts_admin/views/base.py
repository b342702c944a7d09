"""What all pages of the console share: permission, safe defaults, actions with a reason.

Flask-Admin is permissive by default; :class:`Page` and :class:`Records` turn that round.  Nothing is created, edited or
deleted through a generated form; what changes something is an :class:`~helpouts_admin.actions.Action`.
"""

from __future__ import annotations

import re
import traceback
import typing as t
from collections.abc import Sequence

import flask_admin
import structlog
from flask import Response, abort, flash, redirect, request, url_for
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm
from flask_admin.model.base import ViewArgs
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.wrappers import Response as BaseResponse

from helpouts.audit.service import record as audit
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web import db as web_db
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, permitted
from helpouts_admin import audit_words, words
from helpouts_admin.actions import Action, ShowOnce
from helpouts_admin.figures import attention
from helpouts_admin.permissions import may_do, may_open

log = structlog.get_logger("helpouts.console")
Answer = str | BaseResponse | tuple[str, int]
F = t.TypeVar("F", bound=t.Callable[..., t.Any])
EXPORT_LIMIT = 10_000
#: Nobody turns more pages than this; a greater number would not fit into the query.
LAST_PAGE = 1_000_000
PLUGIN = "console"


def trace(error: BaseException) -> str:
    """A traceback for the log as plain text: a logger that prints local variables would print decrypted settings."""
    return "".join(traceback.format_exception(error))


def expose(url: str = "/", methods: Sequence[str] = ("GET",)) -> t.Callable[[F], F]:
    """Flask-Admin's decorator for a page's routes, with its type."""
    return t.cast("t.Callable[[F], F]", flask_admin.expose(url, methods))


class Facade:
    """The request's session in the shape that Flask-Admin expects of an extension (``.session``)."""

    session = web_db.session

    def __getattr__(self, name: str) -> t.Any:
        return getattr(web_db.session, name)


class Guarded:
    """Permission for every page, from the one table; mixed in before Flask-Admin's classes."""

    endpoint: str

    def is_accessible(self) -> bool:
        """Whether the person at hand may open this page (also decides what the menu shows)."""
        return permitted(may_open(self.endpoint))

    def may(self, action: str) -> bool:
        """Whether the person at hand may do this."""
        return permitted(may_do(self.endpoint, action))

    def require(self, action: str) -> None:
        """Refuse what the person at hand may not do."""
        if not self.may(action):
            abort(403)

    def _handle_view(self, name: str, /, **kwargs: t.Any) -> None:
        if PLUGIN not in current_runtime().registry.enabled(current_db()):
            abort(404)
        if not self.is_accessible():
            abort(403)

    def render(self, template: str, **kwargs: t.Any) -> str:
        """Render with what every page of the console may use."""
        kwargs.update(words=words, action_word=audit_words.action, attention=attention(current_db()))
        body: str = super().render(template, **kwargs)  # type: ignore[misc]  # the mixin stands before Flask-Admin's class
        return body

    def _run_view(self, fn: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
        # Flask-Admin's own catches TypeError and calls again: it hides bugs and does things twice.
        return fn(self, *args, **kwargs)

    def actions(self, record: t.Any) -> Sequence[Action]:
        """What can be done with a record; overridden by pages that have something."""
        return ()

    def offered(self, record: t.Any) -> list[Action]:
        """The actions that fit the record's state and the person's roles."""
        return [action for action in self.actions(record) if self.may(action.name) and action.when(record)]


def forms_for(
    actions: Sequence[Action], record: t.Any = None, filled: tuple[str, FlaskForm] | None = None
) -> list[tuple[Action, FlaskForm]]:
    """A form for each action: empty, but for the one that has just been refused."""
    pairs = []
    for action in actions:
        refused = filled is not None and filled[0] == action.name
        form = filled[1] if filled and refused else action.form(formdata=None, prefix=action.name)
        for name, value in action.start(record).items():
            form[name].data = value
        pairs.append((action, form))
    return pairs


def perform(view: Guarded, action: Action, record: t.Any) -> tuple[FlaskForm | None, ShowOnce | None]:
    """Do an action with what was posted, in one transaction with its audit entry.

    Returns (the form with its errors, None) when it was refused, else (None, what there is to see once).
    """
    db = current_db()
    form = action.form(prefix=action.name)
    if not form.validate_on_submit():
        return form, None
    try:
        shown = action.run(db, record, form, current_actor("operator"))
        db.commit()
    except StaleDataError:
        db.rollback()
        attach(form, Conflict(_l("Somebody else has changed this in the meantime. Look at it again, then decide.")))
        return form, None
    except HelpoutsError as error:
        db.rollback()
        attach(form, error)
        return form, None
    return None, shown


class Page(Guarded, flask_admin.BaseView):  # type: ignore[misc]  # Flask-Admin's metaclass is untyped
    """A page of our own."""

    def done(self, message: object, endpoint: str, **values: t.Any) -> BaseResponse:
        """Say that it worked and go to a page (303, so that reloading does not do it again)."""
        flash(str(message), "success")
        return redirect(url_for(endpoint, **values), 303)


class Records(Guarded, ModelView):  # type: ignore[misc]  # Flask-Admin's metaclass is untyped
    """A list of records with search, filters and a page for each.  Read-only but for its actions."""

    can_create = can_edit = can_delete = can_export = False
    can_view_details = True
    can_set_page_size = False
    page_size = 25
    simple_list_pager = True
    column_display_pk = False
    column_auto_select_related = False
    column_display_actions = False
    export_types: t.ClassVar[list[str]] = ["csv"]
    export_max_rows = EXPORT_LIMIT
    list_template = "admin/model/list.html"
    details_template = "console/record.html"
    #: what the page is for, in one sentence, shown above the list
    intro: object = ""
    #: the first filter is shown as a row of links instead of a select
    tabs = True
    empty: object = _l("Nothing here.")

    #: set by each page
    shows: type
    endpoint_name: str

    def __init__(self, name: object, category: object) -> None:
        for attribute in ("column_list", "column_details_list"):
            if getattr(self, attribute) is None:
                raise TypeError(f"{type(self).__name__} must name its columns in {attribute}")
        if self.can_export and self.column_export_list is None:
            raise TypeError(f"{type(self).__name__} must name its columns in column_export_list")
        self.column_formatters_export = getattr(self, "column_formatters_export", None) or {}
        self.column_sortable_list = getattr(self, "column_sortable_list", None) or ()
        endpoint = self.endpoint_name
        super().__init__(
            self.shows, Facade(), name=name, category=category, endpoint=endpoint, url=endpoint.removeprefix("console_")
        )

    # -- nothing is scaffolded -------------------------------------------------------------------------------

    def scaffold_form(self) -> t.Any:
        """No generated forms: they would name every column."""
        return BaseForm

    def init_actions(self) -> None:
        """No batch actions: Flask-Admin commits them row by row."""
        self._actions: list[tuple[str, str]] = []
        self._actions_data: dict[str, t.Any] = {}

    # Without its decorator a view has no route: what Flask-Admin would let write or list past us is not there at all.
    create_view = edit_view = delete_view = action_view = ajax_update = ajax_lookup = None

    def handle_view_exception(self, exc: Exception) -> bool:
        """Never show the text of an exception: it may hold SQL and secrets."""
        log.error("console failed", view=self.endpoint, trace=trace(exc))
        flash(_("This did not work. The log of the server says why."), "error")
        return True

    # -- lists -----------------------------------------------------------------------------------------------

    def get_one(self, id: object) -> t.Any:
        """A record by its key, only if the list would show it too; None else."""
        if not re.fullmatch("[0-9]{1,9}", str(id)):
            return None
        return self.get_query().filter(self._primary_key_column() == int(str(id))).one_or_none()

    def _primary_key_column(self) -> t.Any:
        return getattr(self.model, t.cast("str", self._primary_key))

    def get_filter_arg(self, index: int, flt: t.Any) -> str:
        """Filters are known by their place: names differ by language."""
        return str(index)

    def _get_list_extra_args(self) -> ViewArgs:
        found: ViewArgs = super()._get_list_extra_args()
        found.page = min(max(found.page or 0, 0), LAST_PAGE)
        return found

    def _get_list_filter_args(self) -> t.Any:
        return [
            (index, str(flt.name), value)
            for index, flt in enumerate(self._filters or ())
            if (value := request.args.get(f"flt{index}_{index}", "")) and flt.validate(value)
        ]

    def _get_filters(self, filters: t.Any) -> dict[str, str]:
        return {f"flt{index}_{index}": value for index, _name, value in filters or ()}

    def _get_list_url(self, view_args: ViewArgs) -> str:
        wanted: dict[str, t.Any] = {
            "page": view_args.page or None,
            "sort": view_args.sort,
            "desc": 1 if view_args.sort_desc else None,
            "search": view_args.search or None,
        }
        return url_for(".index_view", **(wanted | self._get_filters(view_args.filters)))

    def filter_rows(self) -> list[tuple[int, str, list[tuple[str, str]], str]]:
        """(place, name, options, chosen value) of each filter, for the template."""
        return [
            (index, str(flt.name), flt.get_options(self) or [], request.args.get(f"flt{index}_{index}", ""))
            for index, flt in enumerate(self._filters or ())
        ]

    def filter_url(self, index: int, value: str) -> str:
        """The list with one filter changed, from its first page."""
        kept: dict[str, t.Any] = {
            key: v for key, v in request.args.items() if (key.startswith("flt") or key == "search") and v
        }
        kept.pop(f"flt{index}_{index}", None)
        if value:
            kept[f"flt{index}_{index}"] = value
        return url_for(".index_view", **kept)

    # -- export ----------------------------------------------------------------------------------------------

    @expose("/export/<export_type>/", methods=("POST",))
    def export(self, export_type: str) -> Answer:
        """The rows of the list as CSV, at most :data:`EXPORT_LIMIT`, and an entry in the audit log."""
        self.require("export")
        if not self.can_export or export_type != "csv":
            abort(404)
        answer: Response = self._export_csv(url_for(".index_view"))
        db = current_db()
        audit(db, current_actor("operator"), "console.export", view=self.endpoint, filters=dict(request.args))
        db.commit()
        return answer

    def get_export_value(self, model: t.Any, name: str) -> t.Any:
        """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
        value = super().get_export_value(model, name)
        return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

    # -- one record ------------------------------------------------------------------------------------------

    def context(self, db: Session, record: t.Any) -> dict[str, t.Any]:
        """What the page of a record shows besides its columns."""
        return {}

    def title_of(self, record: t.Any) -> str:
        """The heading of a record's page."""
        return f"{self.name} {record.id}"

    def show(
        self,
        record: t.Any,
        filled: tuple[str, FlaskForm] | None = None,
        shown: ShowOnce | None = None,
        status: int = 200,
    ) -> Answer:
        """The page of one record."""
        body: str = self.render(
            self.details_template,
            record=record,
            title=self.title_of(record),
            columns=self._details_columns,
            get_value=self.get_detail_value,
            actions=forms_for(self.offered(record), record, filled),
            refused=filled[0] if filled else "",
            shown=shown,
            **self.context(current_db(), record),
        )
        return body, status

    @expose("/details/")
    def details_view(self) -> Answer:
        """The page of one record (``?id=``)."""
        return self.show(self._found(request.args.get("id", "")))

    @expose("/<int:record_id>/<action>/", methods=("POST",))
    def act(self, record_id: int, action: str) -> Answer:
        """Do one of the record's actions."""
        self.require(action)
        record = self._found(record_id)
        wanted = next((offered for offered in self.actions(record) if offered.name == action), None)
        if wanted is None:
            abort(404)
        form, shown = perform(self, wanted, record)
        if form is not None:
            found = self._found(record_id)
            if wanted not in self.offered(found):  # it does not fit any more, so there is no form that could say why
                for error in form.form_errors:
                    flash(error, "error")
            return self.show(found, (action, form), status=400)
        if shown is not None:
            return self.show(self._found(record_id), shown=shown)
        if wanted.leads_to is not None:
            return redirect(wanted.leads_to(record), 303)
        flash(str(wanted.done) or _("Done."), "success")
        return redirect(url_for(".details_view", id=record_id), 303)

    def _found(self, record_id: object) -> t.Any:
        record = self.get_one(record_id)
        if record is None:
            abort(404)
        return record
