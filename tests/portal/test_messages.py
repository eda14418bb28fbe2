"""The thread on the pages: files go up and come down, a stopped clock is told, notes stay ours."""

from __future__ import annotations

import io
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from liaison import scanning
from liaison.domain import thread_limits
from liaison.models import Attachment, Blob, Order, ThreadMessage
from liaison.settings import Settings
from tests.keeping import with_terms
from tests.portal.filled import SignedIn
from tests.threads import PDF, PNG, accepted, answer, ask, routine
from tests.world import World, csrf_token

pytestmark = pytest.mark.one_database

Files = list[tuple[str, bytes]]


def send(client: FlaskClient, path: str, files: Files, **fields: str) -> TestResponse:
    """Opens a page and sends its form with files, as a browser does."""
    page = client.get(path)
    version = re.search(r'name="version"[^>]*value="(\d+)"', page.text)
    given = {"csrf_token": csrf_token(page), **fields}
    if version:
        given.setdefault("version", version[1])
    held = [FileStorage(io.BytesIO(content), name, "attachments") for name, content in files]
    # In memory: the test client would leave its temporary files open.
    boundary, body = encode_multipart({**given, "attachments": held})
    kind = f'multipart/form-data; boundary="{boundary}"'
    return client.post(path, data=body, content_type=kind)


def kept(world: World) -> tuple[int, int, int]:
    """How many messages, attachments and files are stored."""
    with world.database.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (ThreadMessage, Attachment, Blob)
        ]
    return counts[0], counts[1], counts[2]


def links(page: str) -> list[str]:
    """Where the files of a page are."""
    return list(dict.fromkeys(re.findall(r'href="(/orders/[^"]+/attachments/[^"]+)"', page)))


def test_files_go_with_a_question_and_come_down_on_both_sides(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    spoc = signed_in("spoc")
    files = [("../../plan‮.pdf", PDF), ("page.html", b"just text")]
    sent = send(spoc, f"/orders/{order.name}/question", files, text="Which of the two?")
    assert sent.status_code == 303
    for who in ("spoc", "officer", "auditor"):
        client = signed_in(who)
        shown = client.get(f"/orders/{order.name}").text
        assert "‮" not in shown
        first, second = links(shown)
        answered = client.get(first)
        assert answered.data == PDF
        headers = answered.headers
        assert headers["Content-Type"] == "application/pdf"
        assert headers["Content-Disposition"].startswith('attachment; filename="plan.pdf"')
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        text = client.get(second).headers
        assert text["Content-Type"] == "text/plain; charset=utf-8"
        assert text["Content-Disposition"].split(";")[1].endswith('.html.txt"')


def test_another_tenants_file_is_not_there(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    (file,) = ask(world, order, files=accepted()).attachments
    other = world.issue(provider="Norvik Mobile")
    client = signed_in("norvik_spoc")
    answers = [
        client.get(f"/orders/{name}/attachments/{id_}")
        for name, id_ in (
            (order.name, file.id),
            (other.name, file.id),
            (other.name, "01930000-0000-7000-8000-000000000001"),
        )
    ]
    assert [a.status_code for a in answers] == [404] * 3
    bodies = {re.sub(r"[0-9a-f]{32}", "", a.text) for a in answers}
    assert len({len(body) for body in bodies}) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("x.svg", b"<svg onload=x()>")], "not taken"),
        ([("empty.txt", b"")], "is empty"),
        ([("x.png", PNG + b"PK\x05\x06")], "two things"),
        ([(f"{n}.txt", b"x") for n in range(11)], "at most 10 files"),
        ([("big.txt", b"x" * (10 * 1024 * 1024 + 1))], "larger than 10 MB"),
        ([(f"{n}.txt", b"x" * (9 * 1024 * 1024)) for n in range(3)], "25 MB together"),
    ],
)
def test_what_is_not_taken_is_said_and_the_words_are_kept(
    world: World, signed_in: SignedIn, files: Files, words: str
) -> None:
    order = world.issue()
    path = f"/orders/{order.name}/question"
    page = send(signed_in("spoc"), path, files, text="Look at this.", kind="remark")
    assert page.status_code == 422
    assert words in page.text
    assert "Look at this." in page.text
    assert re.search(r'<input[^>]*value="remark"[^>]*checked', page.text)
    assert kept(world) == (0, 0, 0)


