"""The field's closed lists, one enum each; the value is what JSON and the database carry.

Every member has a ``label`` (what people read) and an ``explanation`` (what it means, with
its source where law gives one).
"""

from __future__ import annotations

from enum import StrEnum


class Term(StrEnum):
    """A word of a closed list, with its label and explanation."""

    label: str
    explanation: str

    def __new__(cls, value: str, label: str = "", explanation: str = "") -> Term:
        """The value is what JSON and the database carry."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label or value
        member.explanation = explanation
        return member

    @property
    def in_sentence(self) -> str:
        """The label within a sentence: ``see API keys``, ``record the MLA request``."""
        return self.label[:1].lower() + self.label[1:]


class Urgency(Term):
    """How fast the memorandum's clocks run. The clocks are the memorandum's, never the law's."""

    ROUTINE = "routine", "Routine", "The memorandum's ordinary clocks apply."
    URGENT = "urgent", "Urgent", "Data may be lost soon; the memorandum's shorter clocks apply."
    EMERGENCY = (
        "emergency",
        "Emergency",
        "Significant and imminent risk to the life or safety of a person.",
    )


class OriginKind(Term):
    """Where the request comes from."""

    DOMESTIC = "domestic", "Domestic", "An authority of this country asks."
    FOREIGN = (
        "foreign",
        "Foreign",
        "Another Party asks under article 29 of the Budapest Convention.",
    )


class OrderStatus(Term):
    """Section 1 of the Council of Europe's template T-CY(2018)11."""

    NEW = "new", "New", "A first request."
    FOLLOW_UP_MLA = (
        "follow-up-to-mla",
        "Follow-up to an MLA request",
        "A mutual legal assistance request was sent before.",
    )
    FOLLOW_UP_PRESERVATION = (
        "follow-up-to-preservation",
        "Follow-up to an earlier preservation",
        "An earlier preservation request concerns the same matter.",
    )


class TargetType(Term):
    """What identifies the data to be preserved."""

    IP_ADDRESS = (
        "ip_address",
        "IP address",
        "IPv4 or IPv6. Behind carrier-grade NAT also port, protocol and the exact time.",
    )
    IP_RANGE = "ip_range", "Address range", "A network in CIDR notation, or first-last."
    EMAIL = "email", "E-mail address", "A mailbox at the provider."
    PHONE = "phone", "Phone number", "International form (E.164), beginning with +."
    IMSI = "imsi", "IMSI", "Identity of a SIM card; 14 or 15 digits."
    IMEI = "imei", "IMEI", "Identity of a handset; 15 digits with a check digit, or 14 without."
    MAC = "mac", "MAC address", "Hardware address; 48 or 64 bits."
    DOMAIN = "domain", "Domain name", "A name in the DNS."
    URL = "url", "Web address", "A page or a resource, http or https."
    ACCOUNT = "account", "Account", "The name of an account, with the service it belongs to."
    PAYMENT = "payment", "Payment or wallet address", "A card token, an account or a wallet."
    DEVICE = "device", "Device serial number", "A serial number of equipment."
    OTHER = "other", "Other", "Whatever else identifies the data; free text."


class DataCategory(Term):
    """Categories of stored data (Budapest Convention arts 1(d), 16-18)."""

    SUBSCRIBER = (
        "subscriber",
        "Subscriber information",
        "Who holds the account or line (art. 18(3)).",
    )
    TRAFFIC = (
        "traffic",
        "Traffic data",
        "Origin, destination, route, time, size, duration of a communication (art. 1(d)).",
    )
    CONTENT = "content", "Content", "What was communicated or stored."
    LOCATION = "location", "Location data", "Where a device was, cells included."
    OTHER = "other", "Other stored data", "Any other stored computer data (art. 16(1))."


class Instrument(Term):
    """The instrument an order rests on."""

    BUDAPEST = "budapest-convention", "Budapest Convention (ETS 185)", "Convention on Cybercrime."
    CETS_224 = (
        "cets-224",
        "Second Additional Protocol (CETS 224)",
        "Enhanced co-operation and disclosure of electronic evidence.",
    )
    DOMESTIC = "domestic", "Domestic law", "The issuing country's own law; name the articles."
    EU_2023_1543 = (
        "eu-2023-1543",
        "Regulation (EU) 2023/1543",
        "European Production and Preservation Orders.",
    )
    OTHER = "other", "Other instrument", "Another treaty or agreement; name it with its articles."


