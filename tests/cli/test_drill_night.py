"""A drill at night, run by ``worker --once --as-of`` and answered late: the scorecard shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from liaison.cli import main
from liaison.clock import rfc3339
from liaison.domain.vocabulary import DrillState
from tests.conftest import ENCRYPTION_KEY
from tests.drills import every, order_of, seen
from tests.mail import SmtpSink
from tests.world import World, submit

BEGUN = datetime(2026, 11, 23, 23, 10, tzinfo=UTC)
"""03:10 in Yerevan, where the provider sleeps."""

Night = Callable[[], str]


@pytest.fixture
def worker(
    world: World, smtp_sink: SmtpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Night]:
    """``liaison worker --once --as-of`` the moment that the tests' clock shows; what it said."""
    url = world.database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("LIAISON_ENV", "test")
    monkeypatch.setenv("LIAISON_DATABASE_URL", url)
    monkeypatch.setenv("LIAISON_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", ENCRYPTION_KEY)
    monkeypatch.setenv("LIAISON_SMTP_URL", smtp_sink.url)
    before = structlog.get_config()

    def run() -> str:
        words = ("worker", "--once", "--as-of", rfc3339(world.now))
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        return done.output

    yield run
    structlog.configure(**before)


def row(page: str, name: str) -> list[str]:
    """The cells behind a row's heading, as text."""
    found = re.search(rf'<tr><th scope="row">{re.escape(name)}</th>(.*?)</tr>', page, re.DOTALL)
    assert found is not None, f"no row {name!r}"
    cells = re.findall(r"<td[^>]*>(.*?)</td>", found.group(1), re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in cells]


def signed_in(app: Flask, world: World, who: str) -> FlaskClient:
    client = app.test_client()
    world.sign_in(client, who)
    return client


def test_the_night(app: Flask, world: World, worker: Night, smtp_sink: SmtpSink) -> None:
    supervisor = signed_in(app, world, "supervisor")
    planned = submit(
        supervisor,
        "/drills/new",
        {
            "provider": str(world.register.providers["Meridian Telecom"]),
            "urgency": "emergency",
            "when": "later",
            "planned_at": "2026-11-24 03:10",
            "zone": "Asia/Yerevan",
        },
    )
    assert planned.status_code == 303, planned.text
    (drill,) = every(world)
    assert drill.planned_at == BEGUN

    world.clock.set(BEGUN - timedelta(minutes=1))
    worker()
    assert seen(world, drill).state is DrillState.PLANNED
    world.clock.set(BEGUN)
    worker()
    order = order_of(world, drill)
    assert order.ref == "CP-TEST-2026-0001"
    assert order.issued_at == BEGUN
    for _ in range(6):  # the whole ladder, and an hour at its top
        world.clock.move(minutes=15)
        worker()
    subjects = [str(letter.message["Subject"]) for letter in smtp_sink.letters]
    assert len(subjects) >= 5
    assert all(subject.startswith("[TEST] ") for subject in subjects)
    assert sum("ladder is used up" in subject for subject in subjects) == 1

    world.clock.set(BEGUN + timedelta(minutes=92))
    spoc = signed_in(app, world, "spoc")
    queue = spoc.get("/orders").text
    assert order.ref in queue
    assert "TEST: a drill" in queue
    assert "running</span>" not in queue, "the bar counts no drill"
    begun = world.now
    answer = submit(
        spoc,
        f"/orders/{order.ref}/acknowledge",
        {"reference": "T-1", "version": str(world.order(order.name).version)},
    )
    assert answer.status_code == 303, answer.text
    late = int((begun - BEGUN).total_seconds()) // 60
    world.clock.set(BEGUN + timedelta(hours=3))
    worker()
    program = app.test_client()
    kept = program.post(
        f"/api/v1/orders/{order.ref}/preservation", json={"days": 1}, headers=world.bearer()
    )
    assert kept.status_code == 200, kept.text
    assert kept.get_json()["test"] is True
    worker()
    assert seen(world, drill).state is DrillState.ENDED

    path = f"/providers/{world.register.providers['Meridian Telecom']}/scorecard"
    supervisor = signed_in(app, world, "supervisor")
    # The provider has a memorandum with two authorities; each has its own card.
    of_spoc = signed_in(app, world, "spoc").get(path).text.partition("<h2>National 24/7")[2]
    for page in (supervisor.get(path).text, of_spoc):
        assert row(page, "Served") == ["1", "0"]
        assert row(page, "Answered, of those that can be judged") == ["1 of 1", "0 of 0"]
        assert row(page, "Median time to acknowledge") == [f"1 h {late - 60} min", "–"]
        assert row(page, "90th percentile") == [f"1 h {late - 60} min", "–"]
        assert row(page, "Acknowledged within the term") == ["0 of 1 (0 %)", "–"]
        assert row(page, "Preserved within the term") == ["1 of 1 (100 %)", "–"]
        assert row(page, "03:00") == ["0 of 1 (0 %)", "–"]
        assert row(page, "02:00") == ["–", "–"]
        assert row(page, "SPOC on duty")[:2] == ["E-mail", "1"]
    listed = supervisor.get("/drills").text
    assert order.ref in listed
    assert "Late" in listed
    assert "by night" in listed
