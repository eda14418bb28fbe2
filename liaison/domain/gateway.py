"""The gateway that sends text messages and makes automatic calls: its address and its words.

``docs/delivery.md`` has the interface in full. The address comes from ``LIAISON_GATEWAY_URL``:

- ``gateway+https://KEY:SECRET@host/path?from=+374…``, a gateway of our own interface;
- ``twilio+https://SID:TOKEN@api.twilio.com/?from=+1…``, Twilio's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from liaison.errors import SettingsError

HINT = (
    "LIAISON_GATEWAY_URL must look like gateway+https://KEY:whsec_…@sms.example/send?from=+374… "
    "or twilio+https://SID:TOKEN@api.twilio.com/?from=+1…; special characters percent-encoded."
)
_FROM = re.compile(r"\+[0-9]{5,15}|[A-Za-z0-9][A-Za-z0-9 ]{0,10}")
"""A number in international form, or a sender's name of at most eleven characters (GSM 03.40)."""


class Kind(StrEnum):
    """Whose interface a gateway speaks."""

    OWN = "gateway"
    TWILIO = "twilio"


class GatewayStatus(StrEnum):
    """What a gateway says of a message it took."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"

    @property
    def has_arrived(self) -> bool:
        """Whether it is on the person's telephone, or somebody has picked up."""
        return self in (GatewayStatus.DELIVERED, GatewayStatus.ANSWERED)

    @property
    def has_failed(self) -> bool:
        """Whether nothing more will come of it: a person must call."""
        return self in (
            GatewayStatus.FAILED,
            GatewayStatus.UNDELIVERED,
            GatewayStatus.NO_ANSWER,
            GatewayStatus.BUSY,
        )


TWILIO_STATUS = {
    "accepted": GatewayStatus.QUEUED,
    "scheduled": GatewayStatus.QUEUED,
    "queued": GatewayStatus.QUEUED,
    "initiated": GatewayStatus.QUEUED,
    "ringing": GatewayStatus.SENT,
    "sending": GatewayStatus.SENT,
    "sent": GatewayStatus.SENT,
    "delivered": GatewayStatus.DELIVERED,
    "read": GatewayStatus.DELIVERED,
    "in-progress": GatewayStatus.ANSWERED,
    "completed": GatewayStatus.ANSWERED,
    "failed": GatewayStatus.FAILED,
    "canceled": GatewayStatus.FAILED,
    "undelivered": GatewayStatus.UNDELIVERED,
    "no-answer": GatewayStatus.NO_ANSWER,
    "busy": GatewayStatus.BUSY,
}
"""Twilio's words for messages (``MessageStatus``) and calls (``CallStatus``) in ours."""


@dataclass(frozen=True)
class Gateway:
    """Where texts and calls are handed over. ``key`` says who we are, ``secrets`` sign.

    Of several secrets, with commas between, the first signs and all are taken in callbacks.
    """

    kind: Kind
    secure: bool
    host: str
    port: int
    path: str
    key: str
    secrets: tuple[str, ...] = field(repr=False)
    sender: str
    """The number, or the name, that texts and calls come from."""

    @classmethod
    def from_url(cls, url: str) -> Gateway:
        """Reads the setting; ``SettingsError`` says what is wrong, and never the secret."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise SettingsError(HINT) from None
        kind, _, scheme = parts.scheme.partition("+")
        if kind not in set(Kind) or scheme not in ("http", "https") or not host:
            raise SettingsError(HINT)
        if scheme == "http" and not _is_loopback(host):
            raise SettingsError(
                "LIAISON_GATEWAY_URL would send its key in the clear. Use https outside this "
                "machine."
            )
        key, password = unquote(parts.username or ""), unquote(parts.password or "")
        secrets = tuple(s for s in password.split(",") if s)
        found = cls(
            kind=Kind(kind),
            secure=scheme == "https",
            host=host,
            port=port or (443 if scheme == "https" else 80),
            path=parts.path or "/",
            key=key,
            secrets=secrets,
            sender=_parameter(parts.query, "from"),
        )
        found._check()
        return found

    def _check(self) -> None:
        if not self.key or not self.secrets or not self.sender:
            raise SettingsError(HINT)
        if not _FROM.fullmatch(self.sender):
            raise SettingsError(
                f"LIAISON_GATEWAY_URL: from={self.sender!r} is no sender. Give a number, like "
                "+374…, or a name of at most eleven letters, digits and spaces."
            )
        if not (self.key.isascii() and self.key.isprintable()) or " " in self.key:
            raise SettingsError(HINT)
        if self.kind is Kind.OWN and not all(is_secret(s) for s in self.secrets):
            raise SettingsError(
                "LIAISON_GATEWAY_URL: the secret must be whsec_ and the base64 of 24 bytes or "
                f"more. Make one with: {HOW_TO_MAKE}"
            )


HOW_TO_MAKE = (
    "python3 -c 'import base64, secrets; "
    'print("whsec_" + base64.b64encode(secrets.token_hex(24).encode()).decode())\''
)
"""A secret of 192 bits without a character that an address would need encoded."""


def is_secret(text: str) -> bool:
    """Whether a text is a secret of Standard Webhooks: ``whsec_`` and base64 of enough bytes."""
    if not text.startswith("whsec_"):
        return False
    try:
        return len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) >= 24
    except ValueError:
        return False


def twilio_signature(token: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    """``X-Twilio-Signature`` of a form that was posted to an address.

    Base64 of HMAC-SHA1, keyed with the account's token, over the address with its query and then
    each parameter's name and value, sorted by name, without anything between. Source: Twilio,
    "Validating signatures from Twilio".
    """
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _parameter(query: str, name: str) -> str:
    """A parameter as it stands: a plus is a plus here, for numbers begin with one."""
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return unquote(value)
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
