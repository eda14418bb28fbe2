"""What is tried again, for how long, and what never is; who gets to see the key."""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from liaison.client import Client, Problem, Unreachable, Unreadable
from tests.client.book import KEY, Clock, Portal, whoami

Answer = Callable[[httpx.Request], httpx.Response]
ORDER = {"id": "o1", "ref": "EM-1", "state": "issued", "urgency": "routine", "version": 3}
PROBLEM = {
    "type": "https://liaison.example/problems/stale",
    "title": "The order changed in the meantime",
    "status": 409,
    "detail": "Read it again.",
    "instance": "urn:liaison:request:1",
    "errors": [{"pointer": "/days", "detail": "Give a whole number."}, "nonsense"],
}


def says(status: int = 200, body: Any = None, **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, json=body, headers=told)


def fails(kind: type[httpx.TransportError], cause: Exception | None = None) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise kind("cut", request=request) from cause

    return answer


def tries(*answers: Answer, patience: float = 60.0) -> tuple[Client, Portal, Clock]:
    portal, clock = Portal([], first=list(answers)), Clock()
    transport = httpx.MockTransport(portal)
    given = Client(
        "https://liaison.example/", KEY, transport=transport, time=clock.time, patience=patience
    )
    return given, portal, clock


def test_a_lost_answer_is_asked_for_again_with_the_same_key_and_body() -> None:
    client, portal, clock = tries(
        fails(httpx.ConnectError),
        fails(httpx.ReadTimeout),
        fails(httpx.RemoteProtocolError),
        says(503),
        says(500),
        says(body=ORDER),
    )
    order = client.preserve("EM-1", days=90, note="kept", if_version=3)
    assert (order.id, order.version, order["ref"]) == ("o1", 3, "EM-1")
    assert len({(r.headers["Idempotency-Key"], r.read()) for r in portal.asked}) == 1
    sent = portal.asked[-1]
    assert json.loads(sent.read()) == {"days": 90, "note": "kept"}
    assert sent.url == "https://liaison.example/api/v1/orders/EM-1/preservation"
    assert sent.headers["If-Match"] == '"3"'
    assert sent.headers["Authorization"] == f"Bearer {KEY}"
    assert sent.headers["User-Agent"].startswith("liaison-client/")
    assert clock.slept == [0.5, 1, 2, 4, 8]


def test_each_act_has_a_key_of_its_own_unless_one_is_given() -> None:
    client, portal, _ = tries(*[says(body=ORDER)] * 3)
    client.acknowledge("o1")
    client.acknowledge("o1")
    client.acknowledge("o1", idempotency_key="mine")
    keys = [request.headers["Idempotency-Key"] for request in portal.asked]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"
    with pytest.raises(TypeError, match="idem"):
        client.acknowledge("o1", idem="mine")


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 0.5),
        ({"Retry_After": "-3"}, 0.5),
        ({"Retry_After": "soon"}, 0.5),
        (
            {
                "Retry_After": "Mon, 23 Nov 2026 12:00:09 GMT",
                "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
            },
            9,
        ),
        ({"Retry_After": "Thu, 01 Jan 1970 00:16:50 GMT"}, 10),  # by our own clock
        ({"Retry_After": "Mon, 23 Nov 1970 12:00:09 GMT", "Date": "x"}, None),
        ({"Retry_After": "61"}, None),
        ({"Retry_After": "9" * 400}, None),
    ],
)
def test_what_the_portal_asks_for_is_heeded(headers: dict[str, str], waits: float | None) -> None:
    client, _, clock = tries(says(429, **headers), says(body=whoami()))
    if waits is None:
        with pytest.raises(Problem) as refused:
            client.whoami()
        assert refused.value.status == 429
        assert refused.value.retry_after is not None
        assert refused.value.retry_after <= 3600
        assert clock.slept == [], "longer than it has patience for: told at once"
    else:
        assert client.whoami().provider == "Meridian Telecom"
        assert clock.slept == [waits]


def test_patience_ends() -> None:
    client, portal, clock = tries(*[fails(httpx.ConnectTimeout)] * 50, patience=60)
    told: list[str] = []
    client._exchange._tell = told.append
    with pytest.raises(Unreachable, match="ConnectTimeout: cut"):
        client.whoami()
    assert sum(clock.slept) < 60
    assert len(portal.asked) == 7
    assert told == ["no answer yet: ConnectTimeout: cut; tries on for 60 s"], "at once, and once"


def test_pauses_are_spread() -> None:
    from liaison.client.patience import Pauses

    least, most = Pauses(chance=lambda: 0.0), Pauses(chance=lambda: 1.0)
    assert [least.after(n) for n in (1, 2, 7, 10_000)] == [0.25, 0.5, 15, 15]
    assert [most.after(n) for n in (1, 2, 7, 10_000)] == [0.5, 1, 30, 30]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 415, 422])
