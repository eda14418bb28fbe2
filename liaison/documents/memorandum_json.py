"""A memorandum as canonical JSON (RFC 8785): what its two sides sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from liaison.documents import order_json


@dataclass(frozen=True)
class Signed:
    """What is signed. The sides go by their ids: a firm that is renamed stays the same party."""

    authority: str
    provider: str
    reference: str
    version: int
    in_force_from: date
    in_force_to: date | None
    terms: Mapping[str, Any]
    document_sha256: str | None


def content(signed: Signed) -> dict[str, Any]:
    """The content, with days as ``YYYY-MM-DD`` and times in minutes."""
    last = signed.in_force_to
    return {
        "authority": signed.authority,
        "provider": signed.provider,
        "reference": signed.reference,
        "version": signed.version,
        "in_force_from": signed.in_force_from.isoformat(),
        "in_force_to": last.isoformat() if last else None,
        "terms": dict(signed.terms),
        "document": signed.document_sha256,
    }


def content_sha256(signed: Signed) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return order_json.fingerprint(content(signed))
