"""The ways out: one module a channel. Nothing here knows a table."""

from liaison.delivery.base import DeliveryError, Outgoing, Receipt, Sender, Ways
from liaison.delivery.email import EmailSender
from liaison.delivery.gateway import gateway_sender
from liaison.delivery.webhook import WebhookSender

__all__ = [
    "DeliveryError",
    "EmailSender",
    "Outgoing",
    "Receipt",
    "Sender",
    "Ways",
    "WebhookSender",
    "gateway_sender",
]
