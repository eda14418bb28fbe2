"""People, their sign-ins, providers' keys, and what limits guessing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import Role
from liaison.models.base import Base, new_id
from liaison.models.registry import Authority, Provider


class Person(Base):
    """A person of one organisation: an authority or a provider."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("(authority_id IS NULL) <> (provider_id IS NULL)", name="one_organisation"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    password_hash: Mapped[str]
    totp_secret: Mapped[str]
    """Encrypted; only the vault opens it."""
    totp_last_step: Mapped[int] = mapped_column(default=0)
    """The last time step that was accepted; a code of this step or an older one is a replay."""
    factor_failures: Mapped[int] = mapped_column(default=0)
    """Wrong codes in a row."""
    factor_off_at: Mapped[datetime | None]
    """Since when the factor is switched off by too many wrong codes."""
    disabled_at: Mapped[datetime | None]
    password_changed_at: Mapped[datetime | None]
    theme: Mapped[str] = mapped_column(default="auto")
    created_at: Mapped[datetime]

    roles: Mapped[list[PersonRole]] = relationship(lazy="selectin", cascade="all, delete-orphan")
    authority: Mapped[Authority | None] = relationship(lazy="joined")
    provider: Mapped[Provider | None] = relationship(lazy="joined")

    @property
    def role_set(self) -> frozenset[Role]:
        """The roles the person holds."""
        return frozenset(row.role for row in self.roles)


class PersonRole(Base):
    """One role of one person."""

    __tablename__ = "person_role"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(primary_key=True)


class SignIn(Base):
    """A session of a person. The cookie carries a token, this row its SHA-256."""

    __tablename__ = "sign_in"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    agent: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """12 h after sign-in, whatever happens."""
    factor_at: Mapped[datetime | None]
    """When a second factor was last given; None between the password and the code."""
    factor: Mapped[str | None]
    """Which factor was given last: ``totp``, ``passkey`` or ``recovery``."""
    challenge: Mapped[str | None]
    """What a passkey must sign next; base64url, for a few minutes, once."""
    challenge_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None]

    person: Mapped[Person] = relationship(lazy="joined")


class Throttle(Base):
    """How many tries were made under one key (account, address) in the running window."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_ends: Mapped[datetime]
    tries: Mapped[int]


class ApiKey(Base):
    """A key of a provider's program or of a contact point's case system.

    Shown once; what is stored is its SHA-256.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("(authority_id IS NULL) <> (provider_id IS NULL)", name="one_organisation"),
        # What an authority's key writes has a person behind it: whoever made the key.
        CheckConstraint(
            "authority_id IS NULL OR created_by_id IS NOT NULL", name="authority_has_maker"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    """``lsn_`` and the first characters: enough to find the key by, not to use it."""
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]]
    """A provider's: of ``read``, ``respond``, ``webhooks``; an authority's: ``read``, ``draft``."""
    networks: Mapped[list[Any]] = mapped_column(default=list)
    """Addresses from which it counts, in CIDR notation; empty means from anywhere."""
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    """When its people were told that it expires soon."""
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_key.id"))
    """The key that takes its place; both count until the older one expires."""
    last_used_at: Mapped[datetime | None]
    last_address: Mapped[str | None]
    expected_every: Mapped[int | None]
    """Minutes within which its program is expected to poll; None: nobody waits for it."""
    silent_since: Mapped[datetime | None]
    """Since when people were told that its program is silent; None while it polls."""

    provider: Mapped[Provider | None] = relationship(lazy="joined")
    authority: Mapped[Authority | None] = relationship(lazy="joined")
    created_by: Mapped[Person | None] = relationship(foreign_keys=[created_by_id])

    @property
    def owner(self) -> Provider | Authority:
        """The one organisation it belongs to."""
        found = self.provider or self.authority
        assert found is not None, "a key belongs to somebody"
        return found


class IdempotentAnswer(Base):
    """What a ``POST`` with an ``Idempotency-Key`` was answered, to answer its repeat alike."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (UniqueConstraint("api_key_id", "idempotency_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_key.id"))
    idempotency_key: Mapped[str]
    request_hash: Mapped[str]
    """SHA-256 of method, path and body."""
    status: Mapped[int]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
