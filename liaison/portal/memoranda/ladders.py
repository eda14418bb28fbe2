"""The ladder of one urgency, edited as a list, with its picture and what stands in its way."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FieldList, Form, FormField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.ladder_entry import MOST_RUNGS, read_ladder, read_what_can_be
from liaison.domain.terms import Clocks, terms_from_json
from liaison.domain.terms_words import whom_words
from liaison.domain.vocabulary import PERSONAL, Channel, Urgency
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Contact, Memorandum
from liaison.portal import limits
from liaison.portal.memoranda import shown, writing
from liaison.portal.memoranda.blueprint import bp
from liaison.portal.memoranda.drawing import line
from liaison.portal.memoranda.forms import EditForm
from liaison.queries import ladder_check
from liaison.queries import memoranda as queries
from liaison.services import memoranda as verbs

_MOST = f"A ladder has at most {MOST_RUNGS} rungs."
_NUMBER = {"inputmode": "numeric", "autocomplete": "off"}
_NEW = {"after": "", "whom": Whom.ON_DUTY.value, "contact": "", "repeats": "0", "every": ""}


class RungForm(Form):
    """One rung, times in minutes."""

    after = StringField("Minutes after issue", render_kw=_NUMBER)
    whom = SelectField(
        "Whom it calls",
        choices=[SelectChoice(w.value, whom_words(w)) for w in Whom],
        validate_choice=False,
    )
    contact = SelectField("Named contact", validate_choice=False)
    channels = SelectMultipleField(
        "By which ways",
        choices=[SelectChoice(c.value, c.label) for c in PERSONAL],
        validate_choice=False,
    )
    repeats = StringField(
        "Repeats", description="How many more times; 0 for once.", render_kw=_NUMBER
    )
    every = StringField("Minutes between repeats", render_kw=_NUMBER)


class LadderForm(EditForm):
    """All rungs, and the pages at the top."""

    rungs = FieldList(FormField(RungForm))
    page_every = StringField("Minutes between pages at the top", render_kw=_NUMBER)


@bp.route("/memoranda/<uuid:memorandum_id>/ladders/<urgency>", methods=["GET", "POST"])
def ladder(memorandum_id: UUID, urgency: str) -> ResponseReturnValue:
    """The ladder of one urgency of a draft; rows come and go without losing what was typed."""
    found = writing.to_change(memorandum_id)
    which = _urgency(urgency)
    terms = terms_from_json(found.terms)
    clocks = terms.clocks[which]
    form, faults = _sent(found, terms.ladders.get(which, Ladder(())))

    def write() -> None:
        if faults:
            raise Invalid(faults)
        typed = read_ladder(_rows(form), form.page_every.data)
        _demand_parties(found, form)
        verbs.set_ladder(web.db(), web.actor(), memorandum_id, which, typed, form.read, web.now())

    beside = _beside(form, found, which, clocks)
    if not faults and request.method == "POST" and request.form.get("act") != "save":
        _change(form)
        return _page(form, found, _beside(form, found, which, clocks))
    then = url_for("memoranda.show", memorandum_id=memorandum_id, _anchor=f"ladder-{which.value}")
    return writing.send("ladder", form, found, write, then=then, **beside)


def _page(form: LadderForm, found: Memorandum, beside: dict[str, object]) -> str:
    """The form with what was typed: nothing was sent."""
    row = queries.row(web.db(), found, shown.today())
    told = {"faults": [], "overtaken": "", **beside}
    return render_template(
        "memoranda/ladder.html", form=form, shown=found, row=row, tag=shown.tag, **told
    )


def _urgency(name: str) -> Urgency:
    if name not in set(Urgency):
        raise NotFound
    return Urgency(name)


def _sent(found: Memorandum, stored: Ladder) -> tuple[LadderForm, list[FieldError]]:
    """The form with what was sent, or what is stored; no row is built beyond those possible."""
    try:
        limits.rows("/rungs", MOST_RUNGS, _MOST)
    except Invalid as error:
        return _offered(LadderForm(formdata=None, data=_data(found, stored)), found), error.errors
    return _offered(LadderForm(data=_data(found, stored)), found), []


def _data(found: Memorandum, stored: Ladder) -> dict[str, Any]:
    return {
        "edit": str(found.edit),
        "page_every": _minutes(stored.page_every),
        "rungs": [_row(rung) for rung in stored.rungs],
    }


def _row(rung: Rung) -> dict[str, Any]:
    return {
        "after": _minutes(rung.after),
        "whom": rung.whom.value,
        "contact": rung.contact or "",
        "channels": [channel.value for channel in rung.channels],
        "repeats": str(rung.repeats),
        "every": _minutes(rung.every) if rung.repeats else "",
    }


def _minutes(span: timedelta) -> str:
    return str(int(span.total_seconds() // 60))


def _rows(form: LadderForm) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = form.rungs.data
    return rows


def _contacts(found: Memorandum) -> list[Contact]:
    """Whom a rung may name: those of the two sides that were not removed."""
    both = (*found.provider.contacts, *found.authority.contacts)
    return [c for c in both if c.removed_at is None or c.removed_at > web.now()]


def _offered(form: LadderForm, found: Memorandum) -> LadderForm:
    offered = [SelectChoice("", "Only for “Named contact”")]
    hidden = queries.hides(web.db(), web.actor(), found)
    for contact in _contacts(found):
        whose = found.provider.name if contact.provider_id else found.authority.name
        label = f"{contact.name} ({contact.function.label}, {whose})"
        if hidden and contact.provider_id is None:
            label = shown.by_function(contact.function, found.authority)
        offered.append(SelectChoice(str(contact.id), label))
    known = {choice.value for choice in offered}
    for entry in form.rungs:
        given = entry.form.contact.data or ""
        # One that was removed since is shown as such, not silently exchanged for the first.
        gone = [] if given in known else [SelectChoice(given, "No longer registered")]
        entry.form.contact.choices = [*offered, *gone]
    return form


def _demand_parties(found: Memorandum, form: LadderForm) -> None:
    """``Invalid`` where a rung names somebody who is no contact of the two sides."""
    known = {str(contact.id) for contact in _contacts(found)}
    faults = [
        FieldError(f"/rungs/{index}/contact", "Choose one of the two sides’ contacts.")
        for index, row in enumerate(_rows(form))
        if row["whom"] == Whom.NAMED and row["contact"] not in known
    ]
    if faults:
        raise Invalid(faults)


def _change(form: LadderForm) -> None:
    """One rung more or less, or two exchanged, nothing typed lost; any other act only redraws."""
    act = re.fullmatch(r"(add|remove|up|down)-rung(?:-(\d{1,2}))?", request.form.get("act", ""))
    if act is None:
        return
    rows, at = _rows(form), int(act[2] or 0)
    if act[1] == "add" and len(rows) < MOST_RUNGS:
        rows.append({**_NEW, "channels": [Channel.EMAIL.value, Channel.CALL.value]})
    elif act[1] == "remove" and at < len(rows):
        del rows[at]
    elif act[1] in ("up", "down"):
        _exchange(rows, at, at - 1 if act[1] == "up" else at + 1)
    form.rungs.process(None, rows)


def _exchange(rows: list[dict[str, Any]], one: int, other: int) -> None:
    """Two rungs call each other's people; the times stay where they are."""
    if not (0 <= one < len(rows) and 0 <= other < len(rows)):
        return
    rows[one], rows[other] = rows[other], rows[one]
    rows[one]["after"], rows[other]["after"] = rows[other]["after"], rows[one]["after"]


def _beside(
    form: LadderForm, found: Memorandum, which: Urgency, clocks: Clocks
) -> dict[str, object]:
    """The picture of what was typed, and what of it stands in the way."""
    typed = read_what_can_be(_rows(form), form.page_every.data)
    hidden = queries.hides(web.db(), web.actor(), found)
    _offered(form, found)
    return {
        "urgency": which,
        "acknowledge": clocks.acknowledge,
        "line": line(typed, clocks.acknowledge),
        "drawn": len(typed.rungs),
        "problems": ladder_check.of_ladder(
            web.db(), found, which, typed, clocks, web.now(), hidden=hidden
        ),
        "warnings": [] if web.settings().gateway_url else ladder_check.without_gateway(typed),
        "most": MOST_RUNGS,
    }
