"""What a set of stimuli shows, as a table for the terminal and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from retarget.evaluation.stimuli import ENOUGH, READERS, Shown, follows
from retarget.evaluation.table import FAMILIES, WORDS, grid, rendered

_HEAD = ("", "read by", "correlation", "least", f"below {ENOUGH}", "strength")


def table(shown: Sequence[Shown]) -> str:
    """For the terminal."""
    rows = [
        (f.expression, f.reader, f"{f.correlation:.3f}", f"{f.least:.3f}",
         f"{f.below} of {f.faces}", f"{f.strength:.2f}")
        for f in follows(shown)
    ]  # fmt: skip
    title = "commanded intensity against measured"
    grids = [grid(title, _HEAD, rows, left=WORDS)] if rows else []
    return rendered((*grids, *_timing(shown), _persons(shown), FAMILIES))


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
