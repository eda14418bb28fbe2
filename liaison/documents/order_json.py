"""The order as canonical JSON (RFC 8785), and its fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one spelling of this content."""
    return rfc8785.dumps(dict(content))


def fingerprint(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()
