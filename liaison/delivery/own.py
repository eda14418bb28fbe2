"""Requests to addresses of the operator's own settings: the portal's canary, the heartbeat's URL.

They are not a provider's: an address within our own network is allowed. No redirect is followed,
no proxy of the environment is used, and the time is bounded however the other side behaves.
"""

from __future__ import annotations

import re
import socket
import ssl
from urllib.parse import urlsplit

from liaison.delivery.base import DeliveryError, Outgoing, Receipt, Sender
from liaison.delivery.exchange import Answer, Exchange, Request
from liaison.domain.reach import PORTS, Target
from liaison.domain.vocabulary import Channel
from liaison.settings import may_ask

LONGEST = 10.0
"""Seconds in all."""
AGENT = "Liaison-Watch/1"

_TOKEN = r"[A-Za-z0-9_-]{43}"  # noqa: S105 - the form of a token, none itself


def ask(method: str, url: str, longest: float = LONGEST) -> Answer:
    """A request without a body; ``DeliveryError`` unless the answer is a 2xx."""
    request = Request(own_target(url), {"User-Agent": AGENT}, b"", method)
    answer = Exchange(request, _connect, ssl.create_default_context).within(longest)
    if 200 <= answer.status < 300:
        return answer
    raise DeliveryError(f"It answered {answer.status}.", status=answer.status)


def own_target(url: str) -> Target:
    """Where an address of the settings leads: https, or http on this machine; else refused."""
    if not may_ask(url):
        raise DeliveryError("It must begin with https://.", permanent=True)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or PORTS[parts.scheme]
    return Target(parts.scheme, parts.hostname or "", port, path)


class WithCanary:
    """The sender of webhooks, but for the canary that goes to this portal itself.

    A canary carries no secret to sign with, and an address that only we make: no endpoint of a
    provider can pass for one.
    """

    def __init__(self, webhooks: Sender, base_url: str) -> None:
        self._webhooks = webhooks
        self._canary = re.compile(re.escape(f"{base_url}/canary/") + _TOKEN)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands a canary to the portal, anything else to the sender of webhooks."""
        is_canary = outgoing.channel is Channel.WEBHOOK and not outgoing.secrets
        if not (is_canary and self._canary.fullmatch(outgoing.address)):
            return self._webhooks.send(outgoing)
        answer = ask("POST", outgoing.address)
        return Receipt("", answer.status, answer.start)


def _connect(target: Target) -> socket.socket:
    try:
        return socket.create_connection((target.host, target.port), LONGEST / 2)
    except OSError as error:
        raise DeliveryError(f"No connection: {type(error).__name__}.") from None
