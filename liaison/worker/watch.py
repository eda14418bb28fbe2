"""The steps that watch the worker itself, and what it should have set going.

None of them stops another: what fails is logged and tried again at the next look.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from liaison.delivery import DeliveryError, own
from liaison.queries import unplanned
from liaison.services import auditing, canaries, pollers, watches, watching
from liaison.worker.pulse import Pulse, Step
from liaison.worker.work import Work

log = structlog.get_logger("liaison.worker")

Mend = Callable[[Session, UUID, datetime], bool]
"""A verb of the auditor: whether it had to do anything."""

LOOK_EVERY = 5.0
"""Seconds between two looks at canaries, at what is late and at the heartbeat's URL."""
AUDIT_EVERY = 60.0
"""Seconds between two looks for what nobody planned, and for programs that are silent."""
PING_EVERY = 60.0
"""Seconds between two pings, at least."""


def audit(work: Work) -> bool:
    """Looks for orders of which nothing is planned, and for programs that fell silent."""
    return _raised(audit_all(work))


def audit_all(work: Work) -> Exception | None:
    """The same, giving back the error of a look that failed, if one did."""
    return _together(work, _ladders, _expiries, _programs)


def watch(work: Work) -> bool:
    """Sends the canaries that are due, and tells of what is lost or late."""
    return _raised(_together(work, _canaries, _faults))


def _raised(failed: Exception | None) -> bool:
    """What failed is raised once all is done, so that whoever watches learns of it."""
    if failed is not None:
        raise failed
    return False


def _together(work: Work, *looks: Callable[[Work], None]) -> Exception | None:
    failed = None
    for look in looks:
        try:
            look(work)
        except Exception as error:
            # Only the kind of error: its text could quote an order.
            name, kind = getattr(look, "__name__", "look"), type(error).__name__
            log.warning("watching failed", look=name.strip("_"), error=kind)
            failed = error
    return failed


def _ladders(work: Work) -> None:
    with work.database.reading() as session:
        lasting = unplanned.pauses_that_last(session, work.now())
        still = unplanned.without_step(session)
    found = [(auditing.mend_pause, id_) for id_ in lasting]
    mended = 0
    for mend, order_id in found + [(auditing.mend_ladder, id_) for id_ in still]:
        if mended == auditing.MOST:
            return
        mended += _mended(work, mend, order_id)


def _mended(work: Work, mend: Mend, order_id: UUID) -> bool:
    """Whatever fails with one order stops no other: people are told to act by hand."""
    try:
        with work.database.transaction() as session:
            mended = mend(session, order_id, work.now())
    except Exception as error:
        log.warning("ladder not mended", order=str(order_id), error=type(error).__name__)
        _tell_unmended(work, order_id)
        return False
    if mended:
        log.warning("ladder mended", order=str(order_id))
    return mended


def _tell_unmended(work: Work, order_id: UUID) -> None:
    try:
        with work.database.transaction() as session:
            auditing.tell_unmended(session, order_id, work.now())
    except Exception as error:
        name = type(error).__name__
        log.warning("nobody told of a ladder not mended", order=str(order_id), error=name)


def _expiries(work: Work) -> None:
    with work.database.reading() as session:
        found = unplanned.without_expiry(session, work.now())
    mended, failed = 0, None
    for order_id in found:
        if mended == auditing.MOST:
            break
        try:
            with work.database.transaction() as session:
                mended += auditing.mend_expiry(session, order_id, work.now())
        except Exception as error:
            log.warning("dates not planned", order=str(order_id), error=type(error).__name__)
            failed = error
    if failed is not None:
        raise failed


def _programs(work: Work) -> None:
    with work.database.reading() as session:
        if not pollers.is_due(session, work.now()):
            return
    with work.database.transaction() as session:
        count = pollers.run(session, work.now(), work.settings.base_url)
    log.info("programs silent or back", count=count)


def _canaries(work: Work) -> None:
    with work.database.reading() as session:
        if not canaries.is_due(session, work.settings, work.now()):
            return
    with work.database.transaction() as session:
        canaries.send(session, work.settings, work.now())


def _faults(work: Work) -> None:
    with work.database.reading() as session:
        if not watching.is_due(session, work.settings, work.now()):
            return
    with work.database.transaction() as session:
        count = watching.judge(session, work.settings, work.now())
    log.warning("faults began or ended", count=count)


def pinging(pulse: Pulse, seconds: Callable[[], float] = time.monotonic) -> Step:
    """The dead-man's switch as a step: whoever waits for the ping calls somebody without it.

    It is sent only while the pulse is well, nothing is late, and a canary came back on every way
    since the last one. One that fails is logged and stops nothing.
    """
    tried = -math.inf

    def run(work: Work) -> bool:
        nonlocal tried
        url = work.settings.heartbeat_url
        if not url or not pulse.is_well() or seconds() - tried < PING_EVERY:
            return False
        with work.database.reading() as session:
            if not watching.may_ping(session, work.settings, work.now()):
                return False
        tried = seconds()
        _ping(work, url)
        return False

    return run


def _ping(work: Work, url: str) -> None:
    try:
        own.ask("GET", url)
    except DeliveryError as error:
        # Neither the address nor what was answered: the address is a secret of its own.
        log.warning("heartbeat URL does not answer", status=error.status)
        return
    with work.database.transaction() as session:
        watches.note(session, watching.PING, work.now())
