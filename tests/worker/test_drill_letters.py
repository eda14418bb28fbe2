"""Letters of drills: TEST comes first, and the announcement says what is coming."""

from __future__ import annotations

from datetime import timedelta

import pytest

from liaison.documents.letters import compose
from liaison.worker import Work, run_once
from tests.drills import plan
from tests.mail import RecordingSender
from tests.world import World

PARAMS = {
    "ref": "CP-TEST-2026-0001",
    "urgency": "emergency",
    "provider": "Meridian Telecom",
    "authority": "Republic Contact Point",
    "name": "Karen Hovsepyan",
    "due": "2026-11-23T13:00:00+00:00",
}


@pytest.mark.parametrize(("env", "begins"), [("test", "[TEST] "), ("demo", "[DEMO] [TEST] ")])
def test_a_drills_letter_says_test_in_subject_and_text(env: str, begins: str) -> None:
    made = compose("order_issued", {**PARAMS, "test": True}, "https://cp.example", env)
    assert made.subject.startswith(f"{begins}Emergency")
    for part in (made.text, made.html):
        assert "TEST: this is a drill." in part


@pytest.mark.parametrize("told", [{}, {"test": False}])
def test_a_real_ones_does_not(told: dict[str, bool]) -> None:
    made = compose("order_issued", {**PARAMS, "ref": "CP-2026-0001", **told}, "https://x", "test")
    assert "TEST" not in made.subject + made.text + made.html


def test_every_letter_of_a_drill_is_marked_and_no_other(
    world: World, work: Work, sender: RecordingSender
) -> None:
    plan(world)
    for _ in range(26 * 4):  # the whole ladder, the supervisor, the end
        run_once(work)
        world.clock.move(minutes=15)
    assert len(sender.sent) > 6
    assert all(sent.subject.startswith("[TEST] ") for sent in sender.sent)
    assert "is withdrawn" in sender.sent[-1].subject
    before = len(sender.sent)
    world.issue()
    run_once(work)
    assert [sent.subject for sent in sender.sent[before:] if "TEST" in sent.subject] == []
    assert len(sender.sent) > before


def test_an_announced_drill_is_told_of_a_day_before_and_once(
    world: World, work: Work, sender: RecordingSender
) -> None:
    plan(world, world.now + timedelta(hours=30), announced=True)
    run_once(work)
    assert sender.sent == []
    world.clock.move(hours=6)
    run_once(work)
    run_once(work)
    assert sorted(sender.addresses) == ["deputy@meridian.example", "spoc@meridian.example"]
    letter = sender.sent[0]
    assert letter.subject == "[TEST] A drill is announced for 24 Nov 2026, 18:00 UTC"
    for words in ("National 24/7 Contact Point", "Meridian Telecom", "http://localhost/drills"):
        assert words in letter.text
