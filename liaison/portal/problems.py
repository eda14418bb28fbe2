"""Every problem type that the portal and the endpoint answer with: what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One type. ``status`` as it is written in a table: ``409`` or ``409, 412``."""

    title: str
    status: str
    meaning: str
    person: str
    """What somebody at a page does."""
    program: str
    """What a program that got it from the endpoint does."""


PROBLEMS: dict[str, Problem] = {
    "validation": Problem(
        "The input is not valid",
        "422",
        "Something that was given breaks a rule, or the order lies outside the memorandum's "
        "terms. Every fault is named at once; nothing was stored or sent.",
        "Correct the fields that are named and send the form again. What you typed is kept. "
        "Where a term stands in the way, change the order or agree an amendment first.",
        "Read errors: each has a JSON pointer to the place and says what to do there. Do not "
        "send the same body again. The same Idempotency-Key with another body gets this too: "
        "take a new key for a new act.",
    ),
    "invalid-transition": Problem(
        "The order's state does not allow this",
        "409",
        "The act does not fit where the order stands: it was answered, withdrawn or has expired "
        "already. Nothing was changed.",
        "Open the order; its page shows the state and the acts that are open to you.",
        "Fetch the order, look at state, and decide anew. Trying again does not help.",
    ),
    "stale": Problem(
        "The order changed in the meantime",
        "409, or 412 where If-Match was given",
        "Somebody else acted on the order between your reading and your act. Theirs stands; "
        "yours was not done.",
        "Open the order, read what happened meanwhile, then act again if it is still needed.",
        "Fetch the order, take its new ETag, and repeat the act if it is still right.",
    ),
    "unauthenticated": Problem(
        "Sign-in or key needed",
        "401",
        "Nobody is signed in, the session has ended (one hour without use, twelve hours in "
        "all), or the key is missing, unknown, expired or revoked.",
        "Sign in with your password and the code of your authenticator.",
        "Send Authorization: Bearer and the key, which begins with lsn_. If it was revoked or "
        "has expired, ask your administrator for a new one.",
    ),
    "forbidden": Problem(
        "Not allowed",
        "403",
        "You are known, and your role or key does not allow this.",
        "Ask somebody whose role may do it.",
        "Check the key's scopes with GET /api/v1/whoami. Trying again does not help.",
    ),
    "fresh-factor": Problem(
        "A fresh code is needed",
        "303 to the page that asks for it, or 403",
        "Issuing, and changing contacts, keys, factors or webhooks, needs a second factor that "
        "was given within the last five minutes. Nothing was done.",
        "Give a code where the page asks for one. You are led back to what you had typed.",
        "The endpoint does not answer with this.",
    ),
    "not-found": Problem(
        "Not found",
        "404",
        "There is nothing at this address that you may see. What belongs to others is answered "
        "exactly like what does not exist.",
        "Check the address, or look for the order in the list of orders by its reference.",
        "Use the id or the ref from the events or the list of orders; check whose key it is.",
    ),
    "rate-limited": Problem(
        "Too many tries",
        "429",
        "There were more tries than a person or a well-behaved program makes. Others are not "
        "affected.",
        "Wait for the time that is shown, then try again. In an emergency call the contact "
        "point's duty officer meanwhile.",
        "Wait as many seconds as Retry-After says. Poll no faster than X-Poll-Interval.",
    ),
    "precondition-required": Problem(
        "Say which version you read",
        "428",
        "A draft is written anew as a whole, and the request does not say which version of it was "
        "read. Nothing was changed.",
        "The portal's pages do not answer with this.",
        "Fetch the order, take its ETag, and send it as If-Match with the change.",
    ),
    "malformed": Problem(
        "The request cannot be read",
        "400",
        "The body is no JSON, or the request breaks the rules of HTTP. Nothing was done.",
        "Go back and use the page's own buttons.",
        "Send one JSON object in UTF-8. The reference at /api/docs has a working example.",
    ),
    "method-not-allowed": Problem(
        "This address does not take this method",
        "405",
        "The address exists and does not do what was asked of it.",
        "Go back and use the page's own buttons.",
        "The Allow header names the methods it takes.",
    ),
    "too-large": Problem(
        "The request is too large",
        "413",
        "More was sent at once than the server reads. Nothing was stored.",
        "Send less text or fewer targets; several orders can take the place of one.",
        "Send less in one request.",
    ),
    "unsupported-media-type": Problem(
        "The body must be JSON",
        "415",
        "The body is of a type that the endpoint does not read.",
        "Go back and use the page's own form.",
        "Send Content-Type: application/json.",
    ),
    "form-expired": Problem(
        "This form is too old",
        "400",
        "The form belongs to a session that has ended, or it did not come from this portal. "
        "Nothing was done.",
        "Go back: your browser still holds what you typed. Sign in in another window, then send "
        "the form again.",
        "The endpoint does not answer with this.",
    ),
    "link-closed": Problem(
        "This link counts no longer",
        "410",
        "A link to an account or a new second factor counts once and for a limited time. It was "
        "used, taken back, or it is too old. Nothing was done.",
        "Ask an administrator of your organisation for a new one.",
        "The endpoint does not answer with this.",
    ),
    "busy": Problem(
        "The portal is busy",
        "503",
        "The database did not answer in time, or the files of a message could not be looked at. "
        "Nothing was done.",
        "Wait a few seconds and try again. In an emergency use the telephone.",
        "Try again with the same Idempotency-Key after a few seconds, then less and less often.",
    ),
    "error": Problem(
        "Something went wrong",
        "500",
        "The fault is ours and was noted. An act is done whole or not at all.",
        "Try again. If it stays, call the contact point and give the number on the page.",
        "Try again with the same Idempotency-Key; an act that was done is not done twice. If it "
        "stays, report the instance of the problem.",
    ),
    "settings": Problem(
        "The settings do not allow a start",
        "none; the program stops",
        "A setting is missing or contradicts another. No page and no call is answered with this: "
        "the command line shows it.",
        "Tell whoever runs the server.",
        "The endpoint does not answer with this.",
    ),
}
