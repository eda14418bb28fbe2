"""An organisation's keys, as its administrator keeps them: made, rolled over, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Forbidden, Invalid, LiaisonError, NotFound
from liaison.models import ApiKey, Authority, Person, Provider
from liaison.queries import key_list
from liaison.services import guards, keys, pollers, portal_log

DAYS, LONGEST_DAYS = 365, 730
"""How long a key counts unless its maker says otherwise, and at the longest."""
OVERLAP, LONGEST_OVERLAP = 7, 30
"""Days for which a key that was rolled over counts beside its successor."""

LONGEST_NAME, LONGEST_REASON = 80, 500
MOST_NETWORKS = 20

_MAPPED = IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True)
class Wanted:
    """A key as its maker asks for it. ``networks``: one address or CIDR network each."""

    name: str
    scopes: Sequence[str]
    networks: Sequence[str] = ()
    days: int = DAYS
    expected: int | None = None
    """Minutes within which its program is expected to call; None: nobody waits for it."""


class KeyEnded(LiaisonError):
    """The key is revoked, has expired or has a successor: it stays as it is."""

    slug = "invalid-transition"
    title = "This key stays as it is"
    status = 409


def make(session: Session, actor: Actor, wanted: Wanted, now: datetime) -> tuple[ApiKey, str]:
    """A new key; it is given back once. One name stands for one key that counts."""
    owner = owner_of(session, actor, now)
    name, scopes, networks = _read(session, owner, wanted, now)
    row, shown = keys.make_key(
        session,
        owner,
        name,
        scopes,
        now,
        expires_at=now + timedelta(days=wanted.days),
        networks=networks,
        created_by_id=actor.person_id,
        expected_every=wanted.expected,
    )
    told = {"scopes": scopes, "networks": networks, "expected_every": wanted.expected}
    _note(session, actor, "key_made", row, now, told)
    return row, shown


def roll(
    session: Session, actor: Actor, key_id: UUID, overlap: int, now: datetime
) -> tuple[ApiKey, str]:
    """A successor with the same name, scopes and networks; the older key ends after an overlap.

    ``overlap`` in days; it never makes the older key count longer than it would have.
    """
    owner = owner_of(session, actor, now)
    old = _of(session, owner, key_id)
    _demand_open(old, now)
    if old.successor_id is not None:
        raise KeyEnded("This key was rolled over already. Roll its successor over instead.")
    if not 0 <= overlap <= LONGEST_OVERLAP:
        text = f"Enter 0 to {LONGEST_OVERLAP} days."
        raise Invalid([FieldError("/overlap", text)])
    longest = timedelta(days=DAYS)  # a successor lasts as long as the key it takes over from
    row, shown = keys.make_key(
        session,
        owner,
        old.name,
        old.scopes,
        now,
        expires_at=now + (old.expires_at - old.created_at if old.expires_at else longest),
        networks=old.networks,
        created_by_id=actor.person_id,
        expected_every=old.expected_every,
    )
    ends = now + timedelta(days=overlap)
    old.expires_at = min(ends, old.expires_at or ends)
    old.successor_id = row.id
    old.warned_at = now  # whoever rolls a key over knows when the older one ends
    told = {"successor": str(row.id), "overlap_days": overlap}
    _note(session, actor, "key_rolled", old, now, told)
    return row, shown


def expect(
    session: Session, actor: Actor, key_id: UUID, minutes: int | None, now: datetime
) -> ApiKey:
    """Says how often the key's program calls, in minutes; None: nobody is told of its silence."""
    owner = owner_of(session, actor, now)
    row = _of(session, owner, key_id)
    _demand_open(row, now)
    if faults := _expected_faults(minutes):
        raise Invalid(faults)
    row.expected_every, row.silent_since = minutes, None
    _note(session, actor, "key_expected", row, now, {"expected_every": minutes})
    return row


def _expected_faults(minutes: int | None) -> list[FieldError]:
    if minutes is None or pollers.SHORTEST <= minutes <= pollers.LONGEST:
        return []
    text = f"Enter {pollers.SHORTEST} to {pollers.LONGEST} minutes, or leave it empty."
    return [FieldError("/expected", text)]


def revoke(session: Session, actor: Actor, key_id: UUID, reason: str, now: datetime) -> ApiKey:
    """Takes a key back: from this moment it opens nothing."""
    owner = owner_of(session, actor, now)
    row = _of(session, owner, key_id)
    _demand_open(row, now)
    reason = reason.strip()
    faults = list(_text_faults("/reason", reason, LONGEST_REASON, "Say why, for the log."))
    if faults:
        raise Invalid(faults)
    row.revoked_at, row.revoked_by_id = now, actor.person_id
    _note(session, actor, "key_revoked", row, now, {"reason": reason})
    return row


def demand_keeper(actor: Actor, now: datetime) -> None:
    """Refuses who may not keep an organisation's keys, or gave no fresh factor."""
    demand(actor, Verb.MANAGE_KEYS)
    if actor.provider_id is None and actor.authority_id is None:
        raise Forbidden("Keys belong to a provider or a contact point; you act for none.")
    guards.fresh_factor(actor, now)


