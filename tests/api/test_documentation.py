"""docs/api.md: its program runs, its table is whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.api.program import Program
from tests.world import World

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
CASES = (Path(__file__).parents[2] / "docs" / "case-systems.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.one_database


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application on a port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_program_that_checks_the_chain(address: str, program: Program, world: World) -> None:
    for _ in range(60):
        order = world.issue()
        program.get(f"/orders/{order.ref}")
    [script] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    settings = {"LIAISON_URL": address, "LIAISON_KEY": world.key("Meridian Telecom")}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    head = program.get("/events").get_json()["head"]
    assert run.stdout == f"120 entries hold; the head is {head['hash']}\n"


def test_every_call_and_setting_of_the_table_is_there(app: Flask) -> None:
    served = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
    }
    told = set(re.findall(r"^\| `[A-Z]+ (/api/v1/[^?`]+)", TEXT + CASES, re.MULTILINE))
    assert told == served
