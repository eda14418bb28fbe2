"""A contact point's keys: its administrators keep them as a provider's do theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from liaison.errors import Forbidden, Invalid, NotFound
from liaison.models import ApiKey, Authority, Entry, Message, Provider
from liaison.queries import key_list
from liaison.services import key_notices, keyring, keys, pollers
from liaison.services.keyring import Wanted
from tests.world import ADDRESS, World

ADMIN, THEIRS = "administrator", "provider_administrator"


def make(world: World, *scopes: str, by: str = ADMIN, **more: Any) -> tuple[UUID, str]:
    wanted = Wanted("Cases", scopes or ("read", "draft"), **more)
    with world.database.transaction() as session:
        row, shown = keyring.make(session, world.actor(by), wanted, world.now)
        return row.id, shown


def test_an_administrator_keeps_them_and_nobody_elses(world: World) -> None:
    mine, shown = make(world)
    with world.database.transaction() as session:
        row, actor = keys.actor_for_key(session, shown, ADDRESS, world.now)
        assert (actor.is_contact_point, actor.is_provider) == (True, False)
        assert (actor.writer_id, actor.organisation) == (
            world.person(ADMIN).id,
            world.person(ADMIN).organisation,
        )
        entry = session.scalars(select(Entry).where(Entry.type == "portal.key_made")).one()
        assert f'"organisation":"authority:{row.authority_id}"' in (entry.data or "")
        theirs = session.scalars(
            select(ApiKey.id).where(ApiKey.provider_id.is_not(None)).limit(1)
        ).one()
    for who, key_id in ((ADMIN, theirs), (THEIRS, mine)):
        with pytest.raises(NotFound), world.database.transaction() as session:
            keyring.revoke(session, world.actor(who), key_id, "Lost", world.now)
    for who in ("officer", "supervisor", "auditor"):
        with pytest.raises(Forbidden):
            make(world, "read", by=who)
    # Who acts for nobody has no keys, rather than everybody's: one of the two is null in each row.
    nobody = replace(world.actor(ADMIN), authority_id=None)
    with world.database.reading() as session:
        assert key_list.of_own(session, nobody, world.now) == []
    with pytest.raises(Forbidden, match="Only a provider"), world.database.transaction() as session:
        keyring.keeper_of(session, world.actor(ADMIN), world.now)


@pytest.mark.parametrize(
    ("by", "scope"), [(ADMIN, "respond"), (ADMIN, "webhooks"), (THEIRS, "draft")]
)
@pytest.mark.one_database
def test_a_scope_of_the_other_side_cannot_be_had(world: World, by: str, scope: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(world, "read", scope, by=by)
    assert [fault.pointer for fault in refused.value.errors] == ["/scopes"]


def test_whoever_rolls_it_over_is_its_maker(world: World) -> None:
    key_id, _ = make(world)
    with world.database.transaction() as session:
        row, shown = keyring.roll(session, world.actor(ADMIN), key_id, 7, world.now)
        assert (row.scopes, row.created_by_id) == (["read", "draft"], world.person(ADMIN).id)
        assert keys.actor_for_key(session, shown, ADDRESS, world.now)[1].writer_id is not None


def odd(world: World, **owner: UUID) -> ApiKey:
    """A row that no verb would make."""
    more = {"name": "Odd", "prefix": "lsn_odd", "key_hash": "odd", "scopes": ["read"]}
    return ApiKey(created_at=world.now, **more, **owner)


def test_a_key_is_of_one_organisation_and_an_authoritys_has_a_maker(world: World) -> None:
    register, maker = world.register, world.person(ADMIN).id
    authority, provider = register.authorities["CP"], register.providers["Norvik Mobile"]
    for owner in (
        {"authority_id": authority, "provider_id": provider, "created_by_id": maker},
        {"created_by_id": maker},
        {"authority_id": authority},
    ):
        with pytest.raises(IntegrityError), world.database.transaction() as session:
            session.add(odd(world, **owner))
    with world.database.transaction() as session:
        for of, scopes in (
            (session.get_one(Authority, authority), ["respond"]),
            (session.get_one(Provider, provider), ["draft"]),
        ):
            with pytest.raises(AssertionError):
                keys.make_key(session, of, "Odd", scopes, world.now, created_by_id=maker)


def test_its_end_and_its_silence_are_told_to_its_administrators_alone(world: World) -> None:
    key_id, _ = make(world, days=8, expected=15)
    with world.database.transaction() as session:
        keys.note_use(session, key_id, ADDRESS, world.now)
    world.issue()  # an emergency: a provider's program would be missed after five minutes
    world.clock.move(minutes=14)
    assert silent(world) == 0
    world.clock.move(minutes=2)
    assert silent(world) == 1
    world.clock.move(days=2)
    with world.database.transaction() as session:
        assert key_notices.run(session, world.now, "http://localhost") == 1
        told = session.execute(
            select(Message.letter, Message.address).where(
                Message.letter.in_(("key_expires", "watch/key_silent", "watch/program_silent"))
            )
        ).all()
        own = world.person(ADMIN).email
        assert sorted(told) == [("key_expires", own), ("watch/key_silent", own)]
        entry = session.scalars(select(Entry).where(Entry.type == "portal.key_silent")).one()
        authority = world.register.authorities["CP"]
        assert f'"organisation":"authority:{authority}"' in (entry.data or "")
    with world.database.transaction() as session:
        keys.note_use(session, key_id, ADDRESS, world.now + timedelta(minutes=1))
    world.clock.move(minutes=1)
    assert silent(world) == 1  # it is back


def silent(world: World) -> int:
    with world.database.transaction() as session:
        return pollers.run(session, world.now, "http://localhost")
