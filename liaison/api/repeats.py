"""``Idempotency-Key`` at the endpoint: claimed before an act, its answer kept after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison.api import access, answering
from liaison.domain.actors import Actor
from liaison.services import idempotency
from liaison.web import core, now


@dataclass(frozen=True)
class Done:
    """The answer to an act. ``kept``: what a repeat is told instead, where that is less."""

    body: str
    status: int = 200
    etag: str | None = None
    location: str | None = None
    kept: str | None = None


Act = Callable[[Session, Actor, datetime], Done]


def digest() -> str:
    """What makes this request the same as another: method, address with its query, body."""
    address = request.full_path if request.query_string else request.path
    return idempotency.request_hash(request.method, address, request.get_data())


def claimed(session: Session) -> idempotency.Kept | None:
    """Claims the request's key, where it has one; the answer, where one was given before."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    return idempotency.claim(session, access.key().id, key, digest(), now())


def known() -> idempotency.Kept | None:
    """The answer to this very request, if it was given before; claims nothing."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    with core().database.reading() as session:
        return idempotency.known(session, access.key().id, key, digest(), now())


def keep(session: Session, status: int, body: str) -> None:
    """Keeps the answer under the key that was claimed, where there is one."""
    key = request.headers.get("Idempotency-Key")
    if key is not None:
        idempotency.keep(session, access.key().id, key, status, body)


def replayed(response: Response) -> Response:
    """Says that nothing was done this time."""
    response.headers["Idempotency-Replayed"] = "true"
    return response


def answered(done: Done) -> Response:
    """The answer as it is sent."""
    response = answering.answer(done.body, etag=done.etag)
    response.status_code = done.status
    if done.location is not None:
        response.headers["Location"] = done.location
    return response


def once(act: Act) -> Response:
    """One act: claim the idempotency key, do it, keep the answer without a secret, commit."""
    with core().database.transaction() as session:
        if kept := claimed(session):
            version = json.loads(kept.body).get("version")
            etag = str(version) if version is not None else None
            return replayed(answered(Done(kept.body, kept.status, etag)))
        done = act(session, access.actor(), now())
        keep(session, done.status, done.kept or done.body)
    return answered(done)
