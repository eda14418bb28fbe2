"""The demo's gateway: takes text messages and calls on loopback, and calls back like a carrier's.

Every message is a file, which ``/demo/texts`` shows. It is also the shortest program that speaks
the interface of ``docs/delivery.md``: it proves who sends, knows a repeat, tells what came of it.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from liaison import signatures
from liaison.clock import Clock, SystemClock, rfc3339
from liaison.delivery import Outgoing, Receipt
from liaison.domain.gateway import Gateway
from liaison.models.base import new_id

HOST = "127.0.0.1"
NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST = 200
"""How many are listed, newest first."""
LARGEST = 16 * 1024
SOON = 2.0
"""Seconds after which a message is said to have arrived, so that people can watch."""


@dataclass(frozen=True)
class Text:
    """A message or a call as the gateway got it; ``name`` is the sender's id for it."""

    name: str
    at: datetime
    channel: str
    to: str
    text: str
    reply_allowed: bool


class FilingGateway:
    """Delivers into the folder: the texts and calls of the story's past."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, outgoing: Outgoing) -> Receipt:
        """Files the message; its id is the reference."""
        file_text(
            self.folder,
            {
                "id": outgoing.number,
                "channel": outgoing.channel.value,
                "to": outgoing.address,
                "text": outgoing.text,
                "reply_allowed": bool(outgoing.body.get("reply")),
            },
            outgoing.written_at,
        )
        return Receipt(outgoing.number)


def file_text(folder: Path, given: Mapping[str, Any], at: datetime) -> bool:
    """Writes a message as it came, whole or not at all; whether it had not come before."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(given["id"])
    if not NAME.fullmatch(name) or (folder / f"{name}.json").exists():
        return False
    draft = folder / f".{name}"
    draft.write_text(json.dumps({**given, "at": rfc3339(at)}), encoding="utf-8")
    draft.replace(folder / f"{name}.json")
    return True


def listed(folder: Path) -> list[Text]:
    """The newest messages; their ids grow with time."""
    names = sorted((path.stem for path in folder.glob("*.json")), reverse=True)[:MOST]
    return [text for name in names if (text := opened(folder, name)) is not None]


def opened(folder: Path, name: str) -> Text | None:
    """One message; None where there is none of this name."""
    if not NAME.fullmatch(name):
        return None
    try:
        given = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    at = datetime.fromisoformat(given["at"])
    return Text(name, at, given["channel"], given["to"], given["text"], given["reply_allowed"])


def tell(gateway: Gateway, address: str, given: Mapping[str, str], clock: Clock) -> int:
    """One signed callback to the portal; the status it was answered with."""
    body = json.dumps(given).encode()
    signed = signatures.headers(gateway.secrets[:1], f"msg_{new_id().hex}", clock.now(), body)
    headers = {"Content-Type": "application/json", **signed}
    asked = urllib.request.Request(address, body, headers)  # noqa: S310 - our own portal
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        return int(answer.status)


def start(folder: Path, url: str) -> ThreadingHTTPServer:
    """Starts the gateway that ``LIAISON_GATEWAY_URL`` names; ``shutdown()`` ends it."""
    gateway = Gateway.from_url(url)
    server = _Server((HOST, gateway.port), _Handler)
    server.folder, server.gateway = folder, gateway
    threading.Thread(target=server.serve_forever, name="gateway", daemon=True).start()
    return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    folder: Path
    gateway: Gateway
    clock: Clock = SystemClock()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST))
        if not self._is_known(body):
            self._answer(401, {})
            return
        given = json.loads(body)
        if file_text(self.server.folder, given, self.server.clock.now()):
            threading.Timer(SOON, self._arrived, [given]).start()
        self._answer(202, {"id": given["id"]})

    def _is_known(self, body: bytes) -> bool:
        gateway, now = self.server.gateway, self.server.clock.now()
        key = (self.headers.get("Authorization") or "").encode()
        try:
            signatures.verify(gateway.secrets, dict(self.headers.items()), body, now)
        except signatures.BadSignature:
            return False
        return hmac.compare_digest(key, f"Bearer {gateway.key}".encode())

    def _arrived(self, given: Mapping[str, Any]) -> None:
        status = "answered" if given["channel"] == "voice" else "delivered"
        told = {"id": str(given["id"]), "status": status}
        with suppress(OSError):  # the demo is being stopped
            tell(self.server.gateway, given["status_callback"], told, self.server.clock)

    def _answer(self, status: int, said: Mapping[str, str]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the page shows what came."""
