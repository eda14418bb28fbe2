"""A lost factor: who may ask, how long it waits, how it is stopped, what the link does."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from liaison.documents.letters import compose
from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden, Invalid, InvalidTransition, NotFound, StaleFactor
from liaison.models import Authority, FactorReset, Invitation, Message, Passkey, Person
from liaison.services import accounts, recovery, resets, totp
from tests.services.test_accounts import HOME, code, resumed, sign_in, start
from tests.services.test_passkeys import logged
from tests.services.test_people import secret_for
from tests.world import World

SECRET = "a secret of the tests, for signing links only"
REASON = "Telephone lost on the train; called back by the registered number."


def ask(world: World, by: str | Actor = "administrator", who: str = "officer") -> FactorReset:
    actor = world.actor(by) if isinstance(by, str) else by
    with world.database.transaction() as session:
        return resets.ask(session, actor, world.person(who).id, REASON, world.now)


def second_administrator(world: World, authority: str = "CP") -> Actor:
    with world.database.transaction() as session:
        person, _ = accounts.register_person(
            session,
            world.vault,
            email=f"second@{'police' if authority == 'CP' else 'politie'}.example",
            name="Gor Abrahamyan",
            password="five unrelated words stand here",
            roles={Role.ADMINISTRATOR},
            authority=session.get_one(Authority, world.register.authorities[authority]),
            now=world.now,
        )
    return Actor(
        id=f"person:{person.id}",
        name=person.name,
        roles=frozenset({Role.ADMINISTRATOR}),
        authority_id=person.authority_id,
        person_id=person.id,
        via=world.actor("administrator").via,
    )


def do(world: World, verb: Callable[..., Any], by: str | Actor, who: str = "officer") -> Any:
    actor = world.actor(by) if isinstance(by, str) else by
    with world.database.transaction() as session:
        return verb(session, actor, world.person(who).id, world.now)


def send(world: World, by: str = "administrator") -> UUID:
    with world.database.transaction() as session:
        sent = resets.send_link(
            session,
            world.vault,
            world.actor(by),
            world.person("officer").id,
            lambda id_: f"https://portal.example/reset/{id_}",
            world.now,
        )
        return sent.id


def new_code(world: World, invitation_id: UUID) -> str:
    return totp.current_code(secret_for(invitation_id), world.now)


def redeem(world: World, invitation_id: UUID, digits: str) -> list[str] | None:
    token = resets.token_for(SECRET, invitation_id)
    with world.database.transaction() as session:
        found = resets.invitation_of(session, SECRET, token, world.now)
        return resets.redeem(
            session, world.vault, found, secret_for(found.id), digits, HOME, world.now
        )


def letters(world: World) -> list[Message]:
    with world.database.reading() as session:
        found = select(Message).where(Message.order_id.is_(None)).order_by(Message.id)
        return list(session.scalars(found))


def test_a_reset_waits_a_day_and_the_person_is_told_at_once(world: World) -> None:
    reset = ask(world)
    assert reset.effective_at - world.now == timedelta(hours=24)
    (letter,) = letters(world)
    assert letter.address == world.person("officer").email
    text = compose(letter.letter, letter.params, "https://portal.example", "test").text
    assert REASON in text
    assert "Stop the reset" in text
    with pytest.raises(InvalidTransition, match="not before"):
        send(world)
    world.clock.move(hours=24)
    send(world)


def test_a_second_administrator_makes_it_an_hour(world: World) -> None:
    ask(world)
    world.clock.move(hours=2)
    second = second_administrator(world)
    with pytest.raises(Forbidden, match="another administrator"):
        do(world, resets.confirm, "administrator")
    reset = do(world, resets.confirm, second)
    assert reset.effective_at == world.now + timedelta(hours=1)
    letter = letters(world)[-1]
    assert (letter.letter, letter.address) == (
        "factor_reset_confirmed",
        world.person("officer").email,
    )
    text = compose(letter.letter, letter.params, "https://portal.example", "test").text
    assert second.name in text
    assert f"{reset.effective_at:%H:%M} UTC" in text
    assert "Stop the reset" in text
    with pytest.raises(InvalidTransition):
        do(world, resets.confirm, second)


def test_a_late_confirmation_does_not_make_it_later(world: World) -> None:
    reset = ask(world)
    second = second_administrator(world)
    world.clock.move(hours=23, minutes=30)
    fresh = Actor(**{**second.__dict__, "via": world.actor("administrator").via})
    assert do(world, resets.confirm, fresh).effective_at == reset.effective_at


@pytest.mark.parametrize("who", ["officer", "supervisor", "auditor", "second_officer"])
def test_only_administrators_ask(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        ask(world, by=who, who="spoc" if who == "officer" else "officer")


def test_only_in_their_own_organisation_for_others_and_with_a_fresh_factor(world: World) -> None:
    with pytest.raises(NotFound):
        ask(world, by="provider_administrator")
    with pytest.raises(NotFound):
        ask(world, by=second_administrator(world, "NL"))
    with pytest.raises(Forbidden, match="yourself"):
        ask(world, who="administrator")
    with pytest.raises(StaleFactor):
        ask(world, by=world.actor("administrator", fresh=False))
    assert ask(world, by="provider_administrator", who="spoc").id


def test_a_reason_is_needed(world: World) -> None:
    actor, person = world.actor("administrator"), world.person("officer").id
    for reason in ("", "   ", "a\x00b"):
        with world.database.transaction() as session, pytest.raises(Invalid):
            resets.ask(session, actor, person, reason, world.now)


def test_the_person_stops_it_and_a_stranger_cannot(world: World) -> None:
    ask(world)
    with pytest.raises(Forbidden):
        do(world, resets.cancel, "second_officer")
    with pytest.raises(NotFound):
        do(world, resets.cancel, "spoc")
    do(world, resets.cancel, world.actor("officer", fresh=False))
    world.clock.move(hours=25)
    with pytest.raises(InvalidTransition):
        send(world)
    assert len(logged(world, "reset_cancelled")) == 1
    assert ask(world).id


def test_a_second_one_is_not_asked_for_while_one_runs(world: World) -> None:
    def try_once(_: int) -> bool:
        try:
            ask(world)
        except InvalidTransition:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(try_once, range(8))).count(True) == 1


def test_the_link_leads_to_a_new_authenticator_and_ends_everything_old(world: World) -> None:
    token = sign_in(world)
    officer = world.person("officer")
    with world.database.transaction() as session:
        old_codes = recovery.make(session, session.get_one(Person, officer.id), world.now)
        session.add(_passkey(officer.id, world.now))
    ask(world)
    world.clock.move(hours=24)
    sent = send(world)
    digits = new_code(world, sent)
    codes = redeem(world, sent, digits)
    assert codes is not None
    assert len(codes) == 10
    assert resumed(world, token) is None
    with world.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Passkey)) == 0
        assert not recovery.use(session, officer.id, old_codes[0], world.now)
        assert recovery.left(session, officer.id) == 10
        assert session.scalars(select(FactorReset.done_at)).one() == world.now
    started = start(world)
    assert isinstance(started, accounts.Started)
    # The old authenticator counts no longer, and the code that confirmed the new one is used up.
    old = code(world, started.token, world.code("officer"))
    assert old == accounts.Refused(totp.WRONG)
    assert code(world, started.token, digits) == accounts.Refused(totp.USED)
    world.clock.move(seconds=30)
    assert isinstance(code(world, started.token, new_code(world, sent)), accounts.Passed)


def test_the_link_works_once_whoever_comes_first(world: World) -> None:
    ask(world)
    world.clock.move(hours=24)
    sent = send(world)
    digits = new_code(world, sent)

    def try_once(_: int) -> bool:
        try:
            return redeem(world, sent, digits) is not None
        except NotFound:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(try_once, range(8))).count(True) == 1
    assert len(logged(world, "reset_done")) == 1


def test_a_wrong_code_uses_nothing_up(world: World) -> None:
    ask(world)
    world.clock.move(hours=24)
    sent = send(world)
    assert redeem(world, sent, "000000") is None
    assert redeem(world, sent, new_code(world, sent)) is not None


def test_a_link_dies_by_time_by_a_newer_one_and_by_a_stop(world: World) -> None:
    ask(world)
    world.clock.move(hours=24)
    first = send(world)
    second = send(world)
    with pytest.raises(NotFound):
        redeem(world, first, new_code(world, first))
    world.clock.move(hours=24)
    with pytest.raises(NotFound):
        redeem(world, second, new_code(world, second))
    third = send(world)
    do(world, resets.cancel, "administrator")
    with pytest.raises(NotFound):
        redeem(world, third, new_code(world, third))


def test_a_reset_is_not_kept_in_a_drawer(world: World) -> None:
    ask(world)
    second = second_administrator(world)
    world.clock.move(hours=24 + 71, minutes=59)
    sent = send(world)
    world.clock.move(minutes=1)
    with pytest.raises(InvalidTransition, match="run out"):
        send(world)
    fresh = Actor(**{**second.__dict__, "via": world.actor("administrator").via})
    with pytest.raises(InvalidTransition, match="run out"):
        do(world, resets.confirm, fresh)
    # The link that was sent in time counts on, until it is asked for anew.
    token = resets.token_for(SECRET, sent)
    with world.database.reading() as session:
        assert resets.invitation_of(session, SECRET, token, world.now)
    again = ask(world)
    with pytest.raises(NotFound):
        redeem(world, sent, new_code(world, sent))
    world.clock.move(hours=24)
    newer = send(world)
    assert redeem(world, newer, new_code(world, newer)) is not None
    with world.database.reading() as session:
        done = session.scalars(select(FactorReset.id).where(FactorReset.done_at.is_not(None)))
        assert done.all() == [again.id]


def test_a_reset_switches_the_factor_on(world: World) -> None:
    officer = world.person("officer").id
    with world.database.transaction() as session:
        off = update(Person).where(Person.id == officer)
        session.execute(off.values(factor_off_at=world.now, factor_failures=100))
    ask(world)
    world.clock.move(hours=24)
    sent = send(world)
    assert redeem(world, sent, new_code(world, sent)) is not None
    with world.database.reading() as session:
        assert session.get_one(Person, officer).factor_off_at is None


def test_a_link_with_another_signature_or_of_an_invitation_is_unknown(world: World) -> None:
    ask(world)
    world.clock.move(hours=24)
    sent = send(world)
    for token in (str(sent), resets.token_for("another secret", sent), "", "x.y", "é"):
        with world.database.reading() as session, pytest.raises(NotFound):
            resets.invitation_of(session, SECRET, token, world.now)
    with world.database.transaction() as session:
        session.execute(update(Invitation).values(kind="invitation"))
    with pytest.raises(NotFound):
        redeem(world, sent, new_code(world, sent))


def test_a_factor_that_was_switched_off_is_switched_on_with_a_reason(world: World) -> None:
    officer = world.person("officer").id
    administrator = world.actor("administrator")
    with world.database.transaction() as session, pytest.raises(InvalidTransition):
        resets.switch_on(session, administrator, officer, REASON, world.now)
    with world.database.transaction() as session:
        off = update(Person).where(Person.id == officer)
        session.execute(off.values(factor_off_at=world.now, factor_failures=100))
    with world.database.transaction() as session:
        resets.switch_on(session, administrator, officer, REASON, world.now)
    sign_in(world)
    (entry,) = logged(world, "factor_switched_on")
    assert json.loads(entry.data or "")["reason"] == REASON


def _passkey(person_id: UUID, now: datetime) -> Passkey:
    return Passkey(
        person_id=person_id,
        name="Laptop",
        credential_id="YQ",
        public_key="YQ",
        sign_count=0,
        transports=[],
        created_at=now,
    )
