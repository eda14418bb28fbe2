"""An order as the endpoint gives it back, described for the reference."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from liaison.api.models import optional, strict, told
from liaison.api.shapes import HASH, ID, TIME, ProviderName
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import (
    DataCategory,
    FollowUpKind,
    Ground,
    Instrument,
    OrderStatus,
    OriginKind,
    Outcome,
    TargetType,
    Urgency,
)


class Origin(BaseModel):
    """Where the request comes from."""

    model_config = strict()

    kind: OriginKind = told("Domestic or foreign.", "foreign")
    party: str | None = optional("The asking Party, as a country code.", "NL")
    authority: str | None = optional("The authority that asks.", "24/7 contact point")
    reference: str | None = optional("Its reference.", "NL-247-2026-0417")
    previous: list[dict[str, Any]] | None = optional("Earlier requests: date, reference.", [])


class AuthorityView(BaseModel):
    """Who issued the order, and whom to call to check it."""

    model_config = strict()

    name: str = told("The issuing authority.", "National 24/7 contact point")
    officer: dict[str, Any] = told("The person in charge: name, phone, office hours, …", {})
    contact: dict[str, Any] = told("Whom to ask for confirmation: name, phone, e-mail.", {})


class CaseName(BaseModel):
    """An authority and its case."""

    model_config = strict()

    name: str = told("The authority.", "Regional Police")
    case_number: str = told("Its case number.", "MP-2026-0231")


class LegalBasis(BaseModel):
    """One instrument the order rests on."""

    model_config = strict()

    instrument: Instrument = told("The instrument.", "budapest-convention")
    articles: list[str] = told("Its articles.", ["16"])


class MemorandumName(BaseModel):
    """The memorandum the order was issued under."""

    model_config = strict()

    ref: str = told("Its reference.", "MoU-MER-2025")
    version: int = told("Its version.", 2)


class Target(BaseModel):
    """One identifier, and what is to be kept about it."""

    model_config = strict()

    id: UUID = told("The target's id, for per-target answers.", ID)
    type: TargetType = told("What kind of identifier.", "ip_address")
    value: str = told("In normal form.", "198.51.100.24")
    entered: str = told("As it was written.", "198.51.100.024")
    port: int | None = told("Source port behind address translation.", 51820)
    protocol: str | None = told("tcp or udp.", "udp")
    service: str | None = told("The service an account belongs to.", None)
    from_: datetime = told("Begin of the period, UTC.", "2026-11-23T01:10:00Z", alias="from")
    to: datetime = told("End of the period, UTC.", "2026-11-23T01:40:00Z")
    data: list[DataCategory] = told("Categories of data.", ["subscriber", "traffic"])
    relation: str = told("How it bears on the offence.", "Address the last message came from")


class Mla(BaseModel):
    """Whether a mutual legal assistance request follows."""

    model_config = strict()

    intended: bool = told("Whether one is intended (art. 29(2)(f)).", True)
    expected_by: date | None = told("By which day.", "2027-01-15")


class ReportedTarget(BaseModel):
    """What was reported for one target."""

    model_config = strict()

    id: UUID = told("The target's id.", ID)
    outcome: Outcome = told("What was found.", "preserved")
    until: datetime | None = told(
        "Kept until, UTC; null where nothing is held.", "2027-02-21T00:00:00Z"
    )
    note: str | None = told("What is missing.", None)


class ReportView(BaseModel):
    """The latest preservation report."""

    model_config = strict()

    outcome: Outcome = told("Of the whole order, derived from the targets.", "preserved")
    reported_at: datetime = told("When it was reported, UTC.", TIME)
    preserved_at: datetime = told("When the data were secured, UTC.", TIME)
    until: datetime | None = told(
        "The latest date to which anything is kept, UTC.", "2027-02-21T00:00:00Z"
    )
    reference: str | None = told("The provider's reference.", "NOC-8812")
    sha256: str | None = told("Fingerprint of the preserved set.", None)
    risk: str | None = told("Risk under art. 29(6).", None)
    note: str | None = told("The provider's note.", None)
    targets: list[ReportedTarget] = told("Target by target.", [])


class ExtensionWish(BaseModel):
    """The contact point asks for a later date, and nobody has answered yet."""

    model_config = strict()

    asked_at: datetime = told("When it was asked for, UTC.", TIME)
    until: datetime = told("The date that is asked for, UTC.", "2027-05-22T00:00:00Z")
    reason: str | None = told("Why, in the contact point's words.", "The request is at the court.")


class ExtensionView(BaseModel):
    """An extension that the provider confirmed."""

    model_config = strict()

    asked_at: datetime = told("When it was asked for, UTC.", TIME)
    asked_until: datetime = told("The date that was asked for, UTC.", "2027-05-22T00:00:00Z")
    confirmed_at: datetime = told("When the provider confirmed it, UTC.", TIME)
    until: datetime = told("The date the provider gave, UTC.", "2027-05-22T00:00:00Z")


class FollowUpView(BaseModel):
    """The MLA request or production order that followed: keep the data until it is decided."""

    model_config = strict()

    kind: FollowUpKind = told("What followed.", "mla")
    reference: str = told("Its reference.", "MLA-2026-118")
    sent_on: date = told("The day it was sent.", "2027-01-12")
    recorded_at: datetime = told("When it was recorded here, UTC.", TIME)
    note: str | None = told("The contact point's note to the provider.", None)


class DisposalView(BaseModel):
    """The provider's confirmation that the data are gone."""

    model_config = strict()

    confirmed_at: datetime = told("When the provider confirmed it, UTC.", TIME)
    reference: str | None = told("The provider's reference.", "NOC-8812")
    note: str | None = told("The provider's note.", None)


