"""Text messages and automatic calls through Twilio's API of 2010-04-01.

Sources: Twilio, "Messages resource", "Calls resource", "TwiML". Twilio has no key under which a
repeat is known: a worker that dies between the sending and its note sends once more.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from liaison.clock import Clock
from liaison.delivery.base import LONGEST, Outgoing, Receipt
from liaison.delivery.posting import post, reference
from liaison.domain.gateway import Gateway
from liaison.domain.vocabulary import Channel

RINGS = 30
"""Seconds that a telephone rings before the call counts as not answered."""

WAITS = 10
"""Seconds that the call waits for a key to be pressed."""


class TwilioSender:
    """Hands texts and calls to Twilio, as forms."""

    def __init__(
        self, gateway: Gateway, base_url: str, clock: Clock, *, longest: float = LONGEST
    ) -> None:
        self._gateway, self._base, self._clock = gateway, base_url, clock
        self._longest = longest

    def send(self, outgoing: Outgoing) -> Receipt:
        """Posts one message or call; its SID is the reference."""
        gateway = self._gateway
        is_call = outgoing.channel is Channel.VOICE
        form = self._call(outgoing) if is_call else self._message(outgoing)
        sid = quote(gateway.key, safe="")
        resource = "Calls" if is_call else "Messages"
        path = f"{gateway.path.rstrip('/')}/2010-04-01/Accounts/{sid}/{resource}.json"
        credentials = base64.b64encode(f"{gateway.key}:{gateway.secrets[0]}".encode()).decode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Authorization": f"Basic {credentials}",
        }
        body, now = urlencode(form).encode(), self._clock.now()
        answer = post(gateway, path, body, headers, now, self._longest)
        return Receipt(reference(answer, "sid"), answer.status, answer.start)

    def _message(self, outgoing: Outgoing) -> list[tuple[str, str]]:
        return [
            ("To", outgoing.address),
            ("From", self._gateway.sender),
            ("Body", outgoing.text),
            ("StatusCallback", self._callback("status", outgoing)),
        ]

    def _call(self, outgoing: Outgoing) -> list[tuple[str, str]]:
        return [
            ("To", outgoing.address),
            ("From", self._gateway.sender),
            ("Twiml", self._spoken(outgoing)),
            ("Timeout", str(RINGS)),
            ("StatusCallback", self._callback("status", outgoing)),
            ("StatusCallbackEvent", "answered"),
            ("StatusCallbackEvent", "completed"),
        ]

    def _spoken(self, outgoing: Outgoing) -> str:
        """What the call says, twice; a key may be pressed at any moment where a reply counts."""
        said = f'<Say loop="2">{escape(outgoing.text)}</Say>'
        if outgoing.body.get("reply"):
            action = quoteattr(self._callback("press", outgoing))
            said = f'<Gather numDigits="1" timeout="{WAITS}" action={action}>{said}</Gather>'
        return f"<Response>{said}</Response>"

    def _callback(self, what: str, outgoing: Outgoing) -> str:
        # Our own id stands in the address: a callback may come before the SID is stored.
        return f"{self._base}/gateway/twilio/{what}?message={quote(outgoing.number)}"
