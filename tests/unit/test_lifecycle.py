"""Every state x action x role, against a table written out here: a new state breaks the build
until each of its cells is decided."""

from __future__ import annotations

from collections.abc import Set
from itertools import combinations

import pytest

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import TRANSITIONS, Action, OrderState, allowed, decide
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden, InvalidTransition

# Rows: what is done. Columns: where the order stands, by its letter. A cell is the state it leads
# to; a dot where the state does not allow it. Whose act it is stands at the row's end.
GRID = """
                       D  S  I  A  P  X  W  R  E  Z
edit                   D  .  .  .  .  .  .  .  .  .  writers
submit                 S  .  .  .  .  .  .  .  .  .  writers
authorise              .  I  .  .  .  .  .  .  .  .  cp
return                 .  D  .  .  .  .  .  .  .  .  cp
issue                  I  .  .  .  .  .  .  .  .  .  cp
ratify                 .  .  I  A  P  X  .  R  E  Z  cp
acknowledge            .  .  A  .  .  .  .  .  .  .  provider
acknowledge_by_phone   .  .  A  .  .  .  .  .  .  .  cp
preserve               .  .  P  P  .  .  .  .  .  .  provider
amend                  .  .  .  .  P  .  .  .  .  .  provider
decline                .  .  X  X  .  .  .  .  .  .  provider
withdraw               W  W  W  W  W  .  .  .  .  .  cp
ask_extension          .  .  .  .  P  .  .  .  .  .  cp
extend                 .  .  .  .  P  .  .  .  .  .  provider
record_mla             .  .  .  .  P  .  .  .  .  .  cp
release                .  .  .  .  R  .  .  .  .  .  cp
expire                 .  .  .  .  E  .  .  .  .  .  clock
dispose                .  .  .  .  .  .  .  Z  Z  .  provider
doubt                  .  .  I  A  P  .  .  .  .  .  provider
vouch                  .  .  I  A  P  .  .  .  .  .  cp
report_route           .  .  I  A  P  X  .  .  .  .  provider
ask                    .  .  I  A  P  X  W  R  E  Z  provider
answer                 .  .  I  A  P  X  W  R  E  Z  cp
note                   D  S  I  A  P  X  W  R  E  Z  cp
log_call               .  .  I  A  P  X  W  R  E  Z  cp
escalate               .  .  I  A  .  .  .  .  .  .  cp
skip_rungs             .  .  I  A  .  .  .  .  .  .  cp
pause_ladder           .  .  I  A  .  .  .  .  .  .  cp
resume_ladder          .  .  I  A  .  .  .  .  .  .  cp
close_ladder           .  .  I  A  .  .  .  .  .  .  cp
reopen_ladder          .  .  I  A  .  .  .  .  .  .  cp
"""

LETTERS = {
    "D": "draft",
    "S": "submitted",
    "I": "issued",
    "A": "acknowledged",
    "P": "preserved",
    "X": "declined",
    "W": "withdrawn",
    "R": "released",
    "E": "expired",
    "Z": "disposed",
}

WHO = {
    "cp": {"officer", "supervisor"},
    "writers": {"officer", "supervisor", "case_system"},
    "provider": {"spoc", "program"},
    "clock": {"clock"},
}

BESIDE = {("draft", "withdraw"): {"case_system"}}
"""A contact point's program discards drafts; what was submitted or served only people take back."""

LOOKERS_ON = {"auditor", "administrator", "provider_administrator"}
"""Roles that may do nothing to an order."""


def _expected() -> dict[tuple[str, str], tuple[str | None, set[str]]]:
    header, *rows = GRID.strip().splitlines()
    states = [LETTERS[letter] for letter in header.split()]
    table = {}
    for row in rows:
        action, *cells, who = row.split()
        for state, cell in zip(states, cells, strict=True):
            also = BESIDE.get((state, action), set())
            table[state, action] = (LETTERS.get(cell), WHO[who] | also)
    return table


EXPECTED = _expected()


