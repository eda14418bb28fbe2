"""A provider's program that falls silent: who is told, when, and once a silence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from liaison.errors import Invalid
from liaison.models import ApiKey, Database, Entry
from liaison.queries import watching
from liaison.services import keyring, keys
from liaison.worker import Work, run_once, watch
from tests.mail import RecordingSender
from tests.world import ADDRESS, World, submit

ADMINISTRATOR = "t.avagyan@meridian.example"
OURS = {"duty@police.example", "duty@politie.example"}


def made(world: World, expected: int | None = 15) -> UUID:
    with world.database.transaction() as session:
        wanted = keyring.Wanted("Poller", ["read"], (), 365, expected)
        actor = world.actor("provider_administrator")
        return keyring.make(session, actor, wanted, world.now)[0].id


def call(world: World, key_id: UUID) -> None:
    with world.database.transaction() as session:
        keys.note_use(session, key_id, ADDRESS, world.now)


def told(work: Work, sender: RecordingSender) -> set[str]:
    """Whom this look and the sending after it wrote to about silence."""
    before = len(sender.sent)
    run_once(work)
    return {o.address for o in sender.sent[before:] if "has been silent since" in o.subject}


def noted(database: Database) -> list[str]:
    types = ("portal.key_silent", "portal.key_back")
    with database.reading() as session:
        query = select(Entry.type).where(Entry.type.in_(types)).order_by(Entry.seq)
        return [type_.removeprefix("portal.key_") for type_ in session.scalars(query)]


def test_a_silence_is_told_once_and_its_end_is_noted(
    world: World, work: Work, sender: RecordingSender, database: Database
) -> None:
    key = made(world)
    world.clock.move(hours=9)
    assert told(work, sender) == set(), "one that was never used is not waited for"
    call(world, key)
    world.clock.move(minutes=15)
    assert told(work, sender) == set()
    world.clock.move(minutes=1)
    assert told(work, sender) == {ADMINISTRATOR, *OURS}
    with database.reading() as session:
        assert watching.silent_programs(session, world.now) == ["Meridian Telecom"]
    world.clock.move(hours=1)
    assert told(work, sender) == set()
    call(world, key)
    assert told(work, sender) == set()
    with database.reading() as session:
        assert session.get_one(ApiKey, key).silent_since is None
        assert watching.silent_programs(session, world.now) == []
    assert noted(database) == ["silent", "back"]
    world.clock.move(minutes=16)
    assert told(work, sender) == {ADMINISTRATOR, *OURS}


@pytest.mark.one_database
def test_letters_carry_no_secret_and_lead_each_reader_to_their_page(
    world: World, work: Work, sender: RecordingSender
) -> None:
    key = made(world)
    call(world, key)
    world.clock.move(minutes=16)
    run_once(work)
    letters = {o.address: o.text for o in sender.sent if "silent" in o.subject}
    assert "http://localhost/api-keys" in letters[ADMINISTRATOR]
    meridian = world.register.providers["Meridian Telecom"]
    assert f"http://localhost/providers/{meridian}" in letters["duty@police.example"]
    assert not any(a.endswith("norvik.example") for a in letters)


def test_an_open_emergency_waits_five_minutes_only(
    world: World, work: Work, sender: RecordingSender
) -> None:
    key = made(world, expected=60)
    call(world, key)
    world.clock.move(minutes=30)
    world.issue(provider="Norvik Mobile")
    world.clock.move(minutes=6)
    assert told(work, sender) == set(), "that is another provider's"
    world.issue()
    world.clock.move(minutes=5)
    assert told(work, sender) == set(), "so long it is given to notice"
    world.clock.move(seconds=1)
    assert told(work, sender) == {ADMINISTRATOR, *OURS}


@pytest.mark.one_database
def test_an_emergency_does_not_wait_longer_than_is_expected_anyway(
    world: World, work: Work, sender: RecordingSender
) -> None:
    key = made(world, expected=2)
    call(world, key)
    world.issue()
    world.clock.move(minutes=2, seconds=1)
    assert told(work, sender) == {ADMINISTRATOR, *OURS}


def test_a_program_that_moved_to_the_successor_is_not_missed(
    world: World, work: Work, sender: RecordingSender
) -> None:
    old = made(world)
    call(world, old)
    with world.database.transaction() as session:
        new = keyring.roll(session, world.actor("provider_administrator"), old, 7, world.now)[0].id
    world.clock.move(minutes=1)
    call(world, new)
    for _ in range(3):
        world.clock.move(minutes=10)
        call(world, new)
        assert told(work, sender) == set()
    world.clock.move(minutes=16)
    assert told(work, sender) == {ADMINISTRATOR, *OURS}, "the successor is waited for as well"


@pytest.mark.one_database
def test_a_program_that_never_moved_is_missed(
    world: World, work: Work, sender: RecordingSender
) -> None:
    old = made(world)
    call(world, old)
    with world.database.transaction() as session:
        keyring.roll(session, world.actor("provider_administrator"), old, 7, world.now)
    world.clock.move(minutes=16)
    assert told(work, sender) == {ADMINISTRATOR, *OURS}


@pytest.mark.one_database
@pytest.mark.parametrize("end", ["revoked", "expired", "unexpected"])
def test_a_key_that_counts_no_longer_is_not_waited_for(
    world: World, work: Work, sender: RecordingSender, end: str
) -> None:
    key = made(world)
    call(world, key)
    ends: dict[str, dict[str, Any]] = {
        "revoked": {"revoked_at": world.now},
        "expired": {"expires_at": world.now},
        "unexpected": {"expected_every": None},
    }
    with world.database.transaction() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key).values(**ends[end]))
    world.clock.move(hours=2)
    assert told(work, sender) == set()


@pytest.mark.one_database
@pytest.mark.parametrize("minutes", [-1, 0, 1, 10_081])
def test_how_often_is_bounded(world: World, minutes: int) -> None:
    key = made(world)
    with world.database.transaction() as session, pytest.raises(Invalid):
        keyring.expect(session, world.actor("provider_administrator"), key, minutes, world.now)
    with pytest.raises(Invalid):
        made(world, minutes)


@pytest.mark.one_database
def test_the_pages_say_so(
    app: Flask, world: World, work: Work, sender: RecordingSender, database: Database
) -> None:
    key = made(world, None)
    theirs, ours, others = (app.test_client() for _ in range(3))
    world.sign_in(theirs, "provider_administrator")
    path = f"/api-keys/{key}/expect"
    refused = submit(theirs, path, {"expected": "1"})
    assert refused.status_code == 422
    assert "Enter 2 to 10080 minutes" in refused.text
    assert submit(theirs, path, {"expected": "15"}).status_code == 303
    assert "expected every 15 min" in theirs.get("/api-keys").text
    assert 'value="15"' in theirs.get(path).text
    call(world, key)
    world.clock.move(minutes=16)
    watch.audit(work)
    assert "Silent" in theirs.get("/api-keys").text
    world.sign_in(ours, "officer")
    meridian = world.register.providers["Meridian Telecom"]
    for page in ("/orders", "/orders?part=live", "/contacts"):
        assert "Programs that have fallen silent: Meridian Telecom." in ours.get(page).text
    assert "is silent" in ours.get(f"/providers/{meridian}").text
    world.sign_in(others, "norvik_spoc")
    assert "fallen silent" not in others.get("/orders").text
