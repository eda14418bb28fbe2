"""The hours of the day as bars, made here: no script draws them."""

from __future__ import annotations

from dataclasses import dataclass

from liaison.domain.scorecard import Figures

WIDTH, HEIGHT, FOOT = 720, 120, 20
"""Of the picture, in its own units; ``FOOT`` is the room of the hours below."""

_STEP = WIDTH // 24


@dataclass(frozen=True)
class Bar:
    """One hour: how many orders, and how many of them were acknowledged within the term."""

    hour: int
    x: int
    width: int
    whole_y: float
    whole: float
    part_y: float
    part: float
    label: str
    """Every third hour has one."""


def bars(figures: Figures) -> list[Bar]:
    """The 24 bars, the fullest hour as high as the picture."""
    most = max((hour.whole for hour in figures.hours), default=0) or 1
    drawn = []
    for number, hour in enumerate(figures.hours):
        whole, part = (HEIGHT * count / most for count in (hour.whole, hour.part))
        drawn.append(
            Bar(
                hour=number,
                x=number * _STEP + 3,
                width=_STEP - 6,
                whole_y=round(HEIGHT - whole, 1),
                whole=round(whole, 1),
                part_y=round(HEIGHT - part, 1),
                part=round(part, 1),
                label=f"{number:02d}" if number % 3 == 0 else "",
            )
        )
    return drawn
