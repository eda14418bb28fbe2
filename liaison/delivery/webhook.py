"""Webhooks: a signed request that tells a provider's program that its stream has grown.

Standard Webhooks 1.0. The body says which entry there is and where to fetch it, nothing of a case.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from time import monotonic

from liaison import signatures
from liaison.clock import Clock
from liaison.delivery import guard
from liaison.delivery.attempt import first_of
from liaison.delivery.base import LONGEST, DeliveryError, Outgoing, Receipt
from liaison.delivery.exchange import Answer, Exchange, Request
from liaison.domain.reach import Target, Unreachable, read_url

AGENT = "Liaison-Webhooks/1"
LONGEST_DIAL = 5.0
"""Seconds for a connection to one of a name's addresses."""
MOST_ADDRESSES = 3
"""Of one name, tried one after the other."""
BUSY = (429, 503)
"""Answers whose ``Retry-After`` is heard."""


class WebhookSender:
    """Sends to providers' addresses. ``clock`` stamps what is signed: the real one but in tests.

    ``loopback``: this machine counts as an address, by http too (demo and test).
    """

    def __init__(
        self,
        clock: Clock,
        *,
        loopback: bool = False,
        longest: float = LONGEST,
        look_up: guard.Resolve = guard.resolve,
        dial: guard.Dial = guard.dial,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._clock, self._loopback, self._longest = clock, loopback, longest
        self._look_up, self._dial, self._context = look_up, dial, context

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands one event over; any 2xx is a receipt."""
        try:
            target = read_url(outgoing.address, loopback=self._loopback)
        except Unreachable as error:
            raise DeliveryError(str(error)) from None
        if not outgoing.secrets:
            raise DeliveryError("There is no secret to sign with.")
        request = Request(target, *self._signed(outgoing))
        answer = Exchange(request, self._connect, self._context).within(self._longest)
        return self._read(answer)

    def _signed(self, outgoing: Outgoing) -> tuple[dict[str, str], bytes]:
        body = json.dumps(outgoing.body, ensure_ascii=False, separators=(",", ":")).encode()
        id = str(outgoing.body["data"]["id"])
        signed = signatures.headers(outgoing.secrets, id, self._clock.now(), body)
        return {"Content-Type": "application/json", "User-Agent": AGENT, **signed}, body

    def _connect(self, target: Target) -> socket.socket:
        """To the first of the checked addresses that answers; never to another one."""
        until = monotonic() + self._longest
        found = guard.checked(target.host, target.port, self._look_up, loopback=self._loopback)
        try:
            return first_of(found[:MOST_ADDRESSES], target.port, self._dial, LONGEST_DIAL, until)
        except OSError as error:
            raise DeliveryError(f"No connection: {type(error).__name__}.") from None

    def _read(self, answer: Answer) -> Receipt:
        if answer.is_taken:
            return Receipt("", answer.status, answer.start)
        waits = answer.wait(self._clock.now()) if answer.status in BUSY else None
        raise answer.refusal(waits, gone=answer.status == 410)
