"""The ways out: one module a channel. Nothing here knows a table."""

from liaison.delivery.base import DeliveryError, Outgoing, Receipt, Sender, Ways
from liaison.delivery.email import EmailSender

__all__ = ["DeliveryError", "EmailSender", "Outgoing", "Receipt", "Sender", "Ways"]
