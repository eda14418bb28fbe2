"""Liaison: the portal between a 24/7 contact point and the providers that hold the evidence.

A provider installs ``liaison.client`` with httpx alone: nothing of the server is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from liaison.clock import Clock
    from liaison.settings import Settings


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """The portal as a WSGI application (``liaison.application``)."""
    from liaison import application

    return application.create_app(settings, clock)
