"""Passkeys: registered, used, and what an attacker would try with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden, Invalid, NotFound, StaleFactor
from liaison.models import Authority, Entry, Message, Order, Passkey, Person, SignIn
from liaison.services import accounts, factors, orders, passkeys, policy
from liaison.services.factors import Passed, Refused
from tests.authenticator import Authenticator
from tests.services.test_accounts import HOME, resumed, sign_in, start
from tests.world import World

SITE = passkeys.Site.of("http://localhost")


def row_of(session: Any, token: str, world: World) -> SignIn:
    row = accounts.resume(session, token, world.now)
    assert row is not None
    return row


def add(world: World, token: str, device: Authenticator, name: str = "Laptop") -> Passkey | Refused:
    with world.database.transaction() as session:
        options = passkeys.offer(session, row_of(session, token, world), SITE, world.now)
    with world.database.transaction() as session:
        row = row_of(session, token, world)
        answer = device.create(options)
        return passkeys.add(session, row, SITE, answer, name, HOME, world.now)


def ask(world: World, token: str) -> dict[str, Any]:
    with world.database.transaction() as session:
        options = passkeys.ask(session, row_of(session, token, world), SITE, world.now)
    assert isinstance(options, dict), options
    return options


def step_up(world: World, token: str, answer: str) -> Refused | None:
    with world.database.transaction() as session:
        row = row_of(session, token, world)
        return passkeys.step_up(session, row, SITE, answer, HOME, world.now)


def give(world: World, token: str, answer: str) -> Passed | Refused:
    with world.database.transaction() as session:
        row = row_of(session, token, world)
        return passkeys.give(session, row, SITE, answer, HOME, world.now)


@pytest.fixture
def token(world: World) -> str:
    return sign_in(world)


@pytest.fixture
def device(world: World, token: str) -> Authenticator:
    """The officer's, registered."""
    made = Authenticator()
    assert isinstance(add(world, token, made), Passkey)
    return made


def logged(world: World, type_: str) -> list[Entry]:
    with world.database.reading() as session:
        found = select(Entry).where(Entry.stream == "portal", Entry.type == f"portal.{type_}")
        return list(session.scalars(found.order_by(Entry.seq)))


def test_a_passkey_is_the_second_step_of_a_sign_in(world: World, device: Authenticator) -> None:
    started = start(world)
    assert isinstance(started, accounts.Started)
    passed = give(world, started.token, device.get(ask(world, started.token)))
    assert isinstance(passed, Passed)
    assert resumed(world, started.token) is None
    row = resumed(world, passed.token)
    assert row is not None
    actor = accounts.actor_of(row, HOME)
    assert actor.via is not None
    assert actor.via.factor == "passkey"
    assert actor.roles == {Role.OFFICER}


def test_it_makes_the_factor_fresh(world: World, token: str, device: Authenticator) -> None:
    world.clock.move(minutes=30)
    assert step_up(world, token, device.get(ask(world, token))) is None
    row = resumed(world, token)
    assert row is not None
    assert (row.factor, row.factor_at) == ("passkey", world.now)


def test_an_answer_counts_once(world: World, token: str, device: Authenticator) -> None:
    answer = device.get(ask(world, token))
    assert step_up(world, token, answer) is None
    assert step_up(world, token, answer) == Refused(passkeys.TOO_LATE)


def test_an_answer_to_an_older_challenge_is_worth_nothing(
    world: World, token: str, device: Authenticator
) -> None:
    old = device.get(ask(world, token))
    ask(world, token)
    assert step_up(world, token, old) == Refused(passkeys.WRONG)


def test_a_challenge_lasts_five_minutes(world: World, token: str, device: Authenticator) -> None:
    answer = device.get(ask(world, token))
    world.clock.move(minutes=5, seconds=1)
    assert step_up(world, token, answer) == Refused(passkeys.TOO_LATE)


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://localhost.evil.example"},
        {"host": "evil.example"},
        {"verifies": False},
    ],
    ids=["another site", "another host", "user not verified"],
)
def test_a_false_pages_or_a_careless_devices_answer_is_refused(
    world: World, token: str, device: Authenticator, bent: dict[str, Any]
) -> None:
    false = replace(device, **bent)
    assert step_up(world, token, false.get(ask(world, token))) == Refused(passkeys.WRONG)


def test_a_device_that_does_not_verify_its_user_is_not_registered(world: World, token: str) -> None:
    assert add(world, token, Authenticator(verifies=False)) == Refused(passkeys.NOT_ADDED)


