"""Signing in, and what an attacker meets, in both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from liaison.domain.vocabulary import Role
from liaison.errors import Invalid
from liaison.models import Authority, Entry, Message, Person, SignIn
from liaison.services import accounts, factors, recovery, totp
from liaison.services.accounts import Passed, Refused, Started
from tests.register import PASSWORD
from tests.world import World

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.66"


def start(
    world: World, who: str = "officer", password: str = PASSWORD, address: str = HOME
) -> Started | Refused:
    email = world.person(who).email if "@" not in who else who
    with world.database.transaction() as session:
        tried = accounts.count_try(session, email, address, world.now)
    if isinstance(tried, Refused):
        return tried
    right = tried.fits(password)
    with world.database.transaction() as session:
        return accounts.start(session, tried, right, address, "Firefox", world.now)


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


def test_an_owner_whose_ipv6_address_has_changed_is_still_at_home(world: World) -> None:
    sign_in(world, address="2001:db8:1:2::1")
    for n in range(30):
        start(world, password="guess", address=f"203.0.113.{n}")
    assert isinstance(start(world, address="2001:db8:1:2::2"), Started)


def test_guessing_one_account_does_not_lock_another(world: World) -> None:
    for _ in range(8):
        start(world, password="guess")
    assert isinstance(start(world, "supervisor"), Started)


def test_one_subscribers_ipv6_addresses_are_one_place(world: World) -> None:
    for n in range(5):
        start(world, password="guess", address=f"2001:db8:1:2::{n}")
    blocked = start(world, address="2001:db8:1:2:ffff::9")
    assert isinstance(blocked, Refused)
    assert blocked.retry_after
    assert isinstance(start(world, address="2001:db8:1:3::9"), Started)


def test_characters_no_database_keeps_are_no_account(world: World) -> None:
    assert start(world, "nobody@police\x00.example") == Refused(accounts.UNKNOWN)
    assert start(world, "half\ud83d@police.example") == Refused(accounts.UNKNOWN)


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
        accounts.sign_out(session, row, HOME, world.now)
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


def test_of_eight_who_use_one_code_at_once_one_gets_in(world: World) -> None:
    """Each has the password; whoever read the code over a shoulder comes second."""
    digits = world.code("officer")
    tokens = []
    for n in range(8):
        started = start(world, address=f"198.51.100.{n}")
        assert isinstance(started, Started)
        tokens.append(started.token)

    def enter(n: int) -> Passed | Refused:
        return code(world, tokens[n], digits, f"198.51.100.{n}")

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(enter, range(8)))
    assert sum(isinstance(result, Passed) for result in results) == 1
    assert results.count(Refused(totp.USED)) == 7


def portal_log(world: World) -> list[tuple[str, Any]]:
    with world.database.reading() as session:
        found = select(Entry).where(Entry.stream == "portal").order_by(Entry.seq)
        return [
            (entry.type.removeprefix("portal."), json.loads(entry.data or ""))
            for entry in session.scalars(found)
        ]


def test_sign_ins_refusals_and_sign_outs_are_noted_without_secrets(world: World) -> None:
    start(world, password="not my password")
    start(world, "nobody@police.example", password="nor theirs")
    token = sign_in(world)
    with world.database.transaction() as session:
        row = accounts.resume(session, token, world.now)
        assert row is not None
        accounts.step_up(session, world.vault, row, "000000", HOME, world.now)
        accounts.sign_out(session, row, HOME, world.now)
    entries = portal_log(world)
    assert [type_ for type_, _ in entries] == [
        "sign_in_refused",
        "sign_in_refused",
        "signed_in",
        "step_up_refused",
        "signed_out",
    ]
    officer = world.person("officer")
    assert [data["person"] for _, data in entries] == [
        str(officer.id),
        None,
        *[str(officer.id)] * 3,
    ]
    assert entries[0][1]["organisation"] == f"authority:{officer.authority_id}"
    assert entries[1][1]["organisation"] == "portal"
    assert entries[2][1]["via"] == {"factor": "totp", "address": HOME}
    text = repr(entries)
    for secret in ("not my password", "nor theirs", "nobody@", officer.totp_secret, token):
        assert secret not in text


def test_a_recovery_code_signs_in_is_told_by_letter_and_is_used_up(world: World) -> None:
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person("officer").id)
        codes = recovery.make(session, person, world.now)
    results = []
    for _ in range(2):
        started = start(world)
        assert isinstance(started, Started)
        with world.database.transaction() as session:
            row = accounts.resume(session, started.token, world.now)
            assert row is not None
            results.append(accounts.give_recovery_code(session, row, codes[0], HOME, world.now))
    assert isinstance(results[0], Passed)
    assert results[1] == Refused(factors.WRONG_RECOVERY)
    row = resumed(world, results[0].token)
    assert row is not None
    assert row.factor == "recovery"
    with world.database.reading() as session:
        (letter,) = session.scalars(select(Message).where(Message.order_id.is_(None)))
    assert (letter.letter, letter.params["left"]) == ("recovery_code_used", 9)
    assert [type_ for type_, _ in portal_log(world)] == [
        "recovery_code_used",
        "signed_in",
        "sign_in_refused",
    ]


@pytest.mark.parametrize("change", ["password", "disabled"])
def test_what_changes_while_the_password_is_checked_lets_nobody_in(
    world: World, change: str
) -> None:
    person = world.person("officer")
    with world.database.transaction() as session:
        tried = accounts.count_try(session, person.email, HOME, world.now)
    assert isinstance(tried, accounts.Tried)
    right = tried.fits(person.password)
    values: dict[str, dict[str, Any]] = {
        "password": {"password_hash": "new"},
        "disabled": {"disabled_at": world.now},
    }
    with world.database.transaction() as session:
        session.execute(update(Person).where(Person.id == person.id).values(values[change]))
    with world.database.transaction() as session:
        refused = accounts.start(session, tried, right, HOME, "browser", world.now)
    assert refused == accounts.Refused(accounts.UNKNOWN)


def test_a_name_that_passes_for_another_makes_no_account(world: World) -> None:
    with world.database.transaction() as session, pytest.raises(Invalid) as refused:
        accounts.register_person(
            session,
            world.vault,
            email="x.new@police.example",
            name="Anna \u202erosivrepuS",
            password="violet trains at noon",
            roles=[Role.OFFICER],
            now=world.now,
            authority=session.get_one(Authority, world.register.authorities["CP"]),
        )
    assert [error.pointer for error in refused.value.errors] == ["/name"]
