"""One request and its answer, tried again while that can help and does no harm."""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx

from liaison.client.errors import FieldFault, Problem, TooLarge, Unreachable, Unreadable
from liaison.client.patience import Pauses, Time, retry_after

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, unpacked; more is none of ours."""


@dataclass(frozen=True)
class Answer:
    """An answer that is no problem: its status, headers, body."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Unreadable("the answer is no JSON; is this the portal's address?") from None


class Exchange:
    """Sends, waits and tries again within ``patience`` seconds, all in all, for one request."""

    def __init__(
        self, http: httpx.Client, patience: float, time: Time, tell: Callable[[str], None]
    ) -> None:
        self._http, self._patience, self._time, self._tell = http, patience, time, tell
        self._pauses = Pauses(chance=time.chance)

    def send(
        self, method: str, path: str, *, read: float, headers: Mapping[str, str], **sent: Any
    ) -> Answer:
        """The answer, or ``Problem``, ``Unreachable``, ``Unreadable``.

        ``read``: seconds without a byte after which the connection is given up. GET is repeated,
        and POST, which always has an ``Idempotency-Key``; anything else where it was not done.
        """
        until = self._time.monotonic() + self._patience
        for failures in itertools.count(1):
            try:
                answer = self._once(method, path, until, read=read, headers=headers, **sent)
            except httpx.TransportError as error:
                lost: Problem | Unreachable = Unreachable(_reason(error))
                may_pass = _may_pass(method, error)
            else:
                if answer.status < HTTPStatus.BAD_REQUEST:
                    return answer
                lost = problem(answer, self._time)
                may_pass = _may_do_better(method, answer.status)
            wish = lost.retry_after if isinstance(lost, Problem) else None
            pause = max(self._pauses.after(failures), wish or 0.0)
            if not may_pass or self._time.monotonic() + pause >= until:
                raise lost
            if failures == 1:
                self._tell(f"no answer yet: {lost}; tries on for {self._patience:.0f} s")
            self._time.sleep(pause)
        raise AssertionError

    def _once(self, method: str, path: str, until: float, *, read: float, **sent: Any) -> Answer:
        timeout = httpx.Timeout(10.0, read=read, write=30.0)
        with self._http.stream(method, path, timeout=timeout, **sent) as response:
            if response.is_redirect and response.status_code != HTTPStatus.NOT_MODIFIED:
                raise Unreadable(f"status {response.status_code}: the key goes to no other address")
            if len(response.headers.get_list("Content-Encoding", split_commas=True)) > 1:
                # Each packing alone unpacks to a thousand times its size, before it can be counted.
                raise Unreadable("the answer is packed more than once")
            body = bytearray()
            try:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise TooLarge("the answer is larger than any of the portal's")
                    if self._time.monotonic() >= until:
                        raise httpx.ReadTimeout("the answer takes too long")
            except httpx.DecodingError:
                raise Unreadable("the answer cannot be unpacked") from None
            return Answer(response.status_code, response.headers, bytes(body))


_REPEATED = ("GET", "POST")


def _may_do_better(method: str, status: int) -> bool:
    """Whether the same request may be answered otherwise later, and does no harm twice."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and method in _REPEATED


def _may_pass(method: str, error: httpx.TransportError) -> bool:
    """Whether the connection may be made later; a certificate that is not trusted stays so."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return False
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return False
    return method in _REPEATED or isinstance(error, httpx.ConnectError)


def _reason(error: httpx.TransportError) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def problem(answer: Answer, time: Time) -> Problem:
    """The refusal in an answer; a proxy's page is told by its status alone."""
    wish = retry_after(answer.headers, time.wall)
    title = HTTPStatus(answer.status).phrase if answer.status in _KNOWN else ""
    try:
        told = answer.json()
    except Unreadable:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        return Problem(answer.status, title=title, retry_after=wish)
    faults = told.get("errors")
    return Problem(
        answer.status,
        type_=told["type"],
        title=str(told.get("title") or title),
        detail=str(told.get("detail") or ""),
        instance=str(told.get("instance") or ""),
        errors=tuple(
            FieldFault(str(fault.get("pointer", "")), str(fault.get("detail", "")))
            for fault in (faults if isinstance(faults, list) else ())
            if isinstance(fault, dict)
        ),
        retry_after=wish,
    )


_KNOWN = frozenset(HTTPStatus)
HERE = ("localhost", "127.0.0.1", "::1")
"""This machine: plain http is no danger, and no proxy leads there."""


def base_url(url: str, *, plain_http: bool) -> str:
    """The endpoint's address from the portal's. Raises ``ValueError`` in words for people."""
    place = urlsplit(url.strip())
    if place.scheme not in ("http", "https") or not place.hostname:
        raise ValueError(f"{url!r} is no address like https://liaison.example")
    if place.username or place.password or place.query or place.fragment:
        raise ValueError("the portal's address has no user, query or fragment")
    if place.scheme == "http" and place.hostname not in HERE and not plain_http:
        raise ValueError(f"{url!r}: over http the key can be read on the way; use https")
    path = place.path.rstrip("/").removesuffix("/api/v1")
    return f"{place.scheme}://{place.netloc}{path}/api/v1"
