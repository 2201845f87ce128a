"""The figures of a suite: mean, spread and interval, cross-identity and self-reenactment apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from retarget.evaluation.page import framed, paragraphs, tabled
from retarget.evaluation.statistics import Summary, summaries
from retarget.evaluation.suite import Outcome
from retarget.evaluation.suite_file import CROSS, SELF
from retarget.evaluation.table import FAMILIES, WORDS, grid, rendered, unseen_lines

_HEAD = ("", "mean", "± between pairs", "95 % interval", "pairs", "unit", "read by")

_INTERVALS = (
    "Intervals are a bootstrap over pairs as if they were independent; pairs that share a clip or "
    "a face are not, and then the truth may lie further out."
)


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
