"""Reading a file of a thread: whoever sees the order sees it, and nobody else."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, undefer

from liaison.domain.actors import Actor
from liaison.errors import NotFound
from liaison.models import Attachment, Blob, Order, ThreadMessage
from liaison.queries import orders


def find(session: Session, actor: Actor, name: str, attachment_id: UUID) -> Attachment:
    """A file of this order, its bytes with it; ``NotFound`` where it is another order's."""
    found = session.scalars(
        select(Attachment)
        .join(ThreadMessage, ThreadMessage.id == Attachment.message_id)
        .join(Order, Order.id == ThreadMessage.order_id)
        .where(orders.visible(actor), orders.by_name(name), Attachment.id == attachment_id)
        .options(joinedload(Attachment.blob).options(undefer(Blob.content)))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found
