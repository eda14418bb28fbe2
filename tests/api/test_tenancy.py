"""Another provider's order is answered as if it did not exist, on every route."""

from __future__ import annotations

import re

import pytest
from uuid6 import uuid7
from werkzeug.test import TestResponse

from tests.api.program import Program
from tests.world import World

REFUSAL = {"grounds": ["overbroad"], "explanation": "Too much.", "preserved_meanwhile": False}

CALLS = [
    ("GET", "", None, 404),
    ("POST", "/acknowledgement", {}, 404),
    ("POST", "/acknowledgement", {"wrong": 1}, 422),
    ("POST", "/preservation", {"days": 90}, 404),
    ("POST", "/preservation", {}, 404),
    ("POST", "/refusal", REFUSAL, 404),
    ("POST", "/refusal", {}, 422),
]
"""With the status: what is wrong whatever the order is said before anybody looks for it."""


@pytest.mark.parametrize(("method", "path", "body", "status"), CALLS)
@pytest.mark.parametrize("headers", [{}, {"If_Match": '"5"'}, {"Idempotency_Key": "one"}])
def test_absent_and_anothers_are_answered_alike(
    norvik: Program,
    world: World,
    method: str,
    path: str,
    body: object,
    status: int,
    headers: dict[str, str],
) -> None:
    order, draft = world.issue(), world.draft()

    def ask(name: str) -> TestResponse:
        if method == "GET":
            return norvik.get(f"/orders/{name}{path}", **headers)
        # A key of its own for each: the same one for another path would be refused.
        own = {n: v + name if n == "Idempotency_Key" else v for n, v in headers.items()}
        return norvik.post(f"/orders/{name}{path}", body, **own)

    absent = ask(str(uuid7()))
    assert absent.status_code == status
    for name in (
        str(order.id),
        order.name,
        order.name.lower(),
        str(draft.id),
        str(order.targets[0].id),
        "EM-2026-9999",
        "nothing",
        "..",
    ):
        answer = ask(name)
        assert said(answer) == said(absent), name
    assert norvik.get("/orders").get_json() == {"orders": [], "next": None}
    assert norvik.events() == []


def said(answer: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    """All of an answer but the request's own id."""
    own = {"X-Request-Id", "Date"}
    headers = sorted((n, v) for n, v in answer.headers if n not in own)
    text = re.sub(r"urn:liaison:request:\w+", "", answer.text)
    return answer.status_code, text, [h for h in headers if h[0] != "Content-Length"]


@pytest.mark.parametrize("junk", ["%00", "a%00b", "%ED%A0%80", "%FF", "x" * 5000, "%27%20OR%201=1"])
def test_junk_for_a_name_is_absent(program: Program, junk: str) -> None:
    assert program.get(f"/orders/{junk}").status_code == 404
    assert program.post(f"/orders/{junk}/acknowledgement", {}).status_code == 404


def test_a_draft_is_absent_even_for_its_provider(program: Program, world: World) -> None:
    draft = world.draft()
    assert program.get(f"/orders/{draft.id}").status_code == 404
    assert program.post(f"/orders/{draft.id}/acknowledgement", {}).status_code == 404


def test_another_orders_target_cannot_be_answered(program: Program, world: World) -> None:
    mine, other = world.issue(), world.issue()
    answer = program.post(
        f"/orders/{mine.ref}/preservation",
        {"days": 9, "targets": [{"id": str(other.targets[0].id), "outcome": "preserved"}]},
    )
    assert answer.status_code == 422
    assert "/targets/0/id" in [fault["pointer"] for fault in answer.get_json()["errors"]]
