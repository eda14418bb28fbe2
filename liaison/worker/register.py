"""The steps that keep the register: what falls due there by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from liaison.services import (
    calls_moved,
    contact_changes,
    contact_reviews,
    drill_calendar,
    duty_gaps,
    import_run,
    key_notices,
    memorandum_notices,
)
from liaison.worker.work import Work

log = structlog.get_logger("liaison.worker")


@dataclass(frozen=True)
class Job:
    """``is_due`` is asked before a writing transaction is begun; ``run`` says how much it did.

    ``run`` gets the portal's address for links. It does one portion and is asked again.
    """

    name: str
    is_due: Callable[[Session, datetime], bool]
    run: Callable[[Session, datetime, str], int]


JOBS: tuple[Job, ...] = (
    Job("keys expire soon", key_notices.is_due, key_notices.run),
    Job("contacts change", contact_changes.is_due, contact_changes.run),
    # Behind it: whom they concerned is called at the number that counts now.
    Job("calls moved", calls_moved.is_due, calls_moved.run),
    Job("contacts to be reviewed", contact_reviews.is_due, contact_reviews.run),
    Job("memoranda end soon", memorandum_notices.is_due, memorandum_notices.run),
    Job("providers imported", import_run.is_due, import_run.run),
    Job("gaps in duty", duty_gaps.is_due, duty_gaps.run),
    Job("drills", drill_calendar.is_due, drill_calendar.run),
)


def keep(work: Work) -> bool:
    """Does one portion of whatever is due; whether anything was.

    A job that fails stops no other: it is logged and tried again at the next look. The error is
    raised once nothing else is left to do, so that whoever watches learns of it.
    """
    found, failed = _portion(work)
    if failed is not None and not found:
        raise failed
    return found


def keep_all(work: Work) -> Exception | None:
    """Does whatever is due, portion by portion; the error of a job that failed, if one did."""
    failure = None
    while True:
        found, failed = _portion(work)
        failure = failed or failure
        if not found:
            return failure


def _portion(work: Work) -> tuple[bool, Exception | None]:
    found, failed = False, None
    for job in JOBS:
        try:
            found = _done(work, job) or found
        except Exception as error:
            log.warning("register job failed", job=job.name, error=type(error).__name__)
            failed = error
    return found, failed


def _done(work: Work, job: Job) -> bool:
    with work.database.reading() as session:
        if not job.is_due(session, work.now()):
            return False
    with work.database.transaction() as session:
        count = job.run(session, work.now(), work.settings.base_url.rstrip("/"))
    if count:
        log.info(job.name, count=count)
    return count > 0
