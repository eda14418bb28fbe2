"""The pages of duty: rotas, standing in, exchanging, calendar addresses, importing."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select
from werkzeug.test import TestResponse

from liaison.documents import calendar
from liaison.models import Contact, DutyFeed, DutyOverride, Message, Rota
from tests.portal.filled import SignedIn
from tests.world import World, csrf_token, submit

MERIDIAN = "meridian.example"


def contact(world: World, email: str) -> Contact:
    with world.database.reading() as session:
        return session.scalars(select(Contact).where(Contact.email == email)).one()


def fields(world: World, *members: str, **changes: Any) -> dict[str, Any]:
    rows = {f"members-{n}": str(contact(world, m).id) for n, m in enumerate(members)}
    return {
        "name": "Night desk",
        "turn": "daily",
        "handover": "08:00",
        "weekday": "0",
        "time_zone": "Asia/Yerevan",
        "starts_on": "2026-11-20",
        "windows": "",
        "holidays": "as_usual",
        **rows,
        **changes,
    }


SPOC, DEPUTY, LEGAL = (f"{name}@{MERIDIAN}" for name in ("spoc", "deputy", "legal"))


def write(client: FlaskClient, world: World, *members: str, **changes: Any) -> Rota:
    sent = fields(world, *(members or (SPOC, DEPUTY)), **changes)
    answer = submit(client, "/duty/rotas/new", sent)
    assert answer.status_code == 303, answer.text
    with world.database.reading() as session:
        query = select(Rota).where(Rota.ended_at.is_(None)).order_by(Rota.made_at.desc())
        return session.scalars(query).all()[0]


def press(client: FlaskClient, path: str) -> TestResponse:
    return submit(client, "/duty/feeds", {}, to=path)


# The story


def test_a_rota_is_written_seen_changed_and_ended(world: World, signed_in: SignedIn) -> None:
    spoc = signed_in("spoc")
    assert "No rota stands" in spoc.get("/duty").text
    rota = write(spoc, world)
    page = spoc.get("/duty").text
    now = page.partition(">Now<")[2].partition("</section>")[0]
    assert "Deputy SPOC at meridian.example" in now and "tel:+37410000201" in now
    assert "Next, from" in now and "tel:+37410000200" in now
    assert "style=" not in page
    form = spoc.get(f"/duty/rotas/{rota.id}/edit").text
    assert 'value="Night desk"' in form
    world.clock.move(seconds=30)
    changed = fields(world, LEGAL, windows="Mon to Fri, 09:00 to 17:00")
    assert submit(spoc, f"/duty/rotas/{rota.id}/edit", changed).status_code == 303
    page = spoc.get("/duty").text
    assert "Legal desk at meridian.example" in page and "Gap" in page
    assert "Monday to Friday, 09:00 to 17:00" in page
    again = press(spoc, f"/duty/rotas/{rota.id}/end")
    assert again.status_code == 409, "the one that was changed has ended"
    with world.database.reading() as session:
        standing = session.scalars(select(Rota).where(Rota.ended_at.is_(None))).one()
    assert press(spoc, f"/duty/rotas/{standing.id}/end").status_code == 303
    assert "No rota stands" in spoc.get("/duty").text


@pytest.mark.one_database
def test_rows_are_added_and_removed_and_nothing_typed_is_lost(
    world: World, signed_in: SignedIn
) -> None:
    spoc = signed_in("spoc")
    sent = fields(world, SPOC, DEPUTY, name="Typed <b>")
    more = submit(spoc, "/duty/rotas/new", {**sent, "act": "add-member"})
    assert more.status_code == 200
    assert 'name="members-2"' in more.text and "Typed &lt;b&gt;" in more.text
    less = submit(spoc, "/duty/rotas/new", {**sent, "act": "remove-member-0"})
    assert 'name="members-1"' not in less.text
    assert f'selected value="{contact(world, DEPUTY).id}"' in less.text
    for act in ("remove-member-99", "remove-member-", "add-member-x"):
        assert submit(spoc, "/duty/rotas/new", {**sent, "act": act}).status_code in (200, 303)


@pytest.mark.one_database
def test_faults_stand_at_the_row_that_was_meant(world: World, signed_in: SignedIn) -> None:
    with world.database.transaction() as session:
        silent = session.scalars(select(Contact).where(Contact.email == DEPUTY)).one()
        silent.email_verified_at = silent.phone_verified_at = None
    sent = fields(world, SPOC, handover="8 o'clock")
    sent |= {"members-1": "", "members-2": str(contact(world, DEPUTY).id)}
    answer = submit(signed_in("spoc"), "/duty/rotas/new", sent)
    assert answer.status_code == 422
    assert 'href="#members-2"' in answer.text and 'href="#handover"' in answer.text
    assert "no verified e-mail address or phone" in answer.text


@pytest.mark.one_database
def test_a_form_with_a_thousand_turns_is_refused(world: World, signed_in: SignedIn) -> None:
    spoc = signed_in("spoc")
    sent = fields(world, SPOC) | {f"members-{n}": "x" for n in range(50)}
    assert submit(spoc, "/duty/rotas/new", sent).status_code == 422
    sent |= {f"members-{n}": "x" for n in range(200)}
    assert submit(spoc, "/duty/rotas/new", sent).status_code == 413
    assert submit(spoc, "/duty/rotas/new", {"members-²": "x"}).status_code == 422


def test_somebody_stands_in_and_it_is_taken_back(world: World, signed_in: SignedIn) -> None:
    spoc = signed_in("spoc")
    write(spoc, world)
    page = spoc.get("/duty/overrides/new?start=2026-11-24T08:00:00Z&end=garbage").text
    assert 'value="2026-11-24 12:00"' in page
    sent = {"contact": str(contact(world, LEGAL).id), "rota": "", "note": "Ill <i>"}
    sent |= {"starts_at": "2026-11-23 12:00", "ends_at": "2026-11-24 12:00"}
    assert submit(spoc, "/duty/overrides/new", sent).status_code == 303
    page = spoc.get("/duty").text
    now = page.partition(">Now<")[2].partition("</section>")[0]
    assert "Legal desk" in now and "Ill &lt;i&gt;" in page
    with world.database.reading() as session:
        row = session.scalars(select(DutyOverride)).one()
        told = session.scalars(
            select(Message.address).where(Message.letter == "register/duty_changed")
        ).all()
    assert LEGAL in told
    assert press(spoc, f"/duty/overrides/{row.id}/cancel").status_code == 303
    assert "Legal desk" not in spoc.get("/duty").text.partition(">Now<")[2].partition("</sec")[0]
    assert press(spoc, f"/duty/overrides/{row.id}/cancel").status_code == 409
    wrong = submit(spoc, "/duty/overrides/new", {**sent, "ends_at": "later"})
    assert wrong.status_code == 422 and 'href="#ends_at"' in wrong.text


def test_two_shifts_are_exchanged(world: World, signed_in: SignedIn) -> None:
    spoc = signed_in("spoc")
    write(spoc, world)
    page = spoc.get("/duty/swap").text
    keys = re.findall(r'<option value="([^"]+\|[^"]+)"', page)
    sent = {"first": keys[0], "second": keys[1]}
    assert submit(spoc, "/duty/swap", sent).status_code == 303
    assert spoc.get("/duty").text.count("Exchanged with") == 2
    assert submit(spoc, "/duty/swap", {"first": keys[0], "second": "x"}).status_code == 422


def test_the_contact_point_sees_who_is_on_duty_and_the_gaps_of_a_provider(
    world: World, signed_in: SignedIn
) -> None:
    write(signed_in("spoc"), world, LEGAL, windows="Mon, 15:00 to 17:00")
    provider = world.register.providers["Meridian Telecom"]
    page = signed_in("officer").get(f"/providers/{provider}").text
    duty = page.partition('id="duty-h"')[2].partition("</section>")[0]
    assert "On duty now" in duty and "Legal desk" in duty and "Gap" in duty
    norvik = world.register.providers["Norvik Mobile"]
    assert 'id="duty-h"' not in signed_in("officer").get(f"/providers/{norvik}").text


def test_a_code_that_ran_out_keeps_what_was_typed(world: World, signed_in: SignedIn) -> None:
    spoc = signed_in("spoc")
    world.clock.move(minutes=10)
    answer = submit(spoc, "/duty/rotas/new", fields(world, SPOC, name="Kept for me"))
    assert answer.location.startswith("/account/fresh")
    onward = submit(spoc, answer.location, {"code": world.unused_code("spoc")})
    assert "Kept for me" in spoc.get(onward.location).text
    with world.database.reading() as session:
        assert session.scalars(select(Rota)).all() == []


@pytest.mark.one_database
def test_others_read_their_own_duty_and_cannot_change_it(world: World, signed_in: SignedIn) -> None:
    write(signed_in("supervisor"), world, "duty@police.example")
    for who in ("officer", "auditor"):
        page = signed_in(who).get("/duty").text
        assert "Duty officer at police.example" in page
        assert "Take back" not in page and "/duty/rotas/new" not in page
    assert "No rota stands" in signed_in("spoc").get("/duty").text


# Calendar addresses


def make_feed(client: FlaskClient) -> str:
    answer = submit(client, "/duty/feeds", {"name": "A phone"})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    found = re.search(r"http://localhost(/duty/feed/[\w-]+\.ics)", answer.text)
    assert found is not None
    return found[1]


def test_a_calendar_program_reads_the_feed_without_signing_in(
    world: World, signed_in: SignedIn, client: FlaskClient
) -> None:
    spoc = signed_in("spoc")
    write(spoc, world)
    address = make_feed(spoc)
    assert address not in spoc.get("/duty/feeds").text, "shown once"
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/calendar")
    assert "private" in answer.headers["Cache-Control"]
    events = Calendar.from_ical(answer.data).walk("VEVENT")
    assert len(events) == 91, "from now, when the rota was made, for 90 days"
    assert "Deputy SPOC" in str(events[0]["SUMMARY"])
    assert b"+3741" not in answer.data and b"meridian.example\r\nTEL" not in answer.data
    with world.database.reading() as session:
        assert session.scalars(select(DutyFeed.last_read_at)).one() == world.now
    world.clock.move(minutes=9)
    client.get(address)
    with world.database.reading() as session:
        read = session.scalars(select(DutyFeed)).one()
        assert read.last_read_at is not None and read.last_read_at < world.now


def test_a_revoked_address_answers_like_one_that_never_was(
    world: World, signed_in: SignedIn, client: FlaskClient
) -> None:
    spoc = signed_in("spoc")
    address = make_feed(spoc)
    with world.database.reading() as session:
        row = session.scalars(select(DutyFeed)).one()
    assert press(signed_in("norvik_spoc"), f"/duty/feeds/{row.id}/revoke").status_code == 404
    assert client.get(address).status_code == 200
    assert press(spoc, f"/duty/feeds/{row.id}/revoke").status_code == 303
    revoked, unknown = client.get(address), client.get(f"/duty/feed/{'x' * 43}.ics")
    assert revoked.status_code == unknown.status_code == 404
    plain = [re.sub(r"[0-9a-f]{32}", "", page.text) for page in (revoked, unknown)]
    assert plain[0].replace(address, "") == plain[1].replace(f"/duty/feed/{'x' * 43}.ics", "")
    assert "text/calendar" not in revoked.content_type


def test_no_log_holds_the_address(
    world: World, signed_in: SignedIn, client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    address = make_feed(signed_in("spoc"))
    client.get(address)
    said = capsys.readouterr()
    token = address.rpartition("/")[2].removesuffix(".ics")
    assert "/duty/feed/<token>.ics" in said.out + said.err
    assert token not in said.out + said.err
    with world.database.reading() as session:
        assert token not in str([vars(f) for f in session.scalars(select(DutyFeed))])


# Importing


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}END:VCALENDAR\n".encode()


def shift(uid: str, title: str, day: str = "20261124", more: str = "") -> str:
    return f"UID:{uid}\nSUMMARY:{title}\nDTSTART:{day}T080000\nDURATION:PT8H{more}"


def look(client: FlaskClient, content: bytes) -> TestResponse:
    sent = {"file": (io.BytesIO(content), "duty.ics"), "act": "look"}
    return submit(client, "/duty/import", sent)


def enter(client: FlaskClient, page: TestResponse) -> TestResponse:
    rows = re.search(r'name="rows" value="([^"]*)"', page.text)
    assert rows is not None
    sent = {"csrf_token": csrf_token(page), "rows": rows[1], "act": "enter"}
    return client.post("/duty/import", data=sent)


def entered(world: World) -> list[tuple[str, str]]:
    with world.database.reading() as session:
        rows = session.scalars(
            select(DutyOverride)
            .where(DutyOverride.cancelled_at.is_(None))
            .order_by(DutyOverride.starts_at)
        )
        return [(f"{r.starts_at:%d %H}", r.contact.email.partition("@")[0]) for r in rows]


def test_a_calendar_is_looked_at_then_entered_and_imported_again(
    world: World, signed_in: SignedIn
) -> None:
    spoc = signed_in("spoc")
    deputy = f"\nATTENDEE:mailto:{DEPUTY}\nRRULE:FREQ=DAILY;COUNT=2"
    page = look(
        spoc,
        ics(
            shift("1", "Legal desk at meridian.example"),
            shift("2", "Whoever", "20261125", deputy),
            shift("3", "Nobody <u>"),
            shift("4", f"{SPOC} and {DEPUTY}"),
            "UID:5\nSUMMARY:Broken\nDTSTART:never",
        ),
    )
    assert page.status_code == 200 and entered(world) == []
    assert "Nothing was entered yet. 3 new" in page.text
    for words in (
        "Nobody &lt;u&gt;",
        "names no contact",
        "several contacts",
        "a line of it is bro",
    ):
        assert words in page.text
    assert enter(spoc, page).status_code == 303
    assert entered(world) == [("24 04", "legal"), ("25 04", "deputy"), ("26 04", "deputy")]
    with world.database.reading() as session:
        first = {r.source: r.id for r in session.scalars(select(DutyOverride))}
    again = look(
        spoc,
        ics(
            shift("1", "SPOC, no: Legal desk at meridian.example"),
            shift("2", "Whoever", "20261125", f"\nATTENDEE:mailto:{LEGAL}"),
        ),
    )
    assert "1 new or changed, 1 as they are already; 2 imported before" in again.text
    assert enter(spoc, again).status_code == 303
    assert entered(world) == [("24 04", "legal"), ("25 04", "legal")]
    with world.database.reading() as session:
        kept = session.scalars(
            select(DutyOverride).where(DutyOverride.id.in_(first.values()))
        ).all()
    assert [r.source for r in kept if r.cancelled_at is None] == ["ics:1:2026-11-24T04:00:00Z"]


@pytest.mark.one_database
def test_what_was_shown_to_another_or_written_by_hand_is_not_entered(
    world: World, signed_in: SignedIn
) -> None:
    spoc, colleague = signed_in("spoc"), signed_in("provider_administrator")
    page = look(spoc, ics(shift("1", "Legal desk at meridian.example")))
    mine = re.search(r'name="rows" value="([^"]*)"', page.text)
    assert mine is not None
    for client, rows in ((colleague, mine[1]), (spoc, mine[1][:-3] + "abc"), (spoc, "")):
        answer = submit(client, "/duty/import", {"rows": rows, "act": "enter"})
        assert answer.status_code == 422 and "Choose the file again" in answer.text
    assert entered(world) == []


@pytest.mark.one_database
def test_orders_are_issued_while_a_file_is_read(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = []
    whole = calendar.read

    def slow(*given: Any) -> Any:
        issued.append(world.issue())
        return whole(*given)

    monkeypatch.setattr(calendar, "read", slow)
    page = look(signed_in("spoc"), ics(shift("1", "Legal desk at meridian.example")))
    assert "1 new" in page.text and len(issued) == 1


@pytest.mark.one_database
def test_an_import_tells_whom_it_puts_aside_and_the_other_side(
    world: World, signed_in: SignedIn
) -> None:
    spoc = signed_in("spoc")
    page = look(spoc, ics(shift("1", "Legal desk at meridian.example")))
    assert enter(spoc, page).status_code == 303
    with world.database.reading() as session:
        query = select(Message.letter, Message.address).where(Message.letter.like("register/duty%"))
        told = {(letter.rpartition("_")[2], address) for letter, address in session.execute(query)}
    assert told == {
        ("changed", LEGAL),
        ("changed", SPOC),
        ("changed", f"t.avagyan@{MERIDIAN}"),
        ("unusual", "supervisor@police.example"),
        ("unusual", "supervisor@politie.example"),
    }


@pytest.mark.one_database
@pytest.mark.parametrize(
    "line",
    [
        "DTSTART;TZID=Asia/Tokyo:20261124T080000\nRRULE:FREQ=DAILY;COUNT=1;UNTIL=99991231T235959Z",
        "DTSTART;VALUE=TIME:100000",
        "DTSTART;TZID=America:20261124T080000",
    ],
)
def test_a_file_with_an_odd_line_is_shown(signed_in: SignedIn, line: str) -> None:
    odd = f"UID:1\nSUMMARY:Odd\nDURATION:PT1H\n{line}"
    page = look(signed_in("spoc"), ics(odd, shift("2", "Legal desk at meridian.example")))
    assert page.status_code == 200 and "1 new" in page.text


@pytest.mark.one_database
def test_a_code_that_ran_out_before_entering_shows_the_same_again(
    world: World, signed_in: SignedIn
) -> None:
    spoc = signed_in("spoc")
    page = look(spoc, ics(shift("1", "Legal desk at meridian.example")))
    world.clock.move(minutes=10)
    away = enter(spoc, page)
    assert away.location.startswith("/account/fresh")
    onward = submit(spoc, away.location, {"code": world.unused_code("spoc")})
    shown = spoc.get(onward.location)
    assert "Nothing was entered yet. 1 new" in shown.text
    assert enter(spoc, shown).status_code == 303
    assert entered(world) == [("24 04", "legal")]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file"),
        (b"\x00" * 50, "NUL character"),
        (b"PK\x03\x04", "This is no calendar"),
        (b"BEGIN:VCALENDAR\n" + b"x" * 210_000, "too large"),
        (ics(*[shift(str(n), "x", more="\nRRULE:FREQ=DAILY") for n in range(101)]), "repeat"),
    ],
    ids=["empty", "nul", "zip", "large", "repeating"],
)
def test_a_file_that_means_harm_is_answered_in_words(
    signed_in: SignedIn, content: bytes, words: str
) -> None:
    answer = look(signed_in("spoc"), content)
    assert answer.status_code == 422
    assert words in answer.text


# Attacks


@pytest.mark.one_database
def test_anothers_things_are_as_good_as_absent(world: World, signed_in: SignedIn) -> None:
    spoc, thief = signed_in("spoc"), signed_in("norvik_spoc")
    rota = write(spoc, world)
    assert thief.get(f"/duty/rotas/{rota.id}/edit").status_code == 404
    assert thief.get(f"/duty/rotas/{uuid4()}/edit").status_code == 404
    assert press(thief, f"/duty/rotas/{rota.id}/end").status_code == 404
    sent = {"contact": str(contact(world, SPOC).id), "rota": str(rota.id)}
    sent |= {"starts_at": "2026-11-24 10:00", "ends_at": "2026-11-24 12:00"}
    assert submit(thief, "/duty/overrides/new", sent).status_code == 422
    assert str(rota.id) not in thief.get("/duty/swap").text
    assert "Night desk" not in thief.get("/duty").text