class RefusalView(BaseModel):
    """Why the order was declined."""

    model_config = strict()

    grounds: list[Ground] = told("Grounds of the closed list.", ["no_longer_held"])
    explanation: str = told("In the provider's words.", "Log kept for 30 days.")
    preserved_meanwhile: bool = told("Whether the data are kept meanwhile.", False)


class AttachmentView(BaseModel):
    """A file beside a message; fetch its bytes by its id."""

    model_config = strict()

    id: UUID = told("The file's id.", ID)
    name: str = told("As its sender called it; never use it as a path.", "radius.csv")
    media_type: str = told("Found from its content.", "text/csv")
    size: int = told("Bytes.", 2048)
    sha256: str = told("Fingerprint of its bytes.", HASH)


class ThreadView(BaseModel):
    """One message of the thread."""

    model_config = strict()

    id: UUID = told("The message's id.", ID)
    at: datetime = told("When, UTC.", TIME)
    side: Literal["provider", "contact_point"] = told("Who wrote.", "provider")
    author: str = told("Name of the writer.", "A. Petrosyan")
    text: str = told("The text.", "Which of the two addresses?")
    attachments: list[AttachmentView] = told("The files beside it.", [])


class DoubtView(BaseModel):
    """A doubt that waits for two people of the contact point to vouch."""

    model_config = strict()

    since: datetime = told("When it was raised, UTC.", TIME)
    reason: str = told("In the provider's words.", "The officer's number is not registered.")
    vouches: int = told("How many of the two people have vouched so far.", 0)


class RouteView(BaseModel):
    """Another provider that the provider named (arts 17, 30)."""

    model_config = strict()

    at: datetime = told("When it was named, UTC.", TIME)
    provider: str = told("Its name, as it was given.", "Norvik Mobile")
    path: str = told("What identifies the path.", "198.51.100.1 port 51820")
    target: UUID | None = told("The target it is about; null for the whole order.", ID)


class Documents(BaseModel):
    """Forms in which the order can be had."""

    model_config = strict()

    jws: str | None = told(
        "Where the signed order is, from this server's address on.",
        f"/api/v1/orders/{ID}/order.jws",
    )
    pdf: str | None = told(
        "Where its PDF is, from this server's address on.", f"/api/v1/orders/{ID}/order.pdf"
    )
    sha256: str | None = told("Fingerprint of the order as it was served.", HASH)


