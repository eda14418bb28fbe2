"""Canonical JSON: byte for byte what the server hashes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as some

from liaison.client.canonical import LARGEST, NotCanonical, canonical

TEXT = some.text(some.characters(exclude_categories=["Cs"]))
JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-LARGEST, LARGEST) | TEXT,
    lambda inner: some.lists(inner) | some.dictionaries(TEXT, inner),
    max_leaves=30,
)


@given(JSON)
@example({"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3, "\r": 4, "1": 5, "ö": 6, "\x80": 7})
@example(['\x00\x1f\x7f\u2028\u2029"\\/\b\f\n\r\t</script>', -0, LARGEST, -LARGEST, [], {}])
def test_it_writes_what_the_library_writes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert json.loads(canonical(value)) == value


def test_names_stand_in_the_order_of_their_utf_16_units() -> None:
    # By code points U+1F600 comes last; its first unit, D83D, comes before FB33.
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        *(1.0, 1.5, float("nan"), LARGEST + 1, -LARGEST - 1, 10**400),
        *("\ud800", {"\udfff": 1}, {1: 2}, b"bytes", {"x": [{"y": 0.5}]}, {1, 2}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_it_cannot_write_in_one_way_only_it_refuses(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_depth_is_refused_and_no_crash() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical(value)
