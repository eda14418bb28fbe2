"""A draft as rows: what was written, completed from the register."""

from __future__ import annotations

from typing import Any

from liaison.domain.draft import OrderDraft
from liaison.domain.draft_targets import TargetDraft
from liaison.models import Authority, Order, OrderTarget, Provider

_COPIED = (
    "urgency",
    "status",
    "origin_kind",
    "origin",
    "confirmation_contact",
    "investigating_authority",
    "prosecution",
    "legal_basis",
    "offence",
    "facts",
    "necessity",
    "custodian",
    "duration_days",
    "confidential_until",
    "no_user_notice",
    "partial_disclosure",
    "mla_intended",
    "mla_expected_by",
    "emergency_ground",
)


def write(order: Order, draft: OrderDraft, provider: Provider) -> None:
    """Writes a draft's content onto its row."""
    order.provider = provider
    order.provider_id = provider.id
    for name in _COPIED:
        setattr(order, name, getattr(draft, name))
    order.party = draft.origin.get("party")
    order.issuing_officer = dict(draft.issuing_officer)
    order.targets = [_target_row(position, t) for position, t in enumerate(draft.targets)]


def complete_officer(order: Order, authority: Authority, name: str, email: str) -> None:
    """Sections 2-6 of T-CY(2018)11: what the draft leaves out comes from the register.

    Name and e-mail are those of the person in charge, whatever was typed: the order names nobody
    who had no part in it. What was typed counts where no person is in charge.
    """
    known: dict[str, Any] = {
        "name": name,
        "address": authority.postal_address,
        "phone": authority.phone,
        "email": email or authority.email,
        "office_hours": authority.office_hours,
        "time_zone": authority.time_zone,
        "preferred_answer": authority.preferred_answer,
    }
    in_charge = {} if order.officer is None else {"name": name, "email": known["email"]}
    whole = known | order.issuing_officer | in_charge
    order.issuing_officer = {k: v for k, v in whole.items() if v}


def _target_row(position: int, t: TargetDraft) -> OrderTarget:
    return OrderTarget(
        position=position,
        type=t.identifier.type,
        value=t.identifier.value,
        entered=t.identifier.entered,
        search_key=t.identifier.search_key,
        port=t.port,
        protocol=t.protocol,
        service=t.service,
        start=t.start,
        end=t.end,
        start_offset=t.start_offset,
        end_offset=t.end_offset,
        data=[category.value for category in t.data],
        relation=t.relation,
    )
