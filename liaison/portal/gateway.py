"""``/gateway``: what a gateway of text messages and calls tells us. No session, no form token.

Whoever cannot sign is answered 401, whatever they ask; of whoever can, what was never sent is
404. The 401 says whether the clock or the signature is wrong, for whoever builds a gateway. To a
forger it tells nothing new: a time is compared with a clock that every answer carries, a signature
fits or does not, and every door looks alike, with a gateway behind it or without.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from liaison import signatures
from liaison.domain.gateway import (
    TWILIO_STATUS,
    Gateway,
    GatewayStatus,
    Kind,
    twilio_signature,
)
from liaison.errors import NotFound, RateLimited, Unauthenticated
from liaison.services import gateway_reports, replies, throttle
from liaison.services.replies import Came, Reply
from liaison.web.context import address, commit, core, db, now, settings

bp = Blueprint("gateway", __name__, url_prefix="/gateway")

LARGEST = 16 * 1024
"""Bytes of a callback."""

FAILURES, CALLBACKS, WINDOW = 20, 1200, timedelta(minutes=1)
"""From one place in a window: callbacks that are not signed, and those that are."""

_THANKS = "<Response><Say>Thank you. Receipt is confirmed.</Say></Response>"
_NOT_CONFIRMED = (
    "<Response><Say>Receipt is not confirmed. Please sign in to the portal.</Say></Response>"
)
_NOTHING = "<Response></Response>"

View = Callable[[], Response]


class Unreadable(ValueError):
    """A signed callback that is none of the documented ones; the text says what is wrong."""


def _callback(kind: Kind, path: str) -> Callable[[View], View]:
    """A door for callbacks of one kind of gateway: signed, counted, committed."""

    def door(view: View) -> View:
        @bp.post(path, endpoint=view.__name__)
        @wraps(view)
        def opened() -> Response:
            try:
                _authenticate(kind)
                _count("callbacks", CALLBACKS)
                answer = view()
            except Unauthenticated as error:
                return _refused(error)
            except NotFound:
                return Response(status=404)
            except RateLimited as error:
                return _wait(error)
            except Unreadable as error:
                return Response(f"{error}\n", 422, mimetype="text/plain")
            commit()
            return answer

        return opened

    return door


@_callback(Kind.OWN, "/status")
def status() -> Response:
    """``{"id", "status", "detail"?}``: what became of a message."""
    given = _json({"id", "status"}, {"detail"})
    try:
        found = GatewayStatus(given["status"])
    except ValueError:
        raise Unreadable("“status” is none of the documented words.") from None
    detail = given.get("detail", "")
    gateway_reports.report(db(), _uuid(given["id"]), found, detail, now())
    return Response(status=204)


@_callback(Kind.OWN, "/reply")
def reply() -> Response:
    """``{"id"?, "from"?, "text"}``: what somebody answered, or pressed."""
    given = _json({"text"}, {"id", "from"})
    if not {"id", "from"} & set(given):
        raise Unreadable("Send “id”, “from” or both beside “text”.")
    message_id = _uuid(given["id"]) if "id" in given else None
    once = f"gateway:{request.headers['webhook-id']}"
    replies.take(db(), Reply(given["text"], once, given.get("from"), message_id), now())
    return Response(status=204)


@_callback(Kind.TWILIO, "/twilio/status")
def twilio_status() -> Response:
    """What became of a message or a call, in Twilio's words; words we do not know say nothing."""
    word = request.form.get("MessageStatus") or request.form.get("CallStatus") or ""
    found = TWILIO_STATUS.get(word)
    if found is not None:
        code = request.form.get("ErrorCode", "")
        detail = f"Twilio’s error {code}" if code else ""
        gateway_reports.report(db(), _message(), found, detail, now())
    return Response(status=204)


@_callback(Kind.TWILIO, "/twilio/reply")
def twilio_reply() -> Response:
    """A text message that came in, from whichever number; nothing is answered."""
    once = request.form.get("MessageSid", "")
    number, text = request.form.get("From", ""), request.form.get("Body", "")
    if not once or not number:
        raise Unreadable("MessageSid and From are missing.")
    replies.take(db(), Reply(text, f"twilio:{once}", number), now())
    return Response(_NOTHING, mimetype="text/xml")


@_callback(Kind.TWILIO, "/twilio/press")
def twilio_press() -> Response:
    """A key that was pressed in a call: the person hears what came of it."""
    once, pressed = request.form.get("CallSid", ""), request.form.get("Digits", "")
    if not once or not pressed:
        raise Unreadable("CallSid and Digits are missing.")
    # Who is called stands in To: From is our own number.
    number = request.form.get("To") or None
    answer = Reply(pressed, f"twilio:{once}:{pressed}", number, _message())
    came = replies.take(db(), answer, now())
    said = _THANKS if came is Came.ACKNOWLEDGED else _NOT_CONFIRMED
    return Response(said, mimetype="text/xml")


# Who asks


@bp.url_value_preprocessor
def _bound(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything reads the body."""
    request.max_content_length = request.max_form_memory_size = LARGEST


def _authenticate(kind: Kind) -> None:
    url = settings().gateway_url
    gateway = Gateway.from_url(url) if url else None
    # Where there is no such gateway no signature fits, and the answer is the same.
    secrets = gateway.secrets if gateway is not None and gateway.kind is kind else ()
    (_demand_twilio if kind is Kind.TWILIO else _demand_signed)(secrets)


def _demand_signed(secrets: Sequence[str]) -> None:
    try:
        signatures.verify(secrets, dict(request.headers), request.get_data(), core().clock.now())
    except signatures.BadSignature as error:
        raise Unauthenticated(str(error)) from None


def _demand_twilio(secrets: Sequence[str]) -> None:
    """By our public address, not by the one of the request: a proxy may stand between."""
    query = request.query_string.decode("latin-1")
    url = f"{settings().base_url}{request.path}" + (f"?{query}" if query else "")
    presented = request.headers.get("X-Twilio-Signature", "").encode()
    params = [(name, value) for name, value in request.form.items(multi=True)]
    expected = [twilio_signature(token, url, params).encode() for token in secrets]
    if not any(hmac.compare_digest(one, presented) for one in expected):
        raise Unauthenticated("No signature fits.")


def _count(what: str, most: int) -> None:
    key = f"gateway:{what}:{throttle.place(address())}"
    wait = throttle.count(db(), key, most, WINDOW, now())
    if wait is not None:
        raise RateLimited("Too many callbacks at once.", wait)


def _refused(why: Unauthenticated) -> Response:
    """Counted, so that nobody tries for ever."""
    try:
        _count("unsigned", FAILURES)
    except RateLimited as error:
        answer = _wait(error)
    else:
        answer = Response(f"{why.detail}\n", 401, mimetype="text/plain")
    commit()
    return answer


def _wait(error: RateLimited) -> Response:
    return Response(status=429, headers={"Retry-After": str(error.retry_after)})


# What is said


def _json(needed: set[str], more: set[str]) -> Mapping[str, str]:
    """An object of texts with exactly these names: no other signed body passes for it."""
    try:
        given: Any = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Unreadable("Send one JSON object.") from None
    if not isinstance(given, dict) or not needed <= given.keys() <= needed | more:
        names = ", ".join(sorted(needed | more))
        raise Unreadable(f"Send one JSON object of these fields and no other: {names}.")
    if not all(isinstance(value, str) for value in given.values()):
        raise Unreadable("Every field is a text.")
    return given


def _message() -> UUID:
    return _uuid(request.args.get("message", ""))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
