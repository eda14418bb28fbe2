"""Another provider is named, and the order that follows on it is drafted with one click."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from liaison import web
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.vocabulary import Status
from liaison.errors import FieldError, Invalid, InvalidTransition, NotFound
from liaison.models import Order, Provider, Route
from liaison.portal.orders.answer_forms import FollowOnForm, RouteForm
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.portal.orders.draft_form import option
from liaison.queries import registry
from liaison.services import follow_on as verbs
from liaison.services import routes


@bp.route("/<ref>/route", methods=["GET", "POST"])
def route(ref: str) -> ResponseReturnValue:
    """The provider says who else took part in the transmission (arts 17, 30)."""
    order = seen_order(ref)
    form = RouteForm()
    form.target.choices = [
        option("", "The whole order"),
        *(
            option(str(target.id), f"{place}: {target.value}")
            for place, target in enumerate(order.targets, 1)
        ),
    ]
    if not posted():
        open_to(order, Action.REPORT_ROUTE)
        return page("route", order, form)

    def act() -> None:
        routes.report(
            web.db(),
            web.actor(),
            ref,
            form.provider.data or "",
            form.path.data or "",
            web.now(),
            target=_target(form.target.data),
        )

    return send("route", order, form, act, Action.REPORT_ROUTE)


def _target(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid([FieldError("/target", "Choose a target from the list.")]) from None


@bp.route("/<ref>/routes/<uuid:route_id>/follow-on", methods=["GET", "POST"])
def follow_on(ref: str, route_id: UUID) -> ResponseReturnValue:
    """Drafts the order to the provider that was named; asks which, where it is not registered."""
    order = seen_order(ref)
    decide(OrderState.DRAFT, Action.EDIT, web.actor().roles)
    named = _named(order, route_id)
    form = FollowOnForm()
    form.provider.choices = [
        option("", "Choose the provider"),
        *(option(name, name) for name in _choices(order)),
    ]
    more: dict[str, Any] = {"route": named}
    if not posted():
        if order.test:
            raise InvalidTransition("This is a drill: no order follows on it.")
        known = _known(named)
        if not form.provider.data:
            form.provider.data = known.name if known else ""
        return page("follow_on", order, form, **more)
    try:
        provider = form.provider.data or None
        made = verbs.make(web.db(), web.actor(), ref, route_id, web.now(), provider=provider)
    except Invalid as error:
        web.db().rollback()
        return page("follow_on", order, form, error, **more)
    web.commit()
    return redirect(url_for("orders.show", ref=made.name), 303)


def _named(order: Order, route_id: UUID) -> Route:
    found = next((one for one in order.routes if one.id == route_id), None)
    if found is None:
        raise NotFound
    return found


def _known(route: Route) -> Provider | None:
    if route.provider_id is not None:
        return web.db().get(Provider, route.provider_id)
    return registry.provider_named(web.db(), route.named)


def _choices(order: Order) -> list[str]:
    """Names of the providers that an order can go to, but for the one that was asked already."""
    query = select(Provider.name).where(
        Provider.status == Status.ACTIVE, Provider.id != order.provider_id
    )
    return list(web.db().scalars(query.order_by(Provider.name)))
