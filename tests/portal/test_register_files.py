"""Providers as a file, on the pages: taken away, sent in, looked at, confirmed, watched."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from liaison.documents import provider_csv
from liaison.models import Provider, RegisterImport
from liaison.portal import register_files
from liaison.services import import_check, import_run, register_imports
from tests.portal.filled import SignedIn
from tests.world import World, csrf_token

HEADER = "name,country,time_zone,domains\n"
NEW = HEADER + "Newcomer,AM,Asia/Yerevan,newcomer.example\nMeridian Telecom,GE,Asia/Tbilisi,\n"


def send(client: FlaskClient, content: str | bytes, name: str = "list.csv") -> TestResponse:
    """Sends a file as a browser does; made by hand, for large ones Werkzeug leaves files open."""
    data = content.encode() if isinstance(content, str) else content
    token = csrf_token(client.get("/providers/import"))
    disposition = 'Content-Disposition: form-data; name="'
    body = (
        f'--edge\r\n{disposition}csrf_token"\r\n\r\n{token}\r\n'
        f'--edge\r\n{disposition}file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    ).encode()
    return client.post(
        "/providers/import",
        data=body + data + b"\r\n--edge--\r\n",
        content_type="multipart/form-data; boundary=edge",
    )


def press(client: FlaskClient, place: str, act: str) -> TestResponse:
    page = client.get(place)
    return client.post(f"{place}/{act}", data={"csrf_token": csrf_token(page)})


def providers(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Provider)) or 0


def work(world: World) -> None:
    with world.database.transaction() as session:
        import_run.run(session, world.now, "http://localhost")


def test_sent_in_looked_at_confirmed_and_imported(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    sent = send(client, NEW)
    assert sent.status_code == 303
    place = sent.location
    page = client.get(place).text
    assert "Checked, not imported" in page
    assert "AM → GE" in page
    assert "meridian.example → (none)" in page
    assert "Import 2 providers" in page
    assert providers(world) == 4
    assert press(client, place, "confirm").status_code == 303
    running = client.get(place)
    assert "0 of 2 rows compared" in running.text
    assert '<progress id="bar" max="2" value="0">' in running.text
    assert "data-live=" in running.text
    assert "Refresh" in running.text, "without JavaScript, too"
    part = client.get(f"{place}?part=live")
    assert part.headers["X-Poll-Interval"] == "2"
    same = client.get(f"{place}?part=live", headers={"If-None-Match": part.headers["ETag"]})
    assert same.status_code == 304
    work(world)
    done = client.get(f"{place}?part=live", headers={"If-None-Match": part.headers["ETag"]})
    assert "2 providers written" in done.text
    assert "data-live=" not in done.text
    assert providers(world) == 5
    assert "list.csv" in client.get("/providers/import").text
    assert (
        press(client, "/providers/import", f"{place.rpartition('/')[2]}/confirm").status_code == 409
    )


def test_a_file_with_faults_is_told_row_by_row_and_cannot_be_confirmed(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("administrator")
    place = send(client, HEADER + "=1+1,Armenia,Yerevan,10.1\nX,AM,UTC,meridian.example\n").location
    page = client.get(place).text
    for words in ("ISO 3166-1", "Enter a time zone", "is registered for Meridian Telecom"):
        assert words in page
    assert "Import " not in page.partition("<main")[2].partition("Faults")[0].replace(
        "Import providers", ""
    )
    assert press(client, place, "confirm").status_code == 409
    saved = client.get(f"{place}/faults.csv")
    rows = list(csv.reader(io.StringIO(saved.text.removeprefix("\ufeff"))))
    assert rows[0] == ["row", "column", "fault"]
    assert {row[0] for row in rows[1:]} == {"2", "3"}
    assert press(client, place, "discard").status_code == 303
    assert "Laid aside" in client.get(place).text
    assert providers(world) == 4


@pytest.mark.one_database
def test_a_report_of_thousands_stays_a_page_one_can_open(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in("administrator")
    many = "".join(f"Provider {n},AM,Asia/Yerevan,p{n}.example\n" for n in range(2_000))
    page = client.get(send(client, HEADER + many).location).text
    assert "The first 200 of 2000" in page
    assert len(page) < 100_000
    wrong = "".join(f"Provider {n},A,Asia/Yerevan,\n" for n in range(700))
    place = send(client, HEADER + wrong).location
    page = client.get(place).text
    assert "The first 500 of 700" in page
    assert len(client.get(f"{place}/faults.csv").text.splitlines()) == 701
    monkeypatch.setattr(register_imports, "MOST_FAULTS", 600)
    place = send(client, HEADER + wrong).location
    assert "There are 100 more." in client.get(f"{place}/faults.csv").text.splitlines()[-1]


@pytest.mark.one_database
def test_what_is_taken_away_can_be_sent_back(world: World, signed_in: SignedIn) -> None:
    saved = signed_in("officer").get("/providers/export.csv")
    assert saved.status_code == 200
    assert 'filename="providers-2026-11-23.csv"' in saved.headers["Content-Disposition"]
    client = signed_in("administrator")
    page = client.get(send(client, saved.data).location).text
    assert "there is nothing to import" in page
    assert signed_in("spoc").get("/providers/export.csv").status_code == 403


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04", "This is a spreadsheet"),
        (b"x" * (provider_csv.LARGEST + 1), "at most 10 MB"),
    ],
)
def test_what_is_no_list_is_refused_at_the_field(
    signed_in: SignedIn, content: bytes, words: str
) -> None:
    answer = send(signed_in("administrator"), content)
    assert answer.status_code == 422
    assert re.search(rf'href="#file">CSV file: [^<]*{words}', answer.text)


@pytest.mark.one_database
def test_no_file_and_a_file_that_is_far_too_large(signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    page = client.get("/providers/import")
    none = client.post("/providers/import", data={"csrf_token": csrf_token(page)})
    assert none.status_code == 422
    assert "Choose the file" in none.text
    assert send(client, b"x" * (provider_csv.LARGEST + 600_000)).status_code == 413


@pytest.mark.one_database
def test_five_megabytes_are_taken_here_and_nowhere_else(signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    assert send(client, HEADER + "x" * 5_000_000).status_code in (303, 422)
    page = client.get("/rules/new")
    fields = {"csrf_token": csrf_token(page), "name": "x" * 5_000_000}
    assert client.post("/rules/new", data=fields).status_code == 413


@pytest.mark.one_database
def test_a_session_whose_code_is_old_confirms_nothing(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    place = send(client, NEW).location
    world.clock.move(minutes=6)
    asked = press(client, place, "confirm")
    assert asked.status_code == 303
    assert asked.location.startswith("/account/fresh")
    with world.database.reading() as session:
        assert session.scalars(select(RegisterImport.state)).all() == ["checked"]


@pytest.mark.one_database
def test_every_state_has_its_words() -> None:
    assert set(register_files.STATES) == {"checked", "confirmed", "done", "failed", "discarded"}


@pytest.mark.one_database
def test_a_session_whose_code_is_old_sends_no_file(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    token = csrf_token(client.get("/providers/import"))
    world.clock.move(minutes=6)
    asked = client.get("/providers/import")
    assert asked.location.startswith("/account/fresh")
    upload = {"csrf_token": token, "file": (io.BytesIO(NEW.encode()), "list.csv")}
    sent = client.post("/providers/import", data=upload, content_type="multipart/form-data")
    assert sent.location.startswith("/account/fresh")
    with world.database.reading() as session:
        assert session.scalars(select(RegisterImport.id)).all() == []


@pytest.mark.one_database
def test_nothing_is_held_while_a_file_is_compared(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, compare = signed_in("administrator"), import_check.compare

    def meanwhile(session: Session, rows: list[import_check.Reading]) -> None:
        with world.database.transaction() as other:
            other.execute(update(Provider).values(legal_name="Another writer"))
        compare(session, rows)

    monkeypatch.setattr(import_check, "compare", meanwhile)
    assert send(client, NEW).status_code == 303


@pytest.mark.one_database
def test_the_page_asks_why_a_provider_is_closed(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    closing = "name,country,time_zone,status\nSevan Hosting,AM,Asia/Yerevan,closed\n"
    place = send(client, closing).location
    assert "1 row gives another status" in client.get(place).text
    refused = press(client, place, "confirm")
    assert refused.status_code == 422
    assert "Say why the status changes" in refused.text
    fields = {"csrf_token": csrf_token(client.get(place)), "reason": "It went bankrupt."}
    assert client.post(f"{place}/confirm", data=fields).status_code == 303
    with world.database.reading() as session:
        assert session.scalars(select(RegisterImport.state)).all() == ["confirmed"]
