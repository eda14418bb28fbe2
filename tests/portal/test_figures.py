"""The page of the figures, and its file."""

from __future__ import annotations

import csv
import io

import pytest

from tests.keeping import release
from tests.portal.filled import SignedIn
from tests.world import World

pytestmark = pytest.mark.one_database

MLA = {"intended": True, "expected_by": "2027-01-15"}


def test_the_share_is_shown_and_taken_away_as_a_file(world: World, signed_in: SignedIn) -> None:
    unit = {"name": '=cmd|"<b>"', "case_number": "1"}
    release(world, world.preserve(world.issue(mla=MLA, investigating_authority=unit)))
    client = signed_in("auditor")
    page = client.get("/figures").text
    assert "1 of 1 (100 %)" in page
    assert "=cmd|&#34;&lt;b&gt;&#34;" in page
    assert '<svg class="share"' in page
    answer = client.get("/figures.csv?period=2026")
    assert answer.mimetype == "text/csv"
    assert 'filename="no-mla-2026.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[1:] == [
        ["all", "All", "1", "1", "1"],
        ["party", "AM", "1", "1", "1"],
        ["unit", '\'=cmd|"<b>"', "1", "1", "1"],
    ]


def test_nothing_to_tell_is_said(signed_in: SignedIn) -> None:
    page = signed_in("officer").get("/figures?period=2025").text
    assert "No order of this period was preserved" in page
    assert "rowcards" not in page
