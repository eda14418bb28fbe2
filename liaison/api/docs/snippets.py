"""A call written down for a shell and for Python: what an engineer pastes and runs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any
from urllib.parse import urlencode

from liaison.api.docs.examples import Example

WIDTH = 78
"""Characters of a line of Python; longer ones are broken."""


@dataclass(frozen=True)
class Sent:
    """What a call sends. Texts may hold ``$NAME``: a variable of the reader's shell."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    saves: str

    @property
    def names(self) -> tuple[str, ...]:
        """The variables it needs, but for the address and the key, in their order."""
        text = " ".join([self.path, self.query, *self.headers.values()])
        found = dict.fromkeys(_NAMES.findall(text))
        return tuple(name for name in found if not name.startswith("LIAISON_"))


_NAMES = re.compile(r"\$([A-Z_]+)")


def sent(path: str, verb: str, operation: Mapping[str, Any], example: Example) -> Sent:
    """The call as its row of the table has it. Each part of the path is a variable by its name."""
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("example")
    place = re.sub(r"{(\w+)}", lambda found: f"${found[1].upper()}", path)
    headers: dict[str, str] = {}
    if operation.get("security"):
        headers["Authorization"] = "Bearer $LIAISON_KEY"
    if verb == "post":
        headers["Idempotency-Key"] = "-".join([_act(place), *_names_in(place)])
    if body is not None:
        headers["Content-Type"] = "application/json"
    query = f"?{urlencode(example.query, safe='$')}" if example.query else ""
    return Sent(verb, place, query, headers | dict(example.headers), body, example.saves)


def _act(place: str) -> str:
    return place.rstrip("/").rpartition("/")[2].strip("$").lower()


def _names_in(place: str) -> list[str]:
    return re.findall(r"\$[A-Z_]+", place)[-1:] or ["1"]


def curl(call: Sent) -> str:
    """For bash. The two settings and the variables it names are all it needs."""
    verb = f"-X {call.verb.upper()} " if call.verb not in ("get", "post") else ""
    verb = "-X POST " if call.verb == "post" and call.body is None else verb
    lines = [f'curl -sS {verb}"$LIAISON_URL{call.path}{call.query}"']
    lines += [f"-H {_quoted(f'{name}: {value}')}" for name, value in call.headers.items()]
    if call.body is not None:
        lines.append(f"-d {shlex.quote(json.dumps(call.body, ensure_ascii=False))}")
    if call.saves:
        lines.append(f"-o {call.saves}")
    return " \\\n  ".join(lines)


def _quoted(text: str) -> str:
    """In double quotes, so that the shell fills in its variables."""
    return '"' + re.sub(r'(["\\`])', r"\\\1", text) + '"'


def python(call: Sent) -> str:
    """For Python 3 with httpx, which the client of ours uses too."""
    lines = ["import os", *(["from pathlib import Path"] if call.saves else []), "", "import httpx"]
    lines += ["", *_read(call), f"answer = httpx.{call.verb}(", f"    {_text(_URL + call.path)},"]
    if call.query:
        lines.append(f"    params={_mapping(_pairs(call.query))},")
    if call.headers:
        lines.append(f"    headers={_mapping(call.headers)},")
    if call.body is not None:
        lines.append(f"    json={_indented(call.body)},")
    lines += [")", "answer.raise_for_status()", _shown(call)]
    return "\n".join(lines)


def _read(call: Sent) -> list[str]:
    """The lines that read the shell's variables, one each."""
    key = ["LIAISON_KEY"] if "Authorization" in call.headers else []
    return [f'{_local(n)} = os.environ["{n}"]' for n in ("LIAISON_URL", *key, *call.names)]


def _local(name: str) -> str:
    return name.removeprefix("LIAISON_").lower()


_URL = "$LIAISON_URL"


def _shown(call: Sent) -> str:
    if call.saves:
        return f'Path("{call.saves}").write_bytes(answer.content)'
    return "print(answer.text)"


def _pairs(query: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in query.removeprefix("?").split("&"))


def _mapping(pairs: Mapping[str, str]) -> str:
    content = "".join(
        f"        {json.dumps(name)}: {_text(value)},\n"
        for name, value in pairs.items()
        if name != "Content-Type"  # httpx says it by itself
    )
    return f"{{\n{content}    }}"


def _text(text: str) -> str:
    """A literal; with the variables of the shell where it names some."""
    literal = json.dumps(text, ensure_ascii=False)
    if not _NAMES.search(text):
        return literal
    held = literal.replace("{", "{{").replace("}", "}}")
    return "f" + _NAMES.sub(lambda found: f"{{{_local(found[1])}}}", held)


def _indented(body: Any) -> str:
    written = pformat(body, width=WIDTH - 9, sort_dicts=False)
    return written.replace("\n", "\n         ").replace("'", '"') if _plain(written) else written


def _plain(written: str) -> bool:
    """Whether double quotes may stand for pformat's single ones."""
    return '"' not in written and "\\" not in written
