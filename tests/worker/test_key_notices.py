"""Letters before a key expires: to whom, when, and never twice."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from liaison.delivery import Outgoing
from liaison.domain.vocabulary import Role
from liaison.models import ApiKey, Person, PersonRole
from liaison.services import key_notices, keyring
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.world import World

KEEPER = "t.avagyan@meridian.example"


def made(world: World, days: int, name: str = "Probe") -> tuple[UUID, str]:
    with world.database.transaction() as session:
        wanted = keyring.Wanted(name, ["read"], (), days)
        actor = world.actor("provider_administrator")
        row, shown = keyring.make(session, actor, wanted, world.now)
        return row.id, shown


def letters(work: Work, sender: RecordingSender) -> list[str]:
    """Whom this run wrote to."""
    before = len(sender.sent)
    run_once(work)
    return [o.address for o in sender.sent[before:] if _is_about_a_key(o)]


def _is_about_a_key(outgoing: Outgoing) -> bool:
    """Time that passes makes other things of the register due as well."""
    return outgoing.subject.startswith("API key")


def test_letters_go_30_7_and_1_days_before_and_once_each(
    world: World, work: Work, sender: RecordingSender
) -> None:
    _, shown = made(world, days=60)
    told = {}
    for day in range(61):
        if found := letters(work, sender):
            told[60 - day] = found
        assert letters(work, sender) == []
        world.clock.move(days=1)
    assert told == {30: [KEEPER], 7: [KEEPER], 1: [KEEPER]}
    subjects = [outgoing.subject for outgoing in sender.sent if _is_about_a_key(outgoing)]
    assert subjects == [
        "API key Probe expires in 30 days",
        "API key Probe expires in 7 days",
        "API key Probe expires tomorrow",
    ]
    last = next(o for o in reversed(sender.sent) if _is_about_a_key(o))
    assert "http://localhost/api-keys" in last.text
    assert "22 Jan 2027, 12:00 UTC" in last.text
    assert shown not in last.text + (last.html or "")


def test_a_key_made_for_less_is_told_of_only_when_its_next_day_comes(
    world: World, work: Work, sender: RecordingSender
) -> None:
    made(world, days=10)
    assert letters(work, sender) == []
    world.clock.move(days=3)
    assert letters(work, sender) == [KEEPER]


def test_after_a_pause_only_the_latest_letter_goes(
    world: World, work: Work, sender: RecordingSender
) -> None:
    made(world, days=60)
    world.clock.move(days=59, hours=12)
    assert letters(work, sender) == [KEEPER]
    last = next(o for o in reversed(sender.sent) if _is_about_a_key(o))
    assert last.subject.endswith("tomorrow")


def test_no_letter_about_a_key_that_counts_no_longer(
    world: World, work: Work, sender: RecordingSender
) -> None:
    revoked, _ = made(world, days=60, name="Revoked")
    made(world, days=20, name="Expired")
    with world.database.transaction() as session:
        actor = world.actor("provider_administrator")
        keyring.revoke(session, actor, revoked, "gone", world.now)
    world.clock.move(days=30)
    assert letters(work, sender) == []


def test_a_rolled_key_is_told_of_the_day_before_it_ends(
    world: World, work: Work, sender: RecordingSender
) -> None:
    old, _ = made(world, days=60)
    world.clock.move(days=10)
    with world.database.transaction() as session:
        keyring.roll(session, world.actor("provider_administrator"), old, 7, world.now)
    assert letters(work, sender) == []
    world.clock.move(days=6)
    assert letters(work, sender) == [KEEPER]
    assert "A successor was made already" in sender.sent[-1].text


def test_spocs_are_told_where_there_is_no_administrator_and_nobody_who_left(
    world: World, work: Work, sender: RecordingSender
) -> None:
    made(world, days=60)
    with world.database.transaction() as session:
        keeper = session.get_one(Person, world.person("provider_administrator").id)
        keeper.disabled_at = world.now
    world.clock.move(days=30)
    assert letters(work, sender) == ["r.vardanyan@meridian.example"]


def test_every_administrator_is_told(world: World, work: Work, sender: RecordingSender) -> None:
    made(world, days=60)
    with world.database.transaction() as session:
        role = PersonRole(person_id=world.person("spoc").id, role=Role.PROVIDER_ADMINISTRATOR)
        session.add(role)
    world.clock.move(days=30)
    assert sorted(letters(work, sender)) == ["r.vardanyan@meridian.example", KEEPER]


def test_two_workers_write_one_letter(world: World, work: Work, sender: RecordingSender) -> None:
    key_id, _ = made(world, days=60)
    world.clock.move(days=30)
    start, told = threading.Barrier(4), []

    def tell() -> None:
        start.wait()
        with world.database.transaction() as session:
            told.append(key_notices.run(session, world.now, "http://localhost"))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [0, 0, 0, 1]
    assert letters(work, sender) == [KEEPER]
    with world.database.reading() as session:
        assert session.get_one(ApiKey, key_id).warned_at == world.now


def test_an_idle_look_writes_nothing(
    world: World, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from liaison.worker import register

    def refuse() -> None:
        raise AssertionError("a look that finds nothing begins no writing transaction")

    monkeypatch.setattr(type(world.database), "transaction", lambda _self: refuse())
    assert register.keep(work) is False
