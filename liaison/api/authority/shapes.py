"""What a case system sends and gets, described for the reference."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, StrictStr

from liaison.api.models import optional, strict, told
from liaison.api.order_shapes import CaseName, LegalBasis, OrderView, Origin
from liaison.api.reading import AsSent
from liaison.api.shapes import ID, TIME, KeyName
from liaison.domain.vocabulary import DataCategory, OrderStatus, TargetType, Urgency
from liaison.services.writers import MOST_NAMED

EXAMPLE: dict[str, Any] = {
    "provider": "Meridian Telecom",
    "urgency": "routine",
    "origin": {"kind": "domestic"},
    "confirmation_contact": {
        "name": "Duty officer",
        "phone": "+37410000100",
        "email": "247cp@police.example",
    },
    "investigating_authority": {"name": "Regional Police", "case_number": "RP-2026-0231"},
    "legal_basis": [{"instrument": "budapest-convention", "articles": ["16"]}],
    "offence": "Computer-related fraud (art. 8)",
    "facts": "Three people paid into one account after calls from this number.",
    "necessity": "Call records are overwritten after 30 days.",
    "targets": [
        {
            "type": "phone",
            "value": "+37491000231",
            "from": "2026-11-01T00:00:00+04:00",
            "to": "2026-11-20T00:00:00+04:00",
            "data": ["subscriber", "traffic"],
            "relation": "The number that called",
        }
    ],
    "duration_days": 90,
    "mla": {"intended": False},
}


class AuthorityName(BaseModel):
    """A contact point, by id and name."""

    model_config = strict()

    id: UUID = told("The contact point's id; its stream is `authority:` and this.", ID)
    name: str = told("Its name.", "National 24/7 contact point")


class AuthorityWhoAmI(BaseModel):
    """Whose key this is and what it may do."""

    model_config = strict()

    authority: AuthorityName = told("The contact point.", {})
    key: KeyName = told("The key.", {})
    scopes: list[Literal["read", "draft"]] = told("What it may do.", ["read", "draft"])
    expires_at: datetime | None = told("When it expires, UTC; null for never.", None)


class AuthorityOrderView(OrderView):
    """An order as its own contact point sees it: drafts too, which have no ref and no clocks."""

    # A draft has neither yet; a provider never sees one.
    ref: str | None = told(  # type: ignore[assignment]
        "The order's ref, per authority and year; null until it is issued.", "EM-2026-0412"
    )
    issued_at: datetime | None = told(  # type: ignore[assignment]
        "When it was served, UTC; null until then.", TIME
    )
    acknowledge_by: datetime | None = told(  # type: ignore[assignment]
        "Acknowledge by, UTC; the memorandum's clock, from the issue on.", "2026-11-23T17:16:00Z"
    )
    preserve_by: datetime | None = told(  # type: ignore[assignment]
        "Preserve by, UTC; the memorandum's clock, from the issue on.", "2026-11-23T20:46:00Z"
    )
    created_at: datetime = told("When it was drafted, UTC.", TIME)
    in_charge: str | None = told(
        "The person in charge; null until one wrote, submitted or authorised it. From then on no "
        "program changes it.",
        None,
    )
    submitted_at: datetime | None = told("When it was handed to be authorised, UTC.", None)
    returned_note: str | None = told("What must be changed, where it was returned.", None)
    fetched_at: datetime | None = told("When the provider first opened it, UTC.", None)


class AuthorityOrderList(BaseModel):
    """A page of the contact point's orders, oldest first."""

    model_config = strict()

    orders: list[AuthorityOrderView] = told("The orders.", [])
    next: str | None = told("Cursor for `after`; null on the last page.", None)


class DraftTarget(BaseModel):
    """One identifier, and what is to be kept about it."""

    model_config = strict()

    type: TargetType = told("What kind of identifier.", "ip_address")
    value: str = told("The identifier; it is brought into normal form.", "198.51.100.24")
    port: int | None = optional("Source port behind address translation.", 51820)
    protocol: str | None = optional("tcp, udp or sctp.", "udp")
    service: str | None = optional("The service an account belongs to.", None)
    from_: datetime = told(
        "Begin of the period, with its time zone.", "2026-11-23T01:10:00Z", alias="from"
    )
    to: datetime = told("End of the period, with its time zone.", "2026-11-23T01:40:00Z")
    data: list[DataCategory] = told("Categories of data.", ["subscriber", "traffic"])
    relation: str = told("How it bears on the offence (art. 29(2)(c)).", "The number that called")


class DraftMla(BaseModel):
    """Whether a mutual legal assistance request follows."""

    model_config = strict()

    intended: bool = told("Whether one is intended (art. 29(2)(f)).", False)
    expected_by: date | None = optional("By which day; needed where one is.", "2027-01-15")


class DraftBody(AsSent):
    """A draft order, as `liaison order import` takes it; the same rules read both."""

    model_config = strict(EXAMPLE)

    provider: str = told("The provider's name or one of its domains.", "Meridian Telecom")
    urgency: Urgency = told("How fast the memorandum's clocks run.", "routine")
    status: OrderStatus | None = optional("New, where it is left out, or a follow-up.", "new")
    origin: Origin = told("Domestic, or from which Party.", {"kind": "domestic"})
    issuing_officer: dict[str, Any] | None = optional(
        "Sections 2 to 6 of T-CY(2018)11: name, address, phone, cell, email, office_hours, "
        "time_zone, preferred_answer. Name and e-mail become those of the person in charge.",
        {},
    )
    confirmation_contact: dict[str, Any] = told(
        "Whom the provider calls to check it: name, function, phone, cell, email.",
        {"name": "Duty officer", "phone": "+37410000100", "email": "247cp@police.example"},
    )
    investigating_authority: CaseName = told("Who investigates.", {})
    prosecution: CaseName | None = optional("Prosecution or court.", None)
    legal_basis: list[LegalBasis] = told("What it rests on.", [])
    offence: str = told("The offence (art. 29(2)(b)).", "Computer-related fraud (art. 8)")
    facts: str = told("Summary of the facts (art. 29(2)(b)).", "…")
    necessity: str = told("Why the data must be kept (art. 29(2)(e)).", "…")
    custodian: str | None = optional("The system or custodian, if known.", None)
    targets: list[DraftTarget] = told("What is to be preserved.", [])
    duration_days: int = told("Days; a foreign request needs 60 or more (art. 29(7)).", 90)
    confidential_until: date | None = optional("Confidential until this day (art. 16(3)).", None)
    no_user_notice: bool | None = optional("Whether the user must not be told.", True)
    partial_disclosure: bool | None = optional("Whether arts 17/30 disclosure is wanted.", False)
    mla: DraftMla = told("Whether an MLA request follows, and by when (art. 29(2)(f)).", {})
    emergency_ground: str | None = optional(
        "An emergency's: the significant and imminent risk to life or safety.", None
    )


class Submission(BaseModel):
    """Who wrote the draft in the case system, as far as it knows."""

    model_config = strict({"written_by": ["a.petrosyan@police.example"]})

    written_by: list[StrictStr] | None = optional(
        "E-mail addresses of your contact point's people who wrote it there. They count as its "
        "writers, so that another person authorises it.",
        ["a.petrosyan@police.example"],
        max_length=MOST_NAMED,
    )
