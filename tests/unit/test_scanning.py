"""The installation's scanner: what its answers mean, and what happens without one."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from time import monotonic

import pytest

from liaison import scanning
from liaison.errors import Invalid, LiaisonError


def command(tmp_path: Path, body: str) -> str:
    """A scanner that does this; a shell script, so that it has children."""
    script = tmp_path / "scan.sh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return str(script)


def test_without_a_command_nothing_runs() -> None:
    scanning.scan("", [b"anything"])
    assert "not set" in scanning.probe("")


def test_a_clean_file_passes_and_comes_whole(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    content = bytes(range(256)) * 5000
    scanning.scan(command(tmp_path, f"cat > {seen}"), [content])
    assert seen.read_bytes() == content


def test_one_that_reads_nothing_may_pass_it_all_the_same(tmp_path: Path) -> None:
    scanning.scan(command(tmp_path, "exit 0"), [b"x" * 1_000_000])


def test_a_refused_file_is_named_by_its_place_and_the_reason_only_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scanner = command(
        tmp_path, 'grep -q EICAR && echo "Eicar FOUND" && echo more && exit 1; exit 0'
    )
    with pytest.raises(Invalid) as caught:
        scanning.scan(scanner, [b"fine", b"EICAR"])
    (error,) = caught.value.errors
    assert error.pointer == "/attachments/1"
    assert "Eicar" not in error.detail
    told = "".join(capfd.readouterr())
    assert "Eicar FOUND" in told
    assert "more" not in told


@pytest.mark.parametrize("body", ["exit 2", "exit 127", "kill -9 $$"])
def test_any_other_end_is_no_answer(tmp_path: Path, body: str) -> None:
    with pytest.raises(scanning.NotScanned):
        scanning.scan(command(tmp_path, body), [b"x"])


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    # Whoever holds the pipe open still lives.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    begun = monotonic()
    with pytest.raises(scanning.NotScanned):
        scanning.scan(command(tmp_path, f"sleep 60 > {pipe} & echo >{pipe}; wait"), [b"x"], limit=1)
    assert monotonic() - begun < 15
    waiting = select.poll()
    waiting.register(end, select.POLLIN)
    os.read(end, 100)
    assert waiting.poll(5000) == [(end, select.POLLHUP)], "a child lives on"
    os.close(end)


def test_the_time_is_for_all_files_together(tmp_path: Path) -> None:
    with pytest.raises(scanning.NotScanned):
        scanning.scan(command(tmp_path, "sleep 0.2"), [b"x"] * 50, limit=0.5)


@pytest.mark.parametrize("missing", ["/no/such/scanner", "'half a quote", "/"])
def test_one_that_is_not_there_is_no_answer(missing: str) -> None:
    with pytest.raises(scanning.NotScanned):
        scanning.scan(missing, [b"x"])
    with pytest.raises(LiaisonError, match="cannot be run"):
        scanning.probe(missing)


def test_the_check_says_whether_it_answers(tmp_path: Path) -> None:
    assert "answers" in scanning.probe(f"{sys.executable} -c pass")
    with pytest.raises(LiaisonError, match="exit 1"):
        scanning.probe(command(tmp_path, "exit 1"))
