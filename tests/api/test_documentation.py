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
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from liaison import settings
from liaison.api.docs.calls import TYPES
from liaison.checks.given import OF_THE_CLIENT
from liaison.domain.stream_events import STREAM_EVENTS
from liaison.portal.problems import PROBLEMS
from tests.api.program import Program
from tests.floors import PACKAGE
from tests.world import World

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
CASES = (ROOT / "docs" / "case-systems.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

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
    said = run(SCRIPTS[0], address, world)
    head = program.get("/events").get_json()["head"]
    assert said == f"120 entries hold; the head is {head['hash']}\n"


def test_the_program_that_checks_a_signed_order(
    address: str, client: FlaskClient, world: World, tmp_path: Path
) -> None:
    order = world.issue()
    signed = client.get(f"/api/v1/orders/{order.ref}/order.jws", headers=world.bearer())
    file = tmp_path / "order.jws"
    file.write_bytes(signed.data)
    assert run(SCRIPTS[1], address, world, str(file)) == f"{order.ref} {order.sha256}\n"


def run(script: str, address: str, world: World, *arguments: str) -> str:
    """What a program of the page prints."""
    settings = {"LIAISON_URL": address, "LIAISON_KEY": world.key("Meridian Telecom")}
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_call_and_setting_of_the_table_is_there(app: Flask) -> None:
    served = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
    }
    told = set(re.findall(r"^\| `[A-Z]+ (/api/v1/[^?`]+)", TEXT + CASES, re.MULTILINE))
    assert told == served


def test_every_type_of_entry_is_told() -> None:
    [section] = re.findall(r"^## The stream's entries\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(order\.\w+)`", section)) == set(STREAM_EVENTS)


def test_every_problem_stands_in_the_table_with_its_status() -> None:
    told = {
        (status, kind)
        for line in re.findall(r"^\| (\d{3}.*?) \| (`.*?) \|", TEXT, re.MULTILINE)
        for status, kind in pairs(*line)
    }
    assert told == {(status, kind) for status, kinds in TYPES.items() for kind in kinds}


def pairs(statuses: str, kinds: str) -> list[tuple[str, str]]:
    """``500, 503`` beside ``error``, ``busy`` are two; two statuses of one kind are two as well."""
    left, right = re.findall(r"\d+", statuses), re.findall(r"`([\w-]+)`", kinds)
    return list(zip(left, right * len(left) if len(right) == 1 else right, strict=True))


def test_every_slug_in_the_code_has_its_page() -> None:
    """Read from the text, so that an error of a module that no test imports is found too."""
    raised = set()
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r"\bslug(?:: \w+)? = \"([\w-]+)\"", text))
        raised |= set(re.findall(r"/problems/([a-z-]+)", text))
    assert len(raised) > 15
    assert raised == set(PROBLEMS)


def test_every_setting_is_told_and_known() -> None:
    read = {f"LIAISON_{n}" for n in re.findall(r'get\("([A-Z_]+)"', source("settings.py"))}
    told = set(re.findall(r"^\| `(LIAISON_[A-Z_]+)`", SETTINGS, re.MULTILINE))
    assert len(read) > 20
    assert read == set(settings.names()), "each setting is the field of its name"
    assert read == told, "a setting without a line in docs/operations.md"


def test_no_program_reads_a_setting_that_check_would_call_strange() -> None:
    beside = [ROOT / name for name in ("gunicorn.conf.py", "wsgi.py", "app.py")]
    read = set()
    for path in [*PACKAGE.rglob("*.py"), *beside]:
        text = path.read_text(encoding="utf-8")
        read |= set(re.findall(r"environ[\w.]*[\[(]\"(LIAISON_[A-Z_]+)", text))
        read |= set(re.findall(r"^ +\"(LIAISON_[A-Z_]+)\": ", text, re.MULTILINE))
    assert len(read) > 10
    assert read <= {*settings.names(), *OF_THE_CLIENT}


def source(name: str) -> str:
    """A file of the package."""
    return (PACKAGE / name).read_text(encoding="utf-8")
