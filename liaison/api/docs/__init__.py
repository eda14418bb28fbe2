"""The reference for a provider's engineers: pages that need no JavaScript, and one that does."""

from __future__ import annotations

from liaison.api.docs.pages import bp

__all__ = ["bp"]
