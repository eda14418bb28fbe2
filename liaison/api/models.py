"""What the endpoint takes: plain pydantic, so that the web framework can be exchanged.

Every field says its unit and gives an example; the OpenAPI document is made from these. Types are
strict: ``"90"`` is no number and ``1`` is not true.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Ground, Outcome, Urgency

MOST_DAYS = 3650
MOST_TARGETS = 1000
LARGEST_SEQ = 2**53 - 1
"""The largest whole number every JSON reader keeps exactly."""
LONGEST_WAIT = 25
"""Seconds; below the half minute after which proxies give up."""

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def strict(example: Any = None) -> ConfigDict:
    """Unknown fields are errors; ``example`` is shown in the reference."""
    extra = {"openapi_extra": {"example": example}} if example is not None else {}
    return cast(ConfigDict, {"extra": "forbid", **extra})


def told(description: str, example: Any, **rules: Any) -> Any:
    """A field with its meaning and an example."""
    return Field(description=description, json_schema_extra={"example": example}, **rules)


def optional(description: str, example: Any, **rules: Any) -> Any:
    """The same, for a field that may be left out; null is the same as absent."""
    return told(description, example, default=None, **rules)


def _moment(value: object) -> datetime:
    fault = PydanticCustomError(
        "moment",
        "Give date, time with seconds and time zone (RFC 3339), like 2027-02-21T00:00:00Z.",
    )
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise fault
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise fault from None


def _identifier(value: object) -> UUID:
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F-]{36}", value):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise PydanticCustomError("identifier", "Give the target's id as it stands in the order.")


SERVED = [state.value for state in OrderState if not state.is_before_service]
"""The states in which a provider sees an order."""


def _served(value: object) -> OrderState:
    if value in SERVED:
        return OrderState(value)
    *most, last = map(repr, SERVED)
    expected = {"expected": f"{', '.join(most)} or {last}"}
    raise PydanticCustomError("enum", "Choose one of: {expected}.", expected)


ServedState = Annotated[
    OrderState, BeforeValidator(_served), WithJsonSchema({"type": "string", "enum": SERVED})
]
"""Where an order of a provider's stands: it is never a draft."""

Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=datetime)]
"""RFC 3339 with a time zone; stored and given back in UTC."""

TargetId = Annotated[UUID, BeforeValidator(_identifier, json_schema_input_type=UUID)]


class OrderPath(BaseModel):
    """Which order."""

    order: str = told("The order's id (UUID) or its ref.", "EM-2026-0412")


class Query(BaseModel):
    """Query parameters: unknown ones are errors, an empty one is the same as absent."""

    model_config = strict()

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value != ""}


class AttachmentPath(OrderPath):
    """Which file of an order's thread."""

    attachment: str = told(
        "The file's id, from the thread.", "019abc00-0000-7000-8000-000000000003"
    )


class EventsQuery(Query):
    """Where in the stream to read."""

    after: int = told(
        "Entries after this sequence number; 0 begins at the first.",
        0,
        default=0,
        ge=0,
        le=LARGEST_SEQ,
    )
    limit: int = told("How many entries at most.", 100, default=100, ge=1, le=500)
    wait: int = told(
        "Seconds to wait for something new before the answer comes.",
        0,
        default=0,
        ge=0,
        le=LONGEST_WAIT,
    )


class ListQuery(Query):
    """Which orders to list, oldest first."""

    urgency: Urgency | None = optional("Only orders of this urgency.", "emergency")
    after: TargetId | None = optional(
        "The cursor from `next` of the page before.", "019abc00-0000-7000-8000-000000000001"
    )
    limit: int = told("How many orders at most.", 50, default=50, ge=1, le=200)


class OrdersQuery(ListQuery):
    """The same of a provider, which sees no draft."""

    state: ServedState | None = optional("Only orders in this state.", "issued")


class AuthorityOrdersQuery(ListQuery):
    """The same of an authority, which sees its drafts too."""

    state: OrderState | None = optional("Only orders in this state.", "issued")


class Acknowledgement(BaseModel):
    """Receipt. It stops the escalation; preservation is a second, separate answer."""

    model_config = strict({"reference": "NOC-8812"})

    reference: StrictStr | None = optional(
        "Your own reference for the order.", "NOC-8812", max_length=200
    )
    note: StrictStr | None = optional(
        "Anything the contact point should know.", "Night shift has it.", max_length=5000
    )


class TargetAnswer(BaseModel):
    """What was found for one target."""

    model_config = strict()

    id: TargetId = told("The target's id, from the order.", "019abc00-0000-7000-8000-000000000002")
    outcome: Outcome = told("Preserved, partly preserved, or nothing held.", "preserved")
    until: Moment | None = optional(
        "Kept until, where it differs from the whole answer's date.", "2027-02-21T00:00:00Z"
    )
    note: StrictStr | None = optional(
        "What is missing, where it is partial.", "The log begins at 03:00 UTC.", max_length=5000
    )


