"""A ladder calls whoever is on duty at that minute; gaps are told ahead by letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from liaison.models import Contact, Database, Rota
from liaison.services import duty, duty_gaps, duty_overrides
from liaison.worker import Done, Work, run_once
from tests.mail import RecordingSender
from tests.worker.looking import open_calls
from tests.world import World

SPOC, DEPUTY, LEGAL = (f"{name}@meridian.example" for name in ("spoc", "deputy", "legal"))
DUTY, SUPERVISOR = "duty@police.example", "supervisor@police.example"
DEPUTY_PHONE = "+37410000201"


def write(world: World, by: str, emails: list[str], **changes: Any) -> None:
    """A rota of these contacts, in a transaction of its own; the letters about it are let go."""
    with world.database.transaction() as session:
        found = {c.email: c for c in session.scalars(select(Contact))}
        data = {
            "name": "Desk",
            "turn": "daily",
            "handover": "16:30",
            "weekday": 0,
            "time_zone": "Asia/Yerevan",
            "starts_on": "2026-11-22",
            "members": [str(found[email].id) for email in emails],
            "windows": [],
            "holidays": "as_usual",
            **changes,
        }
        duty.make_rota(session, world.actor(by), data, world.now)


def settled(work: Work, sender: RecordingSender) -> None:
    run_once(work)
    sender.sent.clear()


def mailed(work: Work, sender: RecordingSender) -> list[str]:
    sender.sent.clear()
    run_once(work)
    return sender.addresses


# The ladder


def test_the_rung_calls_whoever_is_on_duty_at_that_minute_also_across_a_hand_over(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    # The turns of the 22nd and 23rd are the SPOC's and the deputy's, from 12:30 UTC.
    write(world, "spoc", [SPOC, DEPUTY])
    settled(work, sender)
    world.clock.move(minutes=29, seconds=59)
    world.issue()
    assert mailed(work, sender) == [SPOC]
    world.clock.move(seconds=1)
    order = world.issue()
    assert mailed(work, sender) == [DEPUTY]
    assert open_calls(database, order) == [DEPUTY_PHONE]


def test_our_duty_officer_is_whoever_is_on_duty_when_the_ladder_comes_there(
    work: Work, world: World, sender: RecordingSender
) -> None:
    # Hand-over at 12:30 UTC; the rung of the duty officer comes 45 minutes after issue.
    write(world, "administrator", [DUTY, SUPERVISOR])
    settled(work, sender)
    world.issue()
    run_once(work)
    world.clock.move(minutes=30)
    run_once(work)
    world.clock.move(minutes=15)
    assert mailed(work, sender) == [SUPERVISOR]


def test_in_a_gap_the_registered_spoc_is_called(
    work: Work, world: World, sender: RecordingSender
) -> None:
    write(world, "spoc", [LEGAL], windows=["Mon, 15:00 to 16:10"])
    settled(work, sender)
    world.issue()
    assert mailed(work, sender) == [LEGAL]
    world.clock.move(minutes=10)
    world.issue()
    assert mailed(work, sender) == [SPOC]


def test_whoever_stands_in_is_called(work: Work, world: World, sender: RecordingSender) -> None:
    write(world, "spoc", [SPOC])
    with world.database.transaction() as session:
        legal = session.scalars(select(Contact).where(Contact.email == LEGAL)).one()
        data = {
            "contact": str(legal.id),
            "rota": "",
            "starts_at": "2026-11-23 16:00",
            "ends_at": "2026-11-23 17:00",
        }
        duty_overrides.override(session, world.actor("spoc"), data, world.now)
    settled(work, sender)
    world.issue()
    assert mailed(work, sender) == [LEGAL]


# Gaps


def test_a_gap_of_the_coming_week_is_told_once_to_those_who_can_fill_it(
    work: Work, world: World, sender: RecordingSender
) -> None:
    write(world, "spoc", [SPOC], windows=["Mon to Sat, 00:00 to 24:00", "Sun, 00:00 to 20:00"])
    settled(work, sender)
    world.clock.move(minutes=59)
    assert mailed(work, sender) == [], "whoever writes rotas may not be done"
    world.clock.move(minutes=1)
    people = ["r.vardanyan@meridian.example", "t.avagyan@meridian.example"]
    assert sorted(mailed(work, sender)) == people
    letter = sender.sent[0]
    assert letter.subject == (
        "A gap in the duty of Meridian Telecom, from Sun 29 Nov, 20:00 (29 Nov, 16:00 UTC)"
    )
    assert "Mon 30 Nov, 00:00 (29 Nov, 20:00 UTC): Nobody is on duty" in letter.text
    assert "http://localhost/duty" in letter.text
    told = []
    for _ in range(8 * 4):
        world.clock.move(hours=6)
        told += [(world.now.day, address) for address in mailed(work, sender)]
    # The next Sunday's gap is told when it comes into sight; the first one never again.
    assert [day for day, _ in told] == [29, 29]


def test_a_gap_that_lasts_is_told_once(work: Work, world: World, sender: RecordingSender) -> None:
    write(world, "administrator", [DUTY], windows=["Mon, 10:00 to 10:01"], holidays="only")
    settled(work, sender)
    for _ in range(20):
        world.clock.move(days=3)
        run_once(work)
    told = [m.address for m in sender.sent if " in the duty of " in m.subject]
    people = ["s.martirosyan@police.example", SUPERVISOR]
    assert sorted(told) == sorted(people * (len(told) // 2))
    assert 2 <= len(told) <= 4, "once, and once more when its beginning is out of sight"


def test_a_member_who_goes_makes_a_gap(work: Work, world: World, sender: RecordingSender) -> None:
    write(world, "spoc", [SPOC, DEPUTY])
    settled(work, sender)
    world.clock.move(hours=1)
    assert mailed(work, sender) == []
    with world.database.transaction() as session:
        gone = update(Contact).where(Contact.email == DEPUTY)
        session.execute(gone.values(removed_at=datetime(2026, 11, 25, tzinfo=UTC)))
    world.clock.move(hours=1)
    assert len(mailed(work, sender)) == 2
    assert "not registered any more" in sender.sent[0].text


def test_without_gaps_or_rotas_there_is_nothing_to_do(
    work: Work, world: World, sender: RecordingSender
) -> None:
    with world.database.reading() as session:
        assert not duty_gaps.is_due(session, world.now)
    write(world, "spoc", [SPOC])
    settled(work, sender)
    world.clock.move(hours=1)
    with world.database.reading() as session:
        assert duty_gaps.is_due(session, world.now)
    assert run_once(work) == Done()
    with world.database.reading() as session:
        assert not duty_gaps.is_due(session, world.now)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_was_wrong_stops_nothing(
    work: Work, world: World, sender: RecordingSender, hours: int
) -> None:
    write(world, "spoc", [SPOC], starts_on="2026-11-28")
    settled(work, sender)
    with world.database.transaction() as session:
        session.execute(update(Rota).values(looked_at=world.now + timedelta(hours=hours)))
    assert len(mailed(work, sender)) == 2
    with world.database.reading() as session:
        assert not duty_gaps.is_due(session, world.now)


@pytest.mark.postgresql_only
def test_two_workers_at_one_organisation_do_not_wait_for_each_other(
    world: World, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        write(world, "spoc", [SPOC], name=f"Desk {number}")
    write(world, "norvik_spoc", ["spoc@norvik.example"])
    world.clock.move(hours=1)
    monkeypatch.setattr(duty_gaps, "BATCH", 1)
    with world.database.transaction() as one, world.database.transaction() as other:
        for session in (one, other):
            session.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert duty_gaps.run(one, world.now, "http://localhost") == 1
        assert duty_gaps.run(other, world.now, "http://localhost") == 0, "another has it"
    with world.database.transaction() as session:
        assert duty_gaps.run(session, world.now, "http://localhost") == 1
        assert duty_gaps.run(session, world.now, "http://localhost") == 0


def test_rotas_that_cannot_be_read_stop_no_others(
    work: Work, world: World, sender: RecordingSender
) -> None:
    write(world, "spoc", [SPOC])
    write(world, "norvik_spoc", ["spoc@norvik.example"], starts_on="2026-11-28")
    settled(work, sender)
    with world.database.transaction() as session:
        odd = update(Rota).where(Rota.provider_id == world.register.providers["Meridian Telecom"])
        session.execute(odd.values(windows=[{"strange": 1}]))
    world.clock.move(hours=1)
    with capture_logs() as logs:
        assert mailed(work, sender) == ["i.berg@norvik.example"]
    assert [(one["event"], one["error"]) for one in logs if "error" in one] == [
        ("gaps in duty not looked for", "KeyError")
    ]
    with world.database.reading() as session:
        assert not duty_gaps.is_due(session, world.now), "tried again in an hour"


def test_a_database_that_is_away_is_not_taken_for_an_odd_rota(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception())

    write(world, "spoc", [SPOC])
    world.clock.move(hours=1)
    monkeypatch.setattr(duty_gaps, "_look", away)
    with pytest.raises(OperationalError), world.database.transaction() as session:
        duty_gaps.run(session, world.now, "http://localhost")
    with world.database.reading() as session:
        assert duty_gaps.is_due(session, world.now)


def test_many_rotas_are_looked_at_in_portions(work: Work, world: World) -> None:
    for by in ("spoc", "norvik_spoc", "administrator"):
        email = {"spoc": SPOC, "norvik_spoc": "spoc@norvik.example"}.get(by, DUTY)
        for _ in range(9):
            write(world, by, [email])
    world.clock.move(hours=1)
    counts = []
    for _ in range(5):
        with world.database.transaction() as session:
            counts.append(duty_gaps.run(session, world.now, "http://localhost"))
    assert counts[0] == duty_gaps.BATCH and counts[-1] == 0
