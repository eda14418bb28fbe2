"""The pages of the problem types quote the endpoint, and the reference names them all."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from liaison.api.docs.calls import TYPES
from liaison.models import Provider
from liaison.portal.problems import PROBLEMS
from liaison.services import keys
from tests.api.case_systems import bearer
from tests.api.program import Program, held
from tests.api.program import slug as slug_of
from tests.world import World

pytestmark = pytest.mark.one_database


def test_every_problem_that_a_program_meets_is_named(client: FlaskClient) -> None:
    index, told = client.get("/api/docs").text, {t for types in TYPES.values() for t in types}
    met = {slug for slug, problem in PROBLEMS.items() if problem.program}
    assert told == met
    for kind in told:
        assert f'href="/problems/{kind}"' in index


def test_a_problems_page_quotes_the_endpoint(world: World, program: Program) -> None:
    """Each is provoked as its page tells; numbers apart, the words are the same."""
    declined, moved = world.issue(), world.issue()
    program.post(f"/orders/{declined.ref}/refusal", REFUSAL)
    reader = Program(program.client, {"Authorization": f"Bearer {reading_key(world)}"})
    case = Program(program.client, bearer(world))
    nobody = Program(program.client, {"Authorization": "Bearer lsn_4f7a"})
    receipt = f"/orders/{moved.ref}/acknowledgement"
    answers = [
        program.post(f"/orders/{moved.ref}/preservation", {"days": "90"}),
        program.post(f"/orders/{declined.ref}/acknowledgement", {}),
        program.post(receipt, {}, If_Match='"1"'),
        program.send(receipt, b"{"),
        program.send(receipt, b" " * (4 * 1024 * 1024 + 1)),
        program.send(receipt, b"{}", "application/x-www-form-urlencoded"),
        held(program.client.put("/api/v1/whoami", headers=program.headers)),
        program.get("/orders/CP-2026-9999"),
        reader.post(receipt, {}),
        case.put(f"/authority/orders/{world.draft().name}", world.data()),
        *[nobody.get("/whoami") for _ in range(21)],
    ]
    seen = set()
    for answer in answers:
        told = PROBLEMS[slug_of(answer)].body(slug_of(answer), "http://localhost")
        said = answer.get_json()
        if slug_of(answer) not in seen:
            for name in ("type", "title", "detail", "errors"):
                assert digits(told.get(name)) == digits(said.get(name)), said
            assert str(said["status"]) in PROBLEMS[slug_of(answer)].status
        seen.add(slug_of(answer))
    assert seen == {k for kinds in TYPES.values() for k in kinds} - {"error", "busy"}


def reading_key(world: World) -> str:
    with world.database.transaction() as session:
        provider = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        return keys.make_key(session, provider, "Reader", ["read"], world.now)[1]


def digits(value: Any) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "0", json.dumps(value))


REFUSAL = {"grounds": ["overbroad"], "explanation": "All.", "preserved_meanwhile": False}