class OrderView(BaseModel):
    """A preservation order as its provider sees it."""

    model_config = strict()

    id: UUID = told("The order's id.", ID)
    ref: str = told("The order's ref, per authority and year.", "EM-2026-0412")
    version: int = told("The row version: `ETag`, and `If-Match` of your answer.", 3)
    state: OrderState = told("Where the order stands.", "issued")
    urgency: Urgency = told("How fast the memorandum's clocks run.", "emergency")
    status: OrderStatus = told("New, or a follow-up.", "new")
    origin: Origin = told("Domestic, or from which Party.", {"kind": "domestic"})
    issued_at: datetime = told("When it was served, UTC.", TIME)
    acknowledge_by: datetime = told(
        "Acknowledge by, UTC; the memorandum's clock.", "2026-11-23T17:16:00Z"
    )
    preserve_by: datetime = told(
        "Preserve by, UTC; the memorandum's clock.", "2026-11-23T20:46:00Z"
    )
    clock_stopped_since: datetime | None = told(
        "Since when a question stops the clock; both deadlines move when it goes on.", None
    )
    answer_by: datetime | None = told(
        "By when the contact point must answer the open question; null where none is.", None
    )
    authority: AuthorityView = told("Who issued it.", {})
    investigating_authority: CaseName = told("Who investigates.", {})
    prosecution: CaseName | None = told("Prosecution or court.", None)
    provider: ProviderName = told("To whom it is addressed.", {})
    legal_basis: list[LegalBasis] = told("What it rests on.", [])
    memorandum: MemorandumName | None = told("The memorandum it was issued under.", {})
    offence: str = told("The offence.", "Abduction of a minor")
    facts: str = told("Summary of the facts.", "…")
    necessity: str = told("Why the data must be kept.", "…")
    custodian: str | None = told("The system or custodian, if known.", None)
    targets: list[Target] = told("What is to be preserved.", [])
    duration_days: int = told("Days for which preservation is asked.", 90)
    confidential_until: date | None = told("Confidential until this day (art. 16(3)).", None)
    no_user_notice: bool = told("Whether the user must not be told.", True)
    partial_disclosure: bool = told("Whether arts 17/30 disclosure is wanted.", False)
    mla: Mla = told("The MLA request that follows.", {})
    emergency_ground: str | None = told("The risk to life or safety.", None)
    test: bool = told("A drill: answer it as a real order; no data need be kept.", False)
    ratified: bool | None = told(
        "An emergency that was issued at once: whether a second person has ratified it; null where "
        "two people authorised it before.",
        False,
    )
    ratify_by: datetime | None = told(
        "By when it has to be ratified, UTC: a term of the memorandum; null if not needed.",
        "2026-11-24T04:46:00Z",
    )
    acknowledged_at: datetime | None = told("When it was acknowledged, UTC.", None)
    reference: str | None = told("The provider's reference, from the acknowledgement.", None)
    preservation: ReportView | None = told("The provider's latest report.", None)
    preserved_until: datetime | None = told(
        "The date the provider promised last, extensions included, UTC.", "2027-02-21T00:00:00Z"
    )
    kept_until_decided: bool = told(
        "Whether an MLA request or production order is recorded: then the date is suspended, and "
        "the data stay until it is decided (art. 29(7)).",
        False,
    )
    extension: ExtensionWish | None = told(
        "The extension that waits for the provider's answer.", None
    )
    extensions: list[ExtensionView] = told("Those that were confirmed, oldest first.", [])
    follow_ups: list[FollowUpView] = told("What followed the preservation, oldest first.", [])
    ended_at: datetime | None = told(
        "When it was declined, withdrawn, released or expired, UTC.", None
    )
    release_note: str | None = told("What the contact point wrote when it released it.", None)
    disposal_wanted: bool = told(
        "Whether the provider is to confirm disposal after the end: a term of the memorandum.", True
    )
    disposal: DisposalView | None = told("The provider's confirmation of disposal.", None)
    refusal: RefusalView | None = told("Why it was declined.", None)
    routes: list[RouteView] = told("Other providers that the provider named, oldest first.", [])
    withdrawal: str | None = told("Why it was withdrawn.", None)
    doubt: DoubtView | None = told(
        "The provider's doubt, while it is open; the data are kept meanwhile.", None
    )
    thread: list[ThreadView] = told("Questions and answers, oldest first.", [])
    documents: Documents = told("The order as a document.", {})


class OrderList(BaseModel):
    """A page of orders, oldest first."""

    model_config = strict()

    orders: list[OrderView] = told("The orders.", [])
    next: str | None = told("Cursor for `after`; null on the last page.", None)
