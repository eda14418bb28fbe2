"""The worker: small steps, each of which says whether it found work, run again and again."""

from liaison.worker.loop import Done, run_forever, run_once, run_until_signalled
from liaison.worker.work import Work, open_work

__all__ = ["Done", "Work", "open_work", "run_forever", "run_once", "run_until_signalled"]
