"""Walks the application's url map against ``tests/matrix.py``: every cell, one request.

A route that is not declared there fails. What is another's and what is absent are answered alike,
to the letter, wherever both are 404.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from liaison import create_app
from liaison.models import Database
from liaison.services.vault import Vault
from liaison.settings import Env, Settings
from tests import matrix, matrix_stage
from tests.conftest import ENCRYPTION_KEY, Templates
from tests.matrix import ROWS, Row
from tests.matrix_stage import COUNTERPART, Asker, Stage
from tests.world import MovableClock, World

pytestmark = pytest.mark.one_database

NAMED = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|CP-2026-\d{4}|NL-2026-\d{4}")


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, vault: Vault
) -> Iterator[Stage]:
    """Built once; each act is undone by setting the file back."""
    home = tmp_path_factory.mktemp("matrix")
    url = templates.copy("sqlite", home, peopled=True)
    clock = MovableClock()
    database = Database(url)
    world = World(database, clock, vault, templates.register_in("sqlite"))
    app = create_app(settings_of(url, home), clock)
    app.testing = True
    # Form tokens are tried elsewhere; here everybody would fail on them.
    app.config["WTF_CSRF_ENABLED"] = False
    yield matrix_stage.build(app, world, Path(url.removeprefix("sqlite:///")))
    app.extensions["liaison"].database.close()
    database.close()


def settings_of(url: str, home: Path) -> Settings:
    return Settings(
        env=Env.TEST,
        database_url=url,
        data_dir=home,
        secret_key="the tests' secret, known to anybody who reads this",
        encryption_key=ENCRYPTION_KEY,
        base_url="http://localhost",
        mail_from="Liaison <liaison@police.example>",
        rate_limit=0,  # what is left differs from one request to the next, whoever asks
    )


def served(app: Flask) -> set[tuple[str, str]]:
    """What the application answers to."""
    return {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_declared(app: Flask, settings: Settings) -> None:
    assert served(app) == set(ROWS)
    demo = create_app(replace(settings, env=Env.DEMO))
    assert served(demo) == set(ROWS) | matrix.DEMO_ONLY
    demo.extensions["liaison"].database.close()


def test_a_route_that_nobody_declared_is_noticed(app: Flask) -> None:
    app.add_url_rule("/orders/<ref>/hidden-door", "hidden", lambda ref: ref, methods=["POST"])
    assert served(app) - set(ROWS) == {("/orders/<ref>/hidden-door", "POST")}


def test_the_stage_has_somebody_in_every_column(stage: Stage) -> None:
    met = {(asker.column, matrix_stage.ORGANISATIONS[asker.organisation]) for asker in stage.askers}
    assert {column for column, _ in met} == set(matrix.ASKERS)
    for column in matrix.ASKERS[1:]:
        assert len([a for a in stage.askers if a.column == column]) == 2, column


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: f"{row.method} {row.rule}")
def test_every_cell(stage: Stage, row: Row) -> None:
    wrong = []
    for asker in stage.askers:
        answers = [ask(stage, row, asker, whose) for whose in row.whose]
        got = "".join(letter(answer) for answer in answers)
        if got != row.cells[asker.column]:
            wrong.append(f"{asker}: {got} instead of {row.cells[asker.column]}")
        elif got.endswith("44"):
            other, absent = (said(answer) for answer in answers[1:])
            if other != absent:
                wrong.append(f"{asker}: another's and absent can be told apart")
        for answer in answers:
            answer.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: f"{row.method} {row.rule}")
def test_what_needs_a_fresh_factor_asks_for_one(stage: Stage, row: Row) -> None:
    """Whoever may do it is led to the page that asks for a code; nobody else hears of it."""
    wrong = []
    for asker in stage.askers:
        may = row.cells[asker.column][0] == "o"
        if not asker.stale or not may or asker.organisation not in matrix_stage.FIRST_SIDE:
            continue
        answer = ask(stage, row, replace(asker, cookie=asker.stale), "own")
        asked = (answer.location or "").startswith("/account/fresh")
        if asked != ((row.rule, row.method) in matrix.FRESH):
            wrong.append(f"{asker}: {answer.status_code} {answer.location or ''}")
        answer.close()
    assert not wrong, "\n".join(wrong)


def ask(stage: Stage, row: Row, asker: Asker, whose: str) -> TestResponse:
    mine = asker.organisation
    organisation = {"own": mine, "other": COUNTERPART[mine], "absent": None}[whose]
    address = stage.address(row.rule, row.names, organisation, asker.column)
    return stage.ask(asker, row.method, address, matrix.BODIES.get((row.rule, row.method), {}))


def letter(answer: TestResponse) -> str:
    """What an answer comes to, as the table writes it."""
    if answer.status_code in (302, 303):
        return "l" if answer.location.partition("?")[0] in ("/login", "/login/") else "o"
    if answer.status_code in (200, 201, 204, 409, 422, 428):
        return "o"
    return {401: "1", 403: "3", 404: "4"}.get(answer.status_code, f"({answer.status_code})")


def said(answer: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    """All that an answer says, but for what names the request itself."""
    text = answer.text.replace(answer.headers["X-Request-Id"], "")
    text = re.sub(r'name="csrf_token" value="[^"]+"', "", text)
    told = [(n, v) for n, v in answer.headers if n not in ("X-Request-Id", "Date", "Set-Cookie")]
    kept = sorted(pair for pair in told if pair[0] != "Content-Length")
    return answer.status_code, NAMED.sub("", text), kept
