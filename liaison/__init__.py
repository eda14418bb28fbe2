"""Liaison: the portal between a 24/7 contact point and the providers that hold the evidence."""
