"""API keys of providers and contact points: shown once, stored as SHA-256, found by one read.

A key is 256 random bits, so a fast hash is enough: there is nothing to guess. Making, replacing
and taking back is in ``keyring``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor, Via
from liaison.domain.vocabulary import Role
from liaison.errors import Unauthenticated
from liaison.models import ApiKey, Authority, Provider

Owner = Provider | Authority

SCOPES = ("read", "respond", "webhooks")
"""What a provider's key may do."""
AUTHORITY_SCOPES = ("read", "draft")
"""What a contact point's key may do: never more than a draft, which people then stand behind."""
PREFIX = "lsn_"

NOTE_USE_EVERY = timedelta(minutes=1)
"""A key that polls all day is written to once a minute, not with each poll."""

_NEW_ONE = "Ask your administrator for a new one."


def scopes_of(owner: Owner) -> tuple[str, ...]:
    """The scopes that a key of this organisation can have."""
    return AUTHORITY_SCOPES if isinstance(owner, Authority) else SCOPES


class KeyRefused(Unauthenticated):
    """A key that is known and does not count: its people may see that it is still used."""

    def __init__(self, key_id: UUID, detail: str) -> None:
        self.key_id = key_id
        super().__init__(detail)


def make_key(
    session: Session,
    owner: Owner,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    *,
    expires_at: datetime | None = None,
    key: str | None = None,
    networks: Iterable[str] = (),
    created_by_id: UUID | None = None,
    expected_every: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key of an organisation; the key itself is given back once and never again.

    An authority's has a maker: whoever made it counts as a writer of what its program writes.
    """
    wanted = list(scopes)
    assert wanted, "a key has a scope"
    assert set(wanted) <= set(scopes_of(owner)), "a key has scopes of its organisation's kind"
    key = key or PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        provider=owner if isinstance(owner, Provider) else None,
        authority=owner if isinstance(owner, Authority) else None,
        name=name,
        prefix=key[:12],
        key_hash=_hash(key),
        scopes=wanted,
        networks=list(networks),
        created_at=now,
        created_by_id=created_by_id,
        expires_at=expires_at,
        expected_every=expected_every,
    )
    session.add(row)
    session.flush()
    return row, key


def actor_for_key(
    session: Session, presented: str, address: str, now: datetime
) -> tuple[ApiKey, Actor]:
    """The key and the program behind it; ``Unauthenticated`` says what is wrong with it."""
    row = None
    if presented.startswith(PREFIX):
        row = session.scalars(
            select(ApiKey).where(ApiKey.key_hash == _hash(presented))
        ).one_or_none()
    if row is None:
        raise Unauthenticated("This key is not known. A key begins with lsn_; check it for typos.")
    demand_counts(row, address, now)
    actor = Actor(
        id=f"key:{row.id}",
        name=row.name,
        roles=frozenset({Role.CASE_SYSTEM if row.authority_id else Role.PROGRAM}),
        authority_id=row.authority_id,
        provider_id=row.provider_id,
        stands_for_id=row.created_by_id if row.authority_id else None,
        organisation=row.owner.name,
        via=Via("api-key", str(row.id), address),
    )
    return row, actor


def look_again(session: Session, key_id: UUID, address: str, now: datetime) -> None:
    """``Unauthenticated`` where a key that was good a moment ago counts no longer."""
    demand_counts(session.get_one(ApiKey, key_id), address, now)


def demand_counts(row: ApiKey, address: str, now: datetime) -> None:
    """``KeyRefused`` unless the key is in force and presented from where it may be."""
    if row.revoked_at is not None:
        raise KeyRefused(row.id, f"This key was revoked. {_NEW_ONE}")
    if row.expires_at is not None and row.expires_at <= now:
        raise KeyRefused(row.id, f"This key has expired. {_NEW_ONE}")
    if row.networks and not is_within(address, row.networks):
        raise KeyRefused(
            row.id,
            f"This key does not count from {address}: your administrator named the "
            "addresses from which it does. Call from one of them, or ask for a key with yours.",
        )


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of the networks (CIDR)."""
    try:
        here = ip_address(address)
    except ValueError:
        return False
    if isinstance(here, IPv6Address) and here.ipv4_mapped is not None:
        here = here.ipv4_mapped  # an IPv4 client on a socket that speaks both
    return any(here in ip_network(network) for network in networks)


def is_use_due(row: ApiKey, now: datetime) -> bool:
    """Whether its use is to be noted: at most once a minute."""
    return row.last_used_at is None or now - row.last_used_at >= NOTE_USE_EVERY


def note_use(session: Session, key_id: UUID, address: str, now: datetime) -> None:
    """Notes when and from where a key was last used; for a short transaction of its own."""
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == key_id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - NOTE_USE_EVERY),
        )
        .values(last_used_at=now, last_address=address)
        .execution_options(synchronize_session=False)
    )


def revoke_of(
    session: Session, person_id: UUID, now: datetime, *, by: UUID | None = None
) -> list[ApiKey]:
    """Revokes the keys that a person made, who is let go: they have seen them.

    Gives back those that counted until now; the entry of the disabling names them.
    """
    rows = session.scalars(
        select(ApiKey)
        .where(
            ApiKey.created_by_id == person_id,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
        )
        .order_by(ApiKey.id)
        # What refers to it can be written all the same: an answer kept for its program's repeat.
        .with_for_update(of=ApiKey, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.revoked_at, row.revoked_by_id = now, by
    session.flush()
    return list(rows)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
