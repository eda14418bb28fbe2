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
from liaison.models.drills import Drill, DrillCounter
from liaison.models.duty import DutyFeed, DutyOverride, Rota
from liaison.models.ledger import Entry, Stream
from liaison.models.memoranda import Memorandum, MemorandumDocument, Signature
from liaison.models.orders import (
    Order,
    OrderTarget,
    RefCounter,
    Report,
    ReportedTarget,
    ThreadMessage,
)
from liaison.models.people import ApiKey, IdempotentAnswer, Person, PersonRole, SignIn, Throttle
from liaison.models.registry import (
    Authority,
    Contact,
    ContactChange,
    Holding,
    PartyRule,
    Provider,
    RegisterImport,
    Verification,
)
from liaison.models.work import CallTask, Heartbeat, Message, Timer

__all__ = [
    "ApiKey",
    "Authority",
    "Base",
    "CallTask",
    "Contact",
    "ContactChange",
    "Database",
    "Drill",
    "DrillCounter",
    "DutyFeed",
    "DutyOverride",
    "Entry",
    "FactorReset",
    "Heartbeat",
    "Holding",
    "IdempotentAnswer",
    "Invitation",
    "KeptForm",
    "Memorandum",
    "MemorandumDocument",
    "Message",
    "Order",
    "OrderReview",
    "OrderTarget",
    "PartyRule",
    "Passkey",
    "Person",
    "PersonRole",
    "Provider",
    "RecoveryCode",
    "RefCounter",
    "RegisterImport",
    "Report",
    "ReportedTarget",
    "Rota",
    "SignIn",
    "Signature",
    "Stream",
    "ThreadMessage",
    "Throttle",
    "Timer",
    "Verification",
]