def test_a_copied_key_is_found_by_its_count(
    world: World, token: str, device: Authenticator
) -> None:
    copy = replace(device)
    assert step_up(world, token, device.get(ask(world, token))) is None
    assert step_up(world, token, copy.get(ask(world, token))) == Refused(passkeys.WRONG)


def test_another_persons_passkey_opens_nothing(world: World, device: Authenticator) -> None:
    other = sign_in(world, "second_officer")
    assert isinstance(add(world, other, Authenticator()), Passkey)
    assert step_up(world, other, device.get(ask(world, other))) == Refused(passkeys.WRONG)


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", "{", '{"id": 1}', "x" * 20_000, "\x00"])
def test_what_is_no_answer_is_refused(
    world: World, token: str, device: Authenticator, answer: str
) -> None:
    ask(world, token)
    assert step_up(world, token, answer) == Refused(passkeys.WRONG)


def test_six_wrong_answers_are_one_too_many(
    world: World, token: str, device: Authenticator
) -> None:
    for _ in range(5):
        ask(world, token)
        assert step_up(world, token, "{}") == Refused(passkeys.WRONG)
    sixth = step_up(world, token, device.get(ask(world, token)))
    assert sixth is not None
    assert sixth.retry_after
    assert len(logged(world, "step_up_refused")) == 5


def test_adding_needs_a_fresh_factor(world: World, token: str) -> None:
    world.clock.move(minutes=6)
    with pytest.raises(StaleFactor):
        add(world, token, Authenticator())


def test_several_are_kept_by_name_and_the_person_is_told(
    world: World, token: str, device: Authenticator
) -> None:
    assert step_up(world, token, device.get(ask(world, token))) is None
    assert isinstance(add(world, token, Authenticator(), "  Security   key "), Passkey)
    with world.database.reading() as session:
        found = passkeys.of_person(session, world.person("officer").id)
        letters = session.scalars(select(Message.letter).where(Message.order_id.is_(None))).all()
    assert [one.name for one in found] == ["Laptop", "Security key"]
    assert letters == ["factor_changed", "factor_changed"]
    assert len(logged(world, "factor_added")) == 2


def test_the_same_device_is_not_added_twice(
    world: World, token: str, device: Authenticator
) -> None:
    assert step_up(world, token, device.get(ask(world, token))) is None
    assert isinstance(add(world, token, device), Refused)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_a_passkey_needs_a_name(world: World, token: str, name: str) -> None:
    with pytest.raises(Invalid):
        add(world, token, Authenticator(), name)


def by_passkey(world: World, who: str = "officer") -> Actor:
    """The person, who gave a passkey just now."""
    actor = world.actor(who)
    assert actor.via is not None
    return replace(actor, via=replace(actor.via, factor="passkey"))


def passkey_id(world: World) -> Any:
    with world.database.reading() as session:
        return session.scalars(select(Passkey.id).order_by(Passkey.created_at)).first()


def test_only_its_owner_renames_and_removes_it(world: World, device: Authenticator) -> None:
    found = passkey_id(world)
    with world.database.transaction() as session, pytest.raises(NotFound):
        passkeys.rename(session, world.actor("second_officer"), found, "Mine", world.now)
    with world.database.transaction() as session, pytest.raises(NotFound):
        passkeys.remove(session, world.actor("administrator"), found, world.now)
    with world.database.transaction() as session:
        passkeys.rename(session, by_passkey(world), found, "Desk", world.now)
    with world.database.transaction() as session:
        assert passkeys.remove(session, by_passkey(world), found, world.now).name == "Desk"
    assert len(logged(world, "factor_removed")) == 1


def demand(world: World, demanded: bool = True) -> None:
    with world.database.transaction() as session:
        policy.set_passkey_to_issue(session, world.actor("administrator"), demanded, world.now)


def test_the_last_one_stays_where_the_authority_demands_passkeys(
    world: World, token: str, device: Authenticator
) -> None:
    demand(world)
    with world.database.transaction() as session, pytest.raises(Invalid):
        passkeys.remove(session, by_passkey(world), passkey_id(world), world.now)
    assert step_up(world, token, device.get(ask(world, token))) is None
    add(world, token, Authenticator(), "Another")
    with world.database.transaction() as session:
        passkeys.remove(session, by_passkey(world), passkey_id(world), world.now)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Passkey)) == 1


