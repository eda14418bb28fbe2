"""The reference's pages: whole, and every example on them runs as it stands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from liaison import create_app
from liaison.api.docs.calls import TYPES, slug
from liaison.api.docs.examples import EXAMPLES, NEEDS
from liaison.domain.stream_events import STREAM_EVENTS
from liaison.settings import Settings
from tests.api.needs import STAGE, key_for
from tests.running_demo import clean
from tests.world import World

pytestmark = pytest.mark.one_database

EXAMPLE = re.compile(r'<pre data-example="(\w+)" data-call="(\w+)">(.*?)</pre>', re.DOTALL)

RUN_EACH = """
import contextlib, io, json, os, sys
for line in sys.stdin:
    example = json.loads(line)
    os.environ.update(example["variables"])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(example["code"], example["call"], "exec"), {})
    print(json.dumps(said.getvalue()), flush=True)
"""
"""One interpreter for all: to start one for each takes longer than what it runs."""


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@dataclass
class Reference:
    """The pages of a portal that answers on this machine, and what stands on them."""

    address: str
    document: Mapping[str, Any]
    examples: Mapping[tuple[str, str], str]

    def __post_init__(self) -> None:
        self.operations = {
            operation["operationId"]: (path, verb, operation)
            for path, item in self.document["paths"].items()
            for verb, operation in item.items()
        }

    def fits(self, schema: Mapping[str, Any], text: str) -> None:
        """Holds a text of JSON to a schema of the document."""
        whole = {**schema, "components": self.document["components"]}
        jsonschema_rs.validate(whole, json.loads(text), validate_formats=True)

    def answer_of(self, call: str) -> Mapping[str, Any] | None:
        """The schema of the good answer; None where it is no JSON."""
        responses = self.operations[call][2]["responses"]
        good = responses[min(s for s in responses if s.startswith("2"))]
        found: Mapping[str, Any] = good.get("content", {}).get("application/json", {})
        schema: Mapping[str, Any] = found.get("schema", {})
        return schema if schema and schema.get("format") != "binary" else None


@pytest.fixture
def reference(settings: Settings, world: World) -> Iterator[Reference]:
    """The portal under its own address, as a reader has it."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    app = create_app(replace(settings, base_url=address), world.clock)
    server.app = app
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield read(app, address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["liaison"].database.close()


def read(app: Flask, address: str) -> Reference:
    """All pages of the reference."""
    client = app.test_client()
    document = client.get("/api/v1/openapi.json").get_json()
    examples = {}
    for tag in document["tags"]:
        page = client.get(f"/api/docs/{slug(tag['name'])}")
        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert "Set-Cookie" not in page.headers
        for kind, call, text in EXAMPLE.findall(page.text):
            examples[call, kind] = unescape(text)
    return Reference(address, document, examples)


def variables(world: World, reference: Reference, call: str) -> dict[str, str]:
    """The reader's shell, where the story stands as this call needs it."""
    path = reference.operations[call][0]
    given = {"LIAISON_URL": reference.address, "LIAISON_KEY": key_for(world, path)}
    return given | dict(STAGE[EXAMPLES[call].needs](world))


def test_every_example_runs_as_it_stands(
    reference: Reference, world: World, tmp_path: Path
) -> None:
    """Each on a stage of its own: by curl in bash, and in Python."""
    with python(tmp_path) as interpreter:
        for call in reference.operations:
            for kind in ("curl", "python"):
                shell = variables(world, reference, call)
                code = reference.examples[call, kind]
                run = bash(code, shell, tmp_path) if kind == "curl" else interpreter(code, shell)
                fits_its_answer(reference, call, run)
                if saved := EXAMPLES[call].saves:
                    assert (tmp_path / saved).read_bytes(), f"{call} in {kind}"
                    (tmp_path / saved).unlink()


def fits_its_answer(reference: Reference, call: str, said: str) -> None:
    """What an example printed is the answer that the document describes."""
    schema = reference.answer_of(call)
    if schema:
        reference.fits(schema, said)
    else:
        assert call == "specification" or not said.strip(), f"{call}: {said[:200]}"


def bash(code: str, shell: Mapping[str, str], home: Path) -> str:
    """Runs it as it stands; what it printed."""
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        env=clean() | dict(shell),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, f"{code}\n{run.stderr}"
    return run.stdout


@contextmanager
def python(home: Path) -> Iterator[Callable[[str, Mapping[str, str]], str]]:
    """The same for Python."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN_EACH],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean(),
        cwd=home,
        text=True,
    )
    given, told, wrong = process.stdin, process.stdout, process.stderr
    assert given is not None and told is not None and wrong is not None

    def run(code: str, shell: Mapping[str, str]) -> str:
        example = {"call": "example", "code": code, "variables": dict(shell)}
        given.write(json.dumps(example) + "\n")
        given.flush()
        line = told.readline()
        assert line, f"{code}\n{wrong.read()}"
        said: str = json.loads(line)
        return said

    with process:
        yield run
        given.close()


def test_every_json_example_fits_its_schema(reference: Reference) -> None:
    answers = 0
    for call, (_, _, operation) in reference.operations.items():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        sent = reference.examples.get((call, "sent"))
        assert (sent is None) == (content is None), call
        if content and sent:
            assert json.loads(sent) == content["example"]
            reference.fits(content["schema"], sent)
            with pytest.raises(jsonschema_rs.ValidationError):
                reference.fits(content["schema"], '{"no such field": 1}')
        told = reference.examples.get((call, "answer"))
        schema = reference.answer_of(call)
        if told and schema:
            reference.fits(schema, told)
            answers += 1
    assert answers >= 4


def test_it_is_whole(reference: Reference, client: FlaskClient) -> None:
    assert set(EXAMPLES) >= set(reference.operations), "a call without an example"
    assert {e.needs for e in EXAMPLES.values()} <= set(NEEDS) == set(STAGE)
    index = client.get("/api/docs").text
    first, later = (index.index(f"#{call}") for call in ("makeWebhook", "testWebhook"))
    assert first < later, "in the order of a reader's day"
    for call, (path, _, operation) in reference.operations.items():
        page = client.get(f"/api/docs/{slug(operation['tags'][0])}").text
        assert f'id="{call}"' in index and f'id="{call}"' in page
        assert path in index and path in page
        named = {s for s in operation["responses"] if s >= "400"}
        assert named <= set(TYPES), call
    entries = client.get("/api/docs/entries").text
    assert all(f'id="{kind}"' in entries for kind in STREAM_EVENTS)
    assert client.get("/api/docs/no-such-page").status_code == 404
    assert client.get("/api/docs/assets/../index.html").status_code == 404
    assert client.get("/api/docs/assets/swagger.svg").status_code == 404
