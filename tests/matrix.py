"""Who gets what, everywhere: route × method × asker × whose it is, in one table.

Each cell has one letter for a route that names nothing, or three for one that does: what is
answered for one's *own*, for *another* organisation's, and for what is *absent*.

  o  let in: the page, the act done, or the act's own no (409, 422)
  l  sent to the sign-in
  1  401: no key, or none that counts; a passkey that did not sign
  3  403: known, and may not
  4  404: not there, as far as this asker can know

A column is walked twice: by somebody of each of two authorities and two providers. ``key`` and
``revoked`` are a provider's API keys, ``case`` is a contact point's. That last column stands at its
own door only: what it leaves out is a provider's call, where it gets 3, or a page, where a key
opens what it opens for anybody. ``names`` says what stands for the names in the route.
"""

from __future__ import annotations

from dataclasses import dataclass

ASKERS = (
    "anonymous",
    "officer",
    "supervisor",
    "auditor",
    "administrator",
    "spoc",
    "provider_administrator",
    "key",
    "revoked",
    "case",
)

TABLE = """
route                                      method names    anon off sup aud adm spc pad key rev
/                                          GET    -        l    o   o   o   o   o   o   l   l
/healthz                                   GET    -        o    o   o   o   o   o   o   o   o
/readyz                                    GET    -        o    o   o   o   o   o   o   o   o
/gateway/status                            POST   -        1    1   1   1   1   1   1   1   1
/gateway/reply                             POST   -        1    1   1   1   1   1   1   1   1
/gateway/twilio/status                     POST   -        1    1   1   1   1   1   1   1   1
/gateway/twilio/reply                      POST   -        1    1   1   1   1   1   1   1   1
/gateway/twilio/press                      POST   -        1    1   1   1   1   1   1   1   1
/metrics                                   GET    -        o    o   o   o   o   o   o   o   o
/canary/<token>                            POST   canary   oo4  oo4 oo4 oo4 oo4 oo4 oo4 oo4 oo4
/verify                                    GET    -        o    o   o   o   o   o   o   o   o
/verify                                    POST   -        o    o   o   o   o   o   o   o   o
/.well-known/jwks.json                     GET    -        o    o   o   o   o   o   o   o   o
/problems/                                 GET    -        o    o   o   o   o   o   o   o   o
/problems/<type_>                          GET    -        o    o   o   o   o   o   o   o   o
/static/<path:filename>                    GET    -        o    o   o   o   o   o   o   o   o
/bootstrap/static/<path:filename>          GET    -        o    o   o   o   o   o   o   o   o
/login                                     GET    -        o    o   o   o   o   o   o   o   o
/login                                     POST   -        o    o   o   o   o   o   o   o   o
/login/code                                GET    -        l    l   l   l   l   l   l   l   l
/login/code                                POST   -        l    l   l   l   l   l   l   l   l
/logout                                    POST   -        l    l   l   l   l   l   l   l   l
/account                                   GET    -        l    o   o   o   o   o   o   l   l
/account/theme                             POST   -        l    o   o   o   o   o   o   l   l
/account/fresh                             GET    -        l    o   o   o   o   o   o   l   l
/account/fresh                             POST   -        l    o   o   o   o   o   o   l   l
/login/recovery                            GET    -        l    l   l   l   l   l   l   l   l
/login/recovery                            POST   -        l    l   l   l   l   l   l   l   l
/invitation/<token>                        GET    invited  oo4  333 333 333 333 333 333 oo4 oo4
/invitation/<token>                        POST   invited  oo4  333 333 333 333 333 333 oo4 oo4
/people                                    GET    -        l    3   o   o   o   3   o   l   l
/people/invite                             GET    -        l    3   3   3   o   3   o   l   l
/people/invite                             POST   -        l    3   3   3   o   3   o   l   l
/people/invitations/<uuid:invitation_id>/revoke POST invited lll 333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>                   GET    person   lll  333 o44 o44 o44 333 o44 lll lll
/people/<uuid:person_id>/disable           GET    person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/disable           POST   person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/enable            GET    person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/enable            POST   person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/roles             GET    person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/roles             POST   person   lll  333 333 333 o44 333 o44 lll lll
/login/passkey/options                     POST   -        l    o   o   o   o   o   o   l   l
/login/passkey                             POST   -        l    l   l   l   l   l   l   l   l
/account/passkeys/fresh                    POST   -        l    1   1   1   1   1   1   l   l
/account/passkeys/options                  POST   -        l    o   o   o   o   o   o   l   l
/account/passkeys/new                      GET    -        l    o   o   o   o   o   o   l   l
/account/passkeys/new                      POST   -        l    o   o   o   o   o   o   l   l
/account/passkeys/<uuid:passkey_id>        GET    passkey  lll  o44 o44 o44 o44 o44 o44 lll lll
/account/passkeys/<uuid:passkey_id>        POST   passkey  lll  o44 o44 o44 o44 o44 o44 lll lll
/account/passkeys/<uuid:passkey_id>/remove POST   passkey  lll  o44 o44 o44 o44 o44 o44 lll lll
/account/password                          GET    -        l    o   o   o   o   o   o   l   l
/account/password                          POST   -        l    o   o   o   o   o   o   l   l
/account/authenticator                     GET    -        l    o   o   o   o   o   o   l   l
/account/authenticator                     POST   -        l    o   o   o   o   o   o   l   l
/account/recovery                          GET    -        l    o   o   o   o   o   o   l   l
/account/recovery                          POST   -        l    o   o   o   o   o   o   l   l
/account/sessions/<uuid:sign_in_id>/end    POST   session  lll  o44 o44 o44 o44 o44 o44 lll lll
/account/sessions/end-others               POST   -        l    o   o   o   o   o   o   l   l
/account/reset/stop                        POST   -        l    o   o   o   o   o   o   l   l
/people/policy                             GET    -        l    3   3   3   o   3   3   l   l
/people/policy                             POST   -        l    3   3   3   o   3   3   l   l
/people/<uuid:person_id>/factor/reset      GET    person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/factor/reset      POST   person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/factor/on         GET    person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/factor/on         POST   person   lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/factor/reset/confirm POST person  lll  333 333 333 o44 333 o44 lll lll
/people/<uuid:person_id>/factor/reset/cancel POST person   lll  344 344 o44 o44 o44 o44 lll lll
/people/<uuid:person_id>/factor/reset/send POST   person   lll  333 333 333 o44 333 o44 lll lll
/reset/<token>                             GET    reset    oo4  oo4 oo4 oo4 oo4 oo4 oo4 oo4 oo4
/reset/<token>                             POST   reset    oo4  oo4 oo4 oo4 oo4 oo4 oo4 oo4 oo4
/reviews                                   GET    -        l    o   o   3   3   3   3   l   l
/reviews/<uuid:review_id>                  GET    review   lll  o44 o44 333 333 333 333 lll lll
/reviews/<uuid:review_id>                  POST   review   lll  o44 o44 333 333 333 333 lll lll
/api-keys                                  GET    -        l    3   3   3   o   o   o   l   l
/api-keys/new                              GET    -        l    3   3   3   o   3   o   l   l
/api-keys/new                              POST   -        l    3   3   3   o   3   o   l   l
/api-keys/<uuid:key_id>                    GET    key      lll  333 333 333 o44 o44 o44 lll lll
/api-keys/<uuid:key_id>/roll               GET    key      lll  333 333 333 o44 333 o44 lll lll
/api-keys/<uuid:key_id>/roll               POST   key      lll  333 333 333 o44 333 o44 lll lll
/api-keys/<uuid:key_id>/expect             GET    key      lll  333 333 333 o44 333 o44 lll lll
/api-keys/<uuid:key_id>/expect             POST   key      lll  333 333 333 o44 333 o44 lll lll
/api-keys/<uuid:key_id>/revoke             GET    key      lll  333 333 333 o44 333 o44 lll lll
/api-keys/<uuid:key_id>/revoke             POST   key      lll  333 333 333 o44 333 o44 lll lll
/webhooks                                  GET    -        l    3   o   3   o   o   o   l   l
/webhooks/new                              GET    -        l    3   3   3   3   3   o   l   l
/webhooks/new                              POST   -        l    3   3   3   3   3   o   l   l
/webhooks/<uuid:endpoint_id>               GET    hook     lll  333 333 333 333 o44 o44 lll lll
/webhooks/<uuid:endpoint_id>/edit          GET    hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/edit          POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/roll          GET    hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/roll          POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/disable       GET    hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/disable       POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/enable        GET    hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/enable        POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/remove        GET    hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/remove        POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/test          POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/replay        POST   hook     lll  333 333 333 333 333 o44 lll lll
/webhooks/<uuid:endpoint_id>/deliveries/<uuid:message_id>/replay POST hook lll 333 333 333 333 333 o44 lll lll
/portal-log                                GET    -        l    3   3   o   3   3   3   l   l
/portal-log.csv                            GET    -        l    3   3   o   3   3   3   l   l
/undelivered                               GET    -        l    o   o   o   o   3   3   l   l
/undelivered/<uuid:message_id>             GET    undelivered lll o44 o44 o44 o44 333 333 lll lll
/undelivered/<uuid:message_id>/retry       POST   undelivered lll o44 o44 333 o44 333 333 lll lll
/undelivered/<uuid:message_id>/settle      POST   undelivered lll o44 o44 333 o44 333 333 lll lll
/contacts                                  GET    -        l    o   o   o   o   o   o   l   l
/duty                                      GET    -        l    o   o   o   o   o   o   l   l
/duty/rotas/new                            GET    -        l    3   o   3   o   o   o   l   l
/duty/rotas/new                            POST   -        l    3   o   3   o   o   o   l   l
/duty/rotas/<uuid:rota_id>/edit            GET    duty     lll  333 o44 333 o44 o44 o44 lll lll
/duty/rotas/<uuid:rota_id>/edit            POST   duty     lll  333 o44 333 o44 o44 o44 lll lll
/duty/rotas/<uuid:rota_id>/end             POST   duty     lll  333 o44 333 o44 o44 o44 lll lll
/duty/overrides/new                        GET    -        l    3   o   3   o   o   o   l   l
/duty/overrides/new                        POST   -        l    3   o   3   o   o   o   l   l
/duty/overrides/<uuid:override_id>/cancel  POST   duty     lll  333 o44 333 o44 o44 o44 lll lll
/duty/swap                                 GET    -        l    3   o   3   o   o   o   l   l
/duty/swap                                 POST   -        l    3   o   3   o   o   o   l   l
/duty/feeds                                GET    -        l    3   o   3   o   o   o   l   l
/duty/feeds                                POST   -        l    3   o   3   o   o   o   l   l
/duty/feeds/<uuid:feed_id>/revoke          POST   duty     lll  333 o44 333 o44 o44 o44 lll lll
/duty/feed/<token>.ics                     GET    duty     oo4  oo4 oo4 oo4 oo4 oo4 oo4 oo4 oo4
/duty/import                               GET    -        l    3   o   3   o   o   o   l   l
/duty/import                               POST   -        l    3   o   3   o   o   o   l   l
/contacts/new                              GET    -        l    3   3   3   o   3   o   l   l
/contacts/new                              POST   -        l    3   3   3   o   3   o   l   l
/contacts/<uuid:contact_id>                GET    contact  lll  o44 o44 o44 o44 o44 o44 lll lll
/contacts/<uuid:contact_id>/edit           GET    contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/edit           POST   contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/remove         GET    contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/remove         POST   contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/review         POST   contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/stop           POST   contact  lll  344 o44 344 o44 344 o44 lll lll
/contacts/<uuid:contact_id>/code/<way>     POST   contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/verify/<way>   GET    contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/<uuid:contact_id>/verify/<way>   POST   contact  lll  333 333 333 o44 333 o44 lll lll
/contacts/changes/<uuid:change_id>/cancel  POST   contact  lll  344 o44 344 o44 344 o44 lll lll
/contacts/to-verify                        GET    -        l    o   o   3   3   3   3   l   l
/contacts/to-verify/<uuid:verification_id> GET    contact  lll  o44 o44 333 333 333 333 lll lll
/contacts/to-verify/<uuid:verification_id> POST   contact  lll  o44 o44 333 333 333 333 lll lll
/providers/export.csv                      GET    -        l    o   o   o   o   3   3   l   l
/providers/import                          GET    -        l    3   3   3   o   3   3   l   l
/providers/import                          POST   -        l    3   3   3   o   3   3   l   l
/providers/import/<uuid:import_id>         GET    import   lll  333 333 333 o44 333 333 lll lll
/providers/import/<uuid:import_id>/faults.csv GET import   lll  333 333 333 o44 333 333 lll lll
/providers/import/<uuid:import_id>/confirm POST   import   lll  333 333 333 o44 333 333 lll lll
/providers/import/<uuid:import_id>/discard POST   import   lll  333 333 333 o44 333 333 lll lll
/rules                                     GET    -        l    o   o   o   o   3   3   l   l
/rules/new                                 GET    -        l    3   3   3   o   3   3   l   l
/rules/new                                 POST   -        l    3   3   3   o   3   3   l   l
/rules/<uuid:rule_id>/edit                 GET    rule     lll  333 333 333 oo4 333 333 lll lll
/rules/<uuid:rule_id>/edit                 POST   rule     lll  333 333 333 oo4 333 333 lll lll
/rules/<uuid:rule_id>/remove               GET    rule     lll  333 333 333 oo4 333 333 lll lll
/rules/<uuid:rule_id>/remove               POST   rule     lll  333 333 333 oo4 333 333 lll lll
/providers                                 GET    -        l    o   o   o   o   o   o   l   l
/providers/new                             GET    -        l    3   3   3   o   3   3   l   l
/providers/new                             POST   -        l    3   3   3   o   3   3   l   l
/providers/<uuid:provider_id>/edit         GET    provider lll  333 333 333 oo4 333 333 lll lll
/providers/<uuid:provider_id>/edit         POST   provider lll  333 333 333 oo4 333 333 lll lll
/providers/<uuid:provider_id>/first-administrator GET provider lll 333 333 333 oo4 333 333 lll lll
/providers/<uuid:provider_id>/first-administrator POST provider lll 333 333 333 oo4 333 333 lll lll
/authorities                               GET    -        l    o   o   o   o   3   3   l   l
/authorities/new                           GET    -        l    3   3   3   o   3   3   l   l
/authorities/new                           POST   -        l    3   3   3   o   3   3   l   l
/authorities/<uuid:authority_id>           GET    auth lll oo4 oo4 oo4 oo4 333 333 lll lll
/authorities/<uuid:authority_id>/edit      GET    auth lll 333 333 333 o34 333 333 lll lll
/authorities/<uuid:authority_id>/edit      POST   auth lll 333 333 333 o34 333 333 lll lll
/authorities/<uuid:authority_id>/first-administrator GET auth lll 333 333 333 oo4 333 333 lll lll
/authorities/<uuid:authority_id>/first-administrator POST auth lll 333 333 333 oo4 333 333 lll lll
/providers/<provider_id>                   GET    provider lll  oo4 oo4 oo4 oo4 o44 o44 lll lll
/providers/<provider_id>/memorandum        GET    provider lll  oo4 oo4 oo4 oo4 o44 o44 lll lll
/memoranda                                 GET    -        l    o   o   o   o   o   o   l   l
/memoranda/new                             GET    -        l    3   o   3   3   3   o   l   l
/memoranda/new                             POST   -        l    3   o   3   3   3   o   l   l
/memoranda/<uuid:memorandum_id>            GET    memorandum lll o44 o44 o44 o44 o44 o44 lll lll
/memoranda/<uuid:memorandum_id>/document   GET    memorandum lll o44 o44 o44 o44 o44 o44 lll lll
/memoranda/<uuid:memorandum_id>/edit       GET    memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/edit       POST   memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/document/new GET  memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/document/new POST memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/sign       GET    memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/sign       POST   memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/discard    GET    memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/discard    POST   memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/end        GET    memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/end        POST   memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/what-if    GET    memorandum lll o44 o44 o44 o44 o44 o44 lll lll
/memoranda/<uuid:memorandum_id>/compare    GET    memorandum lll o44 o44 o44 o44 o44 o44 lll lll
/memoranda/<uuid:memorandum_id>/ladders/<urgency> GET memorandum lll 333 o44 333 333 333 o44 lll lll
/memoranda/<uuid:memorandum_id>/ladders/<urgency> POST memorandum lll 333 o44 333 333 333 o44 lll lll
/drills                                    GET    -        l    o   o   o   3   o   o   l   l
/drills/new                                GET    -        l    3   o   3   3   3   3   l   l
/drills/new                                POST   -        l    3   o   3   3   3   3   l   l
/drills/<uuid:drill_id>/cancel             GET    drill    lll  333 o44 333 333 333 333 lll lll
/drills/<uuid:drill_id>/cancel             POST   drill    lll  333 o44 333 333 333 333 lll lll
/providers/<provider_id>/scorecard         GET    provider lll  oo4 oo4 oo4 333 o44 o44 lll lll
/orders                                    GET    -        l    o   o   o   3   o   3   l   l
/orders.csv                                GET    -        l    o   o   o   3   o   3   l   l
/orders/filters                            GET    -        l    o   o   o   3   o   3   l   l
/orders/filters                            POST   -        l    o   o   o   3   o   3   l   l
/orders/filters/<uuid:filter_id>/delete    POST   filter   lll  o44 o44 o44 333 o44 333 lll lll
/calls                                     GET    -        l    o   o   o   3   3   3   l   l
/hand-over                                 GET    -        l    o   o   o   3   3   3   l   l
/hand-over                                 POST   -        l    o   o   3   3   3   3   l   l
/hand-over/<uuid:hand_over_id>             GET    handover lll  o44 o44 o44 333 333 333 lll lll
/hand-over/<uuid:hand_over_id>/take        GET    handover lll  o44 o44 333 333 333 333 lll lll
/hand-over/<uuid:hand_over_id>/take        POST   handover lll  o44 o44 333 333 333 333 lll lll
/hand-over/<uuid:hand_over_id>/cancel      POST   handover lll  344 o44 333 333 333 333 lll lll
/orders/new                                GET    -        l    o   o   3   3   3   3   l   l
/orders/new                                POST   -        l    o   o   3   3   3   3   l   l
/orders/drafts                             GET    -        l    o   o   3   3   3   3   l   l
/orders/new/autosave                       POST   -        l    o   o   3   3   3   3   l   l
/orders/<ref>/autosave                     POST   draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/presence                     POST   issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/case                         GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/case                         POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/drafts/<uuid:draft_id>             GET    unfinished lll o44 o44 333 333 333 333 lll lll
/orders/drafts/<uuid:draft_id>             POST   unfinished lll o44 o44 333 333 333 333 lll lll
/orders/drafts/<uuid:draft_id>/autosave    POST   unfinished lll o44 o44 333 333 333 333 lll lll
/orders/drafts/<uuid:draft_id>/presence    POST   unfinished lll o44 o44 333 333 333 333 lll lll
/orders/drafts/<uuid:draft_id>/discard     GET    unfinished lll o44 o44 333 333 333 333 lll lll
/orders/drafts/<uuid:draft_id>/discard     POST   unfinished lll o44 o44 333 333 333 333 lll lll
/templates                                 GET    -        l    o   o   3   3   3   3   l   l
/templates/new                             GET    -        l    o   o   3   3   3   3   l   l
/templates/new                             POST   -        l    o   o   3   3   3   3   l   l
/templates/<uuid:template_id>/edit         GET    unfinished lll o44 o44 333 333 333 333 lll lll
/templates/<uuid:template_id>/edit         POST   unfinished lll o44 o44 333 333 333 333 lll lll
/templates/<uuid:template_id>/delete       GET    unfinished lll o44 o44 333 333 333 333 lll lll
/templates/<uuid:template_id>/delete       POST   unfinished lll o44 o44 333 333 333 333 lll lll
/cases/<uuid:case_id>                      GET    unfinished lll o44 o44 o44 333 333 333 lll lll
/orders/<ref>                              GET    issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/edit                         GET    draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/edit                         POST   draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/issue                        GET    draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/issue                        POST   draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/submit                       GET    draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/submit                       POST   draft    lll  o44 o44 344 444 444 444 lll lll
/orders/<ref>/authorise                    GET    submitted lll o44 o44 344 444 444 444 lll lll
/orders/<ref>/authorise                    POST   submitted lll 344 o44 344 444 444 444 lll lll
/orders/<ref>/return                       GET    submitted lll o44 o44 344 444 444 444 lll lll
/orders/<ref>/return                       POST   submitted lll o44 o44 344 444 444 444 lll lll
/orders/<ref>/ratify                       GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/ratify                       POST   issued   lll  344 o44 344 444 344 444 lll lll
/orders/<ref>/withdraw                     GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/withdraw                     POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/message                      GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/message                      POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/escalate                     GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/escalate                     POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/skip                         GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/skip                         POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/pause-escalation             GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/pause-escalation             POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/go-on                        GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/go-on                        POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/close-escalation             GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/close-escalation             POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/reopen-escalation            GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/reopen-escalation            POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/calls/<uuid:task_id>         GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/calls/<uuid:task_id>         POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/acknowledge                  GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/acknowledge                  POST   issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/preserve                     GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/preserve                     POST   issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/decline                      GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/decline                      POST   issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/targets.csv                  GET    issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/route                        GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/route                        POST   issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/routes/<uuid:route_id>/follow-on GET routed  lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/routes/<uuid:route_id>/follow-on POST routed lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/question                     GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/question                     POST   issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/attachments/<uuid:attachment_id> GET attached lll o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/note                         GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/note                         POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/doubt                        GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/doubt                        POST   issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/vouch                        GET    doubted  lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/vouch                        POST   doubted  lll  344 o44 344 444 344 444 lll lll
/orders/<ref>/deadlines.ics                GET    issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/print                        GET    issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/order.jws                    GET    issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/order.pdf                    GET    issued   lll  o44 o44 o44 444 o44 444 lll lll
/orders/<ref>/record                       GET    issued   lll  o44 o44 o44 333 o44 333 lll lll
/orders/<ref>/extension                    GET    issued   lll  o44 o44 344 444 o44 444 lll lll
/orders/<ref>/extension                    POST   issued   lll  o44 o44 344 444 o44 444 lll lll
/orders/<ref>/mla                          GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/mla                          POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/release                      GET    issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/release                      POST   issued   lll  o44 o44 344 444 344 444 lll lll
/orders/<ref>/disposal                     GET    issued   lll  344 344 344 444 o44 444 lll lll
/orders/<ref>/disposal                     POST   issued   lll  344 344 344 444 o44 444 lll lll
/figures                                   GET    -        l    o   o   o   3   3   3   l   l
/figures.csv                               GET    -        l    o   o   o   3   3   3   l   l
/requests                                  GET    -        l    o   o   o   3   3   3   l   l
/requests/new                              GET    -        l    o   o   3   3   3   3   l   l
/requests/new                              POST   -        l    o   o   3   3   3   3   l   l
/requests/<uuid:request_id>                GET    request  lll  o44 o44 o44 333 333 333 lll lll
/requests/<uuid:request_id>/edit           GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/edit           POST   request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/receipt        GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/receipt        POST   request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/missing        GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/missing        POST   request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/progress       GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/progress       POST   request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/result         GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/result         POST   request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/refuse         GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/refuse         POST   request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/close          GET    request  lll  o44 o44 333 333 333 333 lll lll
/requests/<uuid:request_id>/close          POST   request  lll  o44 o44 333 333 333 333 lll lll
/api/docs                                  GET    -        o    o   o   o   o   o   o   o   o
/api/docs/start                            GET    -        o    o   o   o   o   o   o   o   o
/api/docs/try                              GET    -        o    o   o   o   o   o   o   o   o
/api/docs/entries                          GET    -        o    o   o   o   o   o   o   o   o
/api/docs/<group>                          GET    -        o    o   o   o   o   o   o   o   o
/api/docs/assets/<name>                    GET    -        o    o   o   o   o   o   o   o   o
/api/v1/openapi.json                       GET    -        o    o   o   o   o   o   o   o   o
/api/v1/whoami                             GET    -        1    1   1   1   1   1   1   o   1
/api/v1/events                             GET    -        1    1   1   1   1   1   1   o   1
/api/v1/orders                             GET    -        1    1   1   1   1   1   1   o   1
/api/v1/orders/<order>                     GET    issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/order.jws           GET    issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/order.pdf           GET    issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/acknowledgement     POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/preservation        POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/refusal             POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/extension           POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/disposal            POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/route               POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/doubt               POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/messages            POST   issued   111  111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/attachments/<attachment> GET attached 111 111 111 111 111 111 111 o44 111
/api/v1/orders/<order>/targets.csv         GET    issued   111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks                           GET    -        1    1   1   1   1   1   1   o   1 3
/api/v1/webhooks                           POST   -        1    1   1   1   1   1   1   o   1 3
/api/v1/webhooks/<webhook>                 GET    hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>                 PATCH  hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>                 DELETE hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>/test            POST   hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>/rotate          POST   hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>/replay          POST   hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>/deliveries      GET    hook     111  111 111 111 111 111 111 o44 111 333
/api/v1/webhooks/<webhook>/deliveries/<delivery>/replay POST hook 111 111 111 111 111 111 111 o44 111 333
/api/v1/authority/whoami                   GET    -        1    1   1   1   1   1   1   3   1   o
/api/v1/authority/events                   GET    -        1    1   1   1   1   1   1   3   1   o
/api/v1/authority/orders                   GET    -        1    1   1   1   1   1   1   3   1   o
/api/v1/authority/orders                   POST   -        1    1   1   1   1   1   1   3   1   o
/api/v1/authority/orders/<order>           GET    drafted  111  111 111 111 111 111 111 333 111 o44
/api/v1/authority/orders/<order>           PUT    drafted  111  111 111 111 111 111 111 333 111 o44
/api/v1/authority/orders/<order>           DELETE drafted  111  111 111 111 111 111 111 333 111 o44
/api/v1/authority/orders/<order>/order.jws GET    drafted  111  111 111 111 111 111 111 333 111 o44
/api/v1/authority/orders/<order>/order.pdf GET    drafted  111  111 111 111 111 111 111 333 111 o44
/api/v1/authority/orders/<order>/submission POST  drafted  111  111 111 111 111 111 111 333 111 o44
"""

