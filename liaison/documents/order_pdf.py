"""The order for people to read, as ``templates/documents/order.typ`` sets it.

A PDF/A-3 and PDF/UA-1 with the signed order attached. It is made of the same content that is
signed. All text goes in as data, none as markup, so that nothing in an order can be a command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from liaison.documents.glyphs import NARROW, WIDE, Shown
from liaison.documents.order_rows import sections, targets

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "documents" / "order.typ"


def texts(content: Mapping[str, Any], sha256: str, check_at: str) -> Iterator[str]:
    """The template's data as JSON; then with fewer letters, should the typesetter fail on those.

    ``check_at``: the address of the page where anybody checks the order.
    """
    for ranges in (WIDE, NARROW):
        shown = Shown(ranges)
        told = {
            "ref": shown.text(content["ref"]),
            "test": bool(content.get("test")),
            "sha256": sha256,
            "check_at": shown.lines(check_at)[0],
            "sections": sections(content, shown),
            "targets": targets(content, shown),
        }
        yield json.dumps({**told, "coded": shown.coded}, ensure_ascii=False)