def test_far_too_much_is_turned_away_unread(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    files = [(f"{n}.txt", b"x" * (10 * 1024 * 1024)) for n in range(3)]
    answered = send(signed_in("spoc"), f"/orders/{order.name}/question", files, text="x")
    assert answered.status_code == 413
    assert kept(world) == (0, 0, 0)


def test_the_contact_point_answers_with_a_file_from_the_order_page(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    ask(world, order)
    client = signed_in("officer")
    page = client.get(f"/orders/{order.name}")
    form = {
        "csrf_token": csrf_token(page),
        "version": str(world.order(order.name).version),
        "text": "The first of them.",
        "attachments": [(io.BytesIO(PNG), "map.png")],
    }
    path = f"/orders/{order.name}/message"
    sent = client.post(path, data=form, content_type="multipart/form-data")
    assert sent.status_code == 303
    again = dict(form, attachments=[(io.BytesIO(PNG), "map.png")])
    assert client.post(path, data=again, content_type="multipart/form-data").status_code == 303
    assert kept(world) == (2, 1, 1)
    assert world.order(order.name).question_open_since is None


def scanner(app: Flask, tmp_path: Path, body: str) -> None:
    """The installation's scanner does this."""
    script = tmp_path / "scan"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    held = app.extensions["liaison"].settings
    object.__setattr__(held, "scan_command", str(script))
    assert isinstance(held, Settings)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo VIRUSNAME; exit 1", "refused this file"),
        ("exit 3", "could not be scanned"),
    ],
)
def test_the_scanner_refuses_or_fails_and_nothing_is_stored(
    app: Flask, world: World, signed_in: SignedIn, tmp_path: Path, body: str, words: str
) -> None:
    order = world.issue()
    scanner(app, tmp_path, body)
    path = f"/orders/{order.name}/question"
    page = send(signed_in("spoc"), path, [("a.txt", b"x")], text="Look.")
    assert page.status_code == 422
    assert words in page.text
    assert "Look." in page.text
    assert "VIRUSNAME" not in page.text
    assert kept(world) == (0, 0, 0)


