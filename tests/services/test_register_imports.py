"""A file of providers: looked at first, every fault by row; then imported as a whole or not."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from liaison.documents import provider_csv
from liaison.domain.vocabulary import Status
from liaison.errors import Forbidden, Invalid, InvalidTransition, NotFound, StaleFactor
from liaison.models import Entry, Holding, Message, Provider, RegisterImport
from liaison.queries import register_imports as queries
from liaison.services import (
    authorising,
    holdings,
    housekeeping,
    import_check,
    import_run,
    providers,
    register_imports,
)
from liaison.services.organisations import AlreadyDone
from tests.world import World

HEADER = ",".join(provider_csv.COLUMNS)


def line(n: int, **changes: str) -> str:
    """A provider of the file: number ``n``, with its own domain, range, prefix and AS number."""
    cells = {
        "name": f"Provider {n}",
        "country": "AM",
        "time_zone": "Asia/Yerevan",
        "domains": f"p{n}.example;q{n}.example",
        "as_numbers": f"AS{100_000 + n}",
        "address_ranges": f"2001:db8:{n // 0x10000:x}:{n % 0x10000:x}::/64",
        "phone_prefixes": f"+37491{n:05}",
        "services": "Fixed lines;Hosting",
        "languages": "hy;en",
        **changes,
    }
    return ",".join(f'"{cells.get(column, "")}"' for column in provider_csv.COLUMNS)


def file(lines: Iterable[str], header: str = HEADER) -> bytes:
    return "\r\n".join([header, *lines, ""]).encode()


def check(world: World, content: bytes, name: str = "providers.csv") -> RegisterImport:
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        return register_imports.check(session, actor, name, content, world.now)


def confirm(world: World, made: RegisterImport) -> None:
    with world.database.transaction() as session:
        register_imports.confirm(session, world.actor("administrator"), made.id, world.now)


def portion(world: World) -> int:
    """One portion as the worker does it."""
    with world.database.transaction() as session:
        return import_run.run(session, world.now, "http://localhost")


def work(world: World) -> list[int]:
    """All that is due; how many rows were done after each portion."""
    seen: list[int] = []
    while True:
        with world.database.reading() as session:
            if not import_run.is_due(session, world.now):
                return seen
        portion(world)
        with world.database.reading() as session:
            seen.append(session.scalars(select(RegisterImport.done)).all()[-1])


def state(world: World, made: RegisterImport) -> RegisterImport:
    with world.database.reading() as session:
        return session.get_one(RegisterImport, made.id)


def count(world: World) -> tuple[int, int]:
    """Providers and what they are found by."""
    with world.database.reading() as session:
        counted = [session.scalar(select(func.count()).select_from(t)) for t in (Provider, Holding)]
    return counted[0] or 0, counted[1] or 0


def provider(world: World, name: str) -> Provider:
    with world.database.reading() as session:
        return session.scalars(select(Provider).where(Provider.name == name)).one()


def exported(world: World) -> str:
    with world.database.reading() as session:
        return "".join(provider_csv.write(queries.everything(session, world.actor("auditor"))))


def faults(made: RegisterImport) -> dict[int, list[str]]:
    """Columns with faults by row."""
    found: dict[int, list[str]] = {}
    for row, column, _ in made.report["faults"]:
        found.setdefault(row, []).append(column)
    return found


def said(made: RegisterImport) -> str:
    return "\n".join(detail for _, _, detail in made.report["faults"])


def change(world: World, whose: str, **changes: Any) -> None:
    """Somebody writes an entry on its page meanwhile."""
    row = provider(world, whose)
    with world.database.transaction() as session:
        held = providers.held(session, row.id)
        entry = replace(providers.entry_of(held), **changes)
        providers.apply_entry(session, held, entry, world.actor("administrator"), world.now)


BROKEN: tuple[dict[str, str], ...] = (
    {"country": "Armenia"},
    {"time_zone": "Yerevan"},
    {"name": ""},
    {"status": "sleeping"},
    {"domains": "co.uk"},
    {"address_ranges": "10.0.0.0/8"},
    {"phone_prefixes": "091"},
    {"as_numbers": "AS0"},
    {"languages": "Armenian"},
    {"id": "17"},
    {"domains": "meridian.example"},
)


def test_of_five_thousand_providers_with_37_faulty_rows_all_37_are_named_and_nothing_is_imported(
    world: World,
) -> None:
    before = count(world)
    wrong = {17 + 131 * n: BROKEN[n % len(BROKEN)] for n in range(35)}
    wrong[4_990] = {"name": "provider 4991"}  # two rows of one name: both are named
    good = {n: line(n) for n in range(5_000)}
    broken = good | {n: line(n, **cells) for n, cells in wrong.items()}
    made = check(world, file(broken.values()))
    # Row 1 is the header: provider 0 stands in row 2.
    assert sorted(faults(made)) == sorted([n + 2 for n in (*wrong, 4_991)])
    assert len(faults(made)) == 37
    assert made.report["counts"]["faulty"] == 37
    assert faults(made)[19] == ["country"]
    with pytest.raises(InvalidTransition, match="Correct it and send it anew"):
        confirm(world, made)
    assert work(world) == []
    assert count(world) == before, "nothing was imported"

    corrected = check(world, file(good.values()))
    assert corrected.report["counts"]["new"] == 5_000
    assert count(world) == before
    confirm(world, corrected)
    progress = work(world)
    assert progress == sorted(progress)
    assert len(progress) == 20, "in portions, each committed"
    assert progress[0] == 250
    assert state(world, corrected).state == "done"
    assert count(world) == (before[0] + 5_000, before[1] + 25_000)
    row = provider(world, "Provider 17")
    with world.database.transaction() as session:
        holdings.write(session, session.get_one(Provider, row.id))
    assert count(world) == (before[0] + 5_000, before[1] + 25_000), "as its page would write it"


def test_what_is_taken_out_and_brought_back_changes_nothing(world: World) -> None:
    change(
        world,
        "Sevan Hosting",
        services=("=cmd|'/c calc'!A0", "Mail; web", "back\\slash", "'@quoted"),
        phone_prefixes=("+37477", "+37498"),
        as_numbers=(64500,),
        status=Status.SUSPENDED,
        legal_name="-Sevan “Hosting”, LLC",
    )
    text = exported(world)
    assert "\"'=cmd" in text, "no spreadsheet takes it for a formula"
    assert '"\'+37477;+37498"' in text
    assert "\"'-Sevan" in text
    for content in (
        text.encode(),
        ("\ufeff" + text).encode(),
        text.encode("utf-16"),
        text.replace("\r\n", "\n").encode(),
    ):
        made = check(world, content)
        assert made.report["faults"] == []
        assert made.report["counts"]["unchanged"] == 4
        assert made.total == 0
    with pytest.raises(AlreadyDone, match="nothing to import"):
        confirm(world, made)


def test_what_would_change_is_told_with_before_and_after(world: World) -> None:
    content = file(
        ["Meridian Telecom,NL,Europe/Amsterdam", "Newcomer,AM,Asia/Yerevan"],
        "name,country,time_zone",
    )
    made = check(world, content)
    counts = made.report["counts"]
    assert (counts["new"], counts["changed"], counts["unchanged"]) == (1, 1, 0)
    changed, new = made.report["changes"]
    assert changed["changes"] == {
        "country": {"before": "AM", "after": "NL"},
        "time_zone": {"before": "Asia/Yerevan", "after": "Europe/Amsterdam"},
    }
    assert (new["row"], new["name"], new["what"]) == (3, "Newcomer", "new")
    confirm(world, made)
    work(world)
    row = provider(world, "Meridian Telecom")
    assert row.country == "NL"
    assert row.domains == ["meridian.example"], "a column that is not there changes nothing"
    assert provider(world, "Newcomer").legal_name == "Newcomer"


def test_an_empty_status_wakes_nobody_up(world: World) -> None:
    change(world, "Sevan Hosting", status=Status.SUSPENDED)
    made = check(world, file(["Sevan Hosting,GE,Asia/Tbilisi,"], "name,country,time_zone,status"))
    confirm(world, made)
    work(world)
    row = provider(world, "Sevan Hosting")
    assert (row.country, row.status) == ("GE", Status.SUSPENDED)


def test_what_two_share_is_named_on_both_sides(world: World) -> None:
    twice = check(
        world,
        file(
            [
                line(1),
                line(2, domains="p1.example"),
                line(3, address_ranges="192.0.2.0/24"),
                line(4, address_ranges="192.0.2.0-192.0.2.255", country="??"),
                line(5, domains="norvik.example"),
                line(6, id=str(world.register.providers["Norvik Mobile"]), domains=""),
            ]
        ),
    )
    assert faults(twice) == {
        2: ["domains"],
        3: ["domains"],
        4: ["address_ranges"],
        5: ["country", "address_ranges"],
    }, "row 6 may take what row 7 gives up"
    assert "p1.example stands in row 3, too" in said(twice)
    assert "p1.example stands in row 2, too" in said(twice)
    taken = check(world, file([line(5, domains="norvik.example")]))
    assert "norvik.example is registered for Norvik Mobile" in said(taken)


def test_one_provider_stands_in_one_row(world: World) -> None:
    meridian = str(world.register.providers["Meridian Telecom"])
    made = check(
        world,
        file(
            [
                line(1, id=meridian),
                line(2, name="meridian telecom"),
                line(3, name="Norvik Mobile", id=meridian),
                line(4, id=str(uuid4())),
            ]
        ),
    )
    assert faults(made) == {2: ["id"], 3: ["id"], 4: ["id", "name"], 5: ["id"]}


def test_two_providers_change_names_with_each_other(world: World) -> None:
    ids = world.register.providers
    made = check(
        world,
        file(
            [
                f"{ids['Sevan Hosting']},Norvik Mobile,AM,Asia/Yerevan,sevan.example",
                f"{ids['Norvik Mobile']},Sevan Hosting,NO,Europe/Oslo,norvik.example",
            ],
            "id,name,country,time_zone,domains",
        ),
    )
    assert made.report["faults"] == []
    confirm(world, made)
    work(world)
    assert provider(world, "Sevan Hosting").id == ids["Norvik Mobile"]
    assert provider(world, "Norvik Mobile").id == ids["Sevan Hosting"]


@pytest.mark.parametrize("meanwhile", ["entry", "name", "range"])
def test_where_the_register_changed_meanwhile_nothing_is_written(
    world: World, meanwhile: str
) -> None:
    lines = [line(n) for n in range(600)]
    made = check(world, file([*lines, line(700, name="Sevan Hosting", domains="sevan.example")]))
    confirm(world, made)
    portion(world)
    assert state(world, made).done == 250
    world.clock.move(minutes=1)
    if meanwhile == "entry":
        change(world, "Sevan Hosting", country="GE")
    elif meanwhile == "name":
        change(world, "Norvik Mobile", name="provider 10")
    else:
        change(world, "Norvik Mobile", domains=("p10.example",))
    before = count(world)
    work(world)
    after = state(world, made)
    assert after.state == "failed"
    (why,) = after.report["failed"]
    assert (
        why[:2] == {"entry": [602, ""], "name": [12, "name"], "range": [12, "domains"]}[meanwhile]
    )
    assert count(world) == before, "all or nothing"
    with pytest.raises(AlreadyDone, match="Send the file anew"):
        confirm(world, made)


def test_a_worker_that_is_killed_between_portions_loses_nothing(world: World) -> None:
    made = check(world, file([line(n) for n in range(600)]))
    confirm(world, made)
    portion(world)
    with world.database.writing() as session:  # killed: its portion is rolled back
        import_run.run(session, world.now, "http://localhost")
        session.rollback()
    assert state(world, made).done == 250
    assert work(world) == [500, 600]
    assert count(world)[0] == 604


def test_two_workers_do_no_harm(world: World) -> None:
    made = check(world, file([line(n) for n in range(10)]))
    confirm(world, made)
    if world.database.is_sqlite:
        assert portion(world) > 0  # writers take turns there
    else:
        with world.database.writing() as first, world.database.writing() as second:
            assert import_run.run(first, world.now, "") == 10
            assert import_run.run(second, world.now, "") == 0, "the other one has it"
            first.commit()
    assert portion(world) == 0
    assert count(world)[0] == 14


def test_the_provider_hears_of_its_changed_entry(world: World) -> None:
    content = file(["Meridian Telecom,NL,Europe/Amsterdam"], "name,country,time_zone")
    confirm(world, check(world, content))
    work(world)
    with world.database.reading() as session:
        letters = session.scalars(select(Message).where(Message.letter.contains("entry"))).all()
    assert [letter.address for letter in letters] == ["t.avagyan@meridian.example"]


def test_the_log_tells_which_file_it_was(world: World) -> None:
    made = check(world, file([line(1)]), name="C:\\lists\\new\x07.csv")
    confirm(world, made)
    work(world)
    with world.database.reading() as session:
        query = select(Entry).where(Entry.type.like("portal.register_import%"))
        found = session.scalars(query.order_by(Entry.seq)).all()
    assert [entry.type.rpartition("_")[2] for entry in found] == ["checked", "confirmed", "done"]
    for entry in found:
        told = json.loads(entry.data or "")
        assert told["name"] == "new.csv"
        assert told["sha256"] == made.sha256
        assert told["counts"]["new"] == 1


def test_who_may_and_with_what(world: World) -> None:
    made = check(world, file([line(1)]))
    verbs: tuple[Callable[..., RegisterImport], ...] = (
        register_imports.confirm,
        register_imports.discard,
    )
    with world.database.writing() as session:
        for who in ("officer", "supervisor", "auditor", "spoc", "provider_administrator"):
            with pytest.raises(Forbidden):
                register_imports.check(session, world.actor(who), "x", b"", world.now)
            for verb in verbs:
                with pytest.raises(Forbidden):
                    verb(session, world.actor(who), made.id, world.now)
        other = replace(world.actor("administrator"), authority_id=world.register.authorities["NL"])
        for verb in verbs:
            with pytest.raises(NotFound):
                verb(session, other, made.id, world.now)
            with pytest.raises(NotFound):
                verb(session, world.actor("administrator"), uuid4(), world.now)
        with pytest.raises(StaleFactor):
            register_imports.confirm(
                session, world.actor("administrator", fresh=False), made.id, world.now
            )
        with pytest.raises(Forbidden):
            queries.everything(session, world.actor("provider_administrator"))


def test_what_was_laid_aside_or_confirmed_is_over(world: World) -> None:
    made = check(world, file([line(1)]))
    with world.database.transaction() as session:
        register_imports.discard(session, world.actor("administrator"), made.id, world.now)
    with pytest.raises(AlreadyDone):
        confirm(world, made)
    again = check(world, file([line(1)]))
    confirm(world, again)
    with pytest.raises(AlreadyDone):
        confirm(world, again)


@pytest.mark.postgresql_only
def test_an_order_is_issued_while_a_file_is_being_written(world: World) -> None:
    """It refers to a provider that is held meanwhile; nothing makes it wait."""
    waiting = world.submit(world.draft("03-cgnat-fraud-routine.json"))
    issued: list[object] = []

    def issue() -> None:
        with world.database.transaction() as session:
            other = world.actor("supervisor")
            issued.append(authorising.authorise(session, other, waiting.name, None, world.now))

    with world.database.transaction() as session:
        import_run._lock(session, set(world.register.providers.values()))
        thread = threading.Thread(target=issue)
        thread.start()
        thread.join(5)
        waited = not issued
    thread.join()
    assert not waited


def test_a_name_is_compared_in_every_script(world: World) -> None:
    change(world, "Sevan Hosting", name="ΤΗΛΕΦΩΝΟΣ")
    made = check(world, file([line(1, name="τηλεφωνοσ", domains="")]))
    assert made.report["counts"]["changed"] == 1, "it is that provider's row"
    new = check(world, file([line(2, name="Öresund Net")]))
    confirm(world, new)
    change(world, "Norvik Mobile", name="öresund NET")
    work(world)
    assert state(world, new).report["failed"][0][1] == "name"


def test_a_file_that_cannot_be_worked_through_fails_and_stands_in_nobodys_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = check(world, file([line(1)])), check(world, file([line(2)]))
    confirm(world, broken)
    world.clock.move(minutes=1)
    confirm(world, good)
    tell = import_run._tell

    def poisoned(session: Session, row: RegisterImport, *rest: Any) -> None:
        if row.id == broken.id:
            raise KeyError("poison")
        tell(session, row, *rest)

    monkeypatch.setattr(import_run, "_tell", poisoned)
    work(world)
    after = state(world, broken)
    assert (after.state, after.rows) == ("failed", [])
    assert "Send it anew" in after.report["failed"][0][2]
    assert state(world, good).state == "done"
    assert count(world)[0] == 5, "what was written of the other is taken back"


def test_a_database_that_stumbles_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = check(world, file([line(1)]))
    confirm(world, made)

    def stumbling(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("deadlock"))

    with monkeypatch.context() as patched:
        patched.setattr(import_run, "_tell", stumbling)
        with pytest.raises(OperationalError):
            portion(world)
    assert state(world, made).state == "confirmed"
    work(world)
    assert state(world, made).state == "done"


def steps_to_compare(count: int) -> int:
    """Lines of code that are run for so many rows that all say the same."""
    keys = ";".join(f"+1201{n:04}" for n in range(20))
    lines = [f"P,AM,Asia/Yerevan,{keys}" for _ in range(count)]
    rows = import_check.read(file(lines, "name,country,time_zone,phone_prefixes"))
    steps = 0

    def step(*_: object) -> Any:
        nonlocal steps
        steps += 1
        return step

    sys.settrace(step)
    try:
        import_check._told_twice(rows, "name", "This name", lambda row: row.name)
        import_check._keys_told_twice(rows)
    finally:
        sys.settrace(None)
    assert all(len(row.faults) == 21 for row in rows)
    assert f"rows 3, 4, 5, 6, 7 and {count - 6} more" in rows[0].faults[0].detail
    return steps


@pytest.mark.one_database
def test_a_file_of_four_times_as_many_rows_is_not_compared_in_sixteen_times_the_time() -> None:
    assert steps_to_compare(400) < 5 * steps_to_compare(100)


@pytest.mark.one_database
def test_of_one_row_a_hundred_faults_are_kept_and_all_are_counted(world: World) -> None:
    wrong = ";".join(f"wrong{n}" for n in range(150))
    made = check(world, file([line(1, phone_prefixes=wrong)]))
    assert len(made.report["faults"]) == 100
    assert made.report["counts"]["faults"] == 150


def test_a_stolen_session_has_no_file_compared(world: World) -> None:
    actor = world.actor("administrator", fresh=False)
    with world.database.reading() as session:
        for verb in (register_imports.check, register_imports.look):
            with pytest.raises(StaleFactor):
                verb(session, actor, "x.csv", file([line(1)]), world.now)


def test_a_row_that_closes_a_provider_needs_a_reason(world: World) -> None:
    content = file(["Sevan Hosting,AM,Asia/Yerevan,closed"], "name,country,time_zone,status")
    made = check(world, content)
    with pytest.raises(Invalid) as refused:
        confirm(world, made)
    assert refused.value.errors[0].pointer == "/reason"
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        register_imports.confirm(session, actor, made.id, world.now, "It went bankrupt.")
    work(world)
    assert provider(world, "Sevan Hosting").status is Status.CLOSED
    with world.database.reading() as session:
        query = select(Entry.data).where(Entry.type == "portal.register_import_confirmed")
        (data,) = session.scalars(query)
    assert json.loads(data or "")["reason"] == "It went bankrupt."


def test_a_file_that_nobody_confirmed_is_laid_aside_after_a_week(world: World) -> None:
    made = check(world, file([line(1)]))
    world.clock.move(days=7)
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now)
    assert state(world, made).state == "checked"
    world.clock.move(minutes=1)
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now)
    after = state(world, made)
    assert (after.state, after.rows) == ("discarded", [])
    with pytest.raises(AlreadyDone):
        confirm(world, made)


def test_a_name_that_is_a_domain_of_another_is_a_fault(world: World) -> None:
    made = check(
        world,
        file(
            [
                line(1, name="meridian.example"),
                line(2, name="p3.example"),
                line(3),
                line(4, name="p4.example"),
            ]
        ),
    )
    assert faults(made) == {2: ["name"], 3: ["name"]}
    meanwhile = check(world, file([line(5, name="later.example")]))
    confirm(world, meanwhile)
    change(world, "Norvik Mobile", domains=("later.example",))
    work(world)
    assert state(world, meanwhile).report["failed"][0][1] == "name"


def test_a_domain_from_a_file_is_as_new_as_one_from_the_page(world: World) -> None:
    content = file(
        ["Meridian Telecom,AM,Asia/Yerevan,meridian.example;evil.example"],
        "name,country,time_zone,domains",
    )
    confirm(world, check(world, content))
    work(world)
    assert set(provider(world, "Meridian Telecom").domains_since) == {"evil.example"}
    with world.database.reading() as session:
        letters = session.scalars(select(Message.address).where(Message.letter.contains("entry")))
        assert {world.person("supervisor").email, world.person("spoc").email} <= set(letters)
