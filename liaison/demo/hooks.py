"""The toy provider's webhook: an endpoint in the demo's database, and a server that listens.

The server proves each signature before it believes a word, as a provider's own would.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sqlalchemy import select

from liaison import signatures
from liaison.clock import SystemClock
from liaison.demo.accounts import TOY
from liaison.models import Database, Provider, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.services.vault import Vault
from liaison.settings import Settings

MADE_BY = "the demo"
LONGEST = 64 * 1024
"""Bytes of a request that are read."""


def register(settings: Settings, port: int) -> str:
    """The toy's endpoint leads to this port from now on; its secret, new with each start."""
    secret, now = signatures.new_secret(), SystemClock().now()
    database = Database(settings.database_url)
    try:
        with database.transaction() as session:
            provider = session.scalars(select(Provider).where(Provider.name == TOY)).one()
            row = session.scalars(
                select(WebhookEndpoint).where(
                    WebhookEndpoint.provider_id == provider.id,
                    WebhookEndpoint.created_by == MADE_BY,
                )
            ).first() or WebhookEndpoint(
                provider_id=provider.id, created_by=MADE_BY, created_at=now
            )
            row.url, row.description = f"http://127.0.0.1:{port}/liaison", "The toy provider"
            row.sealed_secret = Vault(settings.encryption_key).seal(secret)
            row.state, row.failing_since, row.changed_at = EndpointState.ACTIVE, None, now
            session.add(row)
    finally:
        database.close()
    return secret


def listen(port: int, secret: str, say: Callable[[str], None]) -> ThreadingHTTPServer:
    """A server for webhooks on this machine; the caller runs and ends it."""
    clock = SystemClock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            size = int(length) if length.isascii() and length.isdigit() else LONGEST + 1
            if size > LONGEST:
                self._answer(413)
                return
            body = self.rfile.read(size)
            try:
                signatures.verify([secret], dict(self.headers), body, clock.now())
            except signatures.BadSignature as error:
                say(f"webhook refused: {error}")
                self._answer(401)
                return
            say(_told(body))
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """What it got is said in one line of its own."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _told(body: bytes) -> str:
    event = json.loads(body)
    order = event["data"]["order"] or {}
    return f"webhook: {event['type']} {order.get('ref') or ''} (signature holds)"
