"""What the worker keeps of the register: one job after the other, and none stops another."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from liaison.worker import Work, register, run_once
from liaison.worker.register import Job
from tests.mail import RecordingSender
from tests.world import World


def _broken(_session: Session, _now: datetime, _base_url: str) -> int:
    raise RuntimeError("no luck")


@pytest.mark.one_database
def test_a_job_that_fails_stops_no_other_and_is_not_silent(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def counting(_session: Session, _now: datetime, base_url: str) -> int:
        done.append(base_url)
        return 1

    jobs = (
        Job("broken", lambda _s, _n: True, _broken),
        Job("counting", lambda _s, _n: not done, counting),
    )
    monkeypatch.setattr(register, "JOBS", jobs)

    assert register.keep(work) is True
    assert done == [work.settings.base_url.rstrip("/")]
    with pytest.raises(RuntimeError, match="no luck"):
        register.keep(work)


def test_a_job_that_fails_holds_up_no_ladder(
    world: World, work: Work, sender: RecordingSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "JOBS", (Job("broken", lambda _s, _n: True, _broken),))
    world.issue()
    with pytest.raises(RuntimeError, match="no luck"):
        run_once(work)
    assert sender.addresses == ["spoc@meridian.example"]


@pytest.mark.one_database
def test_what_is_due_is_done_portion_by_portion_in_one_run(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [3]

    def one(_session: Session, _now: datetime, _base_url: str) -> int:
        left[0] -= 1
        return 1

    monkeypatch.setattr(register, "JOBS", (Job("portions", lambda _s, _n: left[0] > 0, one),))
    run_once(work)
    assert left == [0]


@pytest.mark.one_database
def test_nothing_is_begun_for_a_job_that_has_nothing_to_do(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "JOBS", (Job("idle", lambda _s, _n: False, _broken),))
    assert register.keep(work) is False
