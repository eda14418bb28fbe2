"""``liaison check`` tells of each setting what the programs would make of it."""

from __future__ import annotations

import pytest
from click.testing import Result

from tests.cli.test_commands import Run, run  # noqa: F401 - the fixture

pytestmark = pytest.mark.one_database


def lines(done: Result, name: str) -> list[str]:
    """What it says of one thing, without the name."""
    return [
        f"{word} {rest[0]}"
        for word, told, *rest in (line.split(maxsplit=2) for line in done.stdout.splitlines())
        if told == name
    ]


@pytest.mark.parametrize(("name", "value"), [("PROCESSES", "x"), ("BIND", "abc")])
def test_how_gunicorn_is_to_start_is_looked_at_before_it_is(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(f"LIAISON_{name}", value)
    monkeypatch.setattr("os.execve", lambda *_: pytest.fail("it started gunicorn"))
    checked, served = run("check"), run("serve")
    assert (checked.exit_code, served.exit_code) == (1, 1)
    [told] = lines(checked, "bind")
    assert told.startswith(f"FAIL LIAISON_{name} is {value!r}; it must be ")
    assert told.removeprefix("FAIL ") in served.stderr


def test_what_serve_refuses_check_refuses_in_the_same_words(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIAISON_RATE_LIMIT", "many")
    monkeypatch.setattr("os.execve", lambda *_: pytest.fail("it started gunicorn"))
    refused = [run(command) for command in ("check", "serve")]
    assert [done.exit_code for done in refused] == [1, 1]
    assert len({done.output for done in refused}) == 1
    assert "LIAISON_RATE_LIMIT is 'many'; it must be " in refused[0].stderr


def test_an_address_that_this_machine_does_not_know_fails(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lines(run("check"), "bind") == ["ok 127.0.0.1:8000, 2 processes"]
    monkeypatch.setenv("LIAISON_BIND", "portal.invalid:8000")
    [told] = lines(run("check"), "bind")
    assert told.startswith("FAIL LIAISON_BIND names 'portal.invalid'")


def test_a_misspelt_setting_is_told_with_the_one_that_is_near(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A provider's program may run beside the portal, in the same shell.
    for name in ("LIAISON_URL", "LIAISON_KEY", "LIAISON_KEY_FILE"):
        monkeypatch.setenv(name, "x")
    assert lines(run("check"), "names")[0].startswith("ok ")
    monkeypatch.setenv("LIAISON_SMPT_URL", "smtp://mail.example")
    monkeypatch.setenv("LIAISON_QQ", "secret")
    [told] = lines(run("check"), "names")
    assert told.startswith("warn ")
    assert "LIAISON_SMPT_URL (is LIAISON_SMTP_URL meant?)" in told
    assert "LIAISON_QQ" in told
    assert "secret" not in told


def test_an_address_for_canaries_without_the_mailbox_they_come_back_to_is_warned_of(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lines(run("check"), "bounces")[0].startswith("ok ")
    monkeypatch.setenv("LIAISON_CANARY_ADDRESS", "canary@police.example")
    [told] = lines(run("check"), "bounces")
    assert told.startswith("warn LIAISON_CANARY_ADDRESS is set, but no canary goes there")


def test_each_missing_key_has_a_line_whose_command_can_be_copied(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIAISON_ENV", "production")
    monkeypatch.delenv("LIAISON_ENCRYPTION_KEY")
    told = run("check")
    keys = lines(told, "keys")
    assert keys == [f"FAIL {line}" for line in run("serve").stderr.splitlines()]
    assert [line.split()[1] for line in keys] == [
        "LIAISON_SECRET_KEY",
        "LIAISON_ENCRYPTION_KEY",
        "LIAISON_SIGNING_KEY",
    ]
    assert lines(told, "secrets") == ["FAIL not looked at: the keys come first, see above."]