def owner_of(session: Session, actor: Actor, now: datetime) -> keys.Owner:
    """The organisation, locked; the actor may keep its keys and is not being let go meanwhile."""
    demand_keeper(actor, now)
    # The organisation's row orders its key-keepers one after the other, and goes first: those who
    # keep people lock in this order too.
    owner = _locked(session, actor)
    # Disabling locks the person's row: a key is made before it, and taken back with it, or not.
    person = session.scalars(
        select(Person)
        .where(Person.id == actor.person_id)
        .with_for_update(of=Person)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if person is None or person.disabled_at is not None:
        raise Forbidden("Your account is disabled.")
    return owner


def keeper_of(session: Session, actor: Actor, now: datetime) -> Provider:
    """The same for what only providers have."""
    owner = owner_of(session, actor, now)
    if not isinstance(owner, Provider):
        raise Forbidden("Only a provider has this; you act for a contact point.")
    return owner


def _locked(session: Session, actor: Actor) -> keys.Owner:
    if actor.provider_id is None:
        own = select(Authority).where(Authority.id == actor.authority_id)
        return session.scalars(own.with_for_update(of=Authority)).one()
    theirs = select(Provider).where(Provider.id == actor.provider_id)
    return session.scalars(theirs.with_for_update(of=Provider)).one()


def _of(session: Session, owner: keys.Owner, key_id: UUID) -> ApiKey:
    row = session.scalars(
        select(ApiKey)
        .where(ApiKey.id == key_id, key_list.owned_by(owner.id))
        # What refers to it can be written all the same: an answer kept for its program's repeat.
        .with_for_update(of=ApiKey, key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _demand_open(row: ApiKey, now: datetime) -> None:
    if row.revoked_at is not None:
        raise KeyEnded("This key was revoked already. Make a new one where it is needed.")
    if row.expires_at is not None and row.expires_at <= now:
        raise KeyEnded("This key has expired already. Make a new one where it is needed.")


def _read(
    session: Session, owner: keys.Owner, wanted: Wanted, now: datetime
) -> tuple[str, list[str], list[str]]:
    name = " ".join(wanted.name.split())
    faults = list(_text_faults("/name", name, LONGEST_NAME, "Name the program that will use it."))
    if not faults and _is_taken(session, owner, name, now):
        faults.append(
            FieldError(
                "/name",
                f"A key called {name} counts already. Roll it over, or take another name. "
                "Nothing was made.",
            )
        )
    scopes = [scope for scope in keys.scopes_of(owner) if scope in wanted.scopes]
    if not scopes or set(wanted.scopes) - set(scopes):
        faults.append(FieldError("/scopes", "Choose what the key may do."))
    if not 1 <= wanted.days <= LONGEST_DAYS:
        faults.append(FieldError("/days", f"Enter 1 to {LONGEST_DAYS} days."))
    faults += _expected_faults(wanted.expected)
    networks, bad = read_networks(wanted.networks)
    if faults or bad:
        raise Invalid([*faults, *bad])
    return name, scopes, networks


def _text_faults(pointer: str, text: str, longest: int, missing: str) -> Sequence[FieldError]:
    if not text:
        return [FieldError(pointer, missing)]
    if len(text) > longest or unstorable(text):
        return [FieldError(pointer, f"Use at most {longest} characters, and no control ones.")]
    return []


def _is_taken(session: Session, owner: keys.Owner, name: str, now: datetime) -> bool:
    query = select(ApiKey.id).where(
        key_list.owned_by(owner.id),
        ApiKey.name == name,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    )
    return session.execute(query.limit(1)).first() is not None


def read_networks(given: Sequence[str]) -> tuple[list[str], list[FieldError]]:
    """Networks in their shortest form, each once, and what is wrong with the rest."""
    kept: dict[str, None] = {}
    faults = []
    for index, text in enumerate(given):
        try:
            kept[str(_network(text.strip()))] = None
        except ValueError as error:
            faults.append(FieldError(f"/networks/{index}", str(error)))
    if len(kept) > MOST_NETWORKS:
        faults.append(FieldError("/networks", f"Name at most {MOST_NETWORKS} networks."))
    return list(kept), faults


def _network(text: str) -> IPv4Network | IPv6Network:
    shown = text[:60]
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"“{shown}” is no address or network. Write it like 198.51.100.7 or 198.51.100.0/24."
        ) from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        inner = network.network_address.ipv4_mapped
        assert inner is not None, "an address of this network has an IPv4 address in it"
        network = IPv4Network((inner, network.prefixlen - 96))
    if network.prefixlen == 0:
        raise ValueError(f"“{shown}” is every address there is. Leave the field empty for that.")
    shortest = 8 if network.version == 4 else 16
    if network.prefixlen < shortest:
        raise ValueError(f"“{shown}” is too wide. Name a network of at least /{shortest}.")
    return network


def _note(
    session: Session, actor: Actor, type_: str, row: ApiKey, now: datetime, more: dict[str, Any]
) -> None:
    session.flush()
    told = {
        "key": str(row.id),
        "name": row.name,
        "prefix": row.prefix,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        **more,
        **portal_log.by(actor),
    }
    organisation = portal_log.organisation_of_actor(actor)
    portal_log.note(session, now, type_, actor.id, organisation, told)
