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

from liaison.demo import accounts, place
from liaison.demo.stage import Stage
from liaison.domain.lifecycle import OrderState
from liaison.models import Database, Order
from tests.running_demo import LIAISON, clean, running

pytestmark = pytest.mark.one_database

BLOCK = re.compile(r'<pre data-(run="\w+"|says)>(.*?)</pre>', re.DOTALL)
NEXT = "=== the next block"
DOCS = place.ROOT / "docs"
SHELL = [
    block
    for block in re.findall(r"```sh\n(.*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    if "ORDER=$(" in block
]
[ENGINEER] = re.findall(
    r"You are a provider's engineer(.*?)Or let `liaison-poll`",
    (place.ROOT / "README.md").read_text("utf-8"),
    re.DOTALL,
)
README = "\n".join(line for line in ENGINEER.splitlines() if line.startswith("    "))
FIRST = (
    'curl -sS "$API/orders?state=issued" -H "Authorization: Bearer $KEY" |'
    f' {sys.executable} -c \'import json, sys; print(json.load(sys.stdin)["orders"][0]["ref"])\''
)
"""What the README leaves to its reader: a ref that was listed."""


def waiting(stage: Stage, now: datetime) -> None:
    """All of the demo's story that the pages need: an emergency, and another order that waits."""
    for file, minutes in (("01-emergency-missing-child.json", 42), ("10-mailbox-takeover.json", 9)):
        stage.clock.moment = now - timedelta(minutes=minutes)
        stage.issue(stage.clock.moment, file)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    with running(str(tmp_path), waiting) as folder:
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


def ran(script: str, demo: Path, copy: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A visitor's shell, in the folder in which ``make demo`` was run."""
    own = {"LIAISON_DATA_DIR": str(demo.parent), "PYTHONPATH": str(place.ROOT)}
    return subprocess.run(
        ["bash", "-c", script],
        env={**clean(), **own, **more},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def page(demo: Path, path: str) -> str:
    with urllib.request.urlopen(place.noted(demo)["url"] + path) as found:
        return str(found.read().decode())


def key(demo: Path) -> str:
    return str(accounts.kept(demo)["keys"]["Meridian Telecom"])


def states(demo: Path) -> list[OrderState]:
    """Of the orders, oldest first."""
    database = Database(f"sqlite:///{demo / 'liaison.db'}")
    with database.reading() as session:
        found = select(Order.state).where(Order.test.is_(False)).order_by(Order.issued_at)
        told = list(session.scalars(found))
    database.close()
    return told


def test_the_page_leads_from_nothing_to_a_preserved_order(demo: Path, copy: Path) -> None:
    start = page(demo, "/api/docs/start")
    blocks = [(kind, unescape(text)) for kind, text in BLOCK.findall(start)]
    assert blocks[0] == ('run="first"', "make demo")
    commands = [text for kind, text in blocks if kind == 'run="here"']
    run = ran(f"\necho '{NEXT}'\n".join(["set -euo pipefail", *commands]), demo, copy)
    assert run.returncode == 0, f"{run.stdout[-2000:]}\n{run.stderr}"
    said = iter(run.stdout.split(NEXT)[1:])
    answer = ""
    for kind, text in blocks[1:]:
        if kind == 'run="here"':
            answer = next(said)
        else:
            for line in text.splitlines():
                assert line in answer, f"{line} is not in {answer}"
    assert states(demo) == [OrderState.PRESERVED, OrderState.ISSUED]


def test_the_readme_finds_what_its_spoc_has_left_and_then_nothing(demo: Path, copy: Path) -> None:
    asked = README
    secret, url = key(demo), place.noted(demo)["url"]
    given = {"KEY=lsn_…": f"KEY={secret}", "http://127.0.0.1:8000": url}
    given["ORDER=CP-…"] = f"ORDER=$({FIRST})"
    for before, after in given.items():
        assert before in asked
        asked = asked.replace(before, after)
    # The SPOC of the README acknowledges the emergency; then its engineer has the other one.
    for left in ([OrderState.PRESERVED, OrderState.ISSUED], [OrderState.PRESERVED] * 2):
        run = ran(f"set -euo pipefail\n{asked}", demo, copy)
        assert run.returncode == 0, run.stderr
        assert "problems/" not in run.stdout
        assert states(demo) == left
    own = {"LIAISON_URL": url, "LIAISON_KEY": secret, "auth": f"Authorization: Bearer {secret}"}
    blocks = [unescape(text) for _, text in BLOCK.findall(page(demo, "/api/docs/start"))]
    [first] = re.findall(r"<pre>(export LIAISON_URL.*?)</pre>", page(demo, "/api/docs"), re.DOTALL)
    reference = unescape(first).partition("\n\n")[2]
    for step in (*(b for b in blocks if "ORDER=$(" in b), *SHELL, reference):
        nothing = ran(step, demo, copy, **own)
        assert nothing.stderr.splitlines() == ["No order waits."], step
        assert nothing.stdout == "", "what follows asks for no order without a name"
