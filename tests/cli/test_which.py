"""Which installation a command is about where no setting says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from liaison.cli import main
from liaison.demo import place
from liaison.models import Database
from liaison.services import schema
from tests.world import ORDERS

Guess = Callable[..., Result]

FOLLOW = {
    "check": (),
    "ledger verify": (),
    "keys rotate": (),
    "register export": ("-",),
    "register import": ("--dry-run", str(ORDERS / "01-emergency-missing-child.json")),
    "order verify": ("-",),
    "order import": (str(ORDERS / "01-emergency-missing-child.json"),),
}
"""What is about the demo where a demo alone is there, with what it is given here."""

PLAIN = {"migrate", "serve", "worker", "admin create", "bounce"}
"""What begins an installation, runs it or brings it letters: never about a demo nobody named."""


@pytest.fixture
def guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guess]:
    """Runs a command in a folder that holds a demo and nothing else, with nothing set."""
    for name in ("ENV", "DATABASE_URL", "DATA_DIR", "ENCRYPTION_KEY", "SECRET_KEY", "SIGNING_KEY"):
        monkeypatch.delenv(f"LIAISON_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    settings = place.demo_settings({"LIAISON_DATA_DIR": str(tmp_path / "var")})
    database = Database(settings.database_url)
    schema.migrate(database)
    database.close()
    before = structlog.get_config()
    yield lambda *words, **more: CliRunner().invoke(main, words, **more)
    structlog.configure(**before)


def leaves(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{name} ")
        else:
            yield before + name


def groups(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    yield before
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from groups(command, *before, name)


def test_no_summary_is_cut_off() -> None:
    for words in groups(main):
        told = CliRunner().invoke(main, [*words, "--help"], terminal_width=80).output
        assert "..." not in told.partition("Commands:")[2], told


def test_the_worker_says_which_times_it_takes() -> None:
    told = CliRunner().invoke(main, ["worker", "--help"]).output
    assert "+20m" in told


def test_each_command_has_its_rule() -> None:
    assert set(leaves(main)) - {"demo"} == set(FOLLOW) | PLAIN


@pytest.mark.parametrize("name", FOLLOW)
def test_where_a_demo_alone_is_there_it_is_meant_and_this_is_said(
    guess: Guess, tmp_path: Path, name: str
) -> None:
    done = guess(*name.split(), *FOLLOW[name], input="x")
    assert f"the demo, {tmp_path}/var/demo" in done.stderr
    assert "has not the newest schema" not in done.output
    assert not (tmp_path / "var" / "liaison.db").exists()


@pytest.mark.parametrize("name", FOLLOW)
def test_what_names_another_installation_is_heard(
    guess: Guess, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LIAISON_SIGNING_KEY", "signing.pem")
    done = guess(*name.split(), *FOLLOW[name], input="x")
    assert "the demo" not in done.output.replace("to mean the demo", "")
    assert done.exit_code == 1


def test_a_letter_that_came_back_is_kept_by_the_mail_server_where_nothing_says_whose_it_is(
    guess: Guess,
) -> None:
    kept = guess("bounce", "-", input="Subject: Undelivered")
    assert kept.exit_code == 75, "try again later"
    assert "the demo," not in kept.stderr


def test_what_begins_or_runs_an_installation_guesses_nothing(guess: Guess, tmp_path: Path) -> None:
    for words in (("serve",), ("worker", "--once")):
        refused = guess(*words)
        assert refused.exit_code == 1
        assert "LIAISON_SECRET_KEY is not set" in refused.stderr
    account = ("--email", "a@police.example", "--name", "A", "--authority", "CP")
    refused = guess("admin", "create", *account, "--password", "a long enough password")
    assert "LIAISON_SECRET_KEY is not set" in refused.stderr
    assert guess("migrate").exit_code == 0
    assert (tmp_path / "var" / "liaison.db").exists()
    # From now on there is an installation beside the demo, and nothing is guessed any more.
    assert "var/liaison.db" in guess("check").stdout
