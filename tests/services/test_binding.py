"""Whoever ends or replaces a memorandum wins nothing by it over those on the other side."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Function
from liaison.errors import Invalid
from liaison.models import Contact, ContactChange, Memorandum, Order
from liaison.queries import registry
from liaison.services import contacts, memorandum_signing, verifications
from tests.contact_steps import (
    BOTH_SIDES,
    DUTY,
    NEW_NUMBER,
    SPOC_MAIL,
    change,
    contact,
    given,
    read,
    written,
)
from tests.world import World

ADMIN = "provider_administrator"
MERIDIAN = "Meridian Telecom"
TONIGHT = datetime(2026, 11, 23, 23, 58, tzinfo=UTC)


def end_all(world: World) -> None:
    """The provider's administrator ends whatever was agreed, with today as the last day."""
    meridian = world.register.providers[MERIDIAN]
    with world.database.transaction() as session:
        query = select(Memorandum.id).where(Memorandum.provider_id == meridian)
        for id_ in session.scalars(query).all():
            actor, today = world.actor(ADMIN), world.now.date()
            memorandum_signing.end(session, actor, id_, today, "Over.", world.now)


def remove(world: World, of: Contact, by: str = ADMIN) -> ContactChange | None:
    with world.database.transaction() as session:
        return contacts.remove(session, world.actor(by), of.id, world.now)


def named_on_the_first_rung(terms: dict[str, Any], whom: UUID) -> dict[str, Any]:
    ladder = terms["ladders"]["emergency"]
    first = {**ladder["rungs"][0], "whom": "named", "contact": str(whom)}
    changed = {**ladder, "rungs": [first, *ladder["rungs"]]}
    return {**terms, "ladders": {**terms["ladders"], "emergency": changed}}


def name(world: World, whom: UUID) -> Memorandum:
    """The contact point's memorandum names a contact of Meridian's."""
    with world.database.transaction() as session:
        row = session.scalars(
            select(Memorandum).where(
                Memorandum.provider_id == world.register.providers[MERIDIAN],
                Memorandum.authority_id == world.register.authorities["CP"],
            )
        ).one()
        row.terms = named_on_the_first_rung(row.terms, whom)
        return row


def replace(world: World, old: Memorandum, begins: date, terms: dict[str, Any]) -> None:
    """Both sides agree another version."""
    with world.database.transaction() as session:
        new = Memorandum(
            authority_id=old.authority_id,
            provider_id=old.provider_id,
            reference=old.reference,
            version=old.version + 1,
            signed_on=world.now.date(),
            in_force_from=begins,
            terms=terms,
            state=old.state,
        )
        session.add(new)


def test_a_thief_who_ends_the_memoranda_waits_all_the_same(world: World) -> None:
    world.clock.set(TONIGHT)
    end_all(world)
    world.clock.set(datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC))
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER)
    assert waits is not None and waits.due_at == world.now + timedelta(hours=72)
    assert read(world, spoc.id).phone == spoc.phone
    assert set(written(world, "contact_change")) == BOTH_SIDES
    assert remove(world, contact(world, Function.DEPUTY)) is not None
    with pytest.raises(Invalid, match="problem"):
        remove(world, contact(world, Function.FALLBACK))
    with world.database.transaction() as session:
        made = contacts.enter(session, world.actor(ADMIN), None, given(), world.now)
    assert made.usable_from == world.now + timedelta(hours=72)
    assert set(written(world, "contact_entered")) == BOTH_SIDES - {SPOC_MAIL}
    with world.database.transaction() as session:
        supervisor = world.actor("supervisor", fresh=False)
        contacts.cancel_change(session, supervisor, waits.id, world.now)


def test_a_memorandum_binds_to_the_second_three_days_after_its_last_day(world: World) -> None:
    last = date(2026, 11, 23)
    with world.database.transaction() as session:
        session.execute(update(Memorandum).values(in_force_to=last))
    spoc = contact(world)
    world.clock.set(datetime(2026, 11, 26, 23, 59, 59, tzinfo=UTC))
    assert change(world, spoc, channels=["email", "call"], phone=NEW_NUMBER) is not None
    world.clock.set(datetime(2026, 11, 27, tzinfo=UTC))
    assert remove(world, contact(world, Function.DEPUTY)) is None


