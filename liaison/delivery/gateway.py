"""Text messages and automatic calls through a gateway of our own interface.

The interface is documented in ``docs/delivery.md``: one signed POST a message, and callbacks.
"""

from __future__ import annotations

import json

from liaison import signatures
from liaison.clock import Clock
from liaison.delivery.base import LONGEST, Outgoing, Receipt, Sender
from liaison.delivery.posting import post, reference
from liaison.delivery.twilio import TwilioSender
from liaison.domain.gateway import Gateway, Kind


class GatewaySender:
    """Hands texts and calls to the gateway; a repeat carries the same id."""

    def __init__(
        self, gateway: Gateway, base_url: str, clock: Clock, *, longest: float = LONGEST
    ) -> None:
        self._gateway, self._base, self._clock = gateway, base_url, clock
        self._longest = longest

    def send(self, outgoing: Outgoing) -> Receipt:
        """Posts one message; the gateway's own id for it is the reference."""
        gateway, now = self._gateway, self._clock.now()
        body = json.dumps(self._body(outgoing), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": f"Bearer {gateway.key}",
            **signatures.headers(gateway.secrets[:1], outgoing.number, now, body),
        }
        answer = post(gateway, gateway.path, body, headers, now, self._longest)
        return Receipt(reference(answer, "id"), answer.status, answer.start)

    def _body(self, outgoing: Outgoing) -> dict[str, object]:
        return {
            "id": outgoing.number,
            "channel": outgoing.channel.value,
            "to": outgoing.address,
            "from": self._gateway.sender,
            "text": outgoing.text,
            "reply_allowed": bool(outgoing.body.get("reply")),
            "status_callback": f"{self._base}/gateway/status",
            "test": bool(outgoing.body.get("test")),
        }


def gateway_sender(url: str, base_url: str, clock: Clock) -> Sender:
    """The sender that the setting asks for; ``SettingsError`` where it cannot be read."""
    gateway = Gateway.from_url(url)
    if gateway.kind is Kind.TWILIO:
        return TwilioSender(gateway, base_url, clock)
    return GatewaySender(gateway, base_url, clock)
