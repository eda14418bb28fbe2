"""The fresh factor of an act: by a person whose access stands until the act is done."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from liaison.domain.lifecycle import OrderState
from liaison.errors import Forbidden, StaleFactor
from liaison.models import Authority, Database, Person
from liaison.services import authorising, people, ratification, releases
from tests.keeping import release
from tests.world import World


def test_release_needs_a_fresh_factor(world: World) -> None:
    order = world.preserve(world.issue())
    stolen = world.actor("officer", fresh=False)
    with world.database.transaction() as session, pytest.raises(StaleFactor):
        releases.release(session, stolen, order.name, world.now)
    assert world.order(order.name).state is OrderState.PRESERVED
    release(world, order)
    assert world.order(order.name).state is OrderState.RELEASED


def test_release_asks_for_a_passkey_where_the_authority_does(
    world: World, database: Database
) -> None:
    order = world.preserve(world.issue())
    with database.transaction() as session:
        session.get_one(Authority, order.authority_id).passkey_to_issue = True
    with pytest.raises(Forbidden, match="passkey"):
        release(world, order)
    assert world.order(order.name).state is OrderState.PRESERVED


def test_whoever_was_disabled_releases_nothing(world: World) -> None:
    order = world.preserve(world.issue())
    stolen = world.actor("second_officer")
    with world.database.transaction() as session:
        admin, whom = world.actor("administrator"), world.person("second_officer").id
        people.disable(session, admin, whom, "Hijacked.", world.now)
    with world.database.transaction() as session, pytest.raises(Forbidden, match="been ended"):
        releases.release(session, stolen, order.name, world.now)


@pytest.mark.postgresql_only
@pytest.mark.parametrize("act", ["authorise", "ratify", "release"])
def test_access_does_not_end_beside_an_act_that_has_asked_for_it(
    world: World, database: Database, act: str
) -> None:
    if act == "authorise":
        order = world.submit(world.draft("03-cgnat-fraud-routine.json"))
    else:
        order = world.preserve(world.issue())
    acting, now = world.actor("supervisor"), world.now
    with database.transaction() as session:
        if act == "authorise":
            authorising.authorise(session, acting, order.name, order.version, now)
        elif act == "ratify":
            ratification.ratify(session, acting, order.name, None, now)
        else:
            releases.release(session, acting, order.name, now)
        row = select(Person).where(Person.id == acting.person_id)
        with database.transaction() as other, pytest.raises(OperationalError):
            # What disabling changes; a foreign key to the person alone would not stop it.
            other.scalars(row.with_for_update(nowait=True, key_share=True, of=Person)).one()
