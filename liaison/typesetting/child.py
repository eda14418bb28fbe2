"""The process that sets one PDF: JSON on standard input, the PDF on standard output.

It imports nothing of ours; ``liaison.typesetting`` starts it.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

import typst

MOST_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes of address space: what the largest order needs, several times."""

MOST_SECONDS = 30
"""Of the processor, where whoever started this has gone."""


def main() -> None:
    """Sets it, or ends with an error."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    told = json.load(sys.stdin.buffer)
    made = typst.compile(
        told["template"].encode(),
        # Those within the wheel: the same on every machine.
        font_paths=typst.Fonts(include_system_fonts=False),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs=told["inputs"],
        pdf_standards=told["standards"],
        timestamp=told["timestamp"],
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
