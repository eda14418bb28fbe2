"""One line of the benchmarks' table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

HEAD = (
    f"{'what':28} {'database':11} {'workers':>7} {'waiting':>9} {'rows':>5} "
    f"{'a second':>9} {'floor':>9} {'ratio':>6}"
)


@dataclass(frozen=True)
class Figure:
    """``rate`` and ``floor`` are times a second; ``rows`` are written for each, 0 where none."""

    what: str
    database: str
    waiting: int
    rate: float
    floor: float
    workers: int = 1
    rows: float = 0.0

    @property
    def ratio(self) -> float:
        """Of the floor."""
        return self.rate / self.floor

    @property
    def line(self) -> str:
        """As a line of the table."""
        return (
            f"{self.what:28} {self.database:11} {self.workers:7d} {self.waiting:9d} "
            f"{self.rows:5.1f} {self.rate:9.1f} {self.floor:9.1f} {self.ratio:6.2f}"
        )

    @property
    def json(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "ratio": round(self.ratio, 3)}
