"""The forms of what follows a preservation."""

from __future__ import annotations

from wtforms import RadioField, StringField, TextAreaField

from liaison.domain.reading import LONGEST_NOTE, LONGEST_REASON, LONGEST_REFERENCE
from liaison.domain.vocabulary import FollowUpKind
from liaison.portal.orders.answer_forms import VersionForm, at_most
from liaison.portal.orders.draft_form import choices, option

ASKED, OTHER = "asked", "other"


class AskExtensionForm(VersionForm):
    """How much longer, and why. The days count from the promised date."""

    days = StringField("How much longer?", render_kw={"inputmode": "numeric"})
    until = StringField(
        "Or until when",
        description="UTC, like 2027-05-22 12:00. It takes the place of the days.",
    )
    reason = TextAreaField("Reason", at_most(LONGEST_REASON))


class ConfirmExtensionForm(VersionForm):
    """The date that is asked for, or the one that is possible."""

    which = RadioField(
        "Until when will the data be kept?",
        choices=[option(ASKED, "Until the date that is asked for"), option(OTHER, "Until")],
        validate_choice=False,
    )
    until = StringField(
        "Another date", description="UTC, like 2027-05-22 12:00. Only where you chose it above."
    )
    reference = StringField("Your own reference", at_most(LONGEST_REFERENCE))
    note = TextAreaField("Note to the contact point", at_most(LONGEST_NOTE))


class FollowUpForm(VersionForm):
    """What was sent, when, under which reference."""

    kind = RadioField("What was sent?", choices=choices(FollowUpKind), validate_choice=False)
    reference = StringField("Its reference", at_most(LONGEST_REFERENCE))
    sent_on = StringField("Sent on", description="Like 2027-01-12.")
    note = TextAreaField("Note to the provider", at_most(LONGEST_NOTE))


class ReleaseForm(VersionForm):
    """A fresh code lets the data go; nothing else has to be typed."""

    note = TextAreaField("Note to the provider", at_most(LONGEST_NOTE))
    code = StringField(
        "Code from your authenticator",
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code"},
    )


class DisposalForm(VersionForm):
    """Nothing has to be typed."""

    reference = StringField("Your own reference", at_most(LONGEST_REFERENCE))
    note = TextAreaField("Note to the contact point", at_most(LONGEST_NOTE))
