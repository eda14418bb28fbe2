"""The register: who issues, who is asked, whom to reach, under which memorandum."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.register_entry import name_key
from liaison.domain.vocabulary import AuthorityKind, Function, HoldingKind, Status
from liaison.models.base import Base, new_id

if TYPE_CHECKING:
    from liaison.models.memoranda import Memorandum


class Authority(Base):
    """An issuing authority. ``code`` begins the refs of its orders."""

    __tablename__ = "authority"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    legal_name: Mapped[str] = mapped_column(default="")
    kind: Mapped[AuthorityKind] = mapped_column(default=AuthorityKind.POLICE)
    status: Mapped[Status] = mapped_column(default=Status.ACTIVE)
    country: Mapped[str]
    time_zone: Mapped[str]
    languages: Mapped[list[Any]] = mapped_column(default=list)
    postal_address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str]
    email: Mapped[str]
    office_hours: Mapped[str] = mapped_column(default="24/7")
    preferred_answer: Mapped[str] = mapped_column(default="Through this portal")
    passkey_to_issue: Mapped[bool] = mapped_column(default=False)
    """Whether its officers issue with a passkey only."""
    domains: Mapped[list[Any]] = mapped_column(default=list)
    """Its people's institutional mail domains."""

    contacts: Mapped[list[Contact]] = relationship(order_by="Contact.position")


def _folded(context: DefaultExecutionContext) -> str:
    """Of a row that is inserted past the session."""
    values = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return name_key(values["name"])


class Provider(Base):
    """A provider. ``domains`` are registered ones: orders may name the provider by them.

    The lists are what people write and read; ``Holding`` is made of them, to be searched.
    """

    __tablename__ = "provider"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    name_key: Mapped[str] = mapped_column(unique=True, default=_folded)
    """The name as it is looked for (``name_key``): databases fold letters each in its own way."""
    legal_name: Mapped[str]
    country: Mapped[str]
    time_zone: Mapped[str]
    status: Mapped[Status] = mapped_column(default=Status.ACTIVE)
    domains: Mapped[list[Any]]
    domains_since: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """When a domain came to an entry that stood already; those it began with are not named."""
    as_numbers: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers of autonomous systems, as integers."""
    address_ranges: Mapped[list[Any]] = mapped_column(default=list)
    """Networks in CIDR notation, or ``first-last``."""
    phone_prefixes: Mapped[list[Any]] = mapped_column(default=list)
    """Beginnings of numbers in international form, with the plus."""
    services: Mapped[list[Any]]
    languages: Mapped[list[Any]]
    changed_at: Mapped[datetime | None]
    """When somebody last wrote the entry; a form that read an older one is stale."""

    contacts: Mapped[list[Contact]] = relationship(order_by="Contact.position, Contact.id")
    memoranda: Mapped[list[Memorandum]] = relationship(order_by="Memorandum.in_force_from")


@event.listens_for(Provider, "before_insert")
@event.listens_for(Provider, "before_update")
def _fold_name(_mapper: object, _connection: object, provider: Provider) -> None:
    """Whoever writes a name writes what it is looked for by; a bulk update does it itself."""
    provider.name_key = name_key(provider.name)


class Holding(Base):
    """One domain, network, phone prefix or AS number of one provider, to be found by.

    ``key`` is in normal form: a domain in ASCII, a network ``198.51.100.0/24``, ``+37491``,
    ``AS64500``. Nothing can be two providers'.
    """

    __tablename__ = "holding"
    __table_args__ = (Index("ix_holding_provider", "provider_id"),)

    kind: Mapped[HoldingKind] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    length: Mapped[int]
    """How much of an identifier it fixes: bits of a network, digits of a prefix, labels of a name.

    Of several that fit, the longest is the nearest.
    """
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))


class Contact(Base):
    """A registered contact. Calls go to this number and to no other.

    A ladder uses a way (e-mail, phone) only once it was verified, and the entry only from
    ``usable_from`` until ``removed_at``. Rows stay when a contact goes: what was sent names them.
    """

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("(authority_id IS NULL) <> (provider_id IS NULL)", name="one_organisation"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    function: Mapped[Function]
    email: Mapped[str]
    phone: Mapped[str]
    channels: Mapped[list[Any]]
    """Of ``email``, ``call``: how they may be reached."""
    languages: Mapped[list[Any]]
    review_on: Mapped[date]
    reviewed_at: Mapped[datetime | None]
    nagged_at: Mapped[datetime | None]
    """When somebody was last told that the entry is stale."""
    email_verified_at: Mapped[datetime | None]
    phone_verified_at: Mapped[datetime | None]
    usable_from: Mapped[datetime | None]
    """The end of the cooling-off of a new entry; None where there was none."""
    removed_at: Mapped[datetime | None]
    wrong_number_at: Mapped[datetime | None]
    """When somebody who called the number in use was told that it is the wrong one."""
    entered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who entered the number in use: somebody else reads its code out."""

    changes: Mapped[list[ContactChange]] = relationship(
        order_by="ContactChange.id", back_populates="contact"
    )

    @property
    def open_change(self) -> ContactChange | None:
        """The change that waits; there is one at a time."""
        return next((c for c in self.changes if c.is_open), None)


