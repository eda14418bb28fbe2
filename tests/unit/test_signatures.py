"""Signatures of webhooks, against the standard's own library."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from liaison import signatures

OLD, NEW = signatures.new_secret(), signatures.new_secret()
BODY = '{"type":"order.issued","data":{"ref":"CP-2026-0142","é":"ն"}}'.encode()


def now() -> datetime:
    """The standard's library reads the real clock."""
    return datetime.now(UTC)


def request(*secrets: str, at: datetime | None = None) -> dict[str, str]:
    return signatures.headers(secrets, "0193-id", at or now(), BODY)


def test_the_standards_library_takes_our_signature() -> None:
    assert Webhook(NEW).verify(BODY, request(NEW))["type"] == "order.issued"


def test_while_secrets_overlap_a_program_with_either_takes_it() -> None:
    headers = request(NEW, OLD)
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(BODY, headers)


CHANGED: dict[str, Callable[[], tuple[dict[str, str], bytes]]] = {
    "a byte": lambda: (request(NEW), BODY.replace(b"issued", b"issueD")),
    "the id": lambda: (request(NEW) | {"webhook-id": "0193-iD"}, BODY),
    "the time": lambda: (
        request(NEW) | {"webhook-timestamp": str(int(now().timestamp()) - 1)},
        BODY,
    ),
    "old": lambda: (request(NEW, at=now() - timedelta(minutes=6)), BODY),
    "ahead": lambda: (request(NEW, at=now() + timedelta(minutes=6)), BODY),
    "retired": lambda: (request(OLD), BODY),
    "empty": lambda: (request(NEW) | {"webhook-signature": "v1,"}, BODY),
    "another version": lambda: (
        request(NEW) | {"webhook-signature": "v2" + request(NEW)["webhook-signature"][2:]},
        BODY,
    ),
}
"""What was changed on the way; made when it is looked at, for the library reads the real clock."""


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_is_refused_by_the_library_and_by_us(what: str) -> None:
    headers, body = CHANGED[what]()
    with pytest.raises((WebhookVerificationError, ValueError)):
        Webhook(NEW).verify(body, headers)
    with pytest.raises(signatures.BadSignature):
        signatures.verify([NEW], headers, body, now())


def test_we_take_what_the_library_signs() -> None:
    at = now()
    signed = Webhook(NEW).sign("msg", at, BODY.decode())
    headers = {
        "Webhook-Id": "msg",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": f"v1,bm90IGl0 {signed}",
    }
    signatures.verify([OLD, NEW], headers, BODY, at)


@pytest.mark.parametrize("stamp", ["", "now", "１２", "1e9", "-5", "9" * 40])
def test_a_timestamp_that_is_none_is_a_refusal_and_no_error(stamp: str) -> None:
    headers = request(NEW) | {"webhook-timestamp": stamp}
    with pytest.raises(signatures.BadSignature):
        signatures.verify([NEW], headers, BODY, now())


def test_a_secret_has_as_many_random_bytes_as_the_standard_asks_for() -> None:
    assert OLD != NEW
    assert 24 <= len(base64.b64decode(NEW.removeprefix("whsec_"), validate=True)) <= 64
