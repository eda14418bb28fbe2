"""The forms by which a provider answers and the contact point acts on an issued order.

``version`` is the order as it was read: who acts on an older one is told so.
"""

from __future__ import annotations

from wtforms import (
    BooleanField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length

from liaison.domain.attachments import ENDINGS, LARGEST, MB, MOST, TAKEN, TOGETHER
from liaison.domain.reading import (
    LONGEST_MESSAGE,
    LONGEST_NOTE,
    LONGEST_REASON,
    LONGEST_REFERENCE,
)
from liaison.domain.vocabulary import CallOutcome, Ground, Outcome
from liaison.portal.kept import PortalForm
from liaison.portal.orders.draft_form import choices, option

EVERYTHING, PART, NOTHING = "everything", "part", "nothing"

UNREAD = -1
"""No order has this version: whoever does not say which they read has read none."""


def at_most(characters: int) -> list[Length]:
    """The longest a text may be; the page's fields take no more."""
    said = "Write at most %(max)d characters."
    return [Length(max=characters, message=said)]


class VersionForm(PortalForm):
    """A form that names the order's version."""

    version = HiddenField()

    @property
    def seen(self) -> int:
        """The version that was read; ``UNREAD`` where the form names none."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else UNREAD


class AcknowledgeForm(VersionForm):
    """Receipt; nothing needs to be typed."""

    reference = StringField("Your own reference", at_most(LONGEST_REFERENCE))
    note = TextAreaField("Note to the contact point", at_most(LONGEST_NOTE))


class TargetAnswerForm(Form):
    """What was found for one target."""

    id = HiddenField()
    outcome = SelectField("Found", choices=choices(Outcome), validate_choice=False)
    until = StringField("Kept until")
    note = StringField("Note", at_most(LONGEST_NOTE))


class PreserveForm(VersionForm):
    """Preservation: for how long, and what was found."""

    days = StringField("How long will the data be kept?", render_kw={"inputmode": "numeric"})
    until = StringField("Or until a date", description="UTC, like 2027-02-21 12:00.")
    found = RadioField(
        "What was found?",
        choices=[
            option(EVERYTHING, "Everything in the order"),
            option(PART, "Part of it: I will say which"),
            option(NOTHING, "Nothing: no such record in that period"),
        ],
        validate_choice=False,
    )
    targets = FieldList(FormField(TargetAnswerForm))
    checked = HiddenField()
    """The fingerprint of what was shown on the check: only that is sent."""
    file = FileField("The file, filled in", render_kw={"accept": ".csv,text/csv"})
    pasted = TextAreaField(
        "Or paste its lines",
        description="With the line that names the columns: number or id, outcome, until, note. "
        "Copied from a spreadsheet it works, too.",
        render_kw={"rows": 4},
    )
    listed = TextAreaField(
        "Mark these targets",
        description="One a line: its number in the table, its id, or its value.",
        render_kw={"rows": 4},
    )
    listed_as = SelectField("As", choices=choices(Outcome), validate_choice=False)
    reference = StringField("Your own reference", at_most(LONGEST_REFERENCE))
    preserved_at = StringField(
        "Preserved at", description="UTC, like 2026-11-23 01:10. Empty: now."
    )
    sha256 = StringField(
        "Fingerprint of what is kept", description="SHA-256, 64 hexadecimal digits."
    )
    risk = TextAreaField(
        "Risk to the data or to confidentiality",
        at_most(LONGEST_NOTE),
        description="Say so where preservation will not secure the data, or would endanger "
        "confidentiality or the investigation (Budapest Convention art. 29(6)).",
    )
    note = TextAreaField("Note to the contact point", at_most(LONGEST_NOTE))


class DeclineForm(VersionForm):
    """Grounds of the closed list, in words, and what happens to the data meanwhile."""

    grounds = SelectMultipleField("Grounds", choices=choices(Ground), validate_choice=False)
    explanation = TextAreaField(
        "Explanation", at_most(LONGEST_NOTE), description="What stands in the way, in your words."
    )
    preserved_meanwhile = RadioField(
        "Are the data being preserved meanwhile?",
        choices=[option("yes", "Yes, they are kept"), option("no", "No")],
        validate_choice=False,
    )
    other_provider = StringField(
        "Who holds it",
        at_most(LONGEST_REFERENCE),
        description="The other provider’s name, or its domain.",
    )
    other_path = TextAreaField(
        "How it is reached",
        at_most(LONGEST_NOTE),
        description="What identifies the path: addresses, ports, times.",
    )


class RouteForm(PortalForm):
    """Another provider that took part in the transmission."""

    provider = StringField(
        "The other provider", at_most(LONGEST_REFERENCE), description="Its name, or its domain."
    )
    path = TextAreaField(
        "The path",
        at_most(LONGEST_NOTE),
        description="Enough to identify it: addresses, ports, times with their zone.",
    )
    target = SelectField("About", validate_choice=False)


class FollowOnForm(PortalForm):
    """Which provider is asked where the register does not know the one that was named."""

    provider = SelectField("Provider", validate_choice=False)


def files() -> MultipleFileField:
    """The files beside a message."""
    return MultipleFileField(
        "Files (optional)",
        description=f"{TAKEN}. At most {MOST} files of {LARGEST // MB} MB each, "
        f"{TOGETHER // MB} MB together.",
        render_kw={"accept": ",".join(end for ends in ENDINGS.values() for end in ends)},
    )


QUESTION, REMARK = "question", "remark"


class QuestionForm(PortalForm):
    """The provider's message in the thread: it cannot come too late, so it names no version."""

    text = TextAreaField("Message", at_most(LONGEST_MESSAGE))
    kind = RadioField(
        "What is it?",
        choices=[
            option(QUESTION, "A question: the contact point owes an answer"),
            option(REMARK, "An answer or a remark: nothing is owed"),
        ],
        default=QUESTION,
        validate_choice=False,
    )
    attachments = files()


class MessageForm(VersionForm):
    """The contact point's message: it answers what was asked until this version."""

    text = TextAreaField("Message", at_most(LONGEST_MESSAGE))
    attachments = files()


class NoteForm(PortalForm):
    """An internal note: it answers nothing, so it names no version."""

    text = TextAreaField("Note", at_most(LONGEST_NOTE))


class ReasonForm(VersionForm):
    """Why an order is withdrawn, or an escalation closed."""

    reason = TextAreaField("Reason", at_most(LONGEST_REASON))


class CallForm(PortalForm):
    """What came of a phone call."""

    outcome = RadioField("What came of it?", choices=choices(CallOutcome), validate_choice=False)
    answered_by = StringField(
        "Who answered?", at_most(LONGEST_REFERENCE), description="The name as they told it."
    )
    acknowledged = BooleanField("They acknowledged the order by phone")
    note = TextAreaField(
        "Note", at_most(LONGEST_NOTE), description="Only the contact point sees this."
    )


class ReturnForm(VersionForm):
    """What must be changed before an order can be authorised."""

    note = TextAreaField("What must be changed?", at_most(LONGEST_REASON))


class IssueForm(VersionForm):
    """A fresh code issues an order at once, authorises it, or ratifies it."""

    code = StringField(
        "Code from your authenticator",
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True},
    )
