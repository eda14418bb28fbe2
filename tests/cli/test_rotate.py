"""``liaison keys rotate`` and what ``liaison check`` says of sealed secrets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from liaison.errors import SettingsError
from liaison.models import Database, KeptForm, Message, Person
from liaison.models.base import new_id
from liaison.services import outbox, rotation
from liaison.services.vault import Vault
from tests.cli.test_commands import run  # noqa: F401 - the fixture
from tests.conftest import ENCRYPTION_KEY
from tests.world import World

Run = Callable[..., Result]
NEW = Fernet.generate_key().decode()


@pytest.fixture
def sealed(world: World) -> dict[str, str]:
    """One secret of each kind, by what it says when it is opened."""
    officer = world.person("officer")
    with world.database.transaction() as session:
        outbox.queue_letter(
            session,
            officer.email,
            "factor_reset",
            {},
            "a reset",
            world.now,
            sealed_link=world.vault.seal("LINK"),
        )
        session.add(
            KeptForm(
                id=new_id(),
                person_id=officer.id,
                path="/orders/new",
                sealed=world.vault.seal("typed"),
                kept_at=world.now,
            )
        )
    return {"Message": "LINK", "KeptForm": "typed", "Person": officer.totp_secret}


def opened(database: Database, vault: Vault, officer: World) -> dict[str, str]:
    with database.reading() as session:
        person = session.get_one(Person, officer.person("officer").id)
        return {
            "Person": vault.open(person.totp_secret),
            "Message": vault.open(session.scalars(select(Message.sealed_link)).one() or ""),
            "KeptForm": vault.open(session.scalars(select(KeptForm.sealed)).one()),
        }


def finding(run: Run, name: str) -> str:  # noqa: F811 - the fixture's value
    return next(line for line in run("check").output.splitlines() if f"  {name}" in line)


def test_after_a_rotation_the_new_key_alone_opens_everything(
    world: World,
    sealed: dict[str, str],
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert finding(run, "secrets").startswith("ok")
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", f"{NEW},{ENCRYPTION_KEY}")
    people = len(world.register.people)
    warned = finding(run, "secrets")
    assert warned.startswith("warn")
    assert f"{people + 2} of {people + 2} sealed with an older key" in warned
    assert "liaison keys rotate" in warned
    done = run("keys", "rotate")
    assert done.exit_code == 0, done.output
    assert f"{people} sealed anew: people's authenticators." in done.output
    assert "1 sealed anew: links of unsent letters." in done.output
    assert "1 sealed anew: kept forms." in done.output
    assert opened(world.database, Vault(NEW), world) == sealed
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", NEW)
    assert finding(run, "secrets").startswith("ok")
    for secret in sealed.values():
        assert secret not in done.output


def test_a_second_run_finds_nothing_left(
    world: World,
    sealed: dict[str, str],
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", f"{NEW},{ENCRYPTION_KEY}")
    run("keys", "rotate")
    before = opened(world.database, Vault(NEW), world)
    again = run("keys", "rotate")
    assert again.exit_code == 0
    assert again.output.count("0 sealed anew") == len(rotation.SEALED)
    assert opened(world.database, Vault(NEW), world) == before


def test_a_run_that_was_cut_off_is_taken_up_again(
    world: World, sealed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 4)
    vault = Vault(f"{NEW},{ENCRYPTION_KEY}")
    kind = "people's authenticators"
    with world.database.transaction() as session:
        first = rotation.reseal(session, vault, kind, None)
    assert (first.resealed, first.last is None) == (4, False)
    with world.database.writing() as session:
        rotation.reseal(session, vault, kind, first.last)
        session.rollback()
    with world.database.reading() as session:
        assert rotation.count(session, vault).older == len(world.register.people) - 4 + 2
    for each in rotation.SEALED:
        after = None
        while True:
            with world.database.transaction() as session:
                batch = rotation.reseal(session, vault, each, after)
            after = batch.last
            if after is None:
                break
    with world.database.reading() as session:
        assert rotation.count(session, vault).older == 0
    assert opened(world.database, Vault(NEW), world) == sealed


def test_a_secret_that_changes_meanwhile_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(f"{NEW},{ENCRYPTION_KEY}")
    officer = world.person("officer").id
    read = rotation._rows

    def overtaken(*given: object) -> object:
        rows = read(*given)  # type: ignore[arg-type]
        session = given[0]
        newer = vault.seal("NEWSECRET")
        statement = update(Person).where(Person.id == officer).values(totp_secret=newer)
        session.execute(statement)  # type: ignore[attr-defined]
        return rows

    monkeypatch.setattr(rotation, "_rows", overtaken)
    with world.database.transaction() as session:
        batch = rotation.reseal(session, vault, "people's authenticators", None)
    assert batch.resealed == len(world.register.people) - 1
    with world.database.reading() as session:
        assert vault.open(session.get_one(Person, officer).totp_secret) == "NEWSECRET"


def test_a_missing_key_stops_the_rotation_and_the_check_says_so(
    world: World,
    sealed: dict[str, str],
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", NEW)
    done = run("keys", "rotate")
    assert done.exit_code == 1
    assert "Add the old key behind the new one" in done.stderr
    assert "Now the older keys" not in done.output
    failed = finding(run, "secrets")
    assert failed.startswith("FAIL")
    assert "cannot be opened" in failed
    assert opened(world.database, world.vault, world) == sealed


@pytest.mark.one_database
def test_every_sealed_column_is_rotated() -> None:
    """A table with a sealed column that nobody rotates would be lost with the old key.

    But for files of a form: they are gone within half a day, and what nothing opens is left out.
    """
    from liaison.models.base import Base

    known = {(table.__tablename__, name) for table, name in rotation.SEALED.values()}
    sealed = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.startswith("sealed") or column.name.endswith("_secret")
    }
    assert known == sealed - {("kept_file", "sealed")}


@pytest.mark.one_database
def test_the_vault_opens_with_any_key_and_seals_with_the_first() -> None:
    old, both = Vault(ENCRYPTION_KEY), Vault(f"{NEW},{ENCRYPTION_KEY}")
    kept = old.seal("secret")
    assert (both.is_newest(kept), both.can_open(kept), both.open(kept)) == (False, True, "secret")
    moved = both.reseal(kept)
    assert both.is_newest(moved)
    assert Vault(NEW).open(moved) == "secret"
    with pytest.raises(SettingsError):
        Vault(NEW).open(kept)
