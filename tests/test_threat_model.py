"""docs/threat-model.md names tests; each must exist, and each promise must name one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "docs" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def missing(text: str) -> list[str]:
    """What a text names that is not there."""
    lost = []
    for file, test in NAMED.findall(text):
        path = ROOT / file
        if not path.is_file():
            lost.append(file)
        elif not holds(path, test):
            lost.append(f"{file}::{test}")
    return lost


def holds(path: Path, test: str) -> bool:
    """Whether a file has this test; without a name, any."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return test in found if test else any(name.startswith("test_") for name in found)


def promises(text: str) -> list[str]:
    """The numbered promises, each with its tests."""
    part = text.partition("## Promises")[2].partition("\n## ")[0]
    return re.split(r"^\d+\. ", part, flags=re.MULTILINE)[1:]


def test_every_test_that_is_named_exists() -> None:
    assert missing(MODEL.read_text(encoding="utf-8")) == []


def test_every_promise_names_a_test() -> None:
    found = promises(MODEL.read_text(encoding="utf-8"))
    assert len(found) >= 9, "the design makes nine promises"
    assert [promise for promise in found if not NAMED.search(promise)] == []


@pytest.mark.parametrize(
    "named",
    [
        "tests/no_such_file.py",
        "tests/test_threat_model.py::test_that_is_gone",
        "tests/__init__.py",
    ],
)
def test_what_is_gone_is_noticed(named: str) -> None:
    assert missing(f"held by `{named}`, and more") == [
        named if "::" in named or "no_such" in named else f"{named}::"
    ]
