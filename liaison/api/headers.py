"""The headers of each call, for the reference: those a program may send, those it receives."""

from __future__ import annotations

from typing import Any

from liaison.api.blueprint import AUTHORITY

_MEANINGS = {
    "Idempotency-Key": (
        "1 to 255 visible ASCII characters of your own making; the answer is kept for 30 days.",
        "acknowledgement-EM-2026-0412",
    ),
    "Idempotency-Replayed": (
        "true where this answer was given before and nothing was done.",
        "true",
    ),
    "If-Match": ("The version you read; 412 where it is another one by now.", '"3"'),
    "If-None-Match": ("The ETag you have; 304 where nothing is new.", '"3"'),
    "ETag": ("The version of this answer.", '"3"'),
    "Location": ("Where it is now.", "/api/v1/webhooks/019abc00-0000-7000-8000-000000000001"),
    "X-Poll-Interval": ("Seconds until you should ask again.", "30"),
    "X-Request-Id": (
        "This request; quote it when you write to us.",
        "01a20f7a5d307b86912858ebd90552d1",
    ),
    "RateLimit-Policy": (
        "Your key's limit: `q` requests in `w` seconds, counted by each process of the portal.",
        '"key";q=600;w=60',
    ),
    "RateLimit": (
        "Of that, `r` requests are left; in `t` seconds there is more.",
        '"key";r=599;t=1',
    ),
    "Retry-After": ("Seconds to wait before you ask again.", "30"),
    "WWW-Authenticate": ("How to show your key.", 'Bearer realm="Liaison"'),
    "Content-Disposition": ("Save it under this name.", 'attachment; filename="radius.csv"'),
    "webhook-id": (
        "The entry's id: the same at every repeat, so that you take it once.",
        "019abc00-0000-7000-8000-000000000001",
    ),
    "webhook-timestamp": (
        "Seconds since 1970, of this sending; refuse what is older than 5 minutes.",
        "1795452360",
    ),
    "webhook-signature": (
        "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body` by the webhook's secret; two of "
        "them with a space between while secrets overlap.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
"""What each header says, with an example."""

_SAVED = (
    "listTargetsAsCsv",
    "getAttachment",
    "getSignedOrder",
    "getOrderPdf",
    "getAuthoritySignedOrder",
    "getAuthorityOrderPdf",
)
_VERSIONED = ("OrderView", "AuthorityOrderView", "Webhook", "WebhookWithSecret")


def add(verb: str, operation: dict[str, Any]) -> None:
    """Adds them to a call; which ones follows from its method and from how it can be answered."""
    responses = operation["responses"]
    if sent := _sent(operation, verb, responses):
        operation["parameters"] = operation.get("parameters", []) + [sendable(n) for n in sent]
    limited = bool(operation.get("security"))
    for status, response in responses.items():
        names = _received(verb, operation, status, response)
        names += ["RateLimit-Policy", "RateLimit"] if limited and status != "401" else []
        response["headers"] = {
            name: {"$ref": f"#/components/headers/{name}"} for name in [*names, "X-Request-Id"]
        }


def takes_key(verb: str, operation: dict[str, Any]) -> bool:
    """Whether a repeat with an ``Idempotency-Key`` acts once: acts on orders, and what makes."""
    return verb == "post" or (verb in ("put", "delete") and operation["tags"] == [AUTHORITY.name])


def _sent(operation: dict[str, Any], verb: str, responses: dict[str, Any]) -> list[str]:
    return [
        *(["Idempotency-Key"] if takes_key(verb, operation) else []),
        *(["If-Match"] if "412" in responses else []),
        *(["If-None-Match"] if "304" in responses else []),
    ]


def _received(
    verb: str, operation: dict[str, Any], status: str, response: dict[str, Any]
) -> list[str]:
    if status in ("429", "503"):
        return ["Retry-After"]
    if status == "401":
        return ["WWW-Authenticate"]
    if status >= "400":
        return []
    polls = operation["operationId"] == "listEvents"
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    tagged = "304" in operation["responses"] or schema.get("$ref", "").endswith(
        tuple(f"/{name}" for name in _VERSIONED)
    )
    return [
        *(["ETag"] if tagged else []),
        *(["Idempotency-Replayed"] if takes_key(verb, operation) else []),
        *(["Location"] if status == "201" else []),
        *(["X-Poll-Interval"] if polls else []),
        *(
            ["Content-Disposition"]
            if operation["operationId"] in _SAVED and status == "200"
            else []
        ),
    ]


def received() -> dict[str, Any]:
    """The headers of answers, each described once."""
    return {name: _described(name) for name in _MEANINGS}


def sendable(name: str, *, needed: bool = False) -> dict[str, Any]:
    """A header as a parameter."""
    return {"name": name, "in": "header", "required": needed, **_described(name)}


def _described(name: str) -> dict[str, Any]:
    meaning, example = _MEANINGS[name]
    return {"description": meaning, "schema": {"type": "string", "example": example}}
