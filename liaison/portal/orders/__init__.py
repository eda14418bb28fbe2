"""The pages about orders: the queue, an order, drafting and issuing, answering, acting."""

from liaison.portal.orders import acting, answering, drafting, issuing, reading
from liaison.portal.orders.blueprint import bp

__all__ = ["acting", "answering", "bp", "drafting", "issuing", "reading"]