def test_a_last_day_long_past_that_was_set_just_now_binds_for_three_days(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(update(Memorandum).values(in_force_to=date(2026, 6, 1), ended_at=world.now))
    world.clock.move(hours=71, minutes=59)
    assert remove(world, contact(world, Function.DEPUTY)) is not None
    world.clock.move(minutes=1)
    assert remove(world, contact(world, Function.NOC)) is None


@pytest.mark.parametrize(
    ("state", "waits"),
    [
        (OrderState.ISSUED, True),
        (OrderState.ACKNOWLEDGED, True),
        (OrderState.PRESERVED, True),
        (OrderState.DECLINED, False),
        (OrderState.EXPIRED, False),
    ],
)
def test_whoever_has_an_order_under_way_is_bound_as_long(
    world: World, state: OrderState, waits: bool
) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(state=state))
        session.execute(update(Memorandum).values(in_force_to=world.now.date()))
    world.clock.move(days=30)
    removal = remove(world, contact(world, Function.DEPUTY))
    assert (removal is not None) is waits
    assert (DUTY in written(world, "contact_change")) is waits


def test_the_ladder_that_an_order_climbs_keeps_its_rungs(world: World) -> None:
    """Its terms were copied at issue: neither an end nor another version reaches it."""
    deputy = contact(world, Function.DEPUTY)
    old = name(world, deputy.id)
    order = world.issue()
    with world.database.transaction() as session:
        session.execute(update(Memorandum).values(in_force_to=world.now.date()))
    world.clock.move(days=30)
    with pytest.raises(Invalid) as refused:
        remove(world, deputy)
    assert f"order {order.ref}, which is under way" in refused.value.errors[0].detail
    assert old.reference not in refused.value.errors[0].detail
    with world.database.transaction() as session:
        session.execute(update(Order).values(state=OrderState.PRESERVED))
    assert remove(world, deputy) is not None


def test_a_version_that_was_replaced_holds_no_contact(world: World) -> None:
    deputy = contact(world, Function.DEPUTY)
    unnamed = name(world, contact(world, Function.NOC).id).terms
    old = name(world, deputy.id)
    tomorrow = world.now.date() + timedelta(days=1)
    replace(world, old, tomorrow, unnamed)
    with pytest.raises(Invalid):
        remove(world, deputy)
    world.clock.move(days=1)
    assert remove(world, deputy) is not None


def test_a_version_to_come_holds_its_contacts_already(world: World) -> None:
    deputy, noc = contact(world, Function.DEPUTY), contact(world, Function.NOC)
    old = name(world, deputy.id)
    replace(world, old, world.now.date() + timedelta(days=90), {**old.terms})
    later = named_on_the_first_rung(old.terms, noc.id)
    with world.database.transaction() as session:
        session.execute(update(Memorandum).where(Memorandum.version == 2).values(terms=later))
    with pytest.raises(Invalid):
        remove(world, noc)


def test_the_other_side_calls_a_number_after_the_end_as_well(world: World) -> None:
    """Where nothing binds, any authority calls; for three days it is the same ones as before."""
    world.clock.set(TONIGHT)
    meridian, cp = world.register.providers[MERIDIAN], world.register.authorities["CP"]
    with world.database.transaction() as session:
        session.execute(
            update(Memorandum)
            .where(Memorandum.provider_id == meridian, Memorandum.authority_id != cp)
            .values(in_force_to=date(2026, 1, 31))
        )
        session.execute(
            update(Memorandum)
            .where(Memorandum.provider_id == meridian, Memorandum.authority_id == cp)
            .values(in_force_to=world.now.date())
        )
    spoc = contact(world)
    world.clock.move(hours=1)
    change(world, spoc, phone=NEW_NUMBER)
    with world.database.transaction() as session:
        verifications.ask(session, world.vault, world.actor(ADMIN), spoc.id, "phone", world.now)
    with world.database.reading() as session:
        ours, theirs = world.actor("officer"), world.actor("foreign_officer")
        assert verifications.count_to_call(session, ours, world.now) == 1
        assert verifications.count_to_call(session, theirs, world.now) == 0
        later = world.now + timedelta(hours=73)
        assert verifications.count_to_call(session, theirs, later) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"usable_from": datetime(2027, 6, 1, tzinfo=UTC)},
        {"removed_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"channels": ["call"], "phone_verified_at": None},
    ],
)
def test_who_cannot_be_called_yet_does_not_stand_at_the_top(
    world: World, values: dict[str, Any]
) -> None:
    cp = world.register.authorities["CP"]
    with world.database.reading() as session:
        assert registry.unreachable(session, world.now) == []
    with world.database.transaction() as session:
        session.execute(update(Contact).where(Contact.authority_id == cp).values(**values))
    with world.database.reading() as session:
        assert len(registry.unreachable(session, world.now)) == 1
