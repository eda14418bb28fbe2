"""What a provider is found by, as rows: made of its lists, never written by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from liaison.domain.holdings import Held, domain, holdings
from liaison.domain.vocabulary import HoldingKind
from liaison.errors import FieldError, Invalid
from liaison.models import Holding, Provider

AT_ONCE = 500
"""Keys named in one statement."""

FIELDS = {
    HoldingKind.DOMAIN: "/domains",
    HoldingKind.RANGE: "/address_ranges",
    HoldingKind.PHONE: "/phone_prefixes",
    HoldingKind.AS_NUMBER: "/as_numbers",
}
"""Which list of an entry the keys of a kind come from."""


def held_by(provider: Provider) -> list[Held]:
    """The keys that follow from a provider's lists."""
    return holdings(
        provider.domains,
        provider.address_ranges or (),
        provider.phone_prefixes or (),
        provider.as_numbers or (),
    )


def write(session: Session, provider: Provider) -> None:
    """Rebuilds the provider's rows; ``Invalid`` names every key that is another's, and whose.

    Of two who register one key at once the second waits for the first, then is told so.
    """
    session.flush()
    wanted = held_by(provider)
    hold(session, [provider.id], wanted)
    session.execute(
        delete(Holding)
        .where(Holding.provider_id == provider.id)
        .execution_options(synchronize_session=False)
    )
    _insert(session, provider.id, wanted)
    taken = owners(session, wanted)
    faults = [
        taken_fault(held, owner.name) for held, owner in taken.items() if owner.id != provider.id
    ]
    if faults:
        raise Invalid(faults)


def hold(session: Session, ids: Collection[UUID], wanted: Iterable[Held]) -> None:
    """Locks the rows of these providers and these keys, in order of the keys.

    So two that take keys from each other do not wait in a circle. SQLite's writers take turns.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    mine = select(Holding.kind, Holding.key, Holding.length).where(Holding.provider_id.in_(ids))
    concerned = {*wanted, *(Held(*row) for row in session.execute(mine))}
    for some in _portions(sorted(concerned)):
        session.execute(
            select(Holding.key)
            .where(tuple_(Holding.kind, Holding.key).in_([(h.kind, h.key) for h in some]))
            .order_by(Holding.kind, Holding.key)
            .with_for_update()
        )


def as_domain(name: str) -> Held | None:
    """The domain that a provider's name reads as; None where it reads as none."""
    try:
        key = domain(name)
    except ValueError:
        return None
    return Held(HoldingKind.DOMAIN, key, key.count(".") + 1)


def name_fault(held: Held, owner: str) -> FieldError:
    """What is said where a name is another provider's domain: orders find providers by both."""
    return FieldError(
        "/name", f"{held.key} is a domain of {owner}, and orders name it so. Enter another name."
    )


def called_fault(name: str) -> FieldError:
    """What is said where a domain is another provider's name."""
    return FieldError(
        "/domains", f"{name} is the name of another provider. Change that entry first."
    )


def owners(session: Session, wanted: Collection[Held]) -> dict[Held, Provider]:
    """Whose these keys are, as far as they are anybody's; in the order they were given."""
    found: dict[tuple[HoldingKind, str], Provider] = {}
    for some in _portions(wanted):
        by_kind = [
            and_(Holding.kind == kind, Holding.key.in_([h.key for h in some if h.kind is kind]))
            for kind in {held.kind for held in some}
        ]
        for kind, key, provider in session.execute(
            select(Holding.kind, Holding.key, Provider)
            .join(Provider, Provider.id == Holding.provider_id)
            .where(or_(*by_kind))
        ):
            found[kind, key] = provider
    return {held: found[held.kind, held.key] for held in wanted if (held.kind, held.key) in found}


def taken_fault(held: Held, owner: str) -> FieldError:
    """What is said where a key is another provider's."""
    return FieldError(
        FIELDS[held.kind],
        f"{held.key} is registered for {owner}. Take it out there first, or leave it out here.",
    )


def _insert(session: Session, provider_id: UUID, wanted: Iterable[Held]) -> None:
    """In order of the keys, so that two who register several do not wait for each other."""
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    for some in _portions(sorted(wanted)):
        rows = [{**held._asdict(), "provider_id": provider_id} for held in some]
        session.execute(insert(Holding).values(rows).on_conflict_do_nothing())


def _portions(wanted: Iterable[Held]) -> Iterator[list[Held]]:
    rest = iter(wanted)
    while some := list(islice(rest, AT_ONCE)):
        yield some
