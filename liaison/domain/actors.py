"""Who acts: a person, a provider's program, the clock, or an operator at the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from liaison.domain.vocabulary import Channel, Role


@dataclass(frozen=True)
class Via:
    """How the actor proved who they are; goes with each act into the ledger.

    ``factor`` is ``totp``, ``passkey``, ``recovery`` or ``api-key``; ``session`` the id of the
    sign-in or key; ``factor_at`` when the second factor was last given. Of an answer by telephone
    ``factor`` is ``text`` or ``voice``, ``session`` the message's id, ``address`` the number.
    """

    factor: str
    session: str
    address: str
    factor_at: datetime | None = None


@dataclass(frozen=True)
class Actor:
    """Whoever calls a verb.

    ``id`` is what the ledger carries (``person:…``, ``key:…``, ``contact:…``, ``clock``,
    ``operator``); the name stands only in an entry's data, so that it can be erased.
    """

    id: str
    name: str
    roles: frozenset[Role]
    authority_id: UUID | None = None
    provider_id: UUID | None = None
    person_id: UUID | None = None
    stands_for_id: UUID | None = None
    """Who counts as the writer of what a contact point's program writes: whoever made its key."""
    organisation: str = ""
    via: Via | None = field(default=None, compare=False)

    @property
    def writer_id(self) -> UUID | None:
        """The person who counts as the writer of what the actor writes; None where nobody does."""
        return self.person_id or self.stands_for_id

    @property
    def is_provider(self) -> bool:
        """Whether the actor stands on the provider's side."""
        return self.provider_id is not None

    @property
    def is_contact_point(self) -> bool:
        """Whether the actor stands on the contact point's side."""
        return self.authority_id is not None

    @property
    def side(self) -> str:
        """``contact_point``, ``provider`` or ``liaison`` (the portal itself)."""
        if self.is_provider:
            return "provider"
        return "contact_point" if self.is_contact_point else "liaison"


CLOCK = Actor(id="clock", name="Liaison", roles=frozenset({Role.CLOCK}))
"""What falls due by itself."""


def operator(authority_id: UUID, organisation: str) -> Actor:
    """Whoever works at the server's command line, drafting for an authority."""
    return Actor(
        id="operator",
        name="Command line",
        roles=frozenset({Role.OFFICER}),
        authority_id=authority_id,
        organisation=organisation,
    )


def at_the_telephone(
    *,
    contact_id: UUID,
    name: str,
    provider_id: UUID | None,
    authority_id: UUID | None,
    organisation: str,
    way: Channel,
    message: str,
    number: str,
) -> Actor:
    """A registered contact who answers a text message, or presses a key in an automatic call.

    A provider's acts as its SPOC; the verbs that take this actor do one thing only.
    """
    return Actor(
        id=f"contact:{contact_id}",
        name=name,
        roles=frozenset({Role.SPOC}) if provider_id else frozenset(),
        provider_id=provider_id,
        authority_id=authority_id,
        organisation=organisation,
        via=Via(way.value, message, number),
    )
