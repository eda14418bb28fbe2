"""The command line as an operator uses it, on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result
from sqlalchemy import func, select, text

from liaison.cli import main
from liaison.domain.actors import CLOCK
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Role
from liaison.models import Database, Entry, Order, Person
from liaison.services import ledger, passwords, schema
from liaison.services.vault import Vault
from tests.conftest import ENCRYPTION_KEY
from tests.world import ORDERS, World

Run = Callable[..., Result]
INVALID = sorted((ORDERS / "invalid").glob("*.json"))


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in this test's installation."""
    monkeypatch.setenv("LIAISON_ENV", "test")
    monkeypatch.setenv("LIAISON_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("LIAISON_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", ENCRYPTION_KEY)
    monkeypatch.setenv("LIAISON_SMTP_URL", "smtp://127.0.0.1:9")
    before = structlog.get_config()
    yield lambda *words, **more: CliRunner().invoke(main, words, **more)
    structlog.configure(**before)


def count(database: Database, model: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("path", sorted(ORDERS.glob("*.json")), ids=lambda p: p.stem)
def test_a_valid_file_becomes_a_draft(world: World, run: Run, path: Path) -> None:
    done = run("order", "import", "--authority", "cp", str(path))
    assert done.exit_code == 0, done.output
    with world.database.reading() as session:
        order = session.scalars(select(Order)).one()
        assert order.state is OrderState.DRAFT
        assert str(order.id) in done.output


@pytest.mark.parametrize("path", INVALID, ids=lambda p: p.stem)
def test_an_invalid_file_is_refused_by_pointer(
    world: World, run: Run, path: Path, tmp_path: Path
) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    file = tmp_path / "order.json"
    file.write_text(json.dumps(case["order"]), encoding="utf-8")
    done = run("order", "import", "--authority", "CP", str(file))
    assert done.exit_code == 1
    for pointer in case["expect_pointers"]:
        assert f"{pointer}: " in done.stderr
    assert "Nothing was changed." in done.stderr
    assert count(world.database, Order) == 0


@pytest.mark.parametrize("content", ["{", "[1, 2", '{"a": NaN', "\ufeff"])
def test_a_file_that_is_no_json_is_refused_in_words(
    world: World, run: Run, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "order.json"
    file.write_text(content, encoding="utf-8")
    done = run("order", "import", "--authority", "CP", str(file))
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert "no JSON" in done.stderr


def test_with_two_authorities_the_import_asks_whose_draft_it_is(world: World, run: Run) -> None:
    done = run("order", "import", str(ORDERS / "01-emergency-missing-child.json"))
    assert done.exit_code == 1
    assert "--authority: CP, NL" in done.stderr


def test_an_untouched_chain_holds_and_a_changed_byte_is_named(world: World, run: Run) -> None:
    world.issue()
    whole = run("ledger", "verify")
    assert whole.exit_code == 0, whole.output
    assert "entries, head " in whole.output
    with world.database.transaction() as session:
        entry = session.scalars(select(Entry).where(Entry.type == "order.issued")).one()
        changed = (entry.data or "").replace("emergency", "Emergency", 1)
        session.execute(
            text("UPDATE entry SET data = :data WHERE stream = :stream AND seq = :seq"),
            {"data": changed, "stream": entry.stream, "seq": entry.seq},
        )
    broken = run("ledger", "verify")
    assert broken.exit_code == 1
    assert f"BREAK {entry.stream}  entry {entry.seq}: its data were changed" in broken.stderr


def test_a_noted_head_finds_a_history_that_was_cut_off(
    world: World, run: Run, tmp_path: Path
) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        ledger.record(session, world.now, *ledger.act(order, "order.escalated", CLOCK, {}))
    with world.database.transaction() as session:
        last = session.scalars(select(Entry).where(Entry.type == "order.escalated")).one()
        stream, seq, before = last.stream, last.seq, last.prev
        heads = {stream: {"seq": seq, "hash": last.hash}}
        session.execute(
            text("DELETE FROM entry WHERE stream = :s AND seq = :n"), {"s": stream, "n": seq}
        )
        session.execute(
            text("UPDATE stream SET seq = :n, head = :h WHERE id = :s"),
            {"n": seq - 1, "h": before, "s": stream},
        )
    file = tmp_path / "heads.json"
    file.write_text(json.dumps(heads), encoding="utf-8")
    shorter = run("ledger", "verify")
    assert shorter.exit_code == 0  # no row tells that a rung was climbed: nothing else needs it
    assert "Without --head" in shorter.stdout.splitlines()[-1]
    found = run("ledger", "verify", "--head", str(file))
    assert found.exit_code == 1
    assert f"BREAK {stream}  entry {seq}" in found.stderr
    assert "Without --head" not in found.output


def test_what_verify_printed_is_a_head_that_was_noted(
    world: World, run: Run, tmp_path: Path
) -> None:
    world.issue()
    file, other = tmp_path / "heads.txt", tmp_path / "other.txt"
    file.write_text(run("ledger", "verify").stdout, encoding="utf-8")
    order = world.issue()
    again = run("ledger", "verify", "--head", str(file))
    assert again.exit_code == 0, "a chain may grow"
    stream = ledger.provider_stream(order.provider_id)
    one = run("ledger", "verify", "--stream", stream, "--head", str(file))
    assert (one.exit_code, len(one.stdout.splitlines())) == (0, 1), "other streams' heads wait"
    lines = file.read_text(encoding="utf-8").splitlines()
    [mine] = [line for line in lines if stream in line]
    other.write_text("\n".join(line for line in lines if line != mine), encoding="utf-8")
    lacking = run("ledger", "verify", "--stream", stream, "--head", str(other))
    assert lacking.exit_code == 1
    assert f"holds no head of {stream}" in lacking.stderr
    file.write_text(re.sub("[0-9]+ entries", "99 entries", mine), encoding="utf-8")
    cut = run("ledger", "verify", "--head", str(file))
    assert cut.exit_code == 1
    assert "the head that was noted is entry 99" in cut.stderr


def test_a_cut_off_end_names_the_order_that_lost_it(world: World, run: Run) -> None:
    world.issue()
    order = world.issue()
    stream = ledger.provider_stream(order.provider_id)
    with world.database.transaction() as session:
        session.execute(text("DELETE FROM entry WHERE stream = :s AND seq = 2"), {"s": stream})
        session.execute(
            text(
                "UPDATE stream SET seq = 1, head = "
                "(SELECT hash FROM entry WHERE stream = :s AND seq = 1) WHERE id = :s"
            ),
            {"s": stream},
        )
    found = run("ledger", "verify")
    assert found.exit_code == 1
    assert f"BREAK {stream}  order {order.ref}: its order.issued is missing" in found.stderr
    assert f"ok    {stream}" not in found.stdout


def test_another_time_is_refused_in_production(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIAISON_ENV", "production")
    done = run("worker", "--once", "--as-of", "2026-11-23T14:00:00Z")
    assert done.exit_code == 1
    assert "this is production" in done.stderr


@pytest.mark.parametrize("moment", ["tomorrow", "2026-11-23T14:00:00", "2026-13-01T00:00:00Z"])
def test_a_time_without_a_zone_or_sense_is_refused(world: World, run: Run, moment: str) -> None:
    done = run("worker", "--once", "--as-of", moment)
    assert done.exit_code == 1
    assert "with its zone" in done.stderr


def test_the_worker_goes_by_the_time_it_is_told(world: World, run: Run) -> None:
    world.issue()
    before = run("worker", "--once", "--as-of", "2026-11-23T11:59:59Z")
    assert "0 timers fired" in before.output
    after = run("worker", "--once", "--as-of", "2026-11-23T12:15:00Z")
    assert "2 timers fired" in after.output


def test_the_first_administrator_of_a_new_installation(database: Database, run: Run) -> None:
    password = "a long enough password"
    words = ["admin", "create", "--email", "admin@police.example", "--name", "First Admin"]
    words += ["--authority", "cp", "--authority-name", "Contact Point", "--country", "am"]
    words += ["--phone", "+374 10 000 100", "--time-zone", "Asia/Yerevan", "--password", password]
    done = run(*words)
    assert done.exit_code == 0, done.output
    with database.reading() as session:
        person = session.scalars(select(Person)).one()
        assert person.role_set == {Role.ADMINISTRATOR}
        assert passwords.fits(person.password_hash, password)
        assert person.authority is not None
        assert person.authority.code == "CP"
        assert Vault(ENCRYPTION_KEY).open(person.totp_secret) in done.output


def test_an_administrator_of_an_unknown_authority_is_told_what_is_missing(
    database: Database, run: Run
) -> None:
    words = ["admin", "create", "--email", "a@gmail.com", "--name", "A", "--authority", "CP"]
    done = run(*words, "--password", "a long enough password")
    assert done.exit_code == 1
    assert "/authority_name: CP is not registered yet" in done.stderr
    assert count(database, Person) == 0


@pytest.mark.one_database
@pytest.mark.parametrize("missing", ["ENCRYPTION_KEY", "schema"])
def test_admin_create_says_what_is_missing_before_it_asks(
    run: Run,
    empty_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    if missing == "schema":
        url = empty_database.url.render_as_string(hide_password=False)
        monkeypatch.setenv("LIAISON_DATABASE_URL", url)
    else:
        monkeypatch.setenv("LIAISON_ENV", "production")
        monkeypatch.delenv("LIAISON_ENCRYPTION_KEY")
    done = run("admin", "create", input="")
    assert done.exit_code == 1
    assert missing in done.stderr
    assert "E-mail" not in done.output, "it has asked"


@pytest.mark.one_database
def test_admin_create_asks_for_what_it_was_not_given(database: Database, run: Run) -> None:
    new = ("--authority-name", "Contact Point", "--country", "am", "--phone", "+374 10 000 100")
    password = "a long enough password"
    typed = ("admin@police.example", "First Admin", "cp", password, password)
    done = run("admin", "create", *new, input="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    assert "admin@police.example is administrator of Contact Point." in done.stdout
    assert password not in done.output
    assert count(database, Person) == 1


def test_commands_say_that_the_schema_is_missing(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("LIAISON_ENV", "test")
    monkeypatch.setenv("LIAISON_DATABASE_URL", url)
    before = structlog.get_config()
    done = CliRunner().invoke(main, ["ledger", "verify"])
    migrated = CliRunner().invoke(main, ["migrate"])
    structlog.configure(**before)
    assert done.exit_code == 1
    assert "Run: liaison migrate" in done.stderr
    assert migrated.exit_code == 0
    assert schema.is_current(empty_database)


def test_check_names_what_is_missing(world: World, run: Run) -> None:
    done = run("check")
    assert done.exit_code == 1
    lines = {line.split()[1]: line.split()[0] for line in done.output.splitlines()}
    assert lines["database"] == lines["schema"] == "ok"
    assert lines["worker"] == lines["mail"] == "FAIL"
