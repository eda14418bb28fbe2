"""The forms of webhooks, and how what was typed is read."""

from __future__ import annotations

from datetime import datetime

from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types
from wtforms.validators import InputRequired

from liaison.domain.stream_events import STREAM_EVENTS
from liaison.errors import FieldError, Invalid
from liaison.portal.kept import PortalForm
from liaison.portal.orders import moments
from liaison.services import webhook_keeping


class EndpointForm(PortalForm):
    """An endpoint, new or changed."""

    url = StringField("Address", [InputRequired("Enter where events are to be sent.")])
    description = StringField("What listens there")
    events = SelectMultipleField(
        "Tell it of",
        choices=[SelectChoice(type_, type_) for type_ in STREAM_EVENTS],
        validate_choice=False,
    )
    version = HiddenField()


class RollForm(PortalForm):
    """How long the older secret signs on."""

    overlap = StringField(
        "The older secret signs on for",
        [InputRequired("Enter a number of hours; 0 ends it at once.")],
        render_kw={"inputmode": "numeric"},
    )


class SinceForm(PortalForm):
    """From when on events are sent again."""

    since = StringField("Since (UTC)", [InputRequired("Enter a date and a time.")])
    sure = HiddenField()
    """How many events they were told that it sends; other than before: they are told anew."""


class PlainForm(PortalForm):
    """Nothing but the token against forgery."""


def wanted(form: EndpointForm) -> webhook_keeping.Wanted:
    """What the form asks for."""
    return webhook_keeping.Wanted(
        form.url.data or "", form.description.data or "", form.events.data or []
    )


def whole(text: str | None) -> int:
    """The number that was typed; one that the verb refuses where it is none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def moment(text: str) -> datetime:
    """A date and a time in UTC; ``Invalid`` where it is none."""
    try:
        return datetime.fromisoformat(moments.to_rfc3339(text, "UTC"))
    except ValueError:
        fault = FieldError("/since", "Write it like 2026-11-23 03:10.")
        raise Invalid([fault]) from None


def place(form: PortalForm, faults: list[FieldError]) -> None:
    """Puts each fault at its field."""
    for fault in faults:
        field = form[fault.pointer.split("/")[1]]
        field.errors = [*field.errors, fault.detail]
