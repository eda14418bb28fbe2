"""The form of a counterpart's request. ``domain.request`` reads what it gives."""

from __future__ import annotations

from collections.abc import Collection

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

from liaison.domain.request import LETTERS
from liaison.domain.vocabulary import OrderStatus, PartyGround, Urgency
from liaison.portal.kept import PortalForm
from liaison.portal.orders.draft_form import (
    UTC_ONLY,
    ZONE_HINT,
    BasisForm,
    InvestigationForm,
    PreviousForm,
    ProsecutionForm,
    TargetForm,
    choices,
    option,
)


class AskedTarget(TargetForm):
    """A target as they gave it: nothing in it is filled in beforehand."""

    end = StringField("Period to", description="Like 2026-11-23 01:10:30")
    relation = StringField("Relation to the offence", description="As they put it.")


class ContactForm(Form):
    """Where letters to the counterpart go."""

    name = StringField("Name")
    email = StringField(
        "E-mail",
        description="Their institution’s address, as you know it; not one of a free mail service.",
    )
    phone = StringField("Phone", description="International form, like +31700000000.")


class SaidForm(Form):
    """Whether an MLA request follows; they may not have said."""

    intended = RadioField(
        "Do they intend a request for mutual assistance (MLA)?",
        choices=[option("yes", "Yes"), option("no", "No"), option("", "They do not say")],
        default="",
    )
    expected_by = StringField("Expected by", description="Date, like 2027-01-15.")


class RequestForm(PortalForm):
    """All that a request may say; only the first part is needed to register it."""

    version = HiddenField()
    confirmed = BooleanField("This is another request under the same reference")
    party = StringField("Party", description="Country code, two letters like NL.")
    reference = StringField("Their reference")
    received_at = StringField("Received at", description="Like 2026-11-23 01:10.")
    received_at_zone = SelectField(
        "Time zone", description=ZONE_HINT, choices=UTC_ONLY, validate_choice=False
    )
    contact = FormField(ContactForm)
    language = StringField(
        "Language of letters to them",
        description="Two letters. There are letters in en, fr, es, ru, de; others get English.",
    )
    urgency = RadioField("Urgency", choices=choices(Urgency))
    requesting_authority = StringField("a) The authority that seeks the preservation")
    offence = StringField("b) Offence")
    facts = TextAreaField("b) Facts", description="Their summary.", render_kw={"rows": 4})
    targets = FieldList(FormField(AskedTarget), min_entries=1)
    custodian = StringField(
        "d) Custodian or system", description="Who holds the data, or where the system is."
    )
    necessity = TextAreaField("e) Necessity", description="Why the data must be kept now.")
    mla = FormField(SaidForm)
    emergency_ground = TextAreaField(
        "Emergency ground",
        description="The significant and imminent risk to the life or safety of a person.",
    )
    status = SelectField("Status", choices=choices(OrderStatus))
    previous = FieldList(FormField(PreviousForm), min_entries=1)
    legal_basis = FieldList(FormField(BasisForm), min_entries=1)
    investigating_authority = FormField(InvestigationForm)
    prosecution = FormField(ProsecutionForm)
    duration_days = StringField(
        "Keep for (days)",
        description="At least 60 (art. 29(7)). Empty: they do not say.",
        render_kw={"inputmode": "numeric"},
    )
    confidential_until = StringField("Confidential until", description="Date, like 2027-02-21.")

    def set_zones(self, zone: str) -> None:
        """Offers UTC and the authority's zone for each moment."""
        offered = [option(name, name) for name in dict.fromkeys(["UTC", zone])]
        self.received_at_zone.choices = offered
        for target in self.targets:
            target.form.start_zone.choices = offered
            target.form.end_zone.choices = offered


class LetterForm(PortalForm):
    """Sends the letter that was looked at."""

    shown = HiddenField()


class MissingForm(LetterForm):
    """What is asked for."""

    items = SelectMultipleField(
        "Ask for",
        choices=[option(letter, f"{letter}) {words}") for letter, words in LETTERS.items()],
        validate_choice=False,
    )

    def offer(self, letters: Collection[str]) -> None:
        """Offers what is missing and nothing else."""
        self.items.choices = [option(x, f"{x}) {w}") for x, w in LETTERS.items() if x in letters]


class RefusalForm(LetterForm):
    """On which ground between Parties, and why."""

    grounds = SelectMultipleField("Grounds", choices=choices(PartyGround), validate_choice=False)
    explanation = TextAreaField(
        "Explanation",
        description="Stays here: the letter names the ground and says nothing of the case.",
    )


class CloseForm(PortalForm):
    """Why a request is closed without a result."""

    version = HiddenField()
    reason = TextAreaField("Reason", description="Such as: they took the request back.")
