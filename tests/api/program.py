"""A program of either side, as the tests play it; holds each answer to what the reference says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from pydantic import BaseModel
from werkzeug.test import TestResponse

from liaison.api import models, order_shapes, shapes, webhook_shapes
from liaison.api.authority import shapes as authority_shapes
from liaison.api.shapes import Problem
from liaison.api.specification import spec


@dataclass
class Program:
    """Sends requests with one key."""

    client: FlaskClient
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> TestResponse:
        """``program.get("/orders", If_None_Match='"3"')``."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """A body as JSON."""
        return self.ask("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """A body as JSON, in the place of what is there."""
        return self.ask("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        """Without a body."""
        return self.ask("DELETE", path, **headers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Any method; a body as JSON where there is to be one."""
        sent: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": body}
        address = f"/api/v1{path}"
        return held(self.client.open(address, method=method, headers=self._all(headers), **sent))

    def send(
        self, path: str, body: bytes, kind: str | None = "application/json", **headers: str
    ) -> TestResponse:
        """A body as it is."""
        answer = self.client.post(
            f"/api/v1{path}", data=body, content_type=kind, headers=self._all(headers)
        )
        return held(answer)

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """The stream from there on."""
        found: list[dict[str, Any]] = self.get(f"/events?after={after}").get_json()["events"]
        return found

    def _all(self, headers: dict[str, str]) -> dict[str, str]:
        return self.headers | {name.replace("_", "-"): value for name, value in headers.items()}


def held(answer: TestResponse) -> TestResponse:
    """Every answer looks as the reference says, sets no cookie and may not be kept by others."""
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] in ("no-store", "private, no-cache")
    told = _told(answer)
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json"
        problem = Problem.model_validate(answer.get_json())
        assert problem.status == answer.status_code
        assert problem.type.startswith("http://localhost/problems/")
        if told is not None:
            examples = told["content"]["application/problem+json"]["examples"]
            assert slug(answer) in examples, f"{answer.status_code} {slug(answer)} is undocumented"
        return answer
    assert told is not None, "a call that works is documented"
    missing = set(answer.headers) & {"ETag", "Location", "Idempotency-Replayed", "X-Poll-Interval"}
    assert missing <= told["headers"].keys(), "a header is undocumented"
    if "content" in told:
        assert answer.mimetype in told["content"]
        schema = told["content"][answer.mimetype].get("schema", {})
        if name := schema.get("$ref", "").rpartition("/")[2]:
            shape_of(name).model_validate(answer.get_json())
    else:
        assert not answer.data
    return answer


def shape_of(name: str) -> type[BaseModel]:
    """The model of this name."""
    for module in (models, shapes, order_shapes, webhook_shapes, authority_shapes):
        if hasattr(module, name):
            found: type[BaseModel] = getattr(module, name)
            return found
    raise AssertionError(f"no shape is called {name}")


def _told(answer: TestResponse) -> dict[str, Any] | None:
    """What the reference says of such an answer; None where there is no such call."""
    method = answer.request.method.lower().replace("head", "get")
    for path, operations in spec("http://localhost")["paths"].items():
        if method in operations and re.fullmatch(
            re.sub(r"{\w+}", "[^/]+", path), answer.request.path
        ):
            responses = operations[method]["responses"]
            status = str(answer.status_code)
            assert status in responses, f"{method} {path} does not tell of {status}"
            told: dict[str, Any] = responses[status]
            return told
    return None


def faults(answer: TestResponse) -> list[str]:
    """The pointers of a 422."""
    assert answer.status_code == 422, answer.text
    return [fault["pointer"] for fault in answer.get_json()["errors"]]


def slug(answer: TestResponse) -> str:
    """Which problem it is."""
    kind: str = answer.get_json()["type"]
    return kind.rpartition("/")[2]
