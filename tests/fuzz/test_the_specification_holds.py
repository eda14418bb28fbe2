"""Every call of the OpenAPI document with input that nobody would write by hand.

Whatever is sent, well-formed or not, with a key or without: no failure of ours, no status and no
body that the document does not describe, and no way past the key. A short form runs with every
test; ``make fuzz`` runs 300 examples of each call from each of three seeds.
"""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import update

from liaison.api.blueprint import waiting
from liaison.api.specification import spec
from liaison.models import ApiKey
from liaison.services import keys
from tests.api.case_systems import bearer
from tests.api.program import Program
from tests.hooks import made as made_hook
from tests.hooks import queued
from tests.world import World

PLAIN = {"Accept-Encoding": "identity"}
"""The checks read an answer as it stands."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLS = {
    operation["operationId"]: "security" in operation
    for path in spec("http://localhost")["paths"].values()
    for operation in path.values()
    if operation["operationId"] != "specification"  # the document itself, which takes no input
}
"""By their ids: whether they need a key."""

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(1800)]


@pytest.fixture
def schema(app: Flask) -> BaseSchema:
    """As the portal serves it; long polls wait for no time."""
    with app.app_context():
        waiting().hook = lambda _seconds: None
    loaded: BaseSchema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    return loaded


@pytest.fixture
def case(world: World) -> dict[str, str]:
    """The key of a contact point's case system."""
    return bearer(world)


@pytest.fixture
def refs(app: Flask, world: World, case: dict[str, str]) -> list[str | None]:
    """Orders in four states; None for whatever name was made up."""
    draft = Program(app.test_client(), case).post("/authority/orders", world.data()).get_json()
    kept = world.preserve(world.acknowledge(world.issue()))
    return [None, draft["id"], world.issue().ref, world.acknowledge(world.issue()).ref, kept.ref]


@pytest.fixture
def hook(world: World) -> dict[str, str]:
    """A webhook and its delivery, by the names they have in a path; the key may keep them."""
    with world.database.transaction() as session:
        provider = world.register.providers["Meridian Telecom"]
        of_provider = update(ApiKey).where(ApiKey.provider_id == provider)
        session.execute(of_provider.values(scopes=list(keys.SCOPES)))
    kept, _ = made_hook(world, "https://hooks.meridian.example/")
    world.issue()
    return {"webhook": str(kept), "delivery": str(queued(world, kept)[0].id)}


def operation(schema: BaseSchema, name: str) -> APIOperation[Any, Any, Any, Any]:
    """One call of the document."""
    for result in schema.get_all_operations():
        found = result.ok()  # type: ignore[union-attr]
        if found.definition.raw["operationId"] == name:
            return found
    raise AssertionError(name)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_input_breaks_the_specification(
    name: str,
    schema: BaseSchema,
    refs: list[str | None],
    case: dict[str, str],
    hook: dict[str, str],
    world: World,
    examples: int,
    seeds: int,
) -> None:
    call = operation(schema, name)
    shown = [world.bearer(), case, {}] if CALLS[name] else [{}]
    cases = st.one_of(
        call.as_strategy(GenerationMode.POSITIVE), call.as_strategy(GenerationMode.NEGATIVE)
    )

    for seed in range(seeds):

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(made=cases, key=st.sampled_from(shown), ref=st.sampled_from(refs))
        def play(made: Case[Any], key: dict[str, str], ref: str | None) -> None:
            if ref and "order" in made.path_parameters:
                made.path_parameters["order"] = ref
            if ref:
                made.path_parameters |= {n: hook[n] for n in hook if n in made.path_parameters}
            world.clock.move(minutes=1)  # or the tries without a key would soon be too many
            answer = made.call(headers={**key, **PLAIN})
            made.validate_response(answer, checks=CHECKS)
            if CALLS[name] and not key:
                assert answer.status_code in (401, 404, 405), answer.status_code

        play()
