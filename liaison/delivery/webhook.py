"""Webhooks: a signed request that tells a provider's program that its stream has grown.

Standard Webhooks 1.0. The body says which entry there is and where to fetch it, nothing of a case.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from liaison import signatures
from liaison.clock import Clock
from liaison.delivery import guard
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
        found = guard.checked(target.host, target.port, self._look_up, loopback=self._loopback)
        last: OSError = OSError("no address")
        for address in found[:MOST_ADDRESSES]:
            try:
                return self._dial(address, target.port, LONGEST_DIAL)
            except OSError as error:
                last = error
        raise DeliveryError(f"No connection: {type(last).__name__}.")

    def _read(self, answer: Answer) -> Receipt:
        status = answer.status
        if 200 <= status < 300:
            return Receipt("", status, answer.start)
        said = f"{status} {answer.start}".strip()
        if 300 <= status < 400:
            said = f"{status}: redirects are not followed."
        raise DeliveryError(
            said,
            status=status,
            gone=status == 410,
            retry_after=self._retry_after(answer) if status in BUSY else None,
        )

    def _retry_after(self, answer: Answer) -> timedelta | None:
        """``Retry-After`` as seconds or as a date (RFC 9110, 10.2.3); None where it is neither."""
        text = (answer.headers.get("retry-after", "")).strip()
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text[:9]), 10**8))
        try:
            at: datetime = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(at - self._clock.now(), timedelta(0))
