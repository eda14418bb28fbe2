"""The step that sends notices, in three phases: claim, look again and send, confirm."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from liaison.delivery import DeliveryError, Outgoing, Receipt
from liaison.delivery.attempt import one_line
from liaison.documents.letters import WITH_CODE, compose
from liaison.documents.short_notices import short_notice
from liaison.domain.vocabulary import Channel
from liaison.models import Message
from liaison.models.driver_errors import AWAY
from liaison.services import claims, due_messages, ledger, tries, undelivered
from liaison.services.claims import Claimed
from liaison.worker import webhooks
from liaison.worker.work import Work

BATCH = 2
"""Messages claimed at once: each takes at most 20 s, and the lease is 45 s."""


@dataclass(frozen=True)
class Lane:
    """A way out with threads of its own: whoever keeps silent there holds up no other way.

    ``batch`` messages are claimed at once.
    """

    channel: Channel
    threads: int = 1
    batch: int = BATCH

    @property
    def name(self) -> str:
        """Also the kind of hint it is woken by."""
        return self.channel.value


LANES = (
    Lane(Channel.EMAIL),
    Lane(Channel.TEXT),
    Lane(Channel.VOICE),
    # One endpoint has one message under way at most, one provider two: half is left to the others.
    Lane(Channel.WEBHOOK, threads=4, batch=1),
)

log = structlog.get_logger("liaison.worker")


def send_some(work: Work, lane: Lane | None = None) -> tuple[int, int]:
    """Claims a batch and sends it, of one way or of all; how many were claimed, how many left.

    The first error of one of them is raised once all were tried.
    """
    batch, left = claim(work, lane), 0
    failed: Exception | None = None
    for claimed in batch:
        try:
            left += send(work, claimed)
        except Exception as error:
            # Those beside it would wait in vain until their lease is over.
            failed = failed or error
    if failed is not None:
        raise failed
    return len(batch), left


def claim(work: Work, lane: Lane | None = None) -> list[Claimed]:
    """The first phase, committed before anything leaves."""
    channel, most = (lane.channel, lane.batch) if lane else (None, BATCH)
    if work.database.is_sqlite:  # nobody who writes is to wait for nothing
        with work.database.reading() as session:
            if not due_messages.is_due(session, work.now(), channel):
                return []
    with work.database.transaction() as session:
        return claims.claim(session, work.now(session), most, channel)


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
        _put_off(work, claimed, DeliveryError(type(error).__name__), begin, ours=True)
        return False
    return _confirm(work, claimed, receipt, begin)


def _outgoing(work: Work, claimed: Claimed) -> Outgoing:
    if claimed.endpoint_id is not None:
        return webhooks.outgoing(work, claimed)
    settings = work.settings
    params = dict(claimed.params)
    if claimed.sealed_link is not None:
        secret = "code" if claimed.letter in WITH_CODE else "link"
        params[secret] = work.vault.open(claimed.sealed_link)
    if claimed.channel in (Channel.TEXT, Channel.VOICE):
        return _to_a_telephone(work, claimed)
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


def _to_a_telephone(work: Work, claimed: Claimed) -> Outgoing:
    place, env = work.settings.base_url, work.settings.env.value
    return Outgoing(
        address=claimed.address,
        subject="",
        text=short_notice(claimed.channel, claimed.letter, claimed.params, place, env),
        html="",
        idem=claimed.idem,
        written_at=claimed.created_at,
        channel=claimed.channel,
        number=str(claimed.id),
        body={name: bool(claimed.params.get(name)) for name in ("reply", "test")},
    )


def _still_wanted(work: Work, claimed: Claimed) -> bool:
    with work.database.reading() as session:
        wanted = claims.still_wanted(session, claimed, work.now(session))
    if not wanted:
        with work.database.transaction() as session:
            claims.drop(session, claimed, work.now(session))
        log.info("notice dropped", message=str(claimed.id))
    return wanted


def _confirm(work: Work, claimed: Claimed, receipt: Receipt, begin: float) -> bool:
    tried = _tried(begin, receipt.status, receipt.answer)
    try:
        confirmed = _note_sent(work, claimed, one_line(receipt.reference), tried)
    except AWAY:
        raise  # whoever claims it next sends it again, under the same key
    except Exception as fault:
        # What left must not leave again with every lease, for ever: that it left is noted alone.
        name = type(fault).__name__
        log.warning("receipt that cannot be kept", message=str(claimed.id), error=name)
        with work.database.transaction() as session:
            bare = replace(tried, answer="")
            confirmed = tries.confirm(session, claimed, "", work.now(session), bare)
    if confirmed:
        log.info("notice sent", message=str(claimed.id), letter=claimed.letter)
    else:
        log.warning("notice sent by an overtaken worker", message=str(claimed.id))
    return True


def _note_sent(work: Work, claimed: Claimed, reference: str, tried: tries.Tried) -> bool:
    with work.database.transaction() as session:
        now = work.now(session)
        webhooks.note_ok(session, claimed, now)
        return tries.confirm(session, claimed, reference, now, tried)


def _tried(begin: float, status: int | None, said: str) -> tries.Tried:
    """Timed by the process's own clock, which nobody sets back; ``said`` so that it can be kept."""
    return tries.Tried(timedelta(seconds=time.monotonic() - begin), status, one_line(said))


def _put_off(
    work: Work, claimed: Claimed, error: DeliveryError, begin: float, *, ours: bool = False
) -> None:
    """``ours``: the fault was on this side, and says nothing of the other."""
    tried = _tried(begin, error.status, error.detail)
    try:
        final = _note_failure(work, claimed, error, tried, ours=ours)
    except AWAY:
        raise  # whoever claims it next begins anew
    except Exception as fault:
        # What cannot be told of must not be sent again with every lease, for ever.
        name = type(fault).__name__
        log.warning("nobody told of a notice", message=str(claimed.id), error=name)
        with work.database.transaction() as session:
            now = work.now(session)
            final = _put_off_row(session, claimed, error, now, tried) is not None
    log.warning("notice not delivered", message=str(claimed.id), final=final)


def _note_failure(
    work: Work, claimed: Claimed, error: DeliveryError, tried: tries.Tried, *, ours: bool
) -> bool:
    """Whether it was the last try: then whoever must know of it is told."""
    with work.database.transaction() as session:
        now = work.now(session)
        entries: list[ledger.Record] = []
        if not ours:
            base_url = work.settings.base_url
            entries = webhooks.note_failure(session, claimed, error, now, base_url)
        failed = _put_off_row(session, claimed, error, now, tried)
        if failed is not None and claimed.endpoint_id is not None:
            webhooks.note_used_up(failed, now)
        elif failed is not None:
            undelivered.tell(session, failed, now)
        ledger.record(session, now, *entries)
    return failed is not None


def _put_off_row(
    session: Session, claimed: Claimed, error: DeliveryError, now: datetime, tried: tries.Tried
) -> Message | None:
    return tries.put_off(
        session,
        claimed,
        tried.answer,
        now,
        tried,
        permanent=error.permanent,
        retry_after=error.retry_after,
    )
