"""The tables. ``liaison.models`` names them all, so that metadata is whole once it is imported."""

from liaison.models.access import (
    FactorReset,
    Invitation,
    KeptFile,
    KeptForm,
    OrderReview,
    Passkey,
    RecoveryCode,
)
from liaison.models.base import Base, Database
from liaison.models.drafting import (
    CaseFile,
    OrderTemplate,
    Presence,
    UnfinishedDraft,
    UnfinishedWriter,
)
from liaison.models.drills import Drill, DrillCounter
from liaison.models.duty import DutyFeed, DutyOverride, Rota
from liaison.models.keys import KeyRequest
from liaison.models.ledger import Entry, Stream
from liaison.models.memoranda import Memorandum, MemorandumDocument, Signature
from liaison.models.order_acts import (
    Doubt,
    Extension,
    FollowUp,
    OrderNote,
    OrderWriter,
    Route,
    Vouch,
)
from liaison.models.orders import (
    Order,
    OrderTarget,
    RefCounter,
    Report,
    ReportedTarget,
    ThreadMessage,
)
from liaison.models.papers import Attachment, Blob
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
from liaison.models.requests import (
    CounterpartRequest,
    ReportedBack,
    RequestCounter,
    RequestLetter,
    RequestWriter,
)
from liaison.models.shifts import HandOver, OrderKey, SavedFilter
from liaison.models.webhooks import WebhookEndpoint
from liaison.models.work import (
    CallTask,
    Canary,
    DeliveryAttempt,
    Heartbeat,
    Message,
    Timer,
    Watch,
)

__all__ = [
    "ApiKey",
    "Attachment",
    "Authority",
    "Base",
    "Blob",
    "CallTask",
    "Canary",
    "CaseFile",
    "Contact",
    "ContactChange",
    "CounterpartRequest",
    "Database",
    "DeliveryAttempt",
    "Doubt",
    "Drill",
    "DrillCounter",
    "DutyFeed",
    "DutyOverride",
    "Entry",
    "Extension",
    "FactorReset",
    "FollowUp",
    "HandOver",
    "Heartbeat",
    "Holding",
    "IdempotentAnswer",
    "Invitation",
    "KeptFile",
    "KeptForm",
    "KeyRequest",
    "Memorandum",
    "MemorandumDocument",
    "Message",
    "Order",
    "OrderKey",
    "OrderNote",
    "OrderReview",
    "OrderTarget",
    "OrderTemplate",
    "OrderWriter",
    "PartyRule",
    "Passkey",
    "Person",
    "PersonRole",
    "Presence",
    "Provider",
    "RecoveryCode",
    "RefCounter",
    "RegisterImport",
    "Report",
    "ReportedBack",
    "ReportedTarget",
    "RequestCounter",
    "RequestLetter",
    "RequestWriter",
    "Rota",
    "Route",
    "SavedFilter",
    "SignIn",
    "Signature",
    "Stream",
    "ThreadMessage",
    "Throttle",
    "Timer",
    "UnfinishedDraft",
    "UnfinishedWriter",
    "Verification",
    "Vouch",
    "Watch",
    "WebhookEndpoint",
]
