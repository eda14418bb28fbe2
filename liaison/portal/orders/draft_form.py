"""The form of a draft order. It breaks no rule and keeps none: ``domain.draft`` reads what it
gives, so that form, file and program are told the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

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

    name = StringField(
        "Person in charge",
        description="Until the order is submitted or issued; then it names whoever did that.",
    )
    address = StringField("Postal address")
    phone = StringField("Phone")
    cell = StringField("Mobile phone")
    email = StringField(
        "E-mail",
        description="The same: the order has that person’s own address.",
    )
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


class PasteForm(Form):
    """Many targets at once, and what counts for every line that does not say it itself."""

    text = TextAreaField(
        "Targets, one a line",
        description="An identifier, or columns with tab, semicolon or comma between: value, port, "
        "protocol, from, to, data, relation, service, type. A first line with these names lets "
        "them stand in any order.",
        render_kw={"rows": 6, "spellcheck": "false", "class": "mono"},
    )
    kind = SelectField(
        "Kind of all lines", choices=[option("", "Find out from each"), *choices(TargetType)]
    )
    service = StringField("Service of all lines", description="For accounts: where they are held.")
    start = StringField("Period of all lines from", description="Like 2026-11-23 01:10:30")
    end = StringField("Period of all lines to", description="Filled in: now")
    zone = SelectField(
        "Time zone of these moments",
        description="Of those in the lines, too, unless they have their own",
        choices=UTC_ONLY,
        validate_choice=False,
    )
    categories = SelectMultipleField("Data of all lines", choices=choices(DataCategory))
    relation = StringField("Relation of all lines to the offence")


class DraftForm(PortalForm):
    """All fields of an order; names are those of the JSON format, dashes for slashes.

    ``unfinished`` and ``saved`` name the draft that is saved while it is typed, and which of its
    saves was read; ``earlier_draft`` is one that is gone, or another's, and whose text stands here;
    ``copied_from`` is the order it begins with; ``request_id`` is the counterpart's request it is
    made from. ``further``, ``paste`` and ``template_name`` are no part of the order.
    """

    version = HiddenField()
    request_id = HiddenField()
    unfinished = HiddenField()
    saved = HiddenField()
    earlier_draft = HiddenField()
    copied_from = HiddenField()
    further = SelectMultipleField("Further providers", validate_choice=False, choices=[])
    paste = FormField(PasteForm)
    template_name = StringField("Name of the template", render_kw={"maxlength": 80})
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
        self.paste.form.zone.choices = [option(name, name) for name in offered]

    @property
    def draft_id(self) -> UUID | None:
        """The unfinished draft that the page says it writes to."""
        return _id(self.unfinished.data)

    @property
    def goes_on_with(self) -> tuple[UUID, ...]:
        """The unfinished drafts, there or gone, whose text stands in the form."""
        named = (_id(self.earlier_draft.data), _id(self.unfinished.data))
        return tuple(one for one in named if one is not None)

    @property
    def copied_id(self) -> UUID | None:
        """The order whose text the form began with."""
        return _id(self.copied_from.data)

    @property
    def made_from(self) -> UUID | None:
        """The counterpart's request that the order is made from."""
        return _id(self.request_id.data)

    @property
    def read_edit(self) -> int:
        """How many of its saves whoever typed had read."""
        text = self.saved.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
