"""``liaison-poll`` as a process: killed at the worst line, asked to stop, started twice."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import httpx

from liaison.client import poll
from tests.client.book import Portal, entry, written
from tests.client.served import ended, ran, served, started
from tests.client.test_poll import noted, script, seen
from tests.worker.looking import until


def test_killed_between_command_and_cursor_the_entry_comes_again(tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "again = str(entry['seq']) in open(seen.name).read().split()\n"
        "print(entry['seq'], file=seen)\nseen.close()\n"
        "if entry['seq'] == 2 and not again:\n"
        "    os.kill(os.getppid(), 9)\n",
    )
    cursor = tmp_path / "cursor"
    options = ("--once", "--exec", command, "--cursor", str(cursor))
    with served(Portal(written(3))) as url:
        assert ran(url, *options)[0] == -signal.SIGKILL
        assert noted(cursor) == 1
        assert ran(url, *options)[0] == 0, "the lock went with the process"
    assert noted(cursor) == 3
    assert seen(tmp_path) == ["1", "2", "2", "3"]


def test_asked_to_stop_it_ends_after_the_command_and_before_the_next(tmp_path: Path) -> None:
    go, cursor = tmp_path / "go", tmp_path / "cursor"
    command = script(
        tmp_path,
        "import time\nprint(entry['seq'], file=seen, flush=True)\n"
        f"while not os.path.exists({str(go)!r}):\n    time.sleep(0.01)\n",
    )
    options = ("--exec", command, "--cursor", str(cursor))
    with served(Portal(written(3))) as url:
        with started(url, *options) as running:
            until(lambda: seen(tmp_path) == ["1"])
            code, _, err = ran(url, *options)
            assert (code, "in use by another" in err) == (poll.CURSOR, True)
            running.send_signal(signal.SIGTERM)
            go.touch()
            assert ended(running)[0] == 0
        assert (noted(cursor), seen(tmp_path)) == (1, ["1"])

        # Whoever asks twice does not wait for the command; the entry comes again.
        go.unlink()
        with started(url, *options) as running:
            until(lambda: seen(tmp_path) == ["1", "2"])
            running.send_signal(signal.SIGINT)
            running.send_signal(signal.SIGTERM)
            assert ended(running)[0] == 0
        assert noted(cursor) == 1


def test_asked_to_stop_while_it_waits_it_stops_at_once(tmp_path: Path) -> None:
    waits, over = threading.Event(), threading.Event()

    class Slow(Portal):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.url.params.get("wait") == "25":
                waits.set()
                over.wait(60)
            return super().__call__(request)

    options = ("--json", "--cursor", str(tmp_path / "cursor"))
    with served(Slow(written(1), interval="0")) as url, started(url, *options) as running:
        assert waits.wait(60)
        running.send_signal(signal.SIGTERM)
        code, out, err = ended(running)
        over.set()
    assert (code, json.loads(out)["seq"], "Traceback" in err) == (0, 1, False)


def test_nobody_reads_the_lines_any_more(tmp_path: Path) -> None:
    portal, cursor = Portal(written(1), interval="0"), tmp_path / "cursor"
    options = ("--json", "--wait", "0", "--cursor", str(cursor))
    with served(portal) as url, started(url, *options) as running:
        assert running.stdout is not None
        assert json.loads(running.stdout.readline())["seq"] == 1
        running.stdout.close()
        portal.entries = written(2)
        assert running.wait(60) == poll.COMMAND
        assert running.stderr is not None
        err = running.stderr.read()
    assert noted(cursor) == 1
    assert "standard output" in err
    assert "Traceback" not in err


def test_nobody_takes_the_lines_and_it_is_asked_to_stop(tmp_path: Path) -> None:
    told, cursor = written(1), tmp_path / "cursor"
    told.append(entry(2, told[0]["hash"], {"text": "x" * 200_000}))  # more than a pipe holds
    options = ("--json", "--cursor", str(cursor))
    # A proxy of the machine's is no way to this machine.
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    with served(Portal(told)) as url, started(url, *options, **proxy) as running:
        until(lambda: cursor.exists() and noted(cursor) == 1)
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    assert noted(cursor) == 1
