# ruff: noqa: F811 - the fixture and its values have one name
"""``liaison bounce`` as a pipe calls it, and what ``liaison check`` says of notices."""

from __future__ import annotations

from io import BytesIO

import pytest

from liaison.delivery import reports
from liaison.models import Message
from liaison.models.work import MessageState
from tests.cli.test_commands import Run, run  # noqa: F401 - the fixture
from tests.imap_sink import ImapSink
from tests.returned import AWAY, POSTFIX, letter
from tests.services.test_undelivered import failed
from tests.world import World


def test_a_letter_from_the_pipe_is_taken_in_and_says_so(
    world: World,
    run: Run,
) -> None:
    (sent,) = failed(world, world.issue(), state=MessageState.SENT)
    raw = letter(POSTFIX, sent.id, sent.address)
    # However much a server returns of a letter: the report stands before it.
    long = raw.replace(b"Look in the portal.", b"x" * reports.LARGEST)
    assert len(long) > reports.LARGEST
    first, second = (run("bounce", input=long) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "came back" in first.output
    assert "known already" in second.output
    with world.database.reading() as session:
        assert session.get_one(Message, sent.id).state is MessageState.FAILED
    other = run("bounce", input=letter(AWAY, sent.id, sent.address))
    assert (other.exit_code, other.output) == (0, "no report of a letter that came back\n")


@pytest.mark.one_database
def test_a_letter_that_is_too_large_and_reports_nothing_says_how_much_is_read(
    world: World,
    run: Run,
) -> None:
    letter_of_somebody = b"Subject: photographs\n\n" + b"x" * reports.LARGEST
    pipe = BytesIO(letter_of_somebody)
    done = run("bounce", input=pipe)
    # No mail server tries it for days or sends it back: where the report should stand is none.
    assert done.exit_code == 0
    assert f"in its first {reports.LARGEST:,} bytes" in done.output
    assert f"it has {len(letter_of_somebody):,}, which is too large" in done.output
    assert not pipe.read(), "a pipe that is left unread breaks"


@pytest.mark.one_database
def test_the_pipe_is_told_to_try_again_or_that_a_letter_is_hopeless(
    world: World,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports, "read", lambda _: 1 / 0)
    hopeless = run("bounce", input=b"x")
    assert hopeless.exit_code == 65
    assert "cannot be read" in hopeless.output
    monkeypatch.undo()
    monkeypatch.setenv("LIAISON_ENV", "test")
    monkeypatch.setenv("LIAISON_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    assert run("bounce", input=b"x").exit_code == 75


@pytest.mark.one_database
def test_the_check_says_what_is_undelivered_and_whether_the_mailbox_answers(
    world: World,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lines() -> dict[str, str]:
        found = run("check").stdout.splitlines()
        return {line.split()[1]: line for line in found}

    before = lines()
    assert before["notices"].startswith("ok")
    assert "no mailbox is read" in before["bounces"]
    failed(world, world.issue(), how_many=2)
    sink = ImapSink()
    sink.start()
    monkeypatch.setenv("LIAISON_BOUNCE_URL", sink.url)
    after = lines()
    sink.stop()
    assert after["notices"].startswith("warn")
    assert "2 undelivered" in after["notices"]
    assert after["bounces"].startswith("ok")
    assert "tests only" not in str(after)
    assert lines()["bounces"].startswith("FAIL")


SECRET = "s3cret"
REFUSED = {
    "bounces": ("BOUNCE_URL", f"imap://u:{SECRET}@198.51.100.7/INBOX", "in the clear"),
    "bounces ": ("BOUNCE_URL", f"https://u:{SECRET}@127.0.0.1/INBOX", "must look like imaps://"),
    "mail": ("SMTP_URL", f"smtp://u:{SECRET}@198.51.100.7", "in the clear"),
    "mail ": ("SMTP_URL", f"http://u:{SECRET}@127.0.0.1:x", "must look like smtp"),
    "mail  ": ("MAIL_FROM", "nobody", "LIAISON_MAIL_FROM must look like"),
    "gateway": ("GATEWAY_URL", f"gateway+http://k:{SECRET}@198.51.100.7/?from=X", "in the clear"),
    "heartbeat": ("HEARTBEAT_URL", f"https://[{SECRET}", "must look like https://"),
    "heartbeat ": ("HEARTBEAT_URL", "https://", "must look like https://"),
    "settings": ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "'proxy', which is no address"),
}


@pytest.mark.one_database
@pytest.mark.parametrize("name", REFUSED)
def test_what_the_programs_would_refuse_the_check_refuses(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    setting, value, said = REFUSED[name]
    monkeypatch.setenv(f"LIAISON_{setting}", value)
    lines = {line.split()[1]: line for line in run("check").output.splitlines()}
    assert lines[name.strip()].startswith("FAIL")
    assert said in lines[name.strip()]
    assert SECRET not in str(lines)


@pytest.mark.one_database
def test_the_check_says_whose_clock_counts(world: World, run: Run) -> None:
    clock = next(line for line in run("check").output.splitlines() if " clock " in line)
    assert "SQLite has no clock of its own: this machine's counts" in clock
