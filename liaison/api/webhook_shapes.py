"""Webhooks at the endpoint: what it takes, what it gives back, and what the worker sends."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from liaison.api.models import Moment, Query, TargetId, optional, strict, told
from liaison.api.shapes import ID, TIME, OrderName
from liaison.domain.reach import LONGEST_URL
from liaison.domain.stream_events import PING, STREAM_EVENTS
from liaison.models.work import MessageState
from liaison.services.webhook_keeping import LONGEST_DESCRIPTION, LONGEST_OVERLAP, MOST, OVERLAP

URL = "https://hooks.meridian.example/liaison"

SECRET = "whsec_" + "bGlhaXNvbi1leGFtcGxlLWxpYWlzb24tZXhhbXBsZSE="


def _known(type_: str) -> str:
    if type_ not in STREAM_EVENTS:
        raise PydanticCustomError("event", "There is no such event; the reference lists them.")
    return type_


EventType = Annotated[
    StrictStr, AfterValidator(_known), Field(json_schema_extra={"enum": list(STREAM_EVENTS)})
]
"""A type of entry of the stream."""

_URL_IS = (
    "Where events are sent: https, on the public internet, without name or password in it. It is "
    "looked up anew for each try, and addresses inside are never called."
)


class WebhookPath(BaseModel):
    """Which webhook."""

    webhook: str = told("The webhook's id.", ID)


class DeliveryPath(WebhookPath):
    """Which of its deliveries."""

    delivery: str = told("The delivery's id.", "019abc00-0000-7000-8000-000000000004")


class DeliveriesQuery(Query):
    """Which deliveries to list, newest first."""

    after: TargetId | None = optional("The cursor from `next` of the page before.", ID)
    limit: int = told("How many deliveries at most.", 20, default=20, ge=1, le=100)


class NewWebhook(BaseModel):
    """A webhook to be made."""

    model_config = strict({"url": URL, "description": "Case system", "events": ["order.issued"]})

    url: StrictStr = told(_URL_IS, URL, min_length=1, max_length=LONGEST_URL)
    description: StrictStr | None = optional(
        "What listens there.", "Case system", max_length=LONGEST_DESCRIPTION
    )
    events: list[EventType] | None = optional(
        "Types of entry it is told of; none or an empty list means all.",
        ["order.issued"],
        max_length=100,
    )


class WebhookChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = strict({"events": ["order.issued", "order.withdrawn"]})

    url: StrictStr | None = optional(_URL_IS, URL, min_length=1, max_length=LONGEST_URL)
    description: StrictStr | None = optional(
        "What listens there; an empty text for nothing.",
        "Case system",
        max_length=LONGEST_DESCRIPTION,
    )
    events: list[EventType] | None = optional(
        "Types of entry it is told of; an empty list means all.",
        ["order.issued", "order.withdrawn"],
        max_length=100,
    )
    state: Literal["active", "disabled"] | None = optional(
        "`disabled`: nothing is sent until it is `active` again.", "active"
    )


class Rotation(BaseModel):
    """A new secret."""

    model_config = strict({"overlap": OVERLAP})

    overlap: StrictInt | None = optional(
        "Hours for which the older secret signs too; 0 where somebody else may hold it.",
        OVERLAP,
        ge=0,
        le=LONGEST_OVERLAP,
    )


class Since(BaseModel):
    """From when on events are sent again."""

    model_config = strict({"since": "2026-11-23T03:10:00Z"})

    since: Moment = told(
        "Every event at this moment and after, at most 200.", "2026-11-23T03:10:00Z"
    )


class NoFields(BaseModel):
    """Nothing is to be said: an empty object, or no body."""

    model_config = strict({})


class Webhook(BaseModel):
    """A webhook; its secret is shown when it is made or replaced, and never again."""

    model_config = strict()

    id: UUID = told("The webhook's id.", ID)
    version: int = told("The row version: `ETag`, and `If-Match` of your change.", 3)
    url: str = told("Where events are sent.", URL)
    description: str = told("What listens there.", "Case system")
    events: list[str] = told("Types of entry it is told of; empty means all.", ["order.issued"])
    state: Literal["active", "disabled"] = told("Nothing is sent to a disabled one.", "active")
    created_at: datetime = told("When it was made, UTC.", TIME)
    created_by: str = told("Who made it: a person's name, or a key's.", "Ani Petrosyan")
    changed_at: datetime = told("When it was last changed, UTC.", TIME)
    last_ok_at: datetime | None = told("When it last took an event, UTC, to the minute.", TIME)
    failing_since: datetime | None = told("First of an unbroken row of failures, UTC.", None)
    disabled_at: datetime | None = told("When it was last disabled, UTC.", None)
    disabled_why: str | None = told("Why it is disabled.", None)
    older_secret_until: datetime | None = told("Until when an older secret signs too, UTC.", None)


class WebhookWithSecret(Webhook):
    """A webhook with its secret, this once."""

    secret: str | None = told(
        "Signs what is sent; null in a repeated answer: secrets are not kept in clear. Where the "
        "first answer was lost, take a new one by `rotate`.",
        SECRET,
    )


class WebhookList(BaseModel):
    """Your provider's webhooks, oldest first."""

    model_config = strict()

    webhooks: list[Webhook] = told(f"At most {MOST}.", [])


