"""A program of either side, as the tests play it; holds each answer to what the reference says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from pydantic import BaseModel
from werkzeug.test import TestResponse

from liaison.api.authority.shapes import AuthorityOrderList, AuthorityOrderView, AuthorityWhoAmI
from liaison.api.order_shapes import OrderList, OrderView
from liaison.api.shapes import EventPage, Problem, WhoAmI

SHAPES: dict[str, type[BaseModel]] = {
    "/api/v1/events": EventPage,
    "/api/v1/orders": OrderList,
    "/api/v1/whoami": WhoAmI,
    "/api/v1/authority/events": EventPage,
    "/api/v1/authority/whoami": AuthorityWhoAmI,
}


@dataclass
class Program:
    """Sends requests with one key."""

    client: FlaskClient
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> TestResponse:
        """``program.get("/orders", If_None_Match='"3"')``."""
        return held(self.client.get(f"/api/v1{path}", headers=self._all(headers)))

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """A body as JSON."""
        sent = self._all(headers)
        return held(self.client.post(f"/api/v1{path}", json=body, headers=sent))

    def put(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """A body as JSON, in the place of what is there."""
        sent = self._all(headers)
        return held(self.client.put(f"/api/v1{path}", json=body, headers=sent))

    def delete(self, path: str, **headers: str) -> TestResponse:
        """Without a body."""
        return held(self.client.delete(f"/api/v1{path}", headers=self._all(headers)))

    def send(self, path: str, body: bytes, kind: str | None = "application/json") -> TestResponse:
        """A body as it is."""
        answer = self.client.post(
            f"/api/v1{path}", data=body, content_type=kind, headers=self.headers
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
    if answer.status_code in (200, 201):
        assert answer.mimetype == "application/json"
        _shape(answer).model_validate(answer.get_json())
    elif answer.status_code != 304:
        assert answer.mimetype == "application/problem+json"
        problem = Problem.model_validate(answer.get_json())
        assert problem.status == answer.status_code
        assert problem.type.startswith("http://localhost/problems/")
    return answer


def _shape(answer: TestResponse) -> type[BaseModel]:
    path = answer.request.path
    if path == "/api/v1/authority/orders" and answer.request.method == "GET":
        return AuthorityOrderList
    whole = AuthorityOrderView if path.startswith("/api/v1/authority") else OrderView
    return SHAPES.get(path, whole)


def faults(answer: TestResponse) -> list[str]:
    """The pointers of a 422."""
    assert answer.status_code == 422, answer.text
    return [fault["pointer"] for fault in answer.get_json()["errors"]]


def slug(answer: TestResponse) -> str:
    """Which problem it is."""
    kind: str = answer.get_json()["type"]
    return kind.rpartition("/")[2]
