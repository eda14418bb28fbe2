"""The step that sends notices, in three phases: claim, look again and send, confirm."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from liaison.delivery import DeliveryError, Outgoing, Receipt
from liaison.documents.letters import WITH_CODE, compose
from liaison.domain.actors import CLOCK
from liaison.domain.ladder import Whom
from liaison.models import Message, Order
from liaison.queries import registry
from liaison.services import call_tasks, ledger, outbox, portal_log
from liaison.services.outbox import Claimed
from liaison.worker.work import Work

BATCH = 2
"""Messages claimed at once: each takes at most 20 s, and the lease is 45 s."""

UNDELIVERED = "The notice could not be delivered."

log = structlog.get_logger("liaison.worker")


def send_some(work: Work) -> tuple[int, int]:
    """Claims a batch and sends it; how many were claimed, and how many left."""
    batch = claim(work)
    return len(batch), sum(send(work, claimed) for claimed in batch)


def claim(work: Work) -> list[Claimed]:
    """The first phase, committed before anything leaves."""
    with work.database.reading() as session:
        if not outbox.is_due(session, work.now()):
            return []
    with work.database.transaction() as session:
        return outbox.claim(session, work.now(), BATCH)


def send(work: Work, claimed: Claimed) -> bool:
    """The other two phases; whether the notice left. No transaction is open while it does."""
    if not _still_wanted(work, claimed):
        return False
    begin = time.monotonic()
    try:
        receipt = work.sender.send(_outgoing(work, claimed))
    except DeliveryError as error:
        _put_off(work, claimed, error, begin)
        return False
    except Exception as error:
        # A letter that cannot be made must not stop the others, nor vanish.
        log.warning("notice failed", message=str(claimed.id), error=type(error).__name__)
        _put_off(work, claimed, DeliveryError(type(error).__name__), begin)
        return False
    return _confirm(work, claimed, receipt, begin)


def _outgoing(work: Work, claimed: Claimed) -> Outgoing:
    settings = work.settings
    params = dict(claimed.params)
    if claimed.sealed_link is not None:
        secret = "code" if claimed.letter in WITH_CODE else "link"
        params[secret] = work.vault.open(claimed.sealed_link)
    letter = compose(claimed.letter, params, settings.base_url, settings.env.value)
    return Outgoing(
        address=claimed.address,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        idem=claimed.idem,
        written_at=claimed.created_at,
        channel=claimed.channel,
        number=str(claimed.id),
    )


def _still_wanted(work: Work, claimed: Claimed) -> bool:
    with work.database.reading() as session:
        wanted = outbox.still_wanted(session, claimed)
    if not wanted:
        with work.database.transaction() as session:
            outbox.drop(session, claimed)
        log.info("notice dropped", message=str(claimed.id))
    return wanted


def _confirm(work: Work, claimed: Claimed, receipt: Receipt, begin: float) -> bool:
    tried = outbox.Tried(_since(begin), receipt.status, receipt.answer)
    with work.database.transaction() as session:
        confirmed = outbox.confirm(session, claimed, receipt.reference, work.now(), tried)
    if confirmed:
        log.info("notice sent", message=str(claimed.id), letter=claimed.letter)
    else:
        log.warning("notice sent by an overtaken worker", message=str(claimed.id))
    return True


def _since(begin: float) -> timedelta:
    """By the process's own clock, which nobody sets back."""
    return timedelta(seconds=time.monotonic() - begin)


def _put_off(work: Work, claimed: Claimed, error: DeliveryError, begin: float) -> None:
    tried = outbox.Tried(_since(begin), error.status, error.detail)
    with work.database.transaction() as session:
        now = work.now()
        failed = outbox.put_off(
            session,
            claimed,
            error.detail,
            now,
            tried,
            permanent=error.permanent,
            retry_after=error.retry_after,
        )
        if failed is not None:
            _tell_people(session, failed, now)
    log.warning("notice not delivered", message=str(claimed.id), final=failed is not None)


def _tell_people(session: Session, message: Message, now: datetime) -> None:
    """A notice that did not arrive is never silent: a person must call, and all can see why."""
    if message.order_id is None:
        told: dict[str, Any] = {"letter": message.letter, "attempts": message.attempts}
        portal_log.note(session, now, "letter_failed", CLOCK.id, ledger.PORTAL, told)
        return
    order = session.get_one(Order, message.order_id)
    people = (
        [message.contact]
        if message.contact
        else registry.addressees(session, order, Whom.DUTY_OFFICER, now)
    )
    for contact in people:
        key = f"undelivered:{message.id}"
        call_tasks.open_task(session, order, contact, UNDELIVERED, key, message.wanted, now)
    _tell_duty_officer(session, order, message, now)
    told = {
        "letter": message.letter,
        "channel": message.channel.value,
        "to": message.contact.name if message.contact else message.address,
        "attempts": message.attempts,
        "error": message.last_error,
    }
    ledger.record(session, now, ledger.own(order, "order.delivery_failed", CLOCK, told))


def _tell_duty_officer(session: Session, order: Order, message: Message, now: datetime) -> None:
    contact = message.contact
    if contact is None or contact.authority_id is not None:
        return  # the mail that failed was to us: another one would only fail again
    params = {"addressee": contact.name}
    notice = outbox.Notice("delivery_failed", message.wanted, f"undelivered:{message.id}", params)
    for officer in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, officer, notice, now)
