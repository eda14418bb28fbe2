"""``liaison-poll`` handles each entry, notes how far it came, and says how it ended."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from liaison.client import Client, Head, poll
from liaison.client.cursor import Cursor, CursorError
from liaison.client.shapes import TYPES
from liaison.domain.stream_events import STREAM_EVENTS
from tests.client.book import KEY, PROVIDER, STREAM, Clock, Portal, entry, whoami, written
from tests.client.served import ROOT


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The program listens to signals; the tests' own handlers come back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def polls(portal: Portal, *options: str, clock: Clock | None = None) -> int:
    """One run in this process; the exit code."""
    client = Client(
        "https://liaison.example",
        KEY,
        transport=httpx.MockTransport(portal),
        time=(clock or Clock()).time,
        patience=0.1,
    )
    read = poll._parser().parse_args(["--once", *options])
    return poll.run(client, poll._handler(read), read)


def script(folder: Path, text: str) -> str:
    """A command: Python that has the entry as ``entry`` and notes in the file ``seen``."""
    file = folder / "command.py"
    head = (
        "import json, os, sys\nentry = json.load(sys.stdin)\n"
        f"seen = open({str(folder / 'seen')!r}, 'a')\n"
    )
    file.write_text(head + text)
    return f"{sys.executable} {file}"


def seen(folder: Path) -> list[str]:
    file = folder / "seen"
    return file.read_text().splitlines() if file.exists() else []


def noted(cursor: Path) -> int:
    told = json.loads(cursor.read_text())
    assert told["stream"] == STREAM
    seq: int = told["seq"]
    return seq


def test_entries_are_printed_once_in_sequence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal, cursor = Portal(written(5)), tmp_path / "cursor"
    assert polls(portal, "--json", "--cursor", str(cursor)) == 0
    assert polls(portal, "--json", "--cursor", str(cursor)) == 0
    portal.entries = written(7)
    assert polls(portal, "--json", "--cursor", str(cursor)) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [json.loads(line) for line in lines] == written(7)
    assert said.out.isascii(), "one line stays one line, whatever stands in an entry"
    assert "reads the stream of Meridian Telecom after entry 5" in said.err
    assert noted(cursor) == 7
    assert stat.S_IMODE(cursor.stat().st_mode) == 0o600


def test_a_command_runs_once_an_entry_and_is_told_what_it_is(tmp_path: Path) -> None:
    told = written(2)
    told.append(entry(3, told[-1]["hash"], {"n": 3}, "order.issued"))
    told[2]["order"] = None
    command = script(
        tmp_path,
        "names = ('SEQ', 'TYPE', 'ORDER', 'REF')\n"
        "print(entry['data']['n'], *[os.environ['LIAISON_' + n] for n in names], file=seen)\n",
    )
    cursor = tmp_path / "cursor"
    given = ("--exec", command, "--cursor", str(cursor))
    assert polls(Portal(told), *given, "--types", "order.issued, order.ratified") == 0
    assert seen(tmp_path) == ["3 3 order.issued  "]
    assert noted(cursor) == 3
    cursor.unlink()
    assert polls(Portal(told), *given) == 0
    assert [line.split()[0] for line in seen(tmp_path)] == ["3", "1", "2", "3"]


def test_what_fails_comes_again_and_nothing_after_it_goes_first(tmp_path: Path) -> None:
    portal, cursor = Portal(written(4)), tmp_path / "cursor"
    command = script(
        tmp_path,
        "print(entry['seq'], file=seen)\nseen.close()\n"
        f"sys.exit(3 if entry['seq'] == 3 and open({str(tmp_path / 'seen')!r}).read()"
        ".count('3') < 2 else 0)\n",
    )
    given = ("--exec", command, "--cursor", str(cursor))
    assert polls(portal, *given) == poll.COMMAND
    assert noted(cursor) == 2
    assert json.loads(cursor.read_text())["head"]["seq"] == 4
    assert polls(portal, *given) == 0
    assert seen(tmp_path) == ["1", "2", "3", "3", "4"]


def test_a_command_that_takes_too_long_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = script(tmp_path, "import time\ntime.sleep(60)\n")
    given = ("--exec", command, "--cursor", str(tmp_path / "cursor"), "--limit", "0.2")
    assert polls(Portal(written(1)), *given) == poll.COMMAND
    assert "longer than 0.2 s" in capsys.readouterr().err


def test_a_changed_history_ends_it_and_the_cursor_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cursor = tmp_path / "cursor"
    given = ("--json", "--cursor", str(cursor))
    assert polls(Portal(written(5)), *given) == 0
    before = cursor.read_text()
    for changed in (
        written(4),
        written(9, word="forged"),
        [*written(7)[:5], *written(7)[6:]],
        [*written(6)[:5], written(6)[5] | {"data": {}}],
    ):
        capsys.readouterr()
        assert polls(Portal(changed), *given) == poll.HISTORY
        said = capsys.readouterr()
        assert "HISTORY BROKEN" in said.err
        assert "entry " in said.err
        assert said.out == ""
        assert cursor.read_text() == before


def test_each_end_has_its_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cursor = tmp_path / "cursor"

    def refused(status: int, slug: str = "") -> Portal:
        told = {"type": f"https://liaison.example/problems/{slug}", "detail": "No."}
        body = told if slug else None
        return Portal([], first=[lambda _: httpx.Response(status, json=body)] * 50)

    assert polls(refused(401, "unauthenticated"), "--json") == poll.KEY
    assert polls(refused(403, "forbidden"), "--json") == poll.KEY
    assert polls(refused(403), "--json") == poll.AWAY, "a proxy's"
    assert polls(refused(503), "--json") == poll.AWAY
    assert polls(refused(404), "--json") == poll.AWAY
    assert "Is LIAISON_URL the portal's address" in capsys.readouterr().err
    html = Portal([], first=[lambda _: httpx.Response(200, html="<p>Hello \x1b[2J")])
    assert polls(html, "--json") == poll.AWAY
    polls(Portal(written(1)), "--json", "--cursor", str(cursor))
    other = whoami()
    other["provider"]["id"] = PROVIDER.replace("1", "2")
    stranger = Portal(written(1), first=[lambda _: httpx.Response(200, json=other)])
    assert polls(stranger, "--json", "--cursor", str(cursor)) == poll.CURSOR
    with Cursor(cursor):
        assert polls(Portal(written(1)), "--json", "--cursor", str(cursor)) == poll.CURSOR
    for damaged in (
        "",
        "{}",
        "[]",
        '{"seq": 1',
        '{"stream": "x", "seq": -1, "hash": "", "head": 1}',
    ):
        cursor.write_text(damaged)
        assert polls(Portal(written(1)), "--json", "--cursor", str(cursor)) == poll.CURSOR
        assert cursor.read_text() == damaged
    said = capsys.readouterr().err
    assert "in use by another" in said
    assert "is no cursor" in said
    assert "\x1b" not in said
    assert KEY not in said


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--json", "--exec", "true"],
        ["--exec", "true"],
        ["--exec", "no-such-command-here", "--cursor", "c"],
        ["--exec", "'", "--cursor", "c"],
        ["--exec", "", "--cursor", "c"],
        ["--json", "--key-file", "no-such-file"],
        ["--json", "--wait", "26"],
        ["--json", "--url", "http://liaison.example"],
        ["--json", "--url", ""],
    ],
)
def test_usage(options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIAISON_URL", "https://liaison.example")
    monkeypatch.setenv("LIAISON_KEY", KEY)
    with pytest.raises(SystemExit) as ended:
        poll.main(options)
    assert ended.value.code == poll.USAGE
    assert list(tmp_path.iterdir()) == []


def test_a_type_that_is_misspelt_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {*STREAM_EVENTS, "erased"} == TYPES
    monkeypatch.setattr(poll, "run", lambda *_: poll.OK)
    monkeypatch.setenv("LIAISON_KEY", KEY)
    given = ["--json", "--url", "https://liaison.example", "--types"]
    for types, said in (("order.issued,erased", ""), ("order.isued", "no type order.isued")):
        with pytest.raises(SystemExit):
            poll.main([*given, types])
        err = capsys.readouterr().err
        assert said in err
        assert bool(err) == bool(said)


def test_a_missing_key_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LIAISON_KEY", raising=False)
    file = tmp_path / "key"
    monkeypatch.setenv("LIAISON_URL", "https://liaison.example")
    with pytest.raises(ValueError, match="LIAISON_KEY_FILE"):
        Client.from_environment()
    monkeypatch.setenv("LIAISON_KEY_FILE", str(file))
    file.write_text(f"{KEY}\n")
    Client.from_environment().close()
    monkeypatch.delenv("LIAISON_KEY_FILE")
    for text in (None, "", "\n"):
        given = ["--json", "--url", "https://liaison.example"]
        if text is not None:
            file.write_text(text)
            given += ["--key-file", str(file)]
        with pytest.raises(SystemExit) as ended:
            poll.main(given)
        assert ended.value.code == poll.USAGE


def test_the_page_about_it_names_every_option_and_code() -> None:
    page = (ROOT / "docs" / "client.md").read_text()
    options = [name for action in poll._parser()._actions for name in action.option_strings]
    assert [name for name in options if f"`{name}" not in page] == ["-h", "--help"]
    codes = (poll.OK, poll.USAGE, poll.KEY, poll.HISTORY, poll.COMMAND, poll.AWAY, poll.CURSOR)
    assert [code for code in codes if f"\n| {code} | " not in page] == []
    assert f"RestartPreventExitStatus={poll.USAGE} {poll.KEY} {poll.HISTORY} {poll.CURSOR}" in page


def test_what_a_portal_says_neither_ends_the_program_nor_fills_the_journal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nothing = {"seq": 0, "hash": "0" * 64}
    page = {"events": [], "next": 0, "more": False, "head": nothing}
    odd = httpx.Response(200, json=page, headers=[(b"ETag", b'"\xe9"')])
    portal = Portal(written(1), first=[lambda _: odd])
    client = Client("https://liaison.example", KEY, transport=httpx.MockTransport(portal))
    assert client.events().entries == ()
    assert len(client.events().entries) == 1
    told = {"type": "x", "detail": "word " * 100_000}
    portal = Portal([], first=[lambda _: httpx.Response(422, json=told)])
    assert polls(portal, "--json") == poll.AWAY
    assert len(capsys.readouterr().err) < 3000


def test_a_link_beside_the_cursor_leads_to_nothing_being_written(tmp_path: Path) -> None:
    path, other = tmp_path / "cursor", tmp_path / "other"
    other.write_text("somebody else's")
    (tmp_path / "cursor.new").symlink_to(other)
    with Cursor(path) as cursor, pytest.raises(CursorError):
        cursor.keep(place=Head(1, "1" * 64))
    (tmp_path / "linked.lock").symlink_to(tmp_path / "made")
    with pytest.raises(CursorError):
        Cursor(tmp_path / "linked")
    assert other.read_text() == "somebody else's"
    assert not (tmp_path / "made").exists()


def test_a_cursor_is_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, first = tmp_path / "cursor", Head(1, "1" * 64)
    with Cursor(path) as cursor:
        cursor.stream = STREAM
        cursor.keep(place=first, known=Head(2, "2" * 64))
        (tmp_path / "cursor.new").write_text('{"seq": 9')  # a crash in the middle of writing
        for stage in ("fsync", "replace"):

            def cut(*_: object) -> None:
                raise OSError("no space left")

            with monkeypatch.context() as patch:
                patch.setattr(os, stage, cut)
                with pytest.raises(CursorError, match="no space left"):
                    cursor.keep(place=Head(2, "2" * 64))
            assert cursor.place == first
            assert json.loads(path.read_text())["seq"] == 1
    order: list[str] = []

    def noting(name: str) -> Callable[..., None]:
        real = getattr(os, name)

        def note(*given: object) -> None:
            order.append(name)
            real(*given)

        return note

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noting(name))
    with Cursor(path) as cursor:
        assert (cursor.place, cursor.known, cursor.stream) == (first, Head(2, "2" * 64), STREAM)
        cursor.keep(place=first)
        assert order == [], "what is noted already is not written"
        cursor.keep(place=Head(2, "2" * 64))
    assert order == ["fsync", "replace", "fsync"], "the file, its name, its folder"


def test_without_once_it_tries_again_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, portal = Clock(), Portal(written(2), interval="5")
    portal.first = [lambda _: httpx.Response(502)] * 3
    command = script(
        tmp_path,
        "print(entry['seq'], file=seen)\nseen.close()\n"
        f"sys.exit(1 if open({str(tmp_path / 'seen')!r}).read().count('1') < 4 else 0)\n",
    )

    def sleep(seconds: float) -> None:
        clock.slept.append(seconds)
        clock.now += seconds
        if len(portal.pages) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    read = poll._parser().parse_args(["--exec", command, "--cursor", str(tmp_path / "cursor")])
    time = clock.time
    client = Client(
        "https://liaison.example",
        KEY,
        transport=httpx.MockTransport(portal),
        time=type(time)(sleep, time.monotonic, time.wall, time.chance),
        patience=0.1,
    )
    assert poll.run(client, poll._handler(read), read) == 0
    assert seen(tmp_path) == ["1", "1", "1", "1", "2"]
    assert clock.slept[:6] == [1, 2, 4, 1, 2, 4]
    assert 1.0 in clock.slept[6:], "it lets itself be waited for, and asks again at once"
    assert "again in 4 s" in capsys.readouterr().err