class Attempt(BaseModel):
    """One try to hand an event over."""

    model_config = strict()

    number: int = told("1 for the first.", 1)
    at: datetime = told("When it ended, UTC.", TIME)
    took_ms: int = told("Milliseconds it took.", 120)
    ok: bool = told("Whether it was taken.", True)
    status: int | None = told("HTTP status; null where no answer came.", 200)
    answer: str = told("The first 200 characters of the answer, or what went wrong.", "ok")


class Delivery(BaseModel):
    """One event on its way to a webhook."""

    model_config = strict()

    id: UUID = told("The delivery's id.", ID)
    type: str = told(f"What happened; `{PING}` for a test.", "order.issued")
    seq: int = told("Number in your stream; 0 for a test.", 42)
    event: UUID = told("The entry's id: `webhook-id` of each try.", ID)
    order: OrderName | None = told("Which order.", None)
    again: bool = told("Whether it was sent again on request.", False)
    state: MessageState = told("Where it stands; `failed`: its tries are used up.", "sent")
    created_at: datetime = told("When it was queued, UTC.", TIME)
    next_at: datetime | None = told("When it is tried next, UTC, while it waits.", None)
    attempts: list[Attempt] = told("Each try, oldest first.", [])


class DeliveryList(BaseModel):
    """A page of deliveries, newest first."""

    model_config = strict()

    deliveries: list[Delivery] = told("The deliveries.", [])
    next: UUID | None = told("Cursor for `after`; null on the last page.", None)


class Queued(BaseModel):
    """What was put on its way."""

    model_config = strict()

    queued: int = told(
        "Events that were queued; 0 where they wait for their next try already. A test that "
        "waited so is tried now.",
        1,
    )


class Fetch(BaseModel):
    """Where to fetch what happened."""

    model_config = strict()

    events: str | None = optional("Your stream from this entry on.", "https://…/events?after=41")
    order: str | None = optional("The order.", "https://…/orders/019abc00-…")


class Knock(BaseModel):
    """Which entry there is; nothing of the case."""

    model_config = strict()

    seq: int = told("Number in your stream; 0 for a test.", 42)
    id: UUID = told("The entry's id, also `webhook-id`: the same at every repeat.", ID)
    order: OrderName | None = told("Which order; null where the entry is about none.", None)
    fetch: Fetch = told("Where to fetch it, with your key.", {})
    test: bool | None = optional("True for a drill; else left out.", True)


class WebhookBody(BaseModel):
    """What is sent to a webhook: a knock at the door, without case data."""

    model_config = strict()

    type: str = told("What happened.", "order.issued")
    timestamp: datetime = told("When it happened, UTC.", TIME)
    data: Knock = told("Which entry there is.", {})
