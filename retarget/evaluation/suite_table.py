"""The figures of a suite: mean, spread and interval, cross-identity and self-reenactment apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from retarget.evaluation.catalog import MEASURES
from retarget.evaluation.page import framed, paragraphs, tabled
from retarget.evaluation.suite import Outcome
from retarget.evaluation.suite_file import CROSS, SELF
from retarget.evaluation.table import FAMILIES, WORDS, grid, rendered, unseen_lines
from retarget.evaluation.values import Measure

_HEAD = ("", "mean", "± between pairs", "95 % interval", "pairs", "unit", "read by")

_INTERVALS = (
    "Intervals are a bootstrap over pairs as if they were independent; pairs that share a clip or "
    "a face are not, and then the truth may lie further out."
)
_DRAWS = 2000
_LEAST = 3
"""With fewer pairs an interval says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One measure over several pairs."""

    measure: Measure
    count: int
    """Pairs on which it was taken."""
    of: int
    mean: float
    spread: float | None
    """Standard deviation between pairs; None for one pair."""
    interval: tuple[float, float] | None
    """95 % confidence interval of the mean; None for fewer than three pairs."""


def table(outcomes: Sequence[Outcome]) -> str:
    """For the terminal."""
    grids = (grid(kind, _HEAD, map(row, found), left=WORDS) for kind, found in _by_kind(outcomes))
    return rendered((*grids, *_lines(outcomes)))


def page(name: str, outcomes: Sequence[Outcome]) -> str:
    """The same as one HTML page, with every pair by itself below."""
    parts = [f"<h1>{escape(name)}</h1>"]
    for kind, found in _by_kind(outcomes):
        parts.append(f"<h2>{kind}</h2>{tabled(_HEAD, map(row, found))}")
        parts.append(_each([o for o in outcomes if o.case.kind == kind], found))
    return framed(escape(name), "".join(parts) + paragraphs(_lines(outcomes)))


def _each(outcomes: Sequence[Outcome], found: Sequence[Summary]) -> str:
    """One line for each measure, one column for each pair."""
    rows = (
        (s.measure.label, *(_number(o.figures.get(s.measure.key)) for o in outcomes)) for s in found
    )
    return tabled(("", *(o.case.name for o in outcomes)), rows)


def as_dict(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """For machines."""
    return {
        "groups": {
            kind: {
                s.measure.key: {
                    "mean": s.mean,
                    "spread": s.spread,
                    "interval": s.interval,
                    "pairs": s.count,
                    "of": s.of,
                    "unit": s.measure.unit,
                }
                for s in found
            }
            for kind, found in _by_kind(outcomes)
        },
        "pairs": [
            {
                "name": o.case.name,
                "kind": o.case.kind,
                "figures": dict(o.figures),
                "failures": [asdict(f) for f in o.failures],
                "problem": o.problem,
                "seconds": o.seconds,
            }
            for o in outcomes
        ],
    }


def _by_kind(outcomes: Sequence[Outcome]) -> list[tuple[str, tuple[Summary, ...]]]:
    out = []
    for kind in (CROSS, SELF):
        figures = [o.figures for o in outcomes if o.case.kind == kind and o.problem is None]
        if figures:
            out.append((kind, summaries(figures)))
    return out


def row(summary: Summary) -> tuple[str, ...]:
    """One summary as text, in the order of the table's columns."""
    low_high = "–"
    if summary.interval is not None:
        low_high = " … ".join(map(_number, summary.interval))
    count = str(summary.count) if summary.count == summary.of else f"{summary.count}/{summary.of}"
    m = summary.measure
    return (
        m.label, _number(summary.mean), _number(summary.spread), low_high, count, m.unit, m.by,
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _lines(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """What stands below the tables."""
    failed = (f"{o.case.name} failed: {o.problem}" for o in outcomes if o.problem is not None)
    unseen = unseen_lines((o.case.name, o.failures) for o in outcomes)
    return (*failed, *unseen, _INTERVALS, FAMILIES)


def summaries(figures: Sequence[Mapping[str, float | None]]) -> tuple[Summary, ...]:
    """One line for each measure that was taken on any pair, in the catalogue's order.

    Args:
        figures: for each pair, the measures' values by key.
    """
    out = []
    for measure in MEASURES:
        values = [v for f in figures if (v := f.get(measure.key)) is not None]
        if values:
            out.append(
                Summary(
                    measure=measure,
                    count=len(values),
                    of=len(figures),
                    mean=float(np.mean(values)),
                    spread=float(np.std(values, ddof=1)) if len(values) > 1 else None,
                    interval=interval(values),
                )
            )
    return tuple(out)


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % bootstrap interval of the mean (Efron 1979, percentiles of 2000 draws, fixed seed)."""
    if len(values) < _LEAST:
        return None
    draws = np.random.default_rng(0).integers(0, len(values), (_DRAWS, len(values)))
    low, high = np.percentile(np.asarray(values)[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
