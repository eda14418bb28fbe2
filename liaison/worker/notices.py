"""The step that tells people of what is about to end: their provider's keys."""

from __future__ import annotations

import structlog

from liaison.services import key_notices
from liaison.worker.work import Work

log = structlog.get_logger("liaison.worker")


def tell_of_keys(work: Work) -> bool:
    """Queues letters about keys that expire soon; whether there were any."""
    with work.database.reading() as session:
        if not key_notices.is_due(session, work.now()):
            return False
    link = f"{work.settings.base_url.rstrip('/')}/api-keys"
    with work.database.transaction() as session:
        told = key_notices.tell(session, link, work.now())
    log.info("keys expire soon", letters=told)
    return told > 0
