"""What common passwords are made of. The rule in ``password_rules`` puts them together.

A list of whole passwords of twelve characters and more would be endless; what leaked ones of
that length have in common is that they are a few of these, with years and digits about them.
"""

from __future__ import annotations

# fmt: off
WORDS = frozenset(
    {
        # What leaked lists begin with, in the languages of the register.
        "password", "passwort", "passw", "pass", "word", "motdepasse", "mot", "passe",
        "contrasena", "wachtwoord", "parol", "parole", "heslo", "haslo", "senha",
        "gaxtnabar", "пароль", "привет", "любовь", "գաղտնաբառ",
        "welcome", "willkommen", "bienvenue", "letmein", "login", "signin", "open", "sesame",
        "secret", "geheim", "private", "access", "admin", "administrator", "root", "user",
        "guest", "test", "testing", "temp", "temporary", "default", "changeme", "change", "new",
        "old", "master", "manager", "super", "supervisor", "system", "server", "service",
        "support", "office", "internet", "computer", "laptop", "network", "security", "secure",
        "iloveyou", "love", "lovely", "forever", "always", "hello", "hallo", "princess", "dragon",
        "monkey", "football", "baseball", "basketball", "soccer", "hockey", "liverpool",
        "arsenal", "chelsea", "barcelona", "sunshine", "shadow", "superman", "batman", "starwars",
        "pokemon", "freedom", "whatever", "trustno", "trust", "michael", "jordan", "jennifer",
        "charlie", "daniel", "jessica", "ashley", "thomas", "robert", "andrew", "summer",
        "winter", "spring", "autumn", "january", "february", "march", "april", "june", "july",
        "august", "september", "october", "november", "december", "monday", "friday", "sunday",
        "armenia", "yerevan", "hayastan", "god", "jesus", "angel", "baby", "please", "thank",
        "you", "the", "and", "my", "is", "me", "in", "for", "this", "que", "com", "www",
        # What this portal is about: the first thing somebody thinks of here.
        "liaison", "police", "policia", "polizei", "politie", "interpol", "europol", "budapest",
        "cyber", "cybercrime", "crime", "contact", "contactpoint", "point", "officer", "order",
        "orders", "preserve", "preservation", "evidence", "provider", "spoc", "portal",
        "auditor", "authority", "emergency", "telecom", "mobile", "hosting", "justice",
        "prosecutor", "court", "detective", "investigation", "republic", "national", "ministry",
    }
)
# fmt: on

WALKS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
)
"""Rows of keyboards, ways across them, the alphabet, counting; each is walked backwards too."""
