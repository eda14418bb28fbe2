"""The forms of a memorandum, and what was typed into them as the verbs take it."""

from __future__ import annotations

import re
from typing import Any

from flask import request
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    Form,
    FormField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison.domain import memorandum_entry
from liaison.domain.vocabulary import DataCategory, TargetType, Term, Urgency
from liaison.portal.kept import PortalForm

_NUMBER = {"inputmode": "numeric", "autocomplete": "off"}
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_WINDOWS = ("emergency_windows", "office_hours")
"""Fields of hours, one window a line."""
_DAY = {**_PLAIN, "placeholder": "YYYY-MM-DD"}


def _clocks(urgency: Urgency) -> type[Form]:
    class OneUrgency(Form):
        """Both times of one urgency."""

        acknowledge = StringField(f"{urgency.label}: acknowledge within", render_kw=_PLAIN)
        preserve = StringField(f"{urgency.label}: preserve within", render_kw=_PLAIN)

    return OneUrgency


class ClocksForm(Form):
    """The times of every urgency, the emergency's first."""

    emergency = FormField(_clocks(Urgency.EMERGENCY))
    urgent = FormField(_clocks(Urgency.URGENT))
    routine = FormField(_clocks(Urgency.ROUTINE))


def _offered(kind: type[Term]) -> list[SelectChoice]:
    return [SelectChoice(word.value, word.label) for word in kind]


class EditForm(PortalForm):
    """What every form about a draft carries: which text its reader has seen."""

    edit = HiddenField()

    @property
    def read(self) -> int:
        """The edit that was read; -1 where the form does not say: nobody has read that one."""
        text = self.edit.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


class MemorandumForm(EditForm):
    """Every term but the ladders."""

    reference = StringField("Reference", render_kw=_PLAIN)
    in_force_from = StringField("First day in force", render_kw=_DAY)
    in_force_to = StringField("Last day in force", render_kw=_DAY)
    clocks = FormField(ClocksForm)
    answer = StringField("The contact point answers a question within", render_kw=_PLAIN)
    clock_stops = BooleanField("The clock of a routine order stops until the question is answered")
    ratification = StringField("A second person ratifies an emergency within", render_kw=_PLAIN)
    default_days = StringField("Usual duration", render_kw=_NUMBER)
    longest_days = StringField("Longest duration", render_kw=_NUMBER)
    extensions = StringField("Extensions", render_kw=_NUMBER)
    categories = SelectMultipleField(
        "Data covered", choices=_offered(DataCategory), validate_choice=False
    )
    target_types = SelectMultipleField(
        "Targets covered", choices=_offered(TargetType), validate_choice=False
    )
    issuers = SelectMultipleField(
        "Who may issue",
        choices=[SelectChoice(role.value, role.label) for role in memorandum_entry.ISSUERS],
        validate_choice=False,
    )
    emergency_windows = TextAreaField(
        "When emergencies are taken", render_kw={"rows": 3, "spellcheck": "false"}
    )
    languages = StringField("Languages", render_kw=_PLAIN)
    drills_a_year = StringField("Drills a year", render_kw=_NUMBER)
    disposal_confirmation = BooleanField("The provider confirms disposal")
    office_hours = TextAreaField("Office hours", render_kw={"rows": 3, "spellcheck": "false"})
    observes_holidays = BooleanField(
        "Closed on public holidays of the provider’s country, for routine orders"
    )
    reply_acknowledges = BooleanField("The answer “1” to a text message acknowledges receipt")


class NewForm(PortalForm):
    """With whom, and under which reference."""

    partner = SelectField("With", validate_choice=False)
    reference = StringField("Reference", render_kw=_PLAIN)


class DocumentForm(EditForm):
    """The document as a file."""

    document = FileField("The document (PDF)", render_kw={"accept": "application/pdf,.pdf"})


class SignForm(EditForm):
    """What is signed, and nothing else."""

    sha256 = HiddenField()


class EndForm(PortalForm):
    """From when on it binds no more, and why."""

    last_day = StringField("Last day in force", render_kw=_DAY)
    reason = TextAreaField("Reason", render_kw={"rows": 3})


def opening(data: dict[str, Any]) -> dict[str, Any] | None:
    """What a form opens with. A form that was sent has what was sent and nothing else.

    A field that is left out would be taken from here otherwise: nobody signs what they do not name.
    """
    return data if request.method == "GET" else None


def filled(data: dict[str, Any], edit: int) -> dict[str, Any]:
    """What the form opens with: the memorandum as ``memorandum_entry.written`` gives it."""
    return {
        **data,
        "edit": str(edit),
        **{name: "\n".join(data[name]) for name in _WINDOWS},
        "languages": ", ".join(data["languages"]),
    }


def typed(form: MemorandumForm) -> dict[str, Any]:
    """What was typed, as ``memorandum_entry.read`` takes it; faults are found there."""
    data = {name: value for name, value in form.data.items() if name not in ("csrf_token", "edit")}
    for name in ("default_days", "longest_days", "extensions", "drills_a_year"):
        data[name] = _number(data[name])
    for name in ("in_force_from", "in_force_to"):
        data[name] = (data[name] or "").strip()
    for name in _WINDOWS:
        lines = re.split(r"[\n;]", data[name] or "")
        data[name] = [line.strip() for line in lines if line.strip()]
    data["languages"] = [code for code in re.split(r"[,\s]+", data["languages"] or "") if code]
    return data


def _number(text: str | None) -> int | str | None:
    given = (text or "").strip()
    if given.isascii() and given.isdigit() and len(given) < 10:
        return int(given)
    return given or None
