"""Files that were chosen for a form go with it, through an error and a session that ran out."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from liaison.domain.attachments import MB
from liaison.models import Attachment, KeptFile, Order
from liaison.services import housekeeping, kept_files
from tests.portal.filled import SignedIn, fields
from tests.portal.test_kept import idle, sign_in_on
from tests.threads import routine
from tests.world import World

pytestmark = pytest.mark.one_database

Files = Sequence[tuple[str, bytes]]

LOG = b"2026-11-22 08:00 lease 198.51.100.24\n"


def rows(world: World) -> list[KeptFile]:
    with world.database.reading() as session:
        return list(session.scalars(select(KeptFile).order_by(KeptFile.id)))


def attached(world: World) -> list[str]:
    with world.database.reading() as session:
        return list(session.scalars(select(Attachment.name).order_by(Attachment.position)))


def write(client: FlaskClient, path: str, files: Files = (), **given: Any) -> TestResponse:
    """Fills in the form that stands at an address, as a browser does, and sends it."""
    form = fields(client.get(path).text)
    return send(client, path, form, files, **given)


def send(
    client: FlaskClient,
    path: str,
    form: Any,
    files: Files = (),
    **given: Any,
) -> TestResponse:
    data: dict[str, Any] = {name: form.getlist(name) for name in form} | given
    data["attachments"] = [(BytesIO(content), name) for name, content in files]
    return client.post(path, data=data, content_type="multipart/form-data")


@pytest.fixture
def asked(world: World) -> Order:
    return routine(world)


def test_a_session_that_ran_out_keeps_the_files_too(
    world: World, signed_in: SignedIn, asked: Order
) -> None:
    client, path = signed_in("spoc"), f"/orders/{asked.name}/question"
    form = fields(client.get(path).text)
    idle(world, client)
    files = [("lease <1>.txt", LOG), ("second.txt", b"more\n")]
    answer = send(client, path, form, files, text="Which of these leases?")
    assert answer.status_code == 303
    assert [row.size for row in rows(world)] == [len(LOG), 5]
    assert all(LOG not in row.sealed and "lease" not in row.name for row in sealed(world))

    back = sign_in_on(client, world, answer.location, "spoc")
    page = client.get(back.location)
    assert "Which of these leases?" in page.text
    assert "lease &lt;1&gt;.txt" in page.text
    again = fields(page.text)
    assert len(again.getlist("attachments-kept")) == 2
    sent = send(client, back.location, again)
    assert sent.status_code == 303
    assert attached(world) == ["lease <1>.txt", "second.txt"]
    assert rows(world) == [], "once it was sent nothing of it is kept"


def sealed(world: World) -> list[KeptFile]:
    with world.database.reading() as session:
        found = list(session.scalars(select(KeptFile)))
        for row in found:
            _ = row.sealed
        return found


def test_an_error_keeps_the_files_and_what_is_unticked_is_not_sent(
    world: World, signed_in: SignedIn, asked: Order
) -> None:
    client, path = signed_in("spoc"), f"/orders/{asked.name}/question"
    files = [("lease.txt", LOG), ("wrong.txt", b"of another case\n")]
    refused = write(client, path, files, text="")
    assert refused.status_code == 422
    form = fields(refused.text)
    first, _second = form.getlist("attachments-kept")
    form.setlist("attachments-kept", [first])
    refused = send(client, path, form, [("third.txt", b"and this\n")], text="")
    assert refused.status_code == 422
    form = fields(refused.text)
    assert len(form.getlist("attachments-kept")) == 2
    assert send(client, path, form, text="These two.").status_code == 303
    assert sorted(attached(world)) == ["lease.txt", "third.txt"]


def test_a_file_that_is_itself_at_fault_is_not_kept(
    world: World, signed_in: SignedIn, asked: Order
) -> None:
    client, path = signed_in("spoc"), f"/orders/{asked.name}/question"
    refused = write(client, path, [("page.html", b"<html><script>1</script>")], text="See.")
    assert refused.status_code == 422
    assert rows(world) == []


def test_nobody_else_sends_or_sees_them(
    world: World, signed_in: SignedIn, asked: Order, app: Flask
) -> None:
    client, path = signed_in("spoc"), f"/orders/{asked.name}/question"
    refused = write(client, path, [("lease.txt", LOG)], text="")
    (kept,) = fields(refused.text).getlist("attachments-kept")
    officer, message = app.test_client(), f"/orders/{asked.name}/message"
    world.sign_in(officer, "officer")
    sent = write(officer, message, (), text="From us.", **{"attachments-kept": [kept, "no id"]})
    assert sent.status_code == 303
    assert attached(world) == []
    assert "lease.txt" not in officer.get(f"{message}?kept={kept}").text
    elsewhere = f"/orders/{routine(world).name}/question"
    sent = write(client, elsewhere, (), text="Another order.", **{"attachments-kept": [kept]})
    assert sent.status_code == 303
    assert attached(world) == [], "it is no other form's"
    assert len(rows(world)) == 1


def test_the_oldest_give_way_and_all_are_gone_after_half_a_day(world: World) -> None:
    person = world.person("spoc").id
    for number in range(4):
        with world.database.transaction() as session:
            kept_files.keep(
                session, world.vault, person, "/p", "file", f"{number}", bytes(10 * MB), world.now
            )
        world.clock.move(seconds=1)
    with world.database.reading() as session:
        now, vault = world.now, world.vault
        names = [held.name for held in kept_files.listed(session, vault, person, "/p", "file", now)]
    assert names == ["1", "2", "3"]
    world.clock.move(hours=12)
    with world.database.transaction() as session:
        assert kept_files.listed(session, world.vault, person, "/p", "file", world.now) == []
        housekeeping.tidy(session, world.now)
        assert session.scalar(select(func.count()).select_from(KeptFile)) == 0


def test_empty_files_give_way_too(world: World) -> None:
    person, vault, now = world.person("spoc").id, world.vault, world.now
    name = "x" * 10_000 + ".txt"
    with world.database.transaction() as session:
        for _ in range(kept_files.MOST + 2):
            kept_files.keep(session, vault, person, "/p", "file", name, b"", now)
        found = kept_files.listed(session, vault, person, "/p", "file", now)
    assert len(found) == kept_files.MOST
    assert {held.name for held in found} == {"x" * 251 + ".txt"}


def test_an_answer_file_waits_with_its_report(
    world: World, signed_in: SignedIn, asked: Order
) -> None:
    world.acknowledge(asked)
    client, path = signed_in("spoc"), f"/orders/{asked.name}/preserve"
    lines = b"number,outcome\n1,partial\n"
    form = fields(client.get(path).text)
    idle(world, client)
    data: dict[str, Any] = {name: form.getlist(name) for name in form}
    data |= {"days": "90", "act": "read", "file": (BytesIO(lines), "answer.csv")}
    answer = client.post(path, data=data, content_type="multipart/form-data")
    back = sign_in_on(client, world, answer.location, "spoc")
    page = client.get(back.location)
    assert "answer.csv" in page.text
    again = fields(page.text)
    again["act"] = "read"
    shown = client.post(back.location, data=again, content_type="multipart/form-data")
    assert shown.status_code == 200, "it is read into the table as if it were chosen now"
    assert fields(shown.text).getlist("targets-0-outcome") == ["partial"]
