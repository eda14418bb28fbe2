"""The demo's mail server, its folder, and its programs."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liaison.delivery import EmailSender, Outgoing
from liaison.demo import mailbox
from liaison.demo.children import Child, stop, stop_leftovers
from liaison.demo.letters import listed, opened
from liaison.demo.running import _free_port

NOTICE = Outgoing(
    "spoc@meridian.example",
    "Ein Brief für Élodie",
    "Look.\n",
    "<script>alert(1)</script>",
    "key:1",
    datetime(2026, 11, 23, 12, tzinfo=UTC),
)


def test_a_letter_goes_through_the_real_server_into_the_folder(tmp_path: Path) -> None:
    port = _free_port(18025)
    server = mailbox.start(tmp_path, port)
    try:
        receipt = EmailSender(f"smtp://127.0.0.1:{port}", "Liaison <l@police.example>").send(NOTICE)
    finally:
        server.stop()
    (letter,) = listed(tmp_path)
    assert receipt.reference == f"filed as {letter.name}"
    assert letter.name.startswith("20261123T120000-")
    assert (letter.to, letter.subject, letter.key) == (NOTICE.address, NOTICE.subject, NOTICE.idem)
    assert letter.text.strip() == "Look."
    assert letter.html.strip() == NOTICE.html


@pytest.mark.parametrize("name", ["../accounts", "20261123T120000-0000000", "", "x" * 5000, "\0"])
def test_only_letters_are_opened(tmp_path: Path, name: str) -> None:
    assert opened(tmp_path, name) is None


def test_programs_are_stopped_by_their_ids(tmp_path: Path) -> None:
    quiet = Child(
        "quiet",
        [sys.executable, "-c", "import time; time.sleep(60)"],
        {"MARK": "ours"},
        tmp_path / "log",
    )
    quiet.start()
    assert quiet.is_alive
    stop([quiet])
    assert not quiet.is_alive


def test_leftovers_of_a_killed_demo_are_stopped_and_strangers_left_alone(tmp_path: Path) -> None:
    ready = "import time; print('up', flush=True); time.sleep(60)"
    ours = Child("ours", [sys.executable, "-c", ready], {"MARK": "ours"}, tmp_path / "a")
    other = Child("other", [sys.executable, "-c", ready], {"MARK": "another's"}, tmp_path / "b")
    for child in (ours, other):
        child.start()
        deadline = time.monotonic() + 10
        while "up" not in child.last_words() and time.monotonic() < deadline:
            pass
    try:
        assert ours.process is not None
        assert other.process is not None
        assert stop_leftovers([ours.process.pid, other.process.pid, 2**22 - 1], "MARK=ours") == 1
        ours.process.wait(10)
        assert other.is_alive
    finally:
        stop([ours, other])


def test_a_program_that_keeps_dying_is_given_up() -> None:
    child = Child("short", [sys.executable, "-c", ""], {})
    assert [child.died_too_often() for _ in range(3)] == [False, False, True]
