"""What the endpoint gives back, described for the reference; tests hold every answer to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from liaison.api.models import optional, strict, told

ID = "019abc00-0000-7000-8000-000000000001"
HASH = "3f0a6f2e5c1b4d7798aa01c4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718"
TIME = "2026-11-23T16:46:00Z"


class FieldFault(BaseModel):
    """One fault in what was sent."""

    model_config = strict()

    pointer: str = told("Where: JSON pointer (RFC 6901); `/name` for a query parameter.", "/days")
    detail: str = told("What is wrong and what to do.", "Enter a whole number from 1 to 3650.")


class Problem(BaseModel):
    """An error (RFC 9457, `application/problem+json`). `type` is a page that exists."""

    model_config = strict()

    type: str = told("Which problem; a page that explains it.", "https://…/problems/stale")
    title: str = told("The problem in a few words.", "The order changed in the meantime")
    status: int = told("The HTTP status.", 409)
    detail: str = told("What happened and what to do.", "Read the order again, then decide.")
    instance: str = told("This occurrence; quote it when you write to us.", f"urn:uuid:{ID}")
    errors: list[FieldFault] | None = optional("Each fault, with status 422.", None)


class OrderName(BaseModel):
    """Which order an entry is about."""

    model_config = strict()

    id: UUID = told("The order's id; this is what the hash covers.", ID)
    ref: str | None = told("The order's ref, for people.", "EM-2026-0412")


class Head(BaseModel):
    """The end of the stream. Remember it: history cannot be rewritten without your noticing."""

    model_config = strict()

    seq: int = told("Number of the last entry; 0 while there is none.", 42)
    hash: str = told("Hash of the last entry; 64 zeros while there is none.", HASH)


class Event(BaseModel):
    """One entry of the stream, chained to the one before."""

    model_config = strict()

    seq: int = told("Number in the stream, from 1, without gaps.", 42)
    id: UUID = told("The entry's own id.", ID)
    type: str = told("What happened.", "order.issued")
    at: datetime = told("When, in UTC; hashed as this very text.", TIME)
    actor: str = told("Who acted, as an id; names stand in `data` only.", f"person:{ID}")
    order: OrderName | None = told("Which order; null where the entry is about none.", None)
    data: dict[str, Any] | None = told("What happened in detail; null once erased.", {})
    salt: str | None = told("16 bytes in hexadecimal; null once the data are erased.", "00" * 16)
    digest: str = told("SHA-256 of salt and the canonical JSON (RFC 8785) of `data`.", HASH)
    prev: str = told("Hash of the entry before; 64 zeros for the first.", HASH)
    hash: str = told(
        "SHA-256 of the canonical JSON of {stream, seq, type, at, actor, order, digest, prev}.",
        HASH,
    )


class EventPage(BaseModel):
    """A page of the provider's stream."""

    model_config = strict()

    events: list[Event] = told("Entries in sequence; empty where there is nothing new.", [])
    next: int = told("Send this as `after` next time.", 42)
    more: bool = told("Whether more entries wait behind this page.", False)
    head: Head = told("The end of the stream.", {"seq": 42, "hash": HASH})


class ProviderName(BaseModel):
    """A provider, by id and name."""

    model_config = strict()

    id: UUID = told("The provider's id; its stream is `provider:` and this.", ID)
    name: str = told("The provider's name.", "Meridian Telecom")


class KeyName(BaseModel):
    """The API key that asks."""

    model_config = strict()

    id: UUID = told("The key's id.", ID)
    name: str = told("The name it was given.", "Poller")
    prefix: str = told("How it begins.", "lsn_4f7a")


class WhoAmI(BaseModel):
    """Whose key this is and what it may do."""

    model_config = strict()

    provider: ProviderName = told("The provider.", {})
    key: KeyName = told("The key.", {})
    scopes: list[Literal["read", "respond", "webhooks"]] = told("What it may do.", ["read"])
    expires_at: datetime | None = told("When it expires, UTC; null for never.", None)
