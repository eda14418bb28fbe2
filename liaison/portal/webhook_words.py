"""How webhooks and their deliveries are called on pages: colour, icon, words."""

from __future__ import annotations

from liaison.models import Message, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.models.work import MessageState

Tag = tuple[str, str, str]

_DELIVERY: dict[MessageState, Tag] = {
    MessageState.QUEUED: ("blue", "hourglass-split", "Waits"),
    MessageState.SENDING: ("blue", "send", "On its way"),
    MessageState.SENT: ("green", "check-lg", "Taken"),
    MessageState.FAILED: ("amber", "x-circle", "Given up"),
    MessageState.CANCELLED: ("", "slash-circle", "Taken back"),
}


def state_tag(row: WebhookEndpoint) -> Tag:
    """Whether it is told of anything, and whether it takes it."""
    if row.state is not EndpointState.ACTIVE:
        return "", "slash-circle", "Disabled"
    if row.failing_since is not None:
        return "amber", "exclamation-triangle", "Fails"
    if untried := _untried(row):
        return "blue", "hourglass-split", untried
    return "green", "check-lg", "Works"


def _untried(row: WebhookEndpoint) -> str:
    """What nobody knows yet; empty where something was taken since the last act on it."""
    last = row.last_ok_at
    if row.disabled_at is not None and (last is None or last <= row.disabled_at):
        return "Not tried since it was enabled"
    if last is None:
        return "Not tried yet"
    return "Not tried since it was changed" if last < row.changed_at else ""


def delivery_tag(message: Message) -> Tag:
    """Where one delivery stands."""
    if message.state is MessageState.QUEUED and message.attempts:
        return "amber", "hourglass-split", "Tried again"
    return _DELIVERY[message.state]


def sent_again(events: int) -> str:
    """How many events were queued once more."""
    return "1 event is sent again." if events == 1 else f"{events} events are sent again."
