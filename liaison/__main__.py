"""The command ``liaison``, where the client alone may be installed."""

from __future__ import annotations

import sys


def main() -> None:
    """The command line; without the server's libraries, one line that says what to install."""
    try:
        from liaison.cli import main as command
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "liaison":
            raise  # ours: a fault, and no library that was left out
        sys.exit(
            f"liaison: the portal's libraries are not installed here ({error.name} is missing). "
            "Install them: pip install 'liaison[server]'. The client's command is liaison-poll."
        )
    command(prog_name="liaison")


if __name__ == "__main__":
    main()