def test_every_cell_is_decided_and_none_is_left_over() -> None:
    assert set(EXPECTED) == {(s.value, a.value) for s in OrderState for a in Action}


def test_every_role_is_spoken_of() -> None:
    acting = set().union(*WHO.values())
    assert acting | LOOKERS_ON == {role.value for role in Role}
    assert not acting & LOOKERS_ON


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", OrderState)
def test_what_each_role_can_do_in_each_state(state: OrderState, role: Role) -> None:
    for action in Action:
        to, whose = EXPECTED[state.value, action.value]
        where = f"{role.value} does {action.value} in {state.value}"
        ever = any(role.value in EXPECTED[s.value, action.value][1] for s in OrderState)
        if to is None and ever:
            with pytest.raises(InvalidTransition):
                decide(state, action, {role})
        elif role.value not in whose:
            with pytest.raises(Forbidden):
                decide(state, action, {role})
        else:
            assert decide(state, action, {role}).value == to, where


def decided(state: OrderState, action: Action, roles: Set[Role]) -> bool:
    """Whether the act is possible."""
    try:
        decide(state, action, roles)
    except (Forbidden, InvalidTransition):
        return False
    return True


@pytest.mark.parametrize("state", OrderState)
def test_a_page_shows_the_acts_that_are_possible_and_no_others(state: OrderState) -> None:
    for count in (0, 1, 2):
        for some in combinations(Role, count):
            roles = frozenset(some)
            possible = {action for action in Action if decided(state, action, roles)}
            assert allowed(state, roles) == possible


def test_whoever_looks_on_can_do_nothing() -> None:
    roles = frozenset(Role(name) for name in LOOKERS_ON)
    assert all(allowed(state, roles) == frozenset() for state in OrderState)


def test_the_wrong_role_is_not_told_the_state() -> None:
    for state in OrderState:
        with pytest.raises(Forbidden) as refused:
            decide(state, Action.ISSUE, {Role.SPOC})
        assert state.label.lower() not in refused.value.detail.lower()
        assert refused.value.detail == "Your role does not allow you to issue."


def test_a_refusal_keeps_the_capitals_of_what_it_names() -> None:
    with pytest.raises(Forbidden, match="does not allow you to record the MLA request"):
        decide(OrderState.PRESERVED, Action.RECORD_MLA, {Role.SPOC})
    with pytest.raises(Forbidden, match="does not allow you to see API keys"):
        demand(Actor("person:1", "A", frozenset({Role.OFFICER})), Verb.READ_KEYS)


def test_the_wrong_state_is_named_with_what_to_do() -> None:
    with pytest.raises(InvalidTransition, match=r"the order is withdrawn.*Read the order again"):
        decide(OrderState.WITHDRAWN, Action.ACKNOWLEDGE, {Role.SPOC})


def test_confirming_preservation_acknowledges_too() -> None:
    assert decide(OrderState.ISSUED, Action.PRESERVE, {Role.SPOC}) is OrderState.PRESERVED


def test_nothing_leads_back_to_a_draft_and_the_ends_are_ends() -> None:
    for (state, _), rule in TRANSITIONS.items():
        if rule.to is OrderState.DRAFT:
            assert state in (OrderState.DRAFT, OrderState.SUBMITTED)
        if state in (OrderState.DECLINED, OrderState.WITHDRAWN, OrderState.DISPOSED):
            assert rule.to is state
        if state in (OrderState.RELEASED, OrderState.EXPIRED):
            assert rule.to in (state, OrderState.DISPOSED)


def test_every_state_can_be_reached_from_a_draft() -> None:
    reached = {OrderState.DRAFT}
    for _ in OrderState:
        reached |= {rule.to for (state, _), rule in TRANSITIONS.items() if state in reached}
    assert reached == set(OrderState)


def test_an_order_is_open_while_the_provider_owes_an_answer() -> None:
    assert {state.value for state in OrderState if state.is_open} == {"issued", "acknowledged"}
