"""Problem types about who asks, how often, and whether the portal can answer at all."""

from __future__ import annotations

from liaison.portal.problem import Problem

ACCESS: dict[str, Problem] = {
    "unauthenticated": Problem(
        "Sign-in or key needed",
        "401",
        "Nothing was shown or done.",
        "Nobody is signed in, the session has ended (one hour without use, twelve hours in "
        "all), or the key is missing, unknown, expired or revoked.",
        "Sign in with your password and the code of your authenticator.",
        "Send Authorization: Bearer and the key, which begins with lsn_. If it was revoked or "
        "has expired, ask your administrator for a new one.",
        "A key was copied without its last characters.",
        "This key is not known. A key begins with lsn_; check it for typos.",
    ),
    "forbidden": Problem(
        "Not allowed",
        "403",
        "Nothing was shown or done.",
        "You are known, and your role or your key does not allow this.",
        "Ask somebody whose role may do it.",
        "Check the key's scopes with GET /api/v1/whoami. Trying again does not help.",
        "A key that was made for reading is used to acknowledge.",
        "This key has no scope “respond”. Ask your administrator for one with it.",
    ),
    "fresh-factor": Problem(
        "A fresh code is needed",
        "303 to the page that asks for it, or 403",
        "Nothing was done yet.",
        "Issuing, and changing contacts, keys, factors or webhooks, needs a second factor that "
        "was given within the last five minutes.",
        "Give a code where the page asks for one. You are led back to what you had typed.",
        "",
        "You signed in at 9:00, wrote an order until 9:20 and press Issue.",
    ),
    "rate-limited": Problem(
        "Too many tries",
        "429",
        "Nothing was done. Others are not affected.",
        "There were more tries than a person or a well-behaved program makes, or more requests "
        "with one key within a minute than RateLimit-Policy says.",
        "Wait for the time that is shown, then try again. In an emergency call the contact "
        "point's duty officer meanwhile.",
        "Wait as many seconds as Retry-After says. Poll no faster than X-Poll-Interval.",
        "A program whose key was revoked goes on asking, twenty times within a minute.",
        "Too many requests with a wrong key. Wait, then check the key.",
    ),
    "form-expired": Problem(
        "This form is too old",
        "400",
        "Nothing was done.",
        "The form belongs to a session that has ended, or it did not come from this portal.",
        "Go back: your browser still holds what you typed. Sign in in another window, then send "
        "the form again.",
        "",
        "A page stood open over lunch, and you signed out in another window.",
    ),
    "link-closed": Problem(
        "This link counts no longer",
        "410",
        "Nothing was done.",
        "A link to an account or a new second factor counts once and for a limited time. It was "
        "used, taken back, or it is too old.",
        "Ask an administrator of your organisation for a new one.",
        "",
        "You open the link of your invitation again, after you have set up your account.",
    ),
    "busy": Problem(
        "The portal is busy",
        "503",
        "Nothing was done.",
        "The database did not answer in time, the files of a message could not be looked at, or a "
        "PDF could not be made.",
        "Wait a few seconds and try again. In an emergency use the telephone.",
        "Try again with the same Idempotency-Key after a few seconds, then less and less often.",
        "The database is being started anew.",
        "Nothing was done. Wait a few seconds and try again.",
    ),
    "error": Problem(
        "Something went wrong",
        "500",
        "An act is done whole or not at all.",
        "The fault is ours and was noted.",
        "Try again. If it stays, call the contact point and give the number on the page.",
        "Try again with the same Idempotency-Key; an act that was done is not done twice. If it "
        "stays, report the instance of the problem.",
        "A program of ours meets something that nobody has foreseen.",
        "The fault is ours and was noted. Try again, or call the contact point.",
    ),
    "settings": Problem(
        "The settings do not allow a start",
        "none; the program stops",
        "The program did not start.",
        "A setting is missing or contradicts another. The command line says which.",
        "Tell whoever runs the server.",
        "",
        "LIAISON_SECRET_KEY is not set in production.",
    ),
}