DEMO_ONLY = {
    ("/demo/mail", "GET"),
    ("/demo/mail/<name>", "GET"),
    ("/demo/texts", "GET"),
    ("/demo/texts/<name>/reply", "POST"),
}
"""Only where the settings say that this is a demo; open to anybody there."""


BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("/api/v1/webhooks", "POST"): {"url": "https://new.hooks.example.net/"},
    ("/api/v1/webhooks/<webhook>/replay", "POST"): {"since": "2026-11-23T00:00:00Z"},
    ("/api/v1/orders/<order>/preservation", "POST"): {"days": 90},
    ("/api/v1/orders/<order>/extension", "POST"): {"days": 30},
    ("/api/v1/orders/<order>/messages", "POST"): {"text": "Which of the two?"},
    ("/api/v1/orders/<order>/route", "POST"): {"provider": "Sevan Mail", "path": "Port 25."},
    ("/api/v1/orders/<order>/refusal", "POST"): {
        "grounds": ["not_stored"],
        "explanation": "No such line.",
        "preserved_meanwhile": False,
    },
    ("/api/v1/orders/<order>/doubt", "POST"): {"reason": "Never heard of this case."},
}
"""What is sent where an empty body would be refused before anything else is looked at."""


FRESH = {
    ("/account/authenticator", "GET"),
    ("/account/authenticator", "POST"),
    ("/account/passkeys/<uuid:passkey_id>", "GET"),
    ("/account/passkeys/<uuid:passkey_id>", "POST"),
    ("/account/passkeys/<uuid:passkey_id>/remove", "POST"),
    ("/account/passkeys/new", "GET"),
    ("/account/passkeys/new", "POST"),
    ("/account/passkeys/options", "POST"),
    ("/account/password", "GET"),
    ("/account/password", "POST"),
    ("/account/recovery", "GET"),
    ("/account/recovery", "POST"),
    ("/api-keys/<uuid:key_id>/expect", "GET"),
    ("/api-keys/<uuid:key_id>/expect", "POST"),
    ("/api-keys/<uuid:key_id>/revoke", "GET"),
    ("/api-keys/<uuid:key_id>/revoke", "POST"),
    ("/api-keys/<uuid:key_id>/roll", "GET"),
    ("/api-keys/<uuid:key_id>/roll", "POST"),
    ("/api-keys/new", "GET"),
    ("/api-keys/new", "POST"),
    ("/webhooks/new", "GET"),
    ("/webhooks/new", "POST"),
    ("/webhooks/<uuid:endpoint_id>/edit", "GET"),
    ("/webhooks/<uuid:endpoint_id>/edit", "POST"),
    ("/webhooks/<uuid:endpoint_id>/roll", "GET"),
    ("/webhooks/<uuid:endpoint_id>/roll", "POST"),
    ("/webhooks/<uuid:endpoint_id>/disable", "GET"),
    ("/webhooks/<uuid:endpoint_id>/disable", "POST"),
    ("/webhooks/<uuid:endpoint_id>/enable", "GET"),
    ("/webhooks/<uuid:endpoint_id>/enable", "POST"),
    ("/webhooks/<uuid:endpoint_id>/remove", "GET"),
    ("/webhooks/<uuid:endpoint_id>/remove", "POST"),
    ("/authorities/<uuid:authority_id>/edit", "POST"),
    ("/authorities/<uuid:authority_id>/first-administrator", "POST"),
    ("/authorities/new", "POST"),
    ("/contacts/<uuid:contact_id>/edit", "POST"),
    ("/contacts/<uuid:contact_id>/remove", "POST"),
    ("/contacts/<uuid:contact_id>/review", "POST"),
    ("/contacts/new", "POST"),
    ("/drills/new", "POST"),
    ("/contacts/to-verify/<uuid:verification_id>", "POST"),
    ("/duty/import", "GET"),
    ("/duty/import", "POST"),
    ("/duty/feeds", "POST"),
    ("/duty/overrides/<uuid:override_id>/cancel", "POST"),
    ("/duty/overrides/new", "POST"),
    ("/duty/rotas/<uuid:rota_id>/edit", "POST"),
    ("/duty/rotas/<uuid:rota_id>/end", "POST"),
    ("/duty/rotas/new", "POST"),
    ("/duty/swap", "POST"),
    ("/people/<uuid:person_id>/disable", "POST"),
    ("/people/<uuid:person_id>/enable", "POST"),
    ("/people/<uuid:person_id>/factor/on", "GET"),
    ("/people/<uuid:person_id>/factor/on", "POST"),
    ("/people/<uuid:person_id>/factor/reset", "GET"),
    ("/people/<uuid:person_id>/factor/reset", "POST"),
    ("/people/<uuid:person_id>/factor/reset/confirm", "POST"),
    ("/people/<uuid:person_id>/factor/reset/send", "POST"),
    ("/people/<uuid:person_id>/roles", "POST"),
    ("/memoranda/<uuid:memorandum_id>/end", "POST"),
    ("/memoranda/<uuid:memorandum_id>/sign", "POST"),
    ("/people/invite", "POST"),
    ("/people/policy", "POST"),
    ("/reviews/<uuid:review_id>", "POST"),
    ("/providers/<uuid:provider_id>/edit", "POST"),
    ("/providers/<uuid:provider_id>/first-administrator", "POST"),
    ("/providers/import", "GET"),
    ("/providers/import", "POST"),
    ("/providers/import/<uuid:import_id>/confirm", "POST"),
    ("/providers/new", "POST"),
    ("/rules/new", "POST"),
    ("/rules/<uuid:rule_id>/edit", "POST"),
    ("/rules/<uuid:rule_id>/remove", "POST"),
}
"""What leads to the page that asks for a code where the factor is older than five minutes.

``/orders/<ref>/issue`` is not here: it has a field for the code itself. Nor is what only takes
away: ending sessions, stopping a reset, revoking an invitation.
"""


@dataclass(frozen=True)
class Row:
    """One route and method."""

    rule: str
    method: str
    names: str
    cells: dict[str, str]

    @property
    def whose(self) -> tuple[str, ...]:
        """Whose thing is asked for, letter by letter."""
        return ("own", "other", "absent") if self.names != "-" else ("own",)


def read(table: str = TABLE) -> dict[tuple[str, str], Row]:
    """The table, row by row."""
    rows = {}
    for line in table.strip().splitlines()[1:]:
        rule, method, names, *cells = line.split()
        width = 1 if names == "-" else 3
        if len(cells) == len(ASKERS) - 1:
            is_call = rule.startswith("/api/v1/") and cells[0][0] == "1"
            cells.append("3" * width if is_call else cells[ASKERS.index("key")])
        assert [len(cell) for cell in cells] == [width] * len(ASKERS), f"write {rule} in full"
        assert (rule, method) not in rows, f"{method} {rule} stands twice"
        rows[rule, method] = Row(rule, method, names, dict(zip(ASKERS, cells, strict=True)))
    return rows


ROWS = read()
