"""Structured logs: one JSON object a line, with the request's id, nothing secret or personal."""

from __future__ import annotations

import logging
import sys

import structlog

from liaison.settings import Env


def configure(env: Env) -> None:
    """Sets the logs up for this process: for machines in production, for people elsewhere."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if env is Env.PRODUCTION
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
