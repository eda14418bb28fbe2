"""The rules of the Parties: read by contact points, kept by administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import HiddenField, StringField, TextAreaField

from liaison import web
from liaison.domain.permissions import Verb, demand, may
from liaison.errors import Invalid
from liaison.models import PartyRule
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.queries import party_rules as queries
from liaison.services import party_rules as verbs

bp = Blueprint("rules", __name__, url_prefix="/rules")

_NUMBERS = ("first_days", "extension_days", "extensions")
_DIGITS = {"inputmode": "numeric", "autocomplete": "off"}


class RuleForm(PortalForm):
    """A rule as it is typed; ``domain.party_rule`` reads it."""

    version = HiddenField()
    name = StringField("Name", description="The country, or the instrument it comes from.")
    countries = StringField(
        "Countries",
        description="Two letters each, commas between, like NL, RO. Empty: any Party.",
    )
    first_days = StringField("First period", render_kw=_DIGITS)
    extension_days = StringField("An extension", render_kw=_DIGITS)
    extensions = StringField(
        "How many extensions", description="Empty: no number is set.", render_kw=_DIGITS
    )
    note = TextAreaField("What else counts", render_kw={"rows": 4})
    retention = TextAreaField(
        "What providers there keep anyway",
        description="How long they retain data without being asked.",
        render_kw={"rows": 3},
    )
    source = StringField("Source", description="The law and its article.")
    review_on = StringField("To be reviewed by", description="Date, like 2027-06-30.")


class RemoveForm(PortalForm):
    """Nothing to fill in."""


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of rules ask for."""
    if not web.is_signed_in():
        return {}  # a page that says so asks for none of them
    return {
        "may_keep": may(web.actor().roles, Verb.MANAGE_RULES),
        "kept_words": kept.words,
        "today": web.now().date(),
    }


@bp.get("")
def index() -> ResponseReturnValue:
    """Every rule, with its source."""
    found = queries.rules(web.db(), web.actor())
    return render_template("rules/index.html", rules=found)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Enters a rule."""
    demand(web.actor(), Verb.MANAGE_RULES)
    form = RuleForm()

    def write() -> None:
        verbs.register(web.db(), web.actor(), _json(form), web.now())

    return _send(form, write)


@bp.route("/<uuid:rule_id>/edit", methods=["GET", "POST"])
def edit(rule_id: UUID) -> ResponseReturnValue:
    """Changes a rule."""
    demand(web.actor(), Verb.MANAGE_RULES)
    row = queries.rule(web.db(), web.actor(), rule_id)
    form = RuleForm()
    if request.method == "GET" and kept.words() is None:
        form = RuleForm(formdata=None, data=_typed(row))

    def write() -> None:
        seen = form.version.data or ""
        verbs.change(web.db(), web.actor(), rule_id, _json(form), seen, web.now())

    return _send(form, write, row)


@bp.route("/<uuid:rule_id>/remove", methods=["GET", "POST"])
def remove(rule_id: UUID) -> ResponseReturnValue:
    """Shows a rule no more."""
    demand(web.actor(), Verb.MANAGE_RULES)
    row = queries.rule(web.db(), web.actor(), rule_id)
    form = RemoveForm()
    if request.method == "GET":
        return render_template("rules/remove.html", form=form, row=row)
    verbs.remove(web.db(), web.actor(), rule_id, web.now())
    web.commit()
    return redirect(url_for("rules.index"), 303)


def _send(
    form: RuleForm, verb: Callable[[], None], row: PartyRule | None = None
) -> ResponseReturnValue:
    """The form; once sent, the act, or the form again with all that was typed, and why."""
    faults: list[pointers.Fault] = []
    if request.method == "POST":
        try:
            verb()
            web.commit()
            return redirect(url_for("rules.index"), 303)
        except Invalid as error:
            web.db().rollback()
            faults = pointers.show(form, error.errors)
    page = render_template("rules/edit.html", form=form, faults=faults, row=row)
    return page, 422 if faults else 200


def _json(form: RuleForm) -> dict[str, Any]:
    """What the form holds, for the reader; a number that is none goes on as it was typed."""
    data: dict[str, Any] = {
        name: (form[name].data or "").strip() or None
        for name in ("name", "note", "retention", "source", "review_on")
    }
    data["countries"] = (form.countries.data or "").replace(",", " ").split()
    for name in _NUMBERS:
        text = (form[name].data or "").strip()
        short = text.isascii() and text.isdigit() and len(text) < 10
        data[name] = int(text) if short else text or None
    return data


def _typed(row: PartyRule) -> dict[str, str]:
    numbers = {name: getattr(row, name) for name in _NUMBERS}
    return {
        "version": verbs.version(row),
        "name": row.name,
        "countries": ", ".join(row.countries),
        "note": row.note,
        "retention": row.retention,
        "source": row.source,
        "review_on": row.review_on.isoformat(),
        **{name: "" if value is None else str(value) for name, value in numbers.items()},
    }
