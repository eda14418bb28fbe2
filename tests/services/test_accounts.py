"""Signing in, and what an attacker meets, in both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from liaison.domain.vocabulary import Role
from liaison.errors import Invalid
from liaison.models import Authority, Person, SignIn
from liaison.services import accounts, totp
from liaison.services.accounts import Passed, Refused, Started
from tests.register import PASSWORD
from tests.world import World

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.66"


def start(
    world: World, who: str = "officer", password: str = PASSWORD, address: str = HOME
) -> Started | Refused:
    email = world.person(who).email if "@" not in who else who
    with world.database.transaction() as session:
        return accounts.start(session, email, password, address, "Firefox", world.now)


def code(world: World, token: str, digits: str, address: str = HOME) -> Passed | Refused:
    with world.database.transaction() as session:
        row = accounts.resume(session, token, world.now)
        assert row is not None
        return accounts.give_code(session, world.vault, row, digits, address, world.now)


def sign_in(world: World, who: str = "officer", address: str = HOME) -> str:
    started = start(world, who, address=address)
    assert isinstance(started, Started)
    passed = code(world, started.token, world.unused_code(who), address)
    assert isinstance(passed, Passed), passed
    return passed.token


def resumed(world: World, token: str) -> SignIn | None:
    with world.database.reading() as session:
        return accounts.resume(session, token, world.now)


def test_password_and_code_lead_to_a_session_under_a_new_token(world: World) -> None:
    started = start(world)
    assert isinstance(started, Started)
    passed = code(world, started.token, world.code("officer"))
    assert isinstance(passed, Passed)
    assert resumed(world, started.token) is None
    row = resumed(world, passed.token)
    assert row is not None
    assert accounts.actor_of(row, HOME).roles == {Role.OFFICER}


def test_a_password_alone_gives_no_role(world: World) -> None:
    started = start(world)
    assert isinstance(started, Started)
    row = resumed(world, started.token)
    assert row is not None
    assert accounts.actor_of(row, HOME).roles == frozenset()


def test_an_unknown_account_and_a_wrong_password_are_told_alike(world: World) -> None:
    assert start(world, "nobody@police.example") == start(world, password="wrong password")


def test_a_code_counts_once(world: World) -> None:
    sign_in(world)
    again = start(world)
    assert isinstance(again, Started)
    assert code(world, again.token, world.code("officer")) == Refused(totp.USED)


def test_the_codes_a_b_a_do_not_pass_again(world: World) -> None:
    """Whoever looked over the shoulder twice holds two codes; the window still takes both."""
    a = world.code("officer")
    sign_in(world)
    world.clock.move(seconds=30)
    sign_in(world)
    third = start(world)
    assert isinstance(third, Started)
    assert code(world, third.token, a) == Refused(totp.USED)


def test_a_clock_may_be_half_a_minute_off_but_not_two(world: World) -> None:
    early = world.code("officer")
    started = start(world)
    assert isinstance(started, Started)
    world.clock.move(seconds=90)
    assert code(world, started.token, early) == Refused(totp.WRONG)
    late = world.code("officer")
    world.clock.move(seconds=30)
    assert isinstance(code(world, started.token, late), Passed)


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "１２３４５６", "1234567"])
def test_what_is_no_code_is_wrong(world: World, typed: str) -> None:
    started = start(world)
    assert isinstance(started, Started)
    assert code(world, started.token, typed) == Refused(totp.WRONG)


def test_six_tries_in_five_minutes_are_one_too_many(world: World) -> None:
    for _ in range(5):
        assert start(world, password="guess") == Refused(accounts.UNKNOWN)
    sixth = start(world)
    assert isinstance(sixth, Refused)
    assert sixth.retry_after == 300
    world.clock.move(minutes=5)
    assert isinstance(start(world), Started)


def test_an_attacker_elsewhere_does_not_lock_the_owner_out_at_home(world: World) -> None:
    sign_in(world)
    for n in range(30):
        start(world, password="guess", address=f"203.0.113.{n}")
    assert isinstance(start(world), Started)
    blocked = start(world, address=ELSEWHERE)
    assert isinstance(blocked, Refused)
    assert blocked.retry_after


def test_guessing_one_account_does_not_lock_another(world: World) -> None:
    for _ in range(8):
        start(world, password="guess")
    assert isinstance(start(world, "supervisor"), Started)


def test_one_address_cannot_try_many_accounts(world: World) -> None:
    for n in range(accounts.PER_ADDRESS):
        start(world, f"guess{n}@police.example", address=ELSEWHERE)
    blocked = start(world, "supervisor", address=ELSEWHERE)
    assert isinstance(blocked, Refused)
    assert blocked.retry_after


def test_a_hundred_wrong_codes_switch_the_factor_off(world: World) -> None:
    started = start(world)
    assert isinstance(started, Started)
    person_id = world.person("officer").id
    with world.database.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(factor_failures=99))
    assert code(world, started.token, "000000") == Refused(totp.OFF)
    assert code(world, started.token, world.code("officer")) == Refused(totp.OFF)


def test_a_right_code_forgets_the_wrong_ones_before_it(world: World) -> None:
    started = start(world)
    assert isinstance(started, Started)
    code(world, started.token, "000000")
    assert isinstance(code(world, started.token, world.code("officer")), Passed)
    with world.database.reading() as session:
        assert session.get_one(Person, world.person("officer").id).factor_failures == 0


def test_a_session_ends_after_an_hour_of_silence(world: World) -> None:
    token = sign_in(world)
    world.clock.move(minutes=59)
    row = resumed(world, token)
    assert row is not None
    with world.database.transaction() as session:
        accounts.seen(session, row, world.now)
    world.clock.move(minutes=59)
    assert resumed(world, token) is not None
    world.clock.move(minutes=1)
    assert resumed(world, token) is None


def test_a_session_ends_after_twelve_hours_however_busy(world: World) -> None:
    token = sign_in(world)
    for _ in range(23):
        world.clock.move(minutes=30)
        row = resumed(world, token)
        assert row is not None
        with world.database.transaction() as session:
            accounts.seen(session, row, world.now)
    world.clock.move(minutes=30)
    assert resumed(world, token) is None


def test_the_password_waits_ten_minutes_for_its_code(world: World) -> None:
    started = start(world)
    assert isinstance(started, Started)
    world.clock.move(minutes=10)
    assert resumed(world, started.token) is None


def test_a_session_is_gone_at_sign_out_and_when_the_person_is_disabled(world: World) -> None:
    token, other = sign_in(world), sign_in(world)
    with world.database.transaction() as session:
        row = accounts.resume(session, token, world.now)
        assert row is not None
        accounts.sign_out(session, row, world.now)
    assert resumed(world, token) is None
    assert resumed(world, other) is not None
    with world.database.transaction() as session:
        session.get_one(Person, world.person("officer").id).disabled_at = world.now
    assert resumed(world, other) is None
    assert start(world) == Refused(accounts.UNKNOWN)


def test_a_fresh_code_makes_the_factor_fresh_again(world: World) -> None:
    token = sign_in(world)
    world.clock.move(minutes=6)
    with world.database.transaction() as session:
        row = accounts.resume(session, token, world.now)
        assert row is not None
        assert (
            accounts.step_up(session, world.vault, row, world.code("officer"), HOME, world.now)
            is None
        )
    row = resumed(world, token)
    assert row is not None
    assert row.factor_at == world.now


def test_neither_token_nor_secret_nor_password_stands_in_the_database(world: World) -> None:
    token = sign_in(world)
    someone = world.person("officer")
    with world.database.reading() as session:
        row = session.scalars(select(SignIn).where(SignIn.person_id == someone.id)).first()
        person = session.get_one(Person, someone.id)
        assert row is not None
        kept = f"{row.token_hash} {person.totp_secret} {person.password_hash}"
    for secret in (token, someone.totp_secret, PASSWORD):
        assert secret not in kept


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("/email", {"email": "someone@gmail.com"}),
        ("/email", {"email": "a.petrosyan@police.example"}),
        ("/password", {"password": "short"}),
        ("/roles", {"roles": [Role.SPOC]}),
        ("/roles", {"roles": [Role.CLOCK]}),
        ("/name", {"name": " "}),
    ],
)
def test_who_may_not_be_registered_is_told_why(
    world: World, field: str, given: dict[str, Any]
) -> None:
    wanted: dict[str, Any] = {
        "email": "new@police.example",
        "name": "New Person",
        "password": "long enough to be one",
        "roles": [Role.OFFICER],
        "now": world.now,
        **given,
    }
    with world.database.transaction() as session:
        wanted["authority"] = session.scalars(select(Authority)).first()
        with pytest.raises(Invalid) as refused:
            accounts.register_person(session, world.vault, **wanted)
    assert field in [fault.pointer for fault in refused.value.errors]
