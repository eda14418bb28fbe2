"""What each call's example needs and sends. The tests run every one as it stands on the page.

A call that stands in no row here fails the build, and so does a row whose ``needs`` the tests
cannot set up (tests/api/stage.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "nothing": "",
        "issued": "an order that waits for your answer",
        "file": "an order with a file in its thread",
        "extension": "a preserved order for which an extension was asked",
        "released": "an order that was released, where the memorandum asks for disposal",
        "webhook": "a webhook of yours",
        "delivery": "a webhook of yours to which something was sent",
        "draft": "a draft of your contact point",
    }
)
"""Where the story must stand, in words for the page."""


@dataclass(frozen=True)
class Example:
    """One call that works.

    ``query`` and ``headers`` may hold ``$NAME``, a variable of the reader's shell.
    """

    needs: str = "nothing"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    saves: str = ""
    """The file into which an answer goes that is no JSON."""


ISSUED, WEBHOOK, DELIVERY = Example("issued"), Example("webhook"), Example("delivery")
DRAFT = Example("draft", headers={"If-Match": '"$VERSION"'})

EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "whoAmI": Example(),
        "specification": Example(),
        "listEvents": Example("issued", query={"after": "0", "limit": "100"}),
        "listOrders": Example("issued", query={"state": "issued"}),
        "getOrder": ISSUED,
        "getAttachment": Example("file", saves="attachment"),
        "acknowledgeOrder": ISSUED,
        "confirmPreservation": ISSUED,
        "declineOrder": ISSUED,
        "doubtOrder": ISSUED,
        "confirmExtension": Example("extension"),
        "confirmDisposal": Example("released"),
        "nameOtherProvider": ISSUED,
        "writeMessage": ISSUED,
        "listTargetsAsCsv": Example("issued", saves="targets.csv"),
        "getSignedOrder": Example("issued", saves="order.jws"),
        "getOrderPdf": Example("issued", saves="order.pdf"),
        "listWebhooks": WEBHOOK,
        "makeWebhook": Example(),
        "getWebhook": WEBHOOK,
        "changeWebhook": WEBHOOK,
        "removeWebhook": WEBHOOK,
        "rotateSecret": WEBHOOK,
        "testWebhook": WEBHOOK,
        "listDeliveries": DELIVERY,
        "replayDelivery": DELIVERY,
        "replaySince": WEBHOOK,
        "authorityWhoAmI": Example(),
        "listAuthorityEvents": Example("issued", query={"after": "0", "limit": "100"}),
        "listAuthorityOrders": Example("issued", query={"state": "issued"}),
        "getAuthorityOrder": ISSUED,
        "getAuthoritySignedOrder": Example("issued", saves="order.jws"),
        "getAuthorityOrderPdf": Example("issued", saves="order.pdf"),
        "draftOrder": Example(),
        "changeDraft": DRAFT,
        "discardDraft": DRAFT,
        "submitDraft": DRAFT,
    }
)
"""By operation id."""
