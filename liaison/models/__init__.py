"""The tables. ``liaison.models`` names them all, so that metadata is whole once it is imported."""

from liaison.models.access import (
    FactorReset,
    Invitation,
    KeptForm,
    OrderReview,
    Passkey,
    RecoveryCode,
)
from liaison.models.base import Base, Database
from liaison.models.ledger import Entry, Stream
from liaison.models.orders import (
    Order,
    OrderTarget,
    RefCounter,
    Report,
    ReportedTarget,
    ThreadMessage,
)
from liaison.models.people import ApiKey, IdempotentAnswer, Person, PersonRole, SignIn, Throttle
from liaison.models.registry import Authority, Contact, Memorandum, Provider
from liaison.models.work import CallTask, Heartbeat, Message, Timer

__all__ = [
    "ApiKey",
    "Authority",
    "Base",
    "CallTask",
    "Contact",
    "Database",
    "Entry",
    "FactorReset",
    "Heartbeat",
    "IdempotentAnswer",
    "Invitation",
    "KeptForm",
    "Memorandum",
    "Message",
    "Order",
    "OrderReview",
    "OrderTarget",
    "Passkey",
    "Person",
    "PersonRole",
    "Provider",
    "RecoveryCode",
    "RefCounter",
    "Report",
    "ReportedTarget",
    "SignIn",
    "Stream",
    "ThreadMessage",
    "Throttle",
    "Timer",
]
