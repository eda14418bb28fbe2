"""The pages about orders: the queue, an order, drafting and issuing, answering, acting."""

from liaison.portal.orders import (
    acting,
    after,
    answering,
    calling,
    doubting,
    drafting,
    issuing,
    ladder_acts,
    listing,
    looking,
    messages,
    papers,
    ratifying,
    reading,
    reporting,
    routing,
    saving,
    signed,
)
from liaison.portal.orders.blueprint import bp
from liaison.portal.orders.exporting import bp as export_bp

__all__ = [
    "acting",
    "after",
    "answering",
    "bp",
    "calling",
    "doubting",
    "drafting",
    "export_bp",
    "issuing",
    "ladder_acts",
    "listing",
    "looking",
    "messages",
    "papers",
    "ratifying",
    "reading",
    "reporting",
    "routing",
    "saving",
    "signed",
]
