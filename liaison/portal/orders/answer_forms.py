"""The forms by which a provider answers and the contact point acts on an issued order.

``version`` is the order as it was read: who acts on an older one is told so.
"""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from liaison.domain.vocabulary import CallOutcome, Ground, Outcome
from liaison.portal.orders.draft_form import choices, option

EVERYTHING, PART, NOTHING = "everything", "part", "nothing"


class VersionForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """A form that names the order's version."""

    version = HiddenField()

    @property
    def seen(self) -> int | None:
        """The version that was read; None where the form came without one."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() else None


class AcknowledgeForm(VersionForm):
    """Receipt; nothing needs to be typed."""

    reference = StringField("Your own reference")
    note = TextAreaField("Note to the contact point")


class TargetAnswerForm(Form):
    """What was found for one target."""

    id = HiddenField()
    outcome = SelectField("Found", choices=choices(Outcome))
    until = StringField("Kept until", description="Empty: the date for the whole order.")
    note = StringField("Note", description="For a part: which.")


class PreserveForm(VersionForm):
    """Preservation: for how long, and what was found."""

    days = StringField("How long will the data be kept?", render_kw={"inputmode": "numeric"})
    found = RadioField(
        "What was found?",
        choices=[
            option(EVERYTHING, "Everything in the order"),
            option(PART, "Part of it: I will say which"),
            option(NOTHING, "Nothing: no such record in that period"),
        ],
    )
    targets = FieldList(FormField(TargetAnswerForm))
    reference = StringField("Your own reference")
    preserved_at = StringField(
        "Preserved at", description="UTC, like 2026-11-23 01:10. Empty: now."
    )
    sha256 = StringField(
        "Fingerprint of what is kept", description="SHA-256, 64 hexadecimal digits."
    )
    risk = TextAreaField(
        "Risk to the data or to confidentiality",
        description="Say so where preservation will not secure the data, or would endanger "
        "confidentiality or the investigation (Budapest Convention art. 29(6)).",
    )
    note = TextAreaField("Note to the contact point")


class DeclineForm(VersionForm):
    """Grounds of the closed list, in words, and what happens to the data meanwhile."""

    grounds = SelectMultipleField("Grounds", choices=choices(Ground))
    explanation = TextAreaField("Explanation", description="What stands in the way, in your words.")
    preserved_meanwhile = RadioField(
        "Are the data being preserved meanwhile?",
        choices=[option("yes", "Yes, they are kept"), option("no", "No")],
        validate_choice=False,
    )


class TextForm(VersionForm):
    """A message in the thread."""

    text = TextAreaField("Message")


class ReasonForm(VersionForm):
    """Why an order is withdrawn, or an escalation closed."""

    reason = TextAreaField("Reason")


class CallForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """What came of a phone call."""

    outcome = RadioField("What came of it?", choices=choices(CallOutcome), validate_choice=False)
    acknowledged = BooleanField("They acknowledged the order by phone")
    note = TextAreaField("Note", description="Only the contact point sees this.")


class IssueForm(VersionForm):
    """A fresh code serves the order."""

    code = StringField(
        "Code from your authenticator",
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True},
    )
