"""The new-order form asks whose the targets are: the register proposes, a person chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from liaison import web
from liaison.domain.vocabulary import Status
from liaison.models import Provider
from liaison.portal.orders.draft_form import DraftForm
from liaison.queries import registry
from liaison.queries.proposals import FOUND_BY, Proposal, propose_many

FIND = "find-provider"
"""The button that asks; nothing typed changes."""

CHOOSE = "choose-provider-"
"""The beginning of the buttons that choose one of those proposed; its id follows."""


@dataclass(frozen=True)
class Match:
    """A target that leads to the provider, by which of its entries."""

    number: int
    value: str
    proposal: Proposal


@dataclass
class Proposed:
    """A provider with the targets that lead to it."""

    provider: Provider
    chosen: bool
    matches: list[Match] = field(default_factory=list)
    nearest: int = 0
    """How many targets lead to no other more narrowly."""
    has_memorandum: bool = True
    """Whether one is in force with the reader's authority: without it nothing can be issued."""

    @property
    def can_be_chosen(self) -> bool:
        """Whether an order can go to it."""
        return self.provider.status is Status.ACTIVE


def found(form: DraftForm, act: str) -> list[Proposed] | None:
    """The proposals, where the reader asked for them or chose one; None for any other button."""
    if act != FIND and not act.startswith(CHOOSE):
        return None
    proposed = _proposed(form)
    today, authority = web.now().date(), web.actor().authority_id
    for row in proposed:
        binding = authority and registry.memorandum_in_force(
            web.db(), authority, row.provider.id, today
        )
        row.has_memorandum = bool(binding)
    wanted = act.removeprefix(CHOOSE)
    for row in proposed:
        if str(row.provider.id) == wanted and row.can_be_chosen:
            form.provider.data = row.provider.name
    for row in proposed:
        row.chosen = form.provider.data == row.provider.name
    return proposed


def _proposed(form: DraftForm) -> list[Proposed]:
    """Who has most of the targets comes first."""
    asked = list(_asked(form))
    answers = propose_many(web.db(), [value for _, value in asked])
    rows: dict[object, Proposed] = {}
    for number, value in asked:
        for place, proposal in enumerate(answers[value]):
            row = rows.setdefault(proposal.provider.id, Proposed(proposal.provider, chosen=False))
            row.matches.append(Match(number, value, proposal))
            row.nearest += place == 0
    return sorted(rows.values(), key=lambda row: (-row.nearest, row.provider.name))


def _asked(form: DraftForm) -> Iterator[tuple[int, str]]:
    """The targets that can lead to a provider, numbered as the page numbers them."""
    for number, entry in enumerate(form.targets.entries, start=1):
        value, kind = (entry.form.value.data or "").strip(), entry.form.type.data
        if value and (not kind or kind in FOUND_BY):
            yield number, value
