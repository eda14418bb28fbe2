"""The page "Start here" is followed to the letter, on a demo whose programs are all real."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from liaison.demo import place
from liaison.demo.stage import Stage
from liaison.domain.lifecycle import OrderState
from liaison.models import Database, Order
from tests.running_demo import LIAISON, clean, running

pytestmark = pytest.mark.one_database

BLOCK = re.compile(r'<pre data-(run="\w+"|says)>(.*?)</pre>', re.DOTALL)
NEXT = "=== the next block"


def emergency(stage: Stage, now: datetime) -> None:
    """All of the demo's story that the page needs."""
    stage.clock.moment = now - timedelta(minutes=42)
    stage.issue(stage.clock.moment, "01-emergency-missing-child.json")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    with running(str(tmp_path), emergency) as folder:
        yield folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder as ``make demo`` leaves it behind: its commands lie in ``.venv/bin``."""
    commands = tmp_path / "source" / ".venv" / "bin"
    commands.mkdir(parents=True)
    poll = "from liaison.client.poll import main; main()"
    programs = {
        "liaison": f'-c "{LIAISON}" "$@"',
        "liaison-poll": f'-c "{poll}" "$@"',
        "python": '"$@"',
    }
    for name, arguments in programs.items():
        (commands / name).write_text(f"#!/bin/sh\nexec {sys.executable} {arguments}\n")
        (commands / name).chmod(0o755)
    return tmp_path / "source"


def test_the_page_leads_from_nothing_to_a_preserved_order(demo: Path, copy: Path) -> None:
    with urllib.request.urlopen(f"{place.noted(demo)['url']}/api/docs/start") as page:
        blocks = [(kind, unescape(text)) for kind, text in BLOCK.findall(page.read().decode())]
    assert blocks[0] == ('run="first"', "make demo")
    commands = [text for kind, text in blocks if kind == 'run="here"']
    script = f"\necho '{NEXT}'\n".join(["set -euo pipefail", *commands])
    run = subprocess.run(
        ["bash", "-c", script],
        env={**clean(), "LIAISON_DATA_DIR": str(demo.parent), "PYTHONPATH": str(place.ROOT)},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, f"{run.stdout[-2000:]}\n{run.stderr}"
    said = iter(run.stdout.split(NEXT)[1:])
    answer = ""
    for kind, text in blocks[1:]:
        if kind == 'run="here"':
            answer = next(said)
        else:
            for line in text.splitlines():
                assert line in answer, f"{line} is not in {answer}"
    database = Database(f"sqlite:///{demo / 'liaison.db'}")
    with database.reading() as session:
        [order] = session.scalars(select(Order).where(Order.test.is_(False)))
        assert (order.state, order.provider.name) == (OrderState.PRESERVED, "Meridian Telecom")
    database.close()