def test_a_refusal_is_told_once(status: int) -> None:
    client, portal, clock = tries(says(status, PROBLEM))
    with pytest.raises(Problem) as refused:
        client.acknowledge("o1")
    problem = refused.value
    assert (problem.status, problem.slug, problem.detail) == (status, "stale", "Read it again.")
    assert (problem.errors[0].pointer, len(problem.errors)) == ("/days", 1)
    assert str(problem).endswith("Read it again. /days: Give a whole number.")
    assert problem.instance == "urn:liaison:request:1"
    assert not problem.is_key_refused
    assert (len(portal.asked), clock.slept) == (1, [])


def test_a_proxys_page_is_a_problem_by_its_status() -> None:
    client, _, _ = tries(lambda _: httpx.Response(404, html="<h1>Not here</h1>"))
    with pytest.raises(Problem, match="404 Not Found") as refused:
        client.whoami()
    assert refused.value.type == "about:blank"


def test_what_is_no_repeat_is_done_once() -> None:
    for lost in (says(500), says(502), fails(httpx.ReadTimeout)):
        client, portal, _ = tries(lost, says(204))
        with pytest.raises((Problem, Unreachable)):
            client.remove_webhook("w1")
        assert len(portal.asked) == 1
    client, portal, _ = tries(fails(httpx.ConnectError), says(429), says(204))
    client.remove_webhook("w1")
    assert len(portal.asked) == 3


def test_an_untrusted_certificate_is_told_at_once() -> None:
    client, portal, _ = tries(
        fails(httpx.ConnectError, httpx.ConnectError("x")),
        fails(httpx.ConnectError, ssl.SSLCertVerificationError("self-signed")),
    )
    with pytest.raises(Unreachable):
        client.whoami()
    assert len(portal.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        says(302, Location="https://elsewhere.example/"),
        says(200, [1]),
        says(200, {"provider": {"id": 1, "name": "x"}, "scopes": []}),
        lambda _: httpx.Response(200, text="<html>Sign in"),
        lambda _: httpx.Response(200, content=b"[" * 100_000),
        lambda _: httpx.Response(200, content=b"1" * 5000),
        lambda _: httpx.Response(200, content=b"\xff"),
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=iter([b"x"])),
        lambda _: httpx.Response(
            200,
            headers={"Content-Encoding": "gzip, gzip"},
            content=iter([gzip.compress(gzip.compress(json.dumps(whoami()).encode()))]),
        ),
    ],
)
def test_what_is_none_of_the_portals_answers_is_not_believed(answer: Answer) -> None:
    client, portal, _ = tries(answer)
    with pytest.raises(Unreadable):
        client.whoami()
    assert [request.url.host for request in portal.asked] == ["liaison.example"]


def test_an_answer_without_end_is_given_up() -> None:
    clock = Clock()

    def drips() -> Any:
        while True:
            clock.now += 1
            yield b" "

    portal = Portal([], first=[lambda _: httpx.Response(200, content=drips())] * 3)
    transport = httpx.MockTransport(portal)
    client = Client("https://liaison.example", KEY, transport=transport, time=clock.time)
    with pytest.raises(Unreachable, match="takes too long"):
        client.whoami()
    assert clock.now < 1062

    def floods() -> Any:
        while True:
            yield bytes(1 << 20)

    flood = [lambda _: httpx.Response(200, content=floods())] * 3
    client, _, _ = tries(*flood)
    with pytest.raises(Unreadable, match="larger"):
        client.whoami()
    client, portal, _ = tries(says(body=whoami()), *flood[:2])
    assert client.follow().page() == ()
    assert [request.url.params["limit"] for request in portal.pages] == ["100", "12", "1"]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://liaison.example", KEY),
        ("liaison.example", KEY),
        ("ftp://liaison.example", KEY),
        ("https://me:secret@liaison.example", KEY),
        ("https://liaison.example?x=1", KEY),
        ("", KEY),
        ("https://liaison.example", ""),
        ("https://liaison.example", "lsn_a\nb"),
        ("https://liaison.example", "lsn_ä"),
        ("https://liaison.example", "lsn_a b"),
    ],
)
def test_where_the_key_must_not_go_and_what_is_none(url: str, key: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Client(url, key)
    assert "secret" not in str(refused.value)


def test_addresses_that_are_meant() -> None:
    for url, sent in {
        "http://127.0.0.1:8000": "http://127.0.0.1:8000/api/v1/whoami",
        "https://liaison.example/api/v1/": "https://liaison.example/api/v1/whoami",
        "https://example.org/liaison/": "https://example.org/liaison/api/v1/whoami",
    }.items():
        portal = Portal([])
        Client(url, f" {KEY}\n", transport=httpx.MockTransport(portal)).whoami()
        assert str(portal.asked[0].url) == sent
        assert portal.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    portal = Portal([])
    transport = httpx.MockTransport(portal)
    Client("http://liaison.internal", KEY, plain_http=True, transport=transport).whoami()


def test_an_orders_name_stays_a_name() -> None:
    client, portal, _ = tries(*[says(body=ORDER)] * 2)
    client.order("../webhooks?x=1#y")
    assert portal.asked[0].url.raw_path == b"/api/v1/orders/..%2Fwebhooks%3Fx%3D1%23y"
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="which order"):
            client.order(name)
