"""An administrator acts in the open: nobody raises themselves, and others are told."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from liaison.documents.letters import compose
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden
from liaison.models import ApiKey, FactorReset, Invitation, Message, Person, PersonRole, Provider
from liaison.services import keys, people, policy, resets
from tests.services.test_people import (
    as_administrator,
    disable,
    invite,
    second_administrator,
    set_roles,
)
from tests.world import World


def letters(world: World) -> dict[str, str]:
    """To whom, and what it says."""
    with world.database.reading() as session:
        found = session.scalars(select(Message).where(Message.letter == "access_changed")).all()
        return {
            row.address: compose(row.letter, row.params, "https://cp.example", "production").text
            for row in found
        }


def addresses(world: World, *who: str) -> set[str]:
    return {world.person(name).email for name in who}


def test_nobody_gives_roles_to_themselves(world: World) -> None:
    for roles in (["administrator", "officer"], ["administrator", "officer", "auditor"]):
        with pytest.raises(Forbidden, match="Nobody gives roles to themselves"):
            set_roles(world, "administrator", roles, by="administrator")
    by = "provider_administrator"
    with pytest.raises(Forbidden, match="Nobody gives roles to themselves"):
        set_roles(world, by, [by, "spoc"], by=by)
    assert letters(world) == {}


def test_other_roles_are_told_to_the_person_and_to_those_who_watch(world: World) -> None:
    second_administrator(world)
    set_roles(world, "officer", ["officer", "supervisor"])
    told = letters(world)
    assert set(told) == addresses(world, "officer", "auditor", "supervisor")
    (text,) = {text.partition(",\n")[2] for text in told.values()}
    assert "Anahit Petrosyan has other roles now: Officer, Supervisor; before: Officer." in text
    assert "Sona Martirosyan" in text
    assert "Moves desk" not in text, "the reason stays in the log"


def test_disabling_and_enabling_are_told(world: World) -> None:
    disable(world, "officer")
    told = letters(world)
    assert set(told) == addresses(world, "officer", "auditor")
    assert all("was disabled" in text and "Phished" not in text for text in told.values())
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        people.enable(session, actor, world.person("officer").id, "Cleared", world.now)
    assert all("enabled again" in text for text in letters(world).values())


def test_a_provider_is_told_of_its_own_only(world: World) -> None:
    disable(world, "spoc", by="provider_administrator")
    assert set(letters(world)) == addresses(world, "spoc")


def test_another_rule_is_told(world: World) -> None:
    for demanded in (True, True, False):
        with world.database.transaction() as session:
            policy.set_passkey_to_issue(session, world.actor("administrator"), demanded, world.now)
    with world.database.reading() as session:
        rows = session.scalars(select(Message).where(Message.letter == "access_changed")).all()
    assert {row.address for row in rows} == addresses(world, "auditor")
    assert len(rows) == 2


def test_the_last_auditor_stays(world: World) -> None:
    with pytest.raises(Forbidden, match="Levon Hakobyan is the only auditor left"):
        disable(world, "auditor")
    with pytest.raises(Forbidden, match="Make somebody else auditor first"):
        set_roles(world, "auditor", ["officer"])
    set_roles(world, "auditor", ["officer", "auditor"])
    set_roles(world, "officer", ["auditor"])
    disable(world, "auditor")


def demote(world: World) -> None:
    with world.database.transaction() as session:
        actor = as_administrator(world, "supervisor")
        person = world.person("administrator").id
        people.set_roles(session, actor, person, ["officer"], "Moves desk", world.now)


def test_who_is_no_administrator_any_more_leaves_no_invitation_behind(world: World) -> None:
    second_administrator(world)
    invitation = invite(world, by="administrator")
    set_roles(world, "officer", ["supervisor"])
    demote(world)
    with world.database.reading() as session:
        assert session.get_one(Invitation, invitation).revoked_at == world.now


def test_who_is_no_provider_administrator_any_more_leaves_no_key_behind(world: World) -> None:
    with world.database.transaction() as session:
        spoc = world.person("spoc")
        session.add(PersonRole(person_id=spoc.id, role=Role.PROVIDER_ADMINISTRATOR))
        provider = session.get_one(Provider, spoc.provider_id)
        key, _ = keys.make_key(
            session, provider, "Theirs", ["read"], world.now, created_by_id=spoc.id
        )
    set_roles(world, "spoc", ["spoc"], by="provider_administrator")
    with world.database.reading() as session:
        assert session.get_one(ApiKey, key.id).revoked_at == world.now


def reset_of(world: World, who: str) -> FactorReset:
    with world.database.reading() as session:
        person = world.person(who).id
        query = select(FactorReset).where(FactorReset.person_id == person)
        return session.scalars(query).one()


def ask(world: World, who: str) -> None:
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        resets.ask(session, actor, world.person(who).id, "Lost", world.now)


def test_a_reset_of_somebody_disabled_ends_with_their_access(world: World) -> None:
    ask(world, "officer")
    disable(world, "officer")
    assert reset_of(world, "officer").cancelled_at == world.now


def test_a_confirmation_counts_no_more_once_who_gave_it_is_let_go(world: World) -> None:
    second_administrator(world)
    ask(world, "officer")
    asked = world.now
    officer = world.person("officer").id
    with world.database.transaction() as session:
        resets.confirm(session, as_administrator(world, "supervisor"), officer, world.now)
    world.clock.move(hours=1)
    with world.database.transaction() as session:
        link = resets.send_link(
            session, world.vault, world.actor("administrator"), officer, _link, world.now
        )
    disable(world, "supervisor")
    found = reset_of(world, "officer")
    assert (found.confirmed_at, found.confirmed_by_id) == (None, None)
    assert found.cancelled_at is None
    assert found.effective_at == asked + timedelta(hours=24)
    with world.database.reading() as session:
        assert session.get_one(Invitation, link.id).revoked_at == world.now
        assert session.get_one(Person, officer).disabled_at is None


def _link(_: UUID) -> str:
    return "https://cp.example/reset/signed"