def test_no_transaction_is_open_while_the_scanner_runs(
    app: Flask, world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()
    client = signed_in("spoc")

    def look(_command: str, _files: list[bytes]) -> None:
        # On SQLite a second writer would wait for one that is open, and then give up.
        with world.database.transaction() as session:
            session.get_one(Order, order.id).release_note = None

    monkeypatch.setattr("liaison.scanning.scan", look)
    sent = send(client, f"/orders/{order.name}/question", [("a.txt", b"x")], text="Look.")
    assert sent.status_code == 303
    assert kept(world) == (1, 1, 1)


def test_a_stopped_clock_and_the_time_to_answer_are_told_to_both(
    world: World, signed_in: SignedIn
) -> None:
    with_terms(world, clock_stops=True)
    order = routine(world)
    asks = signed_in("spoc").get(f"/orders/{order.name}/question").text
    assert "A question stops the clock" in asks
    ask(world, order)
    world.clock.move(hours=3)
    for who in ("spoc", "officer"):
        page = signed_in(who).get(f"/orders/{order.name}").text
        assert "The clock is stopped since" in page
        assert "2 days will be left to acknowledge" in page
        assert "must answer the question by" in page
        assert "data-countdown-main" not in page
        assert signed_in(who).get("/orders").status_code == 200
    world.clock.move(hours=22)
    assert "Not answered in time" in signed_in("officer").get(f"/orders/{order.name}").text
    answer(world, order)
    page = signed_in("spoc").get(f"/orders/{order.name}").text
    assert "The clock is stopped" not in page
    assert "Questions have stopped the clock for 25 h" in page


def test_an_emergency_says_that_its_clocks_go_on(world: World, signed_in: SignedIn) -> None:
    with_terms(world, clock_stops=True)
    order = world.issue()
    assert "The clocks go on" in signed_in("spoc").get(f"/orders/{order.name}/question").text


def test_notes_stand_on_the_page_of_the_contact_point_alone(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    officer = signed_in("officer")
    page = officer.get(f"/orders/{order.name}/note")
    form = {"csrf_token": csrf_token(page), "text": "NOTECANARY <b>"}
    assert officer.post(f"/orders/{order.name}/note", data=form).status_code == 303
    for who, reads in (("officer", True), ("auditor", True), ("spoc", False)):
        client = signed_in(who)
        found = client.get(f"/orders/{order.name}").text
        assert ("NOTECANARY &lt;b&gt;" in found) is reads
        assert ("Internal notes" in found) is reads
        live = client.get(f"/orders/{order.name}?part=live").text
        assert ("NOTECANARY" in live) is reads
    assert "Keep this note" not in signed_in("auditor").get(f"/orders/{order.name}").text
    empty = {"csrf_token": csrf_token(officer.get(f"/orders/{order.name}/note")), "text": " "}
    refused = officer.post(f"/orders/{order.name}/note", data=empty)
    assert refused.status_code == 422
    assert "Write something first." in refused.text


def test_a_draft_has_notes_too(world: World, signed_in: SignedIn) -> None:
    draft = world.draft()
    officer = signed_in("officer")
    page = officer.get(f"/orders/{draft.name}/note")
    form = {"csrf_token": csrf_token(page), "text": "Ask the prosecutor first."}
    assert officer.post(f"/orders/{draft.name}/note", data=form).status_code == 303
    assert "Ask the prosecutor first." in officer.get(f"/orders/{draft.name}").text


def test_of_a_long_thread_the_last_are_shown_and_all_on_demand(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    for number in range(55):
        ask(world, order, f"Remark no. {number}.", question=False)
        world.clock.move(minutes=3)
    for who in ("spoc", "officer"):
        page = signed_in(who).get(f"/orders/{order.name}").text
        shown, _, happened = page.partition("What has happened")
        assert shown.count("Remark no. ") == 50
        assert "Remark no. 4." not in shown
        assert "Remark no. 54." in shown
        assert f'href="/orders/{order.name}?all=1#th-h">Show all 55 messages' in shown
        assert "Show all" not in happened
        whole = signed_in(who).get(f"/orders/{order.name}?all=1").text
        assert whole.partition("What has happened")[0].count("Remark no. ") == 55
        assert f"/orders/{order.name}?part=live&amp;all=1" in whole


def test_of_all_that_happened_the_last_hundred_are_shown(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    for number in range(101):
        ask(world, order, f"Remark no. {number}.", question=False)
        world.clock.move(minutes=3)
    page = signed_in("spoc").get(f"/orders/{order.name}").text.partition("What has happened")[2]
    # Issued, fetched, and the messages: the newest is that the order was opened.
    assert page.count("Remark no. ") == 99
    assert f'href="/orders/{order.name}?all=1#tl-h">Show all 103' in page
    page = signed_in("spoc").get(f"/orders/{order.name}?all=1").text
    assert page.partition("What has happened")[2].count("Remark no. ") == 101


@pytest.mark.parametrize(("who", "path"), [("spoc", "question"), ("officer", "message")])
def test_whoever_writes_too_much_keeps_what_was_typed(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, who: str, path: str
) -> None:
    monkeypatch.setattr(thread_limits, "HOURLY", 1)
    order = world.issue()
    client, path = signed_in(who), f"/orders/{order.name}/{path}"
    assert send(client, path, [], text="The first.").status_code == 303
    page = send(client, path, [], text="The second of them.")
    assert page.status_code == 422
    assert "within an hour" in page.text
    assert "The second of them." in page.text


def test_while_others_files_are_looked_at_the_words_are_kept(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "WAIT", 0.01)
    order = world.issue()
    client, path = signed_in("spoc"), f"/orders/{order.name}/question"
    with ExitStack() as others:
        for _ in range(scanning.AT_ONCE):
            others.enter_context(scanning.turn())
        page = send(client, path, [("a.txt", b"x")], text="Look.")
        assert page.status_code == 422
        assert "Other files are being looked at" in page.text
        assert "Look." in page.text
        assert send(client, path, [], text="Without.").status_code == 303
    assert send(client, path, [("a.txt", b"x")], text="Look.").status_code == 303


def test_a_name_that_turns_the_line_turns_none_in_the_record(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    ask(world, order, files=accepted("plan\u202efdp.pdf", PDF))
    for who in ("spoc", "officer"):
        page = signed_in(who).get(f"/orders/{order.name}/record").text
        assert "\u202e" not in page
        assert "planfdp.pdf" in page
