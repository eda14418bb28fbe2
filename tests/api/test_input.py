"""Input that cannot be meant: a problem that names the place, and nothing done."""

from __future__ import annotations

import tracemalloc

import pytest
from flask import Flask

from tests.api.program import Program, faults, slug
from tests.world import World

LATE = "2027-02-01T00:00:00Z"


@pytest.fixture
def ref(world: World) -> str:
    """An order that waits for its answer."""
    return world.issue().name


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'days': 90}",
        b'{"days": 90} x',
        b'{"days": NaN}',
        b'{"days": 90, "days": 91}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"days=90",
    ],
)
@pytest.mark.one_database
def test_what_is_no_json(program: Program, ref: str, body: bytes) -> None:
    answer = program.send(f"/orders/{ref}/preservation", body)
    assert (answer.status_code, slug(answer)) == (400, "malformed")


@pytest.mark.one_database
def test_an_address_that_no_call_has(program: Program, ref: str) -> None:
    misspelt, absent = f"/orders/{ref}/acknowledgment", "/orders/CP-2026-9999/acknowledgement"
    told = [program.send(path, b"{}") for path in (misspelt, absent)]
    assert [(answer.status_code, slug(answer)) for answer in told] == [(404, "not-found")] * 2
    assert ["There is no call at this address" in answer.text for answer in told] == [True, False]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
@pytest.mark.one_database
def test_a_body_of_another_kind(program: Program, ref: str, kind: str | None) -> None:
    answer = program.send(f"/orders/{ref}/preservation", b'{"days": 90}', kind)
    assert (answer.status_code, slug(answer)) == (415, "unsupported-media-type")


@pytest.mark.one_database
def test_a_body_that_is_too_large(app: Flask, program: Program, ref: str) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 100
    answer = program.send(f"/orders/{ref}/acknowledgement", b'{"note": "%s"}' % (b"x" * 100))
    assert (answer.status_code, slug(answer)) == (413, "too-large")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"true", b"null"])
@pytest.mark.one_database
def test_a_body_that_is_no_object(program: Program, ref: str, body: bytes) -> None:
    assert faults(program.send(f"/orders/{ref}/acknowledgement", body)) == [""]


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("acknowledgement", {"reference": 5}, ["/reference"]),
        ("acknowledgement", {"reference": "x" * 201}, ["/reference"]),
        ("acknowledgement", {"refrence": "x"}, ["/refrence"]),
        ("acknowledgement", {"a/b~c": 1}, ["/a~1b~0c"]),
        ("acknowledgement", {"note": "a\x00b"}, ["/note"]),
        ("acknowledgement", {"note": "a\ud800b"}, ["/note"]),
        ("acknowledgement", {"\x00": 1}, [""]),
        ("preservation", {}, ["/days"]),
        ("preservation", {"days": "90"}, ["/days"]),
        ("preservation", {"days": 90.5}, ["/days"]),
        ("preservation", {"days": True}, ["/days"]),
        ("preservation", {"days": 0}, ["/days"]),
        ("preservation", {"days": 10**30}, ["/days"]),
        ("preservation", {"days": 91}, ["/days"]),
        ("preservation", {"days": 90, "until": LATE}, ["/until"]),
        ("preservation", {"until": "2027-02-01"}, ["/until"]),
        ("preservation", {"until": "2027-02-01T00:00:00"}, ["/until"]),
        ("preservation", {"until": "2027-02-30T00:00:00Z"}, ["/until"]),
        ("preservation", {"until": "9999-12-31T23:59:59-12:00"}, ["/until"]),
        ("preservation", {"until": 1800000000}, ["/until"]),
        ("preservation", {"until": "2026-11-23T12:00:00Z"}, ["/until"]),
        ("preservation", {"until": "2029-01-01T00:00:00Z"}, ["/until"]),
        ("preservation", {"days": 9, "preserved_at": LATE}, ["/preserved_at"]),
        ("preservation", {"days": 9, "sha256": "ab"}, ["/sha256"]),
        ("preservation", {"days": 9, "targets": []}, ["/targets"]),
        ("preservation", {"days": 9, "targets": {}}, ["/targets"]),
        ("preservation", {"days": 9, "targets": [1]}, ["/targets/0"]),
        ("preservation", {"days": 9, "targets": [{}]}, ["/targets/0/id", "/targets/0/outcome"]),
        (
            "preservation",
            {"days": 9, "targets": [{"id": "x", "outcome": "kept", "x": 1}]},
            ["/targets/0/id", "/targets/0/outcome", "/targets/0/x"],
        ),
        ("refusal", {}, ["/explanation", "/grounds", "/preserved_meanwhile"]),
        (
            "refusal",
            {"grounds": ["send_mla"], "explanation": "x", "preserved_meanwhile": False},
            ["/grounds/0"],
        ),
        (
            "refusal",
            {"grounds": [], "explanation": "", "preserved_meanwhile": 0},
            ["/explanation", "/grounds", "/preserved_meanwhile"],
        ),
        (
            "refusal",
            {"grounds": ["overbroad"], "explanation": " ", "preserved_meanwhile": False},
            ["/explanation"],
        ),
    ],
)
@pytest.mark.one_database
def test_every_fault_is_named_and_nothing_is_done(
    program: Program, ref: str, path: str, body: object, pointers: list[str]
) -> None:
    answer = program.post(f"/orders/{ref}/{path}", body)
    assert sorted(faults(answer)) == pointers
    assert slug(answer) == "validation"
    assert [e["type"] for e in program.events()] == ["order.issued"]


def test_text_of_any_kind_is_kept_as_it_is(program: Program, ref: str) -> None:
    text = "‮ {{7*7}} <script>alert(1)</script> 'OR 1=1 \r\n Bcc: x@y 😀 e\u0301"
    answer = program.post(f"/orders/{ref}/acknowledgement", {"reference": text, "note": text})
    assert answer.get_json()["reference"] == text
    assert program.events()[-1]["data"]["note"] == text


def test_an_acknowledgement_needs_no_body(program: Program, ref: str) -> None:
    assert program.send(f"/orders/{ref}/acknowledgement", b"", None).status_code == 200


@pytest.mark.one_database
def test_addresses_and_methods_that_are_not_there(app: Flask, program: Program) -> None:
    client = app.test_client()
    for path in ("/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/events"):
        answer = client.get(path, headers=program.headers)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    answer = client.delete("/api/v1/events", headers=program.headers)
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]
    page = client.get("/nothing")
    assert (page.status_code, page.mimetype) == (404, "text/html")


@pytest.mark.one_database
def test_a_fault_of_ours_says_nothing_of_the_inside(
    app: Flask, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("liaison.api.events.feed.head", broken)
    answer = program.get("/events")
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.one_database
def test_a_small_body_makes_no_large_answer(program: Program, ref: str) -> None:
    """Nor a large pointer for every value below a large name: that took all memory there was."""
    path = f"/orders/{ref}/acknowledgement"
    strange = program.post(path, {f"n{n:05}": 1 for n in range(20_000)})
    told = faults(strange)
    assert (told[0], told[-2], told[-1]) == ("/n00000", "/n00999", "")
    assert strange.get_json()["errors"][-1]["detail"] == "And 19000 more."
    tracemalloc.start()
    broken = program.post(path, {"x" * 100_000: ["\x00"] * 2_000, "note": "\x00"})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(faults(broken)) == {"", "/note"}
    assert most < 50 * 1024 * 1024
    assert faults(program.post(path, {"note": ["a", "b\x00"]})) == ["/note/1"]