def issue_by(world: World, factor: str) -> Order:
    drafted = world.draft()
    actor = world.actor("officer")
    assert actor.via is not None
    actor = replace(actor, via=replace(actor.via, factor=factor))
    with world.database.transaction() as session:
        return orders.issue(session, actor, drafted.name, drafted.version, world.now)


def test_where_the_authority_demands_it_orders_are_issued_by_passkey_only(
    world: World, token: str, device: Authenticator
) -> None:
    world.clock.move(hours=24)
    token = sign_in(world)
    assert step_up(world, token, device.get(ask(world, token))) is None
    issue_by(world, "totp")
    demand(world)
    with pytest.raises(Forbidden, match="passkey only"):
        issue_by(world, "totp")
    assert issue_by(world, "passkey").ref
    demand(world, demanded=False)
    assert issue_by(world, "totp").ref
    assert len(logged(world, "policy_changed")) == 2


def test_a_new_passkey_signs_in_and_issues_after_a_day(
    world: World, token: str, device: Authenticator
) -> None:
    demand(world)
    added = world.now
    for moment in (added, added + timedelta(hours=24, seconds=-1)):
        world.clock.set(moment)
        token = token if moment == added else sign_in(world)
        assert step_up(world, token, device.get(ask(world, token))) is None
        with pytest.raises(Forbidden, match="24 hours ago or earlier"):
            issue_by(world, "passkey")
    world.clock.set(added + timedelta(hours=24))
    assert step_up(world, token, device.get(ask(world, token))) is None
    assert issue_by(world, "passkey").ref


def test_an_old_passkey_does_not_stand_in_for_a_new_one(
    world: World, token: str, device: Authenticator
) -> None:
    demand(world)
    world.clock.move(hours=25)
    token, new = sign_in(world), Authenticator()
    assert step_up(world, token, device.get(ask(world, token))) is None
    assert isinstance(add(world, token, new, "New"), Passkey)
    world.clock.move(seconds=1)
    assert step_up(world, token, new.get(ask(world, token))) is None
    with pytest.raises(Forbidden, match="24 hours ago or earlier"):
        issue_by(world, "passkey")


def test_a_phished_code_touches_no_passkey_where_there_is_one(
    world: World, token: str, device: Authenticator
) -> None:
    world.clock.move(minutes=10)
    thief = sign_in(world)
    with pytest.raises(StaleFactor, match="Use your passkey"):
        add(world, thief, Authenticator(), "Thief")
    found, actor = passkey_id(world), world.actor("officer")
    with world.database.transaction() as session, pytest.raises(StaleFactor):
        passkeys.rename(session, actor, found, "Mine", world.now)
    with world.database.transaction() as session, pytest.raises(StaleFactor):
        passkeys.remove(session, actor, found, world.now)


def test_other_sessions_end_when_a_passkey_comes_or_goes(
    world: World, token: str, device: Authenticator
) -> None:
    world.clock.move(minutes=1)
    thief = sign_in(world)
    assert step_up(world, token, device.get(ask(world, token))) is None
    assert isinstance(add(world, token, Authenticator(), "Second"), Passkey)
    assert resumed(world, thief) is None
    world.clock.move(minutes=1)
    thief = sign_in(world)
    here = resumed(world, token)
    assert here is not None
    with world.database.transaction() as session:
        found = passkey_id(world)
        passkeys.remove(session, by_passkey(world), found, world.now, keep=here.id)
    assert resumed(world, thief) is None
    assert resumed(world, token) is not None


def test_a_recovery_code_issues_nothing(world: World) -> None:
    with pytest.raises(StaleFactor):
        issue_by(world, "recovery")


@pytest.mark.parametrize("who", ["officer", "auditor", "provider_administrator", "spoc"])
def test_only_an_authoritys_administrator_sets_the_rule(world: World, who: str) -> None:
    with world.database.transaction() as session, pytest.raises(Forbidden):
        policy.set_passkey_to_issue(session, world.actor(who), True, world.now)
    with world.database.reading() as session:
        assert not any(session.scalars(select(Authority.passkey_to_issue)))


def test_a_switched_off_factor_takes_no_passkey_either(
    world: World, token: str, device: Authenticator
) -> None:
    with world.database.transaction() as session:
        who = Person.id == world.person("officer").id
        session.execute(update(Person).where(who).values(factor_failures=99))
    ask(world, token)
    refused = step_up(world, token, "{}")
    assert refused is not None
    assert "switched off" in refused.detail
    assert step_up(world, token, device.get(ask(world, token))) == refused
    assert len(logged(world, "factor_switched_off")) == 1
    assert factors.MOST_FAILURES == 100
