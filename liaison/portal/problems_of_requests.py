"""Problem types about what was asked: its form, its content, the state of the order."""

from __future__ import annotations

from liaison.portal.problem import Problem

REQUESTS: dict[str, Problem] = {
    "validation": Problem(
        "The input is not valid",
        "422",
        "Nothing was stored or sent. Every fault is named at once, each with its place.",
        "Something that was given breaks a rule, or the order lies outside the memorandum's terms. "
        "The same Idempotency-Key with another body gets this too: a repeat must be a repeat.",
        "Correct the fields that are named and send the form again. What you typed is kept. "
        "Where a term stands in the way, change the order or agree an amendment first.",
        "Read errors: each has a JSON pointer to the place and says what to do there. Do not "
        "send the same body again. Take a new Idempotency-Key for a new act.",
        'A program confirms preservation with "days": "90", in quotes: a text, no number.',
        "There is a problem with 1 field.",
        (("/days", "Give a whole number."),),
    ),
    "invalid-transition": Problem(
        "The order's state does not allow this",
        "409",
        "Nothing was changed.",
        "The act does not fit where the order stands: it was answered, withdrawn or has expired "
        "already.",
        "Open the order; its page shows the state and the acts that are open to you.",
        "Fetch the order, look at state, and decide anew. Trying again does not help.",
        "The night shift declined the order at its page; in the morning a program acknowledges it.",
        "“Acknowledge” is not possible: the order is declined. "
        "Read the order again to see what happened.",
    ),
    "stale": Problem(
        "The order changed in the meantime",
        "412 where If-Match was given, else 409",
        "Somebody else's act stands; yours was not done.",
        "They acted on the order between your reading and your act, or at the same moment.",
        "Open the order, read what happened meanwhile, then act again if it is still needed.",
        "Fetch the order, take its new ETag, and repeat the act if it is still right.",
        "A program fetched the order in version 5. While it worked, the contact point wrote into "
        'the thread; now the program sends its answer with If-Match: "5".',
        "Order CP-2026-0002 is in version 6 now: waiting for acknowledgement. Nothing was done. "
        "Read it again, then decide.",
    ),
    "precondition-required": Problem(
        "Say which version you read",
        "428",
        "Nothing was changed.",
        "The call writes over what is there, and the request does not say which version was read: "
        "what somebody else wrote meanwhile would be lost.",
        "",
        "Fetch the order, take its ETag, and send it as If-Match with the change.",
        "A case system changes a draft with PUT and without If-Match.",
        "Order 019abc00-0000-7000-8000-000000000001 is in version 2 now. Read it, then send its "
        "ETag as If-Match with your change: somebody may have changed it since you read it last.",
    ),
    "malformed": Problem(
        "The request cannot be read",
        "400",
        "Nothing was done.",
        "The body is no JSON in UTF-8, or the request breaks the rules of HTTP.",
        "Go back and use the page's own buttons.",
        "Send one JSON object in UTF-8. The reference at /api/docs has an example of every call.",
        "A body was put together by hand, and a quotation mark is missing.",
        "The body is no JSON in UTF-8: line 1, column 2.",
    ),
    "method-not-allowed": Problem(
        "This address does not take this method",
        "405",
        "Nothing was done.",
        "The address exists and does not do what was asked of it.",
        "Go back and use the page's own buttons.",
        "The Allow header names the methods it takes.",
        "A program sends PUT where the reference says POST.",
        "See the Allow header and /api/docs.",
    ),
    "too-large": Problem(
        "The request is too large",
        "413",
        "Nothing was stored.",
        "More was sent at once than the server reads: 4 MB, and 35 MB for a message with files.",
        "Send less text or fewer targets; several orders can take the place of one.",
        "Send less in one request. Large logs go as files with a message, at most 10 MB each.",
        "A program sends a whole log as the note of its acknowledgement.",
        "Send less in one request; long notes belong in a document.",
    ),
    "unsupported-media-type": Problem(
        "The body must be JSON",
        "415",
        "Nothing was done.",
        "The body is of a type that the address does not read, or its type was not said.",
        "Go back and use the page's own form.",
        "Send Content-Type: application/json.",
        "curl was called with -d and without -H: it says then that it sends a form.",
        "Send JSON with Content-Type: application/json.",
    ),
    "not-found": Problem(
        "Not found",
        "404",
        "There is nothing at this address that you may see.",
        "It was mistyped, or belongs to somebody else: what belongs to others is answered exactly "
        "like what does not exist, so that nobody learns of it by trying.",
        "Check the address, or look for the order in the list of orders by its reference.",
        "Use the id or the ref from the events or the list of orders; check with "
        "GET /api/v1/whoami whose key it is.",
        "A program of one provider asks for an order that was served on another.",
        "There is nothing at this address that you may see.",
    ),
}
