"""Every problem type that the portal and the endpoint answer with: what it means, what to do."""

from __future__ import annotations

from liaison.portal.problem import Problem
from liaison.portal.problems_of_access import ACCESS
from liaison.portal.problems_of_requests import REQUESTS

__all__ = ["PROBLEMS", "Problem"]

PROBLEMS: dict[str, Problem] = {**REQUESTS, **ACCESS}
"""By slug, in the order of the index."""