class Ground(Term):
    """Grounds on which a provider may decline. The list is closed: "send an MLA request" is no
    ground (24/7 contact points' meeting, The Hague 2017)."""

    INCOMPLETE = "incomplete", "The order is incomplete", "A field that is needed is missing."
    MANIFEST_ERROR = "manifest_error", "Manifest error", "The order contains an evident mistake."
    NOT_ENOUGH_INFORMATION = (
        "not_enough_information",
        "Not enough information",
        "The data cannot be found with what is given.",
    )
    NOT_STORED = "not_stored", "Not stored by this provider", "Another holds it, or nobody does."
    NO_LONGER_HELD = "no_longer_held", "No longer held", "The data were deleted before receipt."
    IMPOSSIBLE = "impossible", "De facto impossible", "Circumstances not of the provider's making."
    NOT_COMPETENT = (
        "not_competent",
        "Issuing authority not competent",
        "The authority may not issue such an order.",
    )
    NOT_COVERED = (
        "not_covered",
        "Service not covered by the memorandum",
        "The memorandum does not cover the service.",
    )
    IMMUNITY = "immunity", "Immunity or privilege", "The data are protected by a privilege."
    CONFLICT_OF_LAW = (
        "conflict_of_law",
        "Conflict with another country's law",
        "Another country's law forbids it.",
    )
    OVERBROAD = "overbroad", "Overbroad", "The order asks for more than its purpose can need."


class Outcome(Term):
    """What the provider found for one target."""

    PRESERVED = "preserved", "Preserved", "All that was asked for is kept."
    PARTIAL = "partial", "Partly preserved", "Some of it is kept; the note says what."
    NOTHING_HELD = "nothing_held", "Nothing held", "No such record in that period."


class FollowUpKind(Term):
    """What followed a preservation: with it recorded, the data stay until it is decided."""

    MLA = "mla", "MLA request", "Mutual legal assistance (Budapest Convention arts 29(7), 31)."
    PRODUCTION = "production", "Production order", "A domestic order to hand over (art. 18)."


class RequestState(Term):
    """Where a counterpart's request stands."""

    OPEN = "open", "Open", "Registered; orders can be made from it."
    REFUSED = "refused", "Refused", "Refused on a ground between Parties (arts 29(4), 29(5))."
    CLOSED = "closed", "Closed", "The result was reported back."


class PartyGround(Term):
    """Grounds of refusal between Parties. Closed; it is not the providers' list."""

    POLITICAL_OFFENCE = (
        "political_offence",
        "Political offence",
        "An offence the requested Party considers political (art. 29(5)(a)).",
    )
    SOVEREIGNTY = (
        "sovereignty",
        "Sovereignty, security or ordre public",
        "Execution would be likely to prejudice essential interests (art. 29(5)(b)).",
    )
    DUAL_CRIMINALITY = (
        "dual_criminality",
        "Dual criminality",
        "Where the Party has reserved it and the condition cannot be met (art. 29(4)).",
    )


class Function(Term):
    """What a contact is registered for."""

    PRIMARY = "primary", "SPOC", "The provider's single point of contact."
    DEPUTY = "deputy", "Deputy SPOC", "Stands in for the SPOC."
    LEGAL_DESK = "legal_desk", "Legal desk", "The provider's legal desk."
    FALLBACK = "fallback", "Fallback addressee", "Who is reached when nobody else is."
    NOC = "noc", "Network operations centre", "Staffed day and night."
    DUTY_OFFICER = "duty_officer", "Duty officer", "The contact point's officer on duty."
    SUPERVISOR = "supervisor", "Supervisor", "The contact point's supervisor."


class Channel(Term):
    """A way out. A call is made by a person: it opens a call task."""

    EMAIL = "email", "E-mail", "A notice without case data."
    TEXT = "text", "Text message", "One text message to the registered number."
    VOICE = "voice", "Automatic call", "A machine calls the registered number and reads a notice."
    CALL = "call", "Phone call", "A call task for the contact point, to the registered number."
    WEBHOOK = "webhook", "Webhook", "A signed request to an address of the provider's program."


