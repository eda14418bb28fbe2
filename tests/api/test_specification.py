"""The OpenAPI document and the page made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from liaison.api.scopes import WORDS
from liaison.api.shapes import Problem
from liaison.api.webhook_shapes import WebhookBody
from liaison.domain.stream_events import PING, STREAM_EVENTS
from liaison.services import keys, webhooks
from liaison.signatures import HEADERS
from tests.api.program import shape_of

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
    known = {"openapi", "info", "servers", "paths", "components", "tags", "webhooks"}
    assert set(document) == known
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
    named: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for inner in node:
                walk(inner)
        if not isinstance(node, dict):
            return
        if isinstance(node.get("$ref"), str):
            kind, _, name = node["$ref"].removeprefix("#/components/").partition("/")
            assert name in document["components"][kind]
            named.add(f"{kind}/{name}")
        if isinstance(node.get("type"), str) and "properties" in node:
            assert node["type"] in TYPES
            assert set(node.get("required", [])) <= node["properties"].keys()
        assert "nullable" not in node, "that is OpenAPI 3.0"
        for inner in node.values():
            walk(inner)

    walk(document["paths"])
    walk(document["webhooks"])
    walk(schemas)
    there = {f"{k}/{n}" for k, of in document["components"].items() for n in of}
    left = {n for n in there - named if not n.startswith("headers/webhook-")}
    # What a program sends stands with the call; the key's scheme is named as such.
    assert left == {"securitySchemes/key", "headers/Idempotency-Key", "headers/If-Match"} | {
        "headers/If-None-Match"
    }


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


def test_all_but_the_document_need_a_key(client: FlaskClient, document: dict[str, Any]) -> None:
    for number, (path, verb, operation) in enumerate(operations(document)):
        address = re.sub(r"{\w+}", "CP-2026-0001", path)
        where = {"REMOTE_ADDR": f"198.51.100.{number}"}
        answer = client.open(address, method=verb, environ_base=where)
        assert (answer.status_code == 401) == ("security" in operation), path


def test_every_body_has_an_example_that_is_right(document: dict[str, Any]) -> None:
    bodies = 0
    for _, _, operation in operations(document):
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            name = content["schema"]["$ref"].rpartition("/")[2]
            shape_of(name).model_validate(content["example"])
            bodies += 1
    acts = [path for path, verb, _ in operations(document) if verb in ("post", "put", "patch")]
    assert bodies == len(acts) >= 14


def test_nothing_that_a_program_sends_or_meets_is_left_out(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    scheme = document["components"]["securitySchemes"]["key"]["description"]
    assert all(f"`{scope}`: {words}" in scheme for scope, words in WORDS.items())
    assert set(WORDS) == {*keys.SCOPES, *keys.AUTHORITY_SCOPES}
    for path, verb, operation in operations(document):
        place, answers = f"{verb} {path}", operation["responses"]
        sent = {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
        once = verb == "post" or ("/authority/" in path and verb in ("put", "delete"))
        assert ("Idempotency-Key" in sent) == once, place
        assert ("If-Match" in sent) == ("412" in answers), place
        assert verb != "post" or "/orders/" not in path or "412" in answers, place
        for parameter in operation.get("parameters", []):
            assert "example" in parameter["schema"], f"{place} {parameter['name']}"
        common = {"422", "500"}
        if "security" in operation:
            common |= {"401", "403", "429", "503"}
        assert common <= set(answers), place
        assert ("404" in answers) == ("{" in path), place
        assert ("400" in answers) == ("415" in answers) == (verb in ("post", "put", "patch")), place
        for status, answer in answers.items():
            names = set(answer["headers"])
            assert "X-Request-Id" in names, place
            limited = "security" in operation and status != "401"
            assert ({"RateLimit", "RateLimit-Policy"} <= names) == limited, f"{place} {status}"
            assert ("Retry-After" in names) == (status in ("429", "503")), f"{place} {status}"
            assert ("Idempotency-Replayed" in names) == (once and status < "300"), place
            if status >= "400":
                told = answer["content"]["application/problem+json"]["examples"]
                assert all(f"`{slug}`" in answer["description"] for slug in told), place
    for slug, example in document["components"]["examples"].items():
        problem = Problem.model_validate(example["value"])
        assert problem.type == f"http://localhost/problems/{slug}"
        assert client.get(f"/problems/{slug}").status_code == 200
    csv = document["paths"]["/api/v1/orders/{order}/preservation"]["post"]["requestBody"]["content"]
    assert set(csv) == {"application/json", "text/csv"}


def test_every_event_that_a_webhook_is_told_is_described(
    document: dict[str, Any], client: FlaskClient
) -> None:
    assert set(document["webhooks"]) == {*STREAM_EVENTS, PING}
    for type_, item in document["webhooks"].items():
        knock = item["post"]
        assert knock["summary"] == STREAM_EVENTS.get(type_, knock["summary"])
        needed = [p["name"] for p in knock["parameters"] if p["in"] == "header" and p["required"]]
        assert needed == list(HEADERS)
        example = knock["requestBody"]["content"]["application/json"]["example"]
        told = WebhookBody.model_validate(example)
        assert (told.type, told.data.seq == 0) == (type_, type_ == PING)
        assert {"2XX", "410", "429", "default"} <= set(knock["responses"])
    drill = {**DRILL, "type": "order.issued"}
    assert WebhookBody.model_validate(webhooks.body(drill, "http://localhost")).data.test is True
    page = client.get("/api/docs/entries").text
    assert all(f"<code>{type_}</code>" in page for type_ in (*STREAM_EVENTS, *HEADERS, PING))


DRILL = {
    "seq": 7,
    "id": "019abc00-0000-7000-8000-000000000001",
    "at": "2026-11-23T12:00:00Z",
    "order": "019abc00-0000-7000-8000-000000000002",
    "ref": "CP-TEST-2026-0001",
    "test": True,
}
