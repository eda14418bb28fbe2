"""The OpenAPI document and the page made from it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from liaison.api import models
from liaison.api.authority import shapes
from liaison.domain.extension import Wish
from liaison.models import Order
from liaison.services import extensions, releases
from tests import threads
from tests.api.case_systems import bearer
from tests.api.program import Program
from tests.world import World

VERBS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}

pytestmark = pytest.mark.one_database


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """As anybody gets it, without a key."""
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = answer.get_json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, verb, operation."""
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert {"title", "version"} <= document["info"].keys()
    assert document["servers"] == [{"url": "http://localhost"}]
    assert set(document) <= {"openapi", "info", "servers", "paths", "components", "tags"}
    tags = {tag["name"] for tag in document["tags"]}
    ids = []
    for path, verb, operation in operations(document):
        assert verb in VERBS
        assert set(operation["tags"]) <= tags
        assert operation["summary"]
        assert operation["description"]
        ids.append(operation["operationId"])
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        for parameter in operation.get("parameters", []):
            assert parameter["in"] in {"path", "query", "header"}
            assert parameter["description"]
            assert parameter["in"] != "path" or parameter["required"] is True
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", status)
            assert response["description"]
    assert len(ids) == len(set(ids))


def test_every_schema_stands_on_its_own(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for inner in node:
                walk(inner)
        if not isinstance(node, dict):
            return
        if isinstance(node.get("$ref"), str):
            assert node["$ref"].removeprefix("#/components/schemas/") in schemas
        if isinstance(node.get("type"), str) and "properties" in node:
            assert node["type"] in TYPES
            assert set(node.get("required", [])) <= node["properties"].keys()
        assert "nullable" not in node, "that is OpenAPI 3.0"
        for inner in node.values():
            walk(inner)

    walk(document["paths"])
    walk(schemas)


def test_every_field_says_what_it_means(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        for field, told in schema.get("properties", {}).items():
            assert told.get("description"), f"{name}.{field}"
            assert "example" in told, f"{name}.{field}"
        if "properties" in schema and name != "OrderPath":
            assert schema["additionalProperties"] is False, name


def test_it_names_every_route_of_the_endpoint_and_no_page(
    app: Flask, document: dict[str, Any]
) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, verb) for path, verb, _ in operations(document)}


def test_all_but_the_document_need_a_key(
    client: FlaskClient, world: World, document: dict[str, Any]
) -> None:
    for path, verb, operation in operations(document):
        world.clock.move(seconds=10)  # or the tries without a key would soon be too many
        address = path.replace("{order}", "CP-2026-0001")
        answer = client.open(address, method=verb)
        assert (answer.status_code == 401) == ("security" in operation), path


def test_every_body_has_an_example_that_is_right(document: dict[str, Any]) -> None:
    bodies = 0
    for _, _, operation in operations(document):
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            name = content["schema"]["$ref"].rpartition("/")[2]
            module = models if hasattr(models, name) else shapes
            getattr(module, name).model_validate(content["example"])
            bodies += 1
    sent = [path for path, verb, _ in operations(document) if verb in ("post", "put")]
    assert bodies == len(sent) >= 4


def test_the_page_shows_every_call(client: FlaskClient, document: dict[str, Any]) -> None:
    page = client.get("/api/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    for path, _, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page.text
        assert path in page.text
    assert "style=" not in page.text
    assert "Set-Cookie" not in page.headers


def with_file(world: World, order: Order) -> str:
    """The id of a file in the order's thread."""
    return str(threads.ask(world, order, files=threads.accepted()).attachments[0].id)


def standing(world: World, command: str) -> Order:
    """An order that stands where the call can be made."""
    order = world.issue()
    if "/extension" not in command and "/disposal" not in command:
        return order
    kept, officer = world.preserve(order, days=60), world.actor("officer")
    with world.database.transaction() as session:
        if "/extension" in command:
            extensions.ask(session, officer, kept.name, Wish(days=90), world.now)
        else:
            releases.release(session, officer, kept.name, world.now)
    return kept


def program_key(world: World) -> str:
    """The key of a provider's program."""
    return world.key("Meridian Telecom")


def drafted(app: Flask, world: World, case: dict[str, str]) -> Order:
    """A draft that a contact point's program wrote."""
    made = Program(app.test_client(), case).post("/authority/orders", world.data())
    return world.order(made.get_json()["id"])


def test_every_curl_of_the_page_works(
    app: Flask, program: Program, world: World, document: dict[str, Any]
) -> None:
    """Read as a shell would, then sent: each is answered with 200 on an order of its own."""
    page = app.test_client().get("/api/docs").text
    commands = re.findall(r"<pre>(curl .*?)</pre>", page, re.DOTALL)
    assert len(commands) == len(list(operations(document)))
    case = bearer(world)
    for command in commands:
        ours = "/authority/" in command
        key = case["Authorization"].removeprefix("Bearer ") if ours else program_key(world)
        order = drafted(app, world, case) if ours else standing(world, command)
        file = with_file(world, order) if "$ATTACHMENT" in command else ""
        words = shlex.split(
            command.replace("&amp;", "&")
            .replace("&#34;", '"')
            .replace("&#39;", "'")
            .replace("$LIAISON_URL", "")
            .replace("$LIAISON_KEY", key)
            .replace("$ETAG", f'\\"{order.version}\\"')
            .replace("$ORDER", order.name)
            .replace("$ATTACHMENT", file)
        )
        headers, body, address, method = {}, None, "", ""
        rest = iter(words[1:])
        for word in rest:
            if word == "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            elif word == "-d":
                body = next(rest)
            elif word == "-X":
                method = next(rest)
            elif word.startswith("/"):
                address = word
        client = app.test_client()
        method = method or ("POST" if body else "GET")
        answer = client.open(address, method=method, data=body, headers=headers)
        assert answer.status_code in (200, 201), f"{command}\n{answer.text}"
