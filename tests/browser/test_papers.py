"""Papers as a browser prints them: A4, under the strict policy, nothing cut off."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import Person
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]

A4 = (595, 842)
"""Points."""

WIDER = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize(
    ("file", "fewest"), [("07-botnet-240-targets.json", 8), ("06-hostile-text.json", 2)]
)
def test_papers_print_whole(
    world: World, sign_in: SignIn, tmp_path: Path, file: str, fewest: int
) -> None:
    order = world.issue(file)
    person = sign_in("officer")
    for sheet in ("print", "record"):
        page = person.go(f"/orders/{order.ref}/{sheet}")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": A4[0], "height": A4[1]})
        assert not page.evaluate(WIDER), f"{sheet} is wider than its paper"
        back = page.get_by_role("link", name="Back to the order")
        assert not back.is_visible(), "no navigation on paper"
        found = page.pdf(path=tmp_path / f"{sheet}.pdf", prefer_css_page_size=True)
        assert found.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", found)) >= fewest
        page.emulate_media(media="screen")
        assert back.is_visible()
        assert person.axe() == []
    assert person.complaints == []