class Preservation(BaseModel):
    """Preservation: for how long, and what was found. A second time amends the report."""

    model_config = strict({"days": 90, "reference": "NOC-8812"})

    days: StrictInt | None = optional(
        "Kept for so many days from now. Give this or `until`.", 90, ge=1, le=MOST_DAYS
    )
    until: Moment | None = optional(
        "Kept until this moment. Give this or `days`.", "2027-02-21T00:00:00Z"
    )
    targets: list[TargetAnswer] | None = optional(
        "Each target of the order once. Leave the list out where everything is preserved.",
        [{"id": "019abc00-0000-7000-8000-000000000002", "outcome": "preserved"}],
        min_length=1,
        max_length=MOST_TARGETS,
    )
    preserved_at: Moment | None = optional(
        "When the data were secured; now, where it is left out.", "2026-11-23T17:10:00Z"
    )
    reference: StrictStr | None = optional(
        "Your own reference for the preserved set.", "NOC-8812", max_length=200
    )
    sha256: Annotated[StrictStr, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = optional(
        "Fingerprint of the preserved set: SHA-256, 64 hexadecimal digits.",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    )
    risk: StrictStr | None = optional(
        "Why preservation may not secure the data or may endanger the investigation "
        "(Budapest Convention art. 29(6)).",
        "The customer can delete the server.",
        max_length=5000,
    )
    note: StrictStr | None = optional(
        "Anything the contact point should know.", "Snapshot taken.", max_length=5000
    )


class PreservationQuery(Query):
    """The whole answer's fields, where the body is CSV. What is confidential has no place here."""

    days: int | None = optional(
        "With a CSV body: kept for so many days from now. Give this or `until`, or a date in "
        "each line.",
        90,
        ge=1,
        le=MOST_DAYS,
    )
    until: Moment | None = optional(
        "With a CSV body: kept until this moment.", "2027-02-21T00:00:00Z"
    )
    preserved_at: Moment | None = optional(
        "With a CSV body: when the data were secured; now, where it is left out.",
        "2026-11-23T17:10:00Z",
    )
    reference: str | None = optional(
        "With a CSV body: your own reference for the preserved set.", "NOC-8812", max_length=200
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = optional(
        "With a CSV body: fingerprint of the preserved set: SHA-256, 64 hexadecimal digits.",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    )


class Extension(BaseModel):
    """The new date, where the contact point asked for one: what it asked for, or what you can."""

    model_config = strict({"days": 90})

    days: StrictInt | None = optional(
        "So many days longer than the date you promised last. Give this or `until`.",
        90,
        ge=1,
        le=MOST_DAYS,
    )
    until: Moment | None = optional(
        "Kept until this moment. Give this or `days`.", "2027-05-22T00:00:00Z"
    )
    reference: StrictStr | None = optional("Your own reference.", "NOC-8812", max_length=200)
    note: StrictStr | None = optional(
        "Anything the contact point should know.", "Snapshot kept.", max_length=5000
    )


class Disposal(BaseModel):
    """What was kept for the order is gone."""

    model_config = strict({"reference": "NOC-8812"})

    reference: StrictStr | None = optional("Your own reference.", "NOC-8812", max_length=200)
    note: StrictStr | None = optional(
        "Anything the contact point should know.", "Snapshot deleted.", max_length=5000
    )


class Refusal(BaseModel):
    """Why the order is declined. The list of grounds is closed."""

    model_config = strict(
        {
            "grounds": ["no_longer_held"],
            "explanation": "Log kept for 30 days; the period is older.",
            "preserved_meanwhile": False,
        }
    )

    grounds: list[Ground] = told(
        "One or more grounds of the closed list.", ["no_longer_held"], min_length=1, max_length=11
    )
    explanation: StrictStr = told(
        "In your own words.",
        "Log kept for 30 days; the period is older.",
        min_length=1,
        max_length=5000,
    )
    preserved_meanwhile: StrictBool = told(
        "Whether the data are kept until the contact point has answered.", False
    )


class Doubt(BaseModel):
    """Why the order may not be real."""

    model_config = strict({"reason": "The number it names is not the registered one."})

    reason: StrictStr = told(
        "What makes you doubt it; the contact point reads it.",
        "The officer's number is not the one that is registered.",
        min_length=1,
        max_length=2000,
    )


class Route(BaseModel):
    """Another provider that took part in the transmission (Budapest Convention arts 17, 30)."""

    model_config = strict(
        {
            "provider": "Norvik Mobile",
            "path": "Handed over at 198.51.100.1 port 51820, 2026-11-23 01:10:30 UTC.",
        }
    )

    provider: StrictStr = told(
        "Its name or one of its domains.", "Norvik Mobile", min_length=1, max_length=200
    )
    path: StrictStr = told(
        "What identifies the path: addresses, ports, times.",
        "Handed over at 198.51.100.1 port 51820, 2026-11-23 01:10:30 UTC.",
        min_length=1,
        max_length=5000,
    )
    target: TargetId | None = optional(
        "The one target it is about; left out, it is about the whole order.",
        "019abc00-0000-7000-8000-000000000002",
    )


class AttachmentBody(BaseModel):
    """A file beside a message."""

    model_config = strict()

    name: StrictStr = told("Its name, as it is shown.", "radius.csv", min_length=1, max_length=200)
    content: StrictStr = told(
        "Its bytes in base64 (RFC 4648, section 4). What it is follows from them alone.",
        "dGltZSxhZGRyZXNzCg==",
    )


class MessageBody(BaseModel):
    """A question, an answer or a remark."""

    model_config = strict({"text": "Which of the two addresses do you mean?"})

    text: StrictStr = told(
        "What you write; both sides read it.",
        "Which of the two addresses do you mean?",
        min_length=1,
        max_length=10_000,
    )
    question: StrictBool | None = optional(
        "Whether the contact point owes an answer; true, where it is left out.", True
    )
    attachments: list[AttachmentBody] | None = optional(
        "Files: PDF, PNG, JPEG, or text, CSV or JSON in UTF-8.",
        [{"name": "radius.csv", "content": "dGltZSxhZGRyZXNzCg=="}],
        max_length=10,
    )
