"""Recovery codes: ten, each once, whoever comes first."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from liaison.models import Person, RecoveryCode
from liaison.services import recovery
from tests.world import World


def made(world: World, who: str = "officer") -> list[str]:
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person(who).id)
        return recovery.make(session, person, world.now)


def use(world: World, code: str, who: str = "officer") -> bool:
    with world.database.transaction() as session:
        return recovery.use(session, world.person(who).id, code, world.now)


def left(world: World, who: str = "officer") -> int:
    with world.database.reading() as session:
        return recovery.left(session, world.person(who).id)


def test_ten_codes_of_sixteen_characters_and_none_is_stored_readable(world: World) -> None:
    codes = made(world)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", code) for code in codes)
    with world.database.reading() as session:
        stored = session.scalars(select(RecoveryCode.code_hash)).all()
    assert all(re.fullmatch(r"[0-9a-f]{64}", kept) for kept in stored)


def test_a_code_counts_once(world: World) -> None:
    code = made(world)[0]
    assert use(world, code)
    assert left(world) == 9
    assert not use(world, code)
    assert left(world) == 9


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.lower(),
        lambda code: code.replace("-", ""),
        lambda code: f"  {code.replace('-', '  ')} ",
        lambda code: code.replace("O", "0").replace("I", "1").replace("B", "8"),
    ],
)
def test_however_it_is_written(world: World, typed: object) -> None:
    assert callable(typed)
    assert use(world, typed(made(world)[3]))


def test_nobody_elses_code_and_no_guess_counts(world: World) -> None:
    code = made(world)[0]
    made(world, "second_officer")
    assert not use(world, code, "second_officer")
    assert not any(use(world, guess) for guess in ("", "----", "\x00", "AAAA-AAAA-AAAA-AAAA"))
    assert left(world) == 10


def test_new_codes_make_the_old_ones_worthless(world: World) -> None:
    old = made(world)
    new = made(world)
    assert not use(world, old[0])
    assert use(world, new[0])


def test_of_eight_at_once_one_wins(world: World) -> None:
    code = made(world)[0]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: use(world, code), range(8)))
    assert won.count(True) == 1
    assert left(world) == 9


def test_of_two_new_sets_at_once_one_is_left(world: World) -> None:
    made(world)
    both, tried = threading.Barrier(2), []

    def anew() -> None:
        with world.database.reading() as session:
            person = session.get_one(Person, world.person("officer").id)
        both.wait(10)
        with world.database.transaction() as session:
            tried.append(recovery.make(session, person, world.now))
            # Whoever did not wait for the other would not see these.
            time.sleep(0.3)

    threads = [threading.Thread(target=anew) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(tried) == 2
    assert left(world) == 10
