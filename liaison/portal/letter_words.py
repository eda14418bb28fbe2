"""What a notice was about, in a few words: for whoever looks where it went."""

from __future__ import annotations

from collections.abc import Mapping

from liaison.domain.vocabulary import Channel
from liaison.models import Message

_LETTERS: Mapping[str, str] = {
    "access_changed": "Access changed",
    "answer": "Answer to a question",
    "answer_late": "A question waits for an answer",
    "clock_failed": "A clock could not move",
    "delivery_failed": "A notice was not delivered",
    "disposal_missing": "Disposal not confirmed",
    "disposal_reminder": "Reminder to confirm disposal",
    "doubt_ended": "A doubted order ended",
    "escalation": "Page of the ladder",
    "expiry_nears": "The end of keeping nears",
    "expiry_nears_provider": "The end of keeping nears",
    "extension_asked": "Extension asked for",
    "factor_changed": "Factor changed",
    "factor_reset": "Link to a new factor",
    "factor_reset_asked": "Reset of a factor asked for",
    "factor_reset_confirmed": "Reset of a factor confirmed",
    "invitation": "Invitation",
    "key_expires": "An API key expires",
    "message": "Message in the thread",
    "mla_recorded": "MLA request recorded",
    "order_answered": "The provider answered",
    "order_authorised": "Order authorised",
    "order_disposed": "Disposal confirmed",
    "order_doubted": "The provider doubts the order",
    "order_ended": "Order ended",
    "order_expired": "Order expired",
    "order_extended": "Order extended",
    "order_issued": "Order issued",
    "order_returned": "Draft returned",
    "order_submitted": "Order to authorise",
    "order_vouched": "The contact point vouched",
    "order_withdrawn": "Order withdrawn",
    "promise_nears": "A promised MLA request is due",
    "promise_passed": "A promised MLA request is late",
    "question": "Question in the thread",
    "ratification_overdue": "Ratification is late",
    "ratify_wanted": "Emergency to ratify",
    "recovery_code_used": "Recovery code used",
    "route_reported": "Another provider found",
    "supervisor_page": "Page to the supervisor",
    "timer_failed": "A ladder could not move",
    "unratified_withdrawn": "Withdrawn before it was ratified",
    "webhook_by_key": "A program changed a webhook",
}


def letter_words(message: Message) -> str:
    """What the notice was about; a letter without words of its own is told by its name."""
    if message.channel is Channel.WEBHOOK:
        return f"Webhook, {message.params.get('type', 'an event')}"
    name = message.letter.rpartition("/")[2].partition(".")[0]
    return _LETTERS.get(name) or name.replace("_", " ").capitalize()
