"""``liaison-poll``: follows the stream, checks it, and hands each entry to a command."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from liaison.client.client import Client, key_here, version
from liaison.client.cursor import Cursor, CursorError
from liaison.client.errors import HistoryBroken, Problem
from liaison.client.handling import Command, Handler, Lines, NotHandled, OutputGone
from liaison.client.polling import Away, Polling, WrongStream, say
from liaison.client.shapes import TYPES
from liaison.client.stopping import Stopped, Stopping

OK, USAGE, KEY, HISTORY, COMMAND, AWAY, CURSOR = 0, 2, 3, 4, 5, 6, 7

_CODES = """\
exit codes: 0 done, or asked to stop; 2 usage or settings; 3 the key is refused; 4 the history was
changed; 5 the command failed (--once), or nobody reads the lines; 6 the portal cannot be reached
(--once); 7 the cursor is in use, damaged, another provider's, or cannot be written.
LIAISON_URL is the portal's address, LIAISON_KEY the key, or LIAISON_KEY_FILE a file with it;
docs/client.md tells the rest."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        client, handler = _client(options), _handler(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    for name in sorted((options.types or frozenset()) - TYPES):
        say(f"--types: this version knows no type {name}; a typo would never be handled")
    with client:
        sys.exit(run(client, handler, options))


def run(client: Client, handler: Handler, options: argparse.Namespace) -> int:
    """Polls until it is stopped, or with ``once`` until all is read; the exit code."""
    stopping = Stopping(handler.end)
    try:
        stopping.listen()
        with Cursor(options.cursor) as cursor:
            Polling(
                client,
                cursor,
                handler,
                stopping,
                types=options.types,
                once=options.once,
                wait=options.wait,
            ).run()
    except Stopped:
        return OK
    except HistoryBroken as broken:
        say(
            f"HISTORY BROKEN ({broken.fault.value}, entry {broken.seq}): {broken.detail}. The "
            "cursor stays. Keep it and this line, and call the contact point."
        )
        return HISTORY
    except Problem as problem:
        say(f"the key is refused: {problem}")
        return KEY
    except (NotHandled, OutputGone) as error:
        say(f"{error}; the cursor stays")
        return COMMAND
    except Away as error:
        say(str(error))
        return AWAY
    except (CursorError, WrongStream) as error:
        say(str(error))
        return CURSOR
    finally:
        stopping.rest()
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="liaison-poll",
        description="Reads your stream of a Liaison portal, checks it, and hands each entry on.",
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--exec",
        metavar="COMMAND",
        dest="command",
        help="run once an entry, which comes as JSON on its standard input; no shell",
    )
    what.add_argument("--json", action="store_true", help="print each entry as a line of JSON")
    add("--cursor", metavar="FILE", type=Path, help="where the last entry handled is noted")
    add("--once", action="store_true", help="end when all that is there was read")
    add("--types", metavar="T,T", type=_types, help="only these, like order.issued,order.message")
    add("--key-file", metavar="FILE", type=Path, help="with the key, instead of LIAISON_KEY")
    add("--url", default=os.environ.get("LIAISON_URL", ""), help="instead of LIAISON_URL")
    add("--wait", metavar="S", type=_wait, default=25, help="long poll, 0 to 25 (25)")
    add("--limit", metavar="S", type=float, default=600.0, help="for one command (600); 0: none")
    add("--plain-http", action="store_true", help="allow http, which shows the key on the way")
    add("--version", action="version", version=f"liaison-poll {version()}")
    return parser


def _types(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _wait(text: str) -> int:
    if text not in map(str, range(26)):
        raise argparse.ArgumentTypeError(f"{text!r}: give whole seconds from 0 to 25")
    return int(text)


def _client(options: argparse.Namespace) -> Client:
    if not options.url:
        raise ValueError("set LIAISON_URL to the portal's address")
    key = key_here(options.key_file)
    return Client(options.url, key, plain_http=options.plain_http, tell=say)


def _handler(options: argparse.Namespace) -> Handler:
    if options.json:
        return Lines()
    if options.cursor is None:
        raise ValueError("--exec needs --cursor: else every entry comes again with each start")
    words = shlex.split(options.command)
    if not words or shutil.which(words[0]) is None:
        raise ValueError(f"--exec {options.command!r}: there is no such command")
    return Command(words, max(options.limit, 0.0))


if __name__ == "__main__":
    main()
