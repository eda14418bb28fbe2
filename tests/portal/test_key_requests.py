"""A key's page: what its program asked for, as a provider's engineer reads it."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, text

from liaison.models.base import new_id
from liaison.queries import key_log as key_log_queries
from liaison.services import key_log
from liaison.services.key_log import Alike, Noted
from tests.portal.filled import SignedIn
from tests.portal.test_keys import ADMIN, made, of, words
from tests.world import World

pytestmark = pytest.mark.one_database


def note(world: World, key_id: UUID, status: int = 200, **given: object) -> None:
    """One row, begun now."""
    about = {"order_name": None, "problem": None, "pointers": (), "address": "198.51.100.9"}
    alike = Alike(
        **{  # type: ignore[arg-type]
            "api_key_id": key_id,
            "method": "GET",
            "route": "/api/v1/events",
            "status": status,
            **about,
            **given,
        }
    )
    noted = Noted(new_id(), alike, world.now, world.now + timedelta(minutes=1), 2, "ab" * 16)
    with world.database.transaction() as session:
        key_log.write(session, [noted])


def links(html: str) -> list[str]:
    return re.findall(r'<a[^>]* href="([^"]+)"', html.partition("<main")[2])


def test_an_engineer_finds_what_was_refused_and_why(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    key_id, program = of(world, "Meridian Telecom"), app.test_client()
    order, header = world.issue(), world.bearer()
    path = f"/api/v1/orders/{order.ref}/preservation"
    refused = program.post(path, json={"days": "<b>many", "x<script>": 1}, headers=header)
    program.get("/api/v1/whoami", headers=header)
    app.extensions["liaison_request_log"].flush()
    browser = signed_in("spoc")
    assert f'href="/api-keys/{key_id}"' in browser.get("/api-keys").text
    page = browser.get(f"/api-keys/{key_id}")
    text = words(page.text).replace("\u200b", "")
    assert f"POST /api/v1/orders/{{order}}/preservation {order.ref}" in text
    assert "GET /api/v1/whoami" in text
    assert "422 The input is not valid" in text
    assert "/x&lt;script&gt;" in page.text
    assert refused.headers["X-Request-Id"] in text
    assert "many" not in text
    assert "/problems/validation" in links(page.text)
    for link in links(page.text):
        if link.startswith("/problems"):
            assert browser.get(link).status_code == 200
    only = words(browser.get(f"/api-keys/{key_id}?problems=1").text)
    assert "422" in only
    assert "GET /" not in only


def test_every_problem_that_the_endpoint_knows_has_its_link(
    signed_in: SignedIn, world: World
) -> None:
    from liaison.portal.problems import PROBLEMS

    key_id = made(world)
    for slug in (*PROBLEMS, "of-a-later-version"):
        note(world, key_id, 400, problem=slug, method="POST")
    found = links(signed_in(ADMIN).get(f"/api-keys/{key_id}?problems=1").text)
    assert {f"/problems/{slug}" for slug in PROBLEMS} <= set(found)
    assert "/problems/of-a-later-version" not in found


def test_pages_go_back_to_the_oldest(signed_in: SignedIn, world: World) -> None:
    key_id, browser = made(world), signed_in("spoc")
    empty = words(browser.get(f"/api-keys/{key_id}").text)
    assert "not used within the last seven days" in empty
    for n in range(120):
        problem = "not-found" if n % 2 else None
        note(world, key_id, 404 if n % 2 else 304, problem=problem, order_name=f"CP-{n:03d}")
        world.clock.move(seconds=1)
    for query, wanted in (("", list(range(119, -1, -1))), ("?problems=1", list(range(119, 0, -2)))):
        path, seen = f"/api-keys/{key_id}{query}", []
        while path:
            page = browser.get(path)
            assert page.status_code == 200
            seen += [int(n) for n in re.findall(r"CP-(\d{3})", page.text)]
            older = re.search(r'href="([^"]+)"[^>]*>Older', page.text)
            path = older.group(1).replace("&amp;", "&") if older else ""
        assert seen == wanted
    for hostile in ("?before=x", "?before=", "?before=%00", f"?before={new_id()}", "?problems=%ff"):
        assert browser.get(f"/api-keys/{key_id}{hostile}").status_code == 200
    only = words(browser.get(f"/api-keys/{made(world, 'Calm')}?problems=1").text)
    assert "No request of the last seven days met a problem" in only


def test_a_page_costs_the_same_for_many_requests_and_reads_by_index(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    with world.database.reading() as session:
        for problems, index in ((False, "ix_key_request_key"), (True, "ix_key_request_problem")):
            query = key_log_queries.newest(new_id(), new_id(), problems=problems)
            said = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
            plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {said}")).all())
            assert index in plan
            assert "TEMP B-TREE" not in plan
    key_id, browser = made(world), signed_in(ADMIN)
    asked: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(app.extensions["liaison"].database.engine, "before_cursor_execute", hear)
    counts = []
    for rows in (1, 40):
        for _ in range(rows):
            note(world, key_id)
        asked.clear()
        assert browser.get(f"/api-keys/{key_id}").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_only_its_own_provider_sees_a_key(signed_in: SignedIn, world: World) -> None:
    theirs, mine = of(world, "Norvik Mobile"), made(world)
    note(world, theirs, order_name="CP-THEIRS")
    note(world, mine, order_name="CP-MINE", address="")
    browser = signed_in("spoc")
    assert browser.get(f"/api-keys/{theirs}").status_code == 404
    assert browser.get(f"/api-keys/{theirs}?problems=1").status_code == 404
    page = browser.get(f"/api-keys/{mine}").text
    assert "CP-THEIRS" not in page
    assert "CP-MINE" in page
    assert "several addresses" in page
    for act in ("roll", "revoke", "expect"):
        path = f"/api-keys/{mine}/{act}"
        assert path not in links(page)
        assert path in links(signed_in(ADMIN).get(f"/api-keys/{mine}").text)