class ContactChange(Base):
    """A change that waits: the old values are used until the cooling-off ends.

    ``values`` has the new ones by name (``email``, ``phone``, ``function``, ``channels``), or
    ``{"removed": true}``. A new e-mail address or phone must be verified as well before it counts.
    """

    __tablename__ = "contact_change"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"), index=True)
    values: Mapped[dict[str, Any]]
    old: Mapped[dict[str, Any]]
    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """The end of the cooling-off."""
    applied_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]

    contact: Mapped[Contact] = relationship(back_populates="changes")

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.applied_at is None and self.cancelled_at is None


class Verification(Base):
    """A code on its way to an e-mail address or, read out in a call, to a phone number."""

    __tablename__ = "verification"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"), index=True)
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact_change.id"))
    """The change whose new value is verified; None for the value in use."""
    way: Mapped[str]
    """``email`` or ``phone``."""
    value: Mapped[str]
    """The address or number the code goes to; a code counts for no other."""
    sealed_code: Mapped[str]
    """Only the vault opens it."""
    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    called_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who reads the code of a number out: never the one who enters it."""
    called_at: Mapped[datetime | None]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When it stopped counting: used, replaced, or too many tries."""

    contact: Mapped[Contact] = relationship()
    change: Mapped[ContactChange | None] = relationship()


class RegisterImport(Base):
    """A CSV file of providers that was looked at, and what became of it.

    ``rows`` are the rows in normal form, packed in portions (``register_imports.packed``),
    ``report`` what would change and every fault by row.
    """

    __tablename__ = "register_import"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), index=True)
    file_name: Mapped[str]
    sha256: Mapped[str]
    rows: Mapped[list[Any]]
    report: Mapped[dict[str, Any]]
    state: Mapped[str]
    """``checked``, ``confirmed``, ``done``, ``failed`` or ``discarded``."""
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class PartyRule(Base):
    """What a Party's law says of preservation: shown as help beside a foreign order.

    Of the country whose law binds the provider it limits extensions, and nothing else.

    ``countries`` are ISO 3166-1 codes it holds for. Days are None where the law names none.
    """

    __tablename__ = "party_rule"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    countries: Mapped[list[Any]]
    retention: Mapped[str]
    """What providers there must keep anyway, in words."""
    first_days: Mapped[int | None]
    extension_days: Mapped[int | None]
    extensions: Mapped[int | None]
    """How often it can be extended; None where no number is set."""
    note: Mapped[str]
    source: Mapped[str]
    review_on: Mapped[date]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
