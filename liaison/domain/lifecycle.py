"""An order's life: one table says which act is allowed in which state, to whom, leading where.

A test walks every state x action x role, so a new state breaks the build until each cell is
decided. Odd rows are explained beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from liaison.domain.vocabulary import Role, Term
from liaison.errors import Forbidden, InvalidTransition


class OrderState(Term):
    """Where an order stands."""

    DRAFT = "draft", "Draft", "Being written; nobody outside the contact point knows of it."
    ISSUED = "issued", "Waiting for acknowledgement", "Served; the provider has not answered."
    ACKNOWLEDGED = "acknowledged", "Acknowledged", "The provider has confirmed receipt."
    PRESERVED = "preserved", "Preserved", "The provider keeps the data until the date it gave."
    DECLINED = "declined", "Declined", "The provider declined, on a ground of the closed list."
    WITHDRAWN = "withdrawn", "Withdrawn", "The contact point took the order back."
    EXPIRED = "expired", "Expired", "The promised date passed without extension or MLA request."

    @property
    def is_open(self) -> bool:
        """Whether the provider still owes an answer."""
        return self in (OrderState.ISSUED, OrderState.ACKNOWLEDGED)


class Action(Term):
    """What can be done to an order."""

    EDIT = "edit", "Edit"
    ISSUE = "issue", "Issue"
    ACKNOWLEDGE = "acknowledge", "Acknowledge"
    ACKNOWLEDGE_BY_PHONE = "acknowledge_by_phone", "Record an acknowledgement by phone"
    PRESERVE = "preserve", "Confirm preservation"
    AMEND = "amend", "Amend the preservation report"
    DECLINE = "decline", "Decline with grounds"
    WITHDRAW = "withdraw", "Withdraw"
    EXPIRE = "expire", "Expire"
    ASK = "ask", "Ask a question"
    ANSWER = "answer", "Write to the provider"
    LOG_CALL = "log_call", "Log a phone call"
    CLOSE_LADDER = "close_ladder", "Close the escalation"


@dataclass(frozen=True)
class Rule:
    """Where an act leads, and whose it is."""

    to: OrderState
    roles: frozenset[Role]


_CP = frozenset({Role.OFFICER, Role.SUPERVISOR})
_PROVIDER = frozenset({Role.SPOC, Role.PROGRAM})
_CLOCK = frozenset({Role.CLOCK})

_D, _I, _A = OrderState.DRAFT, OrderState.ISSUED, OrderState.ACKNOWLEDGED
_P, _X, _W, _E = (
    OrderState.PRESERVED,
    OrderState.DECLINED,
    OrderState.WITHDRAWN,
    OrderState.EXPIRED,
)

TRANSITIONS: Mapping[tuple[OrderState, Action], Rule] = MappingProxyType(
    {
        (_D, Action.EDIT): Rule(_D, _CP),
        (_D, Action.ISSUE): Rule(_I, _CP),
        (_D, Action.WITHDRAW): Rule(_W, _CP),
        (_I, Action.ACKNOWLEDGE): Rule(_A, _PROVIDER),
        (_I, Action.ACKNOWLEDGE_BY_PHONE): Rule(_A, _CP),
        # Confirming preservation acknowledges too, where that was not done before.
        (_I, Action.PRESERVE): Rule(_P, _PROVIDER),
        (_I, Action.DECLINE): Rule(_X, _PROVIDER),
        (_I, Action.WITHDRAW): Rule(_W, _CP),
        (_I, Action.CLOSE_LADDER): Rule(_I, _CP),
        (_A, Action.PRESERVE): Rule(_P, _PROVIDER),
        (_A, Action.DECLINE): Rule(_X, _PROVIDER),
        (_A, Action.WITHDRAW): Rule(_W, _CP),
        (_A, Action.CLOSE_LADDER): Rule(_A, _CP),
        (_P, Action.AMEND): Rule(_P, _PROVIDER),
        (_P, Action.WITHDRAW): Rule(_W, _CP),
        (_P, Action.EXPIRE): Rule(_E, _CLOCK),
    }
    # Words never change a state; both sides may write once the order is served, and after
    # its end too: a question about disposal comes late.
    | {(s, Action.ASK): Rule(s, _PROVIDER) for s in OrderState if s is not _D}
    | {(s, Action.ANSWER): Rule(s, _CP) for s in OrderState if s is not _D}
    # A call that was made is logged, whatever happened to the order meanwhile.
    | {(s, Action.LOG_CALL): Rule(s, _CP) for s in OrderState if s is not _D}
)


def decide(state: OrderState, action: Action, roles: Set[Role]) -> OrderState:
    """The state an act leads to; ``Forbidden`` to the wrong role, before the state is told."""
    rules = [rule for (_, act), rule in TRANSITIONS.items() if act is action]
    if not any(rule.roles & roles for rule in rules):
        raise Forbidden(f"Your role does not allow: {action.label.lower()}.")
    rule = TRANSITIONS.get((state, action))
    if rule is None:
        raise InvalidTransition(_refusal(state, action))
    if not rule.roles & roles:
        raise Forbidden(f"Your role does not allow: {action.label.lower()}.")
    return rule.to


def allowed(state: OrderState, roles: Set[Role]) -> frozenset[Action]:
    """The acts open to these roles in this state: pages show these and no others."""
    return frozenset(a for (s, a), rule in TRANSITIONS.items() if s is state and rule.roles & roles)


def _refusal(state: OrderState, action: Action) -> str:
    return (
        f"“{action.label}” is not possible: the order is {state.label.lower()}. "
        "Read the order again to see what happened."
    )
