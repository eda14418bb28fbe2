"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over ``id.timestamp.body``.

Source: the specification "Standard Webhooks" 1.0.0, symmetric signatures (``v1``). A secret is
``whsec_`` and the base64 of 24 to 64 random bytes; times are whole seconds since 1970.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

PREFIX = "whsec_"
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
RANDOM_BYTES = 32
TOLERANCE = timedelta(minutes=5)
"""How far a timestamp may lie from now, before or after: no older request is played again."""


class BadSignature(ValueError):
    """It was not signed with any of the secrets, or not now; the text says which."""


def new_secret() -> str:
    """A fresh secret, as the other side types it in."""
    return PREFIX + base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode()


def sign(secret: str, id: str, at: datetime, body: bytes) -> str:
    """One signature, ``v1,…``; several stand in the header with a space between."""
    signed = f"{id}.{int(at.timestamp())}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(all_secrets: Iterable[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a request that is signed with each of the secrets."""
    signed = " ".join(sign(secret, id, at, body) for secret in all_secrets)
    return dict(zip(HEADERS, (id, str(int(at.timestamp())), signed), strict=True))


def verify(
    all_secrets: Iterable[str], given: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """``BadSignature`` unless one of the secrets signed exactly this, within the tolerance."""
    lower = {name.lower(): value for name, value in given.items()}
    id, stamp = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    if not id or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise BadSignature("An id or a timestamp is missing, or none.")
    at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(now - at) > TOLERANCE:
        raise BadSignature("The timestamp is more than five minutes from now.")
    presented = [one.encode() for one in lower.get("webhook-signature", "").split(" ")]
    # Every pair is compared, and in constant time: how long it takes tells nothing.
    expected = [sign(secret, id, at, body).encode() for secret in all_secrets]
    fits = [hmac.compare_digest(a, b) for a in expected for b in presented]
    if not any(fits):
        raise BadSignature("No signature fits.")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("A secret is whsec_ and base64.") from None
