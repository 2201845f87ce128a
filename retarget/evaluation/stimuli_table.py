"""What a set of stimuli shows, as a table for the terminal and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from retarget.evaluation.stimuli import ENOUGH, READERS, Shown, follows
from retarget.evaluation.table import FAMILIES, rendered

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEAD = ("", "read by", "correlation", "least", f"below {ENOUGH}", "strength")


def table(shown: Sequence[Shown]) -> str:
    """For the terminal."""
    from rich.table import Table
    from rich.text import Text

    out = Table(title="commanded intensity against measured", title_justify="left")
    for name in _HEAD:
        out.add_column(name, justify="left" if name in _HEAD[:2] else "right")
    for f in follows(shown):
        numbers = (f"{f.correlation:.3f}", f"{f.least:.3f}", f"{f.below} of {f.faces}")
        out.add_row(f.expression, f.reader, *numbers, f"{f.strength:.2f}")
    parts: list[RenderableType] = [out] if out.row_count else []
    return rendered([*parts, *map(Text, (*_timing(shown), _persons(shown), FAMILIES))])


def as_dict(shown: Sequence[Shown]) -> dict[str, Any]:
    """For machines."""
    return {"follows": [asdict(f) for f in follows(shown)], "clips": [asdict(s) for s in shown]}


def _timing(shown: Sequence[Shown]) -> list[str]:
    lines = []
    for reader in READERS:
        off = [abs(s.apex_off[reader]) for s in shown if reader in s.apex_off]
        if off:
            near = sum(frames <= 1 for frames in off)
            lines.append(
                f"apex by {reader}: {near} of {len(off)} clips within 1 frame of the commanded "
                f"one, {max(off)} at most"
            )
    return lines


def _persons(shown: Sequence[Shown]) -> str:
    judged = [s for s in shown if s.same_person is not None]
    same = sum(bool(s.same_person) for s in judged)
    unseen = len(shown) - len(judged)
    return f"dlib takes {same} of {len(judged)} apexes for the same person; {unseen} without a face"
