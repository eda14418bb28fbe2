"""The form of a draft order. It breaks no rule and keeps none: ``domain.draft`` reads what it
gives, so that form, file and program are told the same."""

from __future__ import annotations

from typing import Any

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
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison.domain.draft_targets import PROTOCOLS
from liaison.domain.vocabulary import (
    DataCategory,
    Instrument,
    OrderStatus,
    OriginKind,
    TargetType,
    Term,
    Urgency,
)
from liaison.portal.kept import PortalForm


def option(value: str, label: str) -> Any:
    """One choice of a field."""
    return SelectChoice(value, label)


def choices(kind: type[Term]) -> list[Any]:
    """A closed list as choices."""
    return [option(member.value, member.label) for member in kind]


UTC_ONLY = [option("UTC", "UTC")]
ZONE_HINT = "Unless the text has its own"


class PreviousForm(Form):
    """An earlier request that this one follows."""

    date = StringField("Date of the earlier request", description="Like 2026-11-23.")
    reference = StringField("Its reference")


class OriginForm(Form):
    """Who asks (art. 29(2)(a))."""

    kind = RadioField("Where does the request come from?", choices=choices(OriginKind))
    party = StringField("Party", description="Country code, two letters like NL.")
    authority = StringField("Its authority")
    reference = StringField("Its reference")
    previous = FieldList(FormField(PreviousForm), min_entries=1)


class ContactForm(Form):
    """Whom the provider calls to confirm that the order is real."""

    name = StringField("Name")
    function = StringField("Function")
    phone = StringField("Phone", description="International form, like +37410000100.")
    cell = StringField("Mobile phone")
    email = StringField("E-mail", description="An institutional address.")


class OfficerForm(Form):
    """The issuing authority's officer; what is left empty is taken from the register."""

    name = StringField("Person in charge")
    address = StringField("Postal address")
    phone = StringField("Phone")
    cell = StringField("Mobile phone")
    email = StringField("E-mail")
    office_hours = StringField("Office hours")
    time_zone = StringField("Time zone")
    preferred_answer = StringField("Preferred way of answer")


class InvestigationForm(Form):
    """Who investigates, and under which number."""

    name = StringField("Investigating authority")
    case_number = StringField("Case number")


class ProsecutionForm(Form):
    """The prosecution or court, and its number."""

    name = StringField("Prosecution or court")
    case_number = StringField("Its case number")


class BasisForm(Form):
    """One instrument the order rests on."""

    instrument = SelectField("Instrument", choices=choices(Instrument))
    articles = StringField("Articles", description="Several with commas between, like 16, 17.")


class MlaForm(Form):
    """Whether a mutual legal assistance request will follow (art. 29(2)(f))."""

    intended = BooleanField("A mutual legal assistance (MLA) request will follow")
    expected_by = StringField("Expected by", description="Date, like 2027-01-15.")


class TargetForm(Form):
    """One identifier and what is wanted about it."""

    value = StringField(
        "Identifier",
        description="An address, phone number, e-mail, domain, account: as it stands in the file.",
    )
    type = SelectField(
        "Kind", choices=[option("", "Find out from the value"), *choices(TargetType)], default=""
    )
    start = StringField("Period from", description="Like 2026-11-23 01:10:30")
    start_zone = SelectField(
        "Time zone of the beginning", description=ZONE_HINT, choices=UTC_ONLY, validate_choice=False
    )
    end = StringField("Period to", description="Filled in: now")
    end_zone = SelectField(
        "Time zone of the end", description=ZONE_HINT, choices=UTC_ONLY, validate_choice=False
    )
    port = StringField(
        "Port",
        description="Behind carrier-grade NAT port and exact time count.",
        render_kw={"inputmode": "numeric"},
    )
    protocol = SelectField(
        "Protocol", choices=[option("", "Not known"), *(option(p, p) for p in PROTOCOLS)]
    )
    service = StringField("Service", description="Needed for an account: where it is held.")
    categories = SelectMultipleField("Data to be preserved", choices=choices(DataCategory))
    relation = StringField("Relation to the offence")


class DraftForm(PortalForm):
    """All fields of an order; names are those of the JSON format, dashes for slashes."""

    version = HiddenField()
    provider = SelectField("Provider", validate_choice=False)
    urgency = RadioField("Urgency", choices=choices(Urgency))
    emergency_ground = TextAreaField(
        "Emergency ground",
        description="The significant and imminent risk to the life or safety of a person.",
    )
    investigating_authority = FormField(InvestigationForm)
    offence = StringField("Offence")
    facts = TextAreaField(
        "Facts",
        description="A brief summary. The provider reads it.",
        render_kw={"rows": 4},
    )
    targets = FieldList(FormField(TargetForm), min_entries=1)

    status = SelectField("Status", choices=choices(OrderStatus))
    origin = FormField(OriginForm)
    confirmation_contact = FormField(ContactForm)
    issuing_officer = FormField(OfficerForm)
    prosecution = FormField(ProsecutionForm)
    legal_basis = FieldList(FormField(BasisForm), min_entries=1)
    necessity = TextAreaField("Necessity", description="Why the data must be kept now.")
    custodian = StringField(
        "Custodian or system", description="Where the data are, if it is known."
    )
    duration_days = StringField(
        "Keep for (days)",
        description="Empty: the memorandum's usual duration.",
        render_kw={"inputmode": "numeric"},
    )
    confidential_until = StringField("Confidential until", description="Date, like 2027-02-21.")
    no_user_notice = BooleanField("The user must not be told (art. 16(3))")
    partial_disclosure = BooleanField(
        "Other providers in the chain are to be named (partial disclosure, arts 17, 30)"
    )
    mla = FormField(MlaForm)

    def set_zones(self, zone: str) -> None:
        """Offers UTC and the authority's zone for each moment."""
        offered = list(dict.fromkeys(["UTC", zone]))
        for target in self.targets:
            target.form.start_zone.choices = [option(name, name) for name in offered]
            target.form.end_zone.choices = [option(name, name) for name in offered]
