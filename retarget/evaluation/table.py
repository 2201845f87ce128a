"""An evaluation as a table for the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from retarget.evaluation.settings import SECTIONS
from retarget.evaluation.values import Channel, Evaluation, Failures, Measure

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_MOST_CHANNELS = 16
WORDS = ("", "unit", "read by", "note")
"""Heads of columns that hold no numbers."""
CHANNEL_HEAD = (
    "channel", "read by", "driven", "correlation", "noise leaves", "coding leaves", "gain",
    "difference", "with head",
)  # fmt: skip
"""See `Channel`."""
FAMILIES = (
    "MediaPipe here is the Tasks bundle: not the tracker that drives, but of its family; "
    "what dlib says does not depend on that family."
)


def show_value(measure: Measure) -> str:
    """A figure with its significant digits; a dash where it was not measured."""
    if measure.value is None:
        return "–"
    size = abs(measure.value)
    digits = 3 if size < 10 and measure.unit not in ("%", "ms", "frames") else 1
    return f"{measure.value:.{digits}f}"


def table(evaluation: Evaluation) -> str:
    """The whole evaluation, sections in order, then channels, failures and findings."""
    parts: list[RenderableType] = [
        f"{evaluation.result}  driven by {evaluation.driving}, as {evaluation.identity}",
        _measures(evaluation.measures),
    ]
    if evaluation.channels:
        parts.append(_channels(evaluation.channels))
    parts += [*absent_lines(evaluation.measures), failure_line(evaluation.failures), FAMILIES]
    return rendered([*parts, *(f"• {finding}" for finding in evaluation.findings)])


def rendered(parts: Iterable[RenderableType]) -> str:
    """What rich would print; with colour only where standard output is a terminal."""
    from rich.console import Console

    out = io.StringIO()
    live = sys.stdout.isatty()
    console: Console = Console(
        file=out, force_terminal=live, width=None if live else 118,
        markup=False, highlight=False, emoji=False,
    )  # fmt: skip
    for part in parts:
        console.print(part)
    return out.getvalue()


def grid(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, left: Collection[str]
) -> Table:
    """Columns of plain text under their heads; those that are not `left` hold numbers."""
    from rich.table import Table

    out = Table(title=title, title_justify="left")
    for name in head:
        out.add_column(name, justify="left" if name in left else "right", overflow="fold")
    for row in rows:
        out.add_row(*row)
    return out


def _measures(measures: Sequence[Measure]) -> RenderableType:
    out = grid("measures", ("", "value", "unit", "read by", "note"), (), left=WORDS)
    for section in SECTIONS:
        for m in (m for m in measures if m.section == section and m.value is not None):
            out.add_row(m.label, show_value(m), m.unit, m.by, m.note)
        out.add_section()
    return out


def _channels(channels: Sequence[Channel]) -> RenderableType:
    chosen = sorted((c for c in channels if c.active), key=lambda c: -c.driven)
    left_out = f" (the {_MOST_CHANNELS} widest)" if len(chosen) > _MOST_CHANNELS else ""
    rows = map(channel_row, chosen[:_MOST_CHANNELS])
    return grid(f"active channels{left_out}", CHANNEL_HEAD, rows, left=CHANNEL_HEAD[:2])


def channel_row(c: Channel) -> tuple[str, ...]:
    """One channel as text, in the order of `CHANNEL_HEAD`."""
    noise, coding, share = (
        "–" if x is None else f"{x:.2f}" for x in (c.attainable, c.recoded, c.with_head)
    )
    figures = (f"{c.driven:.2f}", f"{c.correlation:.2f}", noise, coding, f"{c.gain:.2f}")
    return (c.name, c.by, *figures, f"{c.error:.3f}", share)


def absent_lines(measures: Sequence[Measure]) -> list[str]:
    """What was not measured, one line for each reason."""
    why: dict[str, list[str]] = {}
    for m in measures:
        if m.value is None:
            why.setdefault(m.note, []).append(m.label)
    return [f"Not measured: {'; '.join(labels)}: {reason}." for reason, labels in why.items()]


def unseen_lines(named: Iterable[tuple[str, Sequence[Failures]]]) -> list[str]:
    """One line for each of several videos in which an estimator saw no face somewhere."""
    return [f"{name}: {failure_line(some)}" for name, some in named if any(f.frames for f in some)]


def failure_line(failures: Sequence[Failures]) -> str:
    """Where the estimators saw no face, in one line."""
    missed = [
        f"{f.estimator} in {len(f.frames)} of {f.of} {f.video} frames" for f in failures if f.frames
    ]
    if not missed:
        return "Every estimator saw the face in every frame."
    return f"No face seen: {'; '.join(missed)}. Those frames are left out of its figures."
