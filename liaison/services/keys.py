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
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor, Via
from liaison.domain.vocabulary import Role
from liaison.errors import Unauthenticated
from liaison.models import ApiKey, Authority, Provider
from liaison.models.base import rows_of
from liaison.models.looks import Look, Looking

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


class KnownKey(NamedTuple):
    """A key that was found, and the name of whose it is (``organisation``).

    The last three are told to who polls alone: the end of their stream, None where
    nothing was written yet, and whether an emergency waits for it.
    """

    id: UUID
    provider_id: UUID | None
    authority_id: UUID | None
    created_by_id: UUID | None
    name: str
    prefix: str
    scopes: list[str]
    networks: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    organisation: str
    seq: int | None = None
    head: str | None = None
    urgent: bool = False

    @property
    def is_contact_points(self) -> bool:
        """Whether a contact point's case system has it, or a provider's program."""
        return self.authority_id is not None

    @property
    def owner_id(self) -> UUID:
        """The one organisation it belongs to."""
        found = self.authority_id or self.provider_id
        assert found is not None, "a key belongs to somebody"
        return found


_KEY, _PROVIDER, _AUTHORITY = (rows_of(table) for table in (ApiKey, Provider, Authority))

FIND = Look(
    select(
        _KEY.c.id,
        _KEY.c.provider_id,
        _KEY.c.authority_id,
        _KEY.c.created_by_id,
        _KEY.c.name,
        _KEY.c.prefix,
        _KEY.c.scopes,
        _KEY.c.networks,
        _KEY.c.expires_at,
        _KEY.c.revoked_at,
        _KEY.c.last_used_at,
        func.coalesce(_PROVIDER.c.name, _AUTHORITY.c.name).label("organisation"),
    )
    .outerjoin_from(_KEY, _PROVIDER, _PROVIDER.c.id == _KEY.c.provider_id)
    .outerjoin(_AUTHORITY, _AUTHORITY.c.id == _KEY.c.authority_id)
    .where(_KEY.c.key_hash == bindparam("key_hash")),
    KnownKey,
)
"""The key's row, which every request asks for. Who polls asks for more beside it."""


def find(looking: Looking, presented: str, look: Look[KnownKey] = FIND) -> KnownKey | None:
    """The key that was presented, if there is one, whether or not it counts.

    ``look`` is ``FIND``, or one that asks for more in the same row.
    """
    if not presented.startswith(PREFIX):
        return None
    return next(iter(looking.all(look, key_hash=_hash(presented))), None)


def actor_for_key(
    session: Session, presented: str, address: str, now: datetime
) -> tuple[KnownKey, Actor]:
    """The key and the program behind it; ``Unauthenticated`` says what is wrong with it."""
    row = session.execute(FIND.statement, {"key_hash": _hash(presented)}).one_or_none()
    found = KnownKey(*row) if row is not None and presented.startswith(PREFIX) else None
    known = demand_counts(found, address, now)
    return known, actor_of(known, address)


def actor_of(row: KnownKey, address: str) -> Actor:
    """The program behind a key."""
    return Actor(
        id=f"key:{row.id}",
        name=row.name,
        roles=_CASE_SYSTEM if row.is_contact_points else _PROGRAM,
        authority_id=row.authority_id,
        provider_id=row.provider_id,
        stands_for_id=row.created_by_id if row.is_contact_points else None,
        organisation=row.organisation,
        via=Via("api-key", str(row.id), address),
    )


_PROGRAM, _CASE_SYSTEM = frozenset({Role.PROGRAM}), frozenset({Role.CASE_SYSTEM})


K = TypeVar("K", KnownKey, ApiKey)


def demand_counts(row: K | None, address: str, now: datetime) -> K:
    """``KeyRefused`` unless the key is in force and presented from where it may be.

    ``Unauthenticated`` where there is none.
    """
    if row is None:
        raise Unauthenticated("This key is not known. A key begins with lsn_; check it for typos.")
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
    return row


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of the networks (CIDR)."""
    try:
        here = ip_address(address)
    except ValueError:
        return False
    if isinstance(here, IPv6Address) and here.ipv4_mapped is not None:
        here = here.ipv4_mapped  # an IPv4 client on a socket that speaks both
    return any(here in ip_network(network) for network in networks)


def is_use_due(row: KnownKey | ApiKey, now: datetime) -> bool:
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
