"""What a provider's SPOC does: acknowledge, decline. The report is in ``reporting.py``."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.answer import Refusal
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import Ground
from liaison.errors import FieldError, Invalid
from liaison.portal.orders.answer_forms import AcknowledgeForm, DeclineForm
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.services import answers, routes


@bp.route("/<ref>/acknowledge", methods=["GET", "POST"])
def acknowledge(ref: str) -> ResponseReturnValue:
    """Receipt: the order's page posts here with nothing typed; this page takes a note."""
    order = seen_order(ref)
    form = AcknowledgeForm()
    if not posted():
        open_to(order, Action.ACKNOWLEDGE)
        form.version.data = str(order.version)
        return page("acknowledge", order, form)

    def act() -> None:
        answers.acknowledge(
            web.db(),
            web.actor(),
            ref,
            web.now(),
            reference=_text(form.reference.data),
            note=_text(form.note.data),
            version=form.seen,
        )

    return send("acknowledge", order, form, act, Action.ACKNOWLEDGE)


@bp.route("/<ref>/decline", methods=["GET", "POST"])
def decline(ref: str) -> ResponseReturnValue:
    """Grounds of the closed list, an explanation, and whether the data are kept meanwhile."""
    order = seen_order(ref)
    form = DeclineForm()
    if not posted():
        open_to(order, Action.DECLINE)
        form.version.data = str(order.version)
        return page("decline", order, form)

    def act() -> None:
        refusal = _refusal(form)
        answers.decline(web.db(), web.actor(), ref, refusal, web.now(), version=form.seen)
        _name_other(ref, form)

    return send("decline", order, form, act, Action.DECLINE)


def _name_other(ref: str, form: DeclineForm) -> None:
    """The other provider that is named with a refusal: both count, or neither."""
    provider, path = form.other_provider.data or "", form.other_path.data or ""
    if not provider.strip() and not path.strip():
        return
    try:
        routes.report(web.db(), web.actor(), ref, provider, path, web.now())
    except Invalid as error:
        places = {"/provider": "/other_provider", "/path": "/other_path"}
        raise Invalid(
            [FieldError(places.get(e.pointer, e.pointer), e.detail) for e in error.errors]
        ) from None


def _refusal(form: DeclineForm) -> Refusal:
    """The refusal; every missing answer is named at once."""
    faults = []
    grounds = [g for g in form.grounds.data or [] if g in set(Ground)]
    explanation = form.explanation.data or ""
    meanwhile = form.preserved_meanwhile.data
    if not grounds:
        faults.append(FieldError("/grounds", "Choose at least one ground."))
    if not explanation.strip():
        faults.append(FieldError("/explanation", "Explain the ground in a sentence."))
    if meanwhile not in ("yes", "no"):
        detail = "Say whether the data are being preserved meanwhile."
        faults.append(FieldError("/preserved_meanwhile", detail))
    if faults:
        raise Invalid(faults)
    return Refusal(tuple(Ground(g) for g in grounds), explanation, meanwhile == "yes")


def _text(text: str | None) -> str | None:
    return text.strip() or None if text else None
