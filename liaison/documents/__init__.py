"""Papers: the order as canonical JSON with its fingerprint, and the texts of letters."""