PERSONAL = (Channel.EMAIL, Channel.TEXT, Channel.VOICE, Channel.CALL)
"""Ways to a person: what a contact may choose and a rung may use.

A webhook goes to a provider's program and follows the provider's stream, not a ladder.
"""


class CallOutcome(Term):
    """What came of a phone call."""

    REACHED = "reached", "Reached", "The person answered."
    VOICEMAIL = "voicemail", "Voicemail left", "A message was left; no case data in it."
    NO_ANSWER = "no_answer", "No answer", "It rang and nobody answered."
    WRONG_NUMBER = "wrong_number", "Wrong number", "The registered number is not theirs."


class AuthorityKind(Term):
    """What an authority is; several can stand side by side."""

    POLICE = "police", "Police", "A police service or its 24/7 contact point."
    PROSECUTION = "prosecution", "Prosecution", "A prosecutor's office."
    COURT = "court", "Court", "A court or an investigating judge."
    OTHER = "other", "Other authority", "Any other authority that may issue orders."


class Status(Term):
    """Whether an organisation can be asked, or asks, through the portal."""

    ACTIVE = "active", "Active", "Orders can be issued."
    SUSPENDED = "suspended", "Suspended", "No new order for now; those under way go on."
    CLOSED = "closed", "Closed", "It exists no longer; the entry stays for what was done."


class HoldingKind(Term):
    """What a provider is found by."""

    DOMAIN = "domain", "Domain", "A name in the DNS and all names below it."
    RANGE = "range", "Address range", "A network of IPv4 or IPv6 addresses."
    PHONE = "phone", "Phone prefix", "The beginning of numbers in international form."
    AS_NUMBER = "as_number", "Network number", "The number of an autonomous system."


class MemorandumState(Term):
    """Where a memorandum's text stands; whether it binds on a day follows from its dates."""

    DRAFT = "draft", "Draft", "Being written; both sides must sign it."
    AGREED = "agreed", "Agreed", "Signed by both sides; it binds from its date."
    DISCARDED = "discarded", "Discarded", "A draft that was given up."


class Side(Term):
    """The two sides of a memorandum."""

    AUTHORITY = "authority", "Contact point", "Signed by a supervisor of the authority."
    PROVIDER = "provider", "Provider", "Signed by the provider's administrator."


class Turn(Term):
    """How long one member of a rota is on duty."""

    DAILY = "daily", "Daily", "From one hand-over to the next day's."
    WEEKLY = "weekly", "Weekly", "From one hand-over to the next week's."


class Holidays(Term):
    """What a rota does on the country's public holidays."""

    AS_USUAL = "as_usual", "As on any day", "Holidays change nothing."
    OFF = "off", "Not on holidays", "Nobody of this rota is on duty on a public holiday."
    ONLY = "only", "On holidays only", "This rota is for public holidays."


class DrillState(Term):
    """Where a drill stands."""

    PLANNED = "planned", "Planned", "Starts by itself at its time."
    RUNNING = "running", "Running", "Its order was served and can be answered."
    ENDED = "ended", "Ended", "Answered, or its time ran out."
    CANCELLED = "cancelled", "Cancelled", "Taken back before it started, or broken off."


class Role(Term):
    """What somebody may do; which acts, the lifecycle's table says."""

    OFFICER = "officer", "Officer", "Drafts and issues orders, logs calls."
    SUPERVISOR = "supervisor", "Supervisor", "As an officer, and is paged at a ladder's top."
    AUDITOR = "auditor", "Auditor", "Reads and exports; changes nothing."
    ADMINISTRATOR = "administrator", "Administrator", "Keeps people and register; reads no order."
    SPOC = "spoc", "SPOC", "Answers the provider's orders."
    PROVIDER_ADMINISTRATOR = (
        "provider_administrator",
        "Provider administrator",
        "Keeps the provider's people and keys; reads no order.",
    )
    PROGRAM = "program", "Program", "A provider's program, by API key; never given to a person."
    CASE_SYSTEM = (
        "case_system",
        "Case system",
        "A contact point's program, by API key: it drafts and reads; never given to a person.",
    )
    CLOCK = "clock", "Clock", "What falls due by itself; never given to a person."


CONTACT_POINT_ROLES = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR})
PROVIDER_ROLES = frozenset({Role.SPOC, Role.PROVIDER_ADMINISTRATOR})
