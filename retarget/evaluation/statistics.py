"""Mean and spread of a measure over the pairs of a suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retarget.evaluation.catalog import MEASURES
from retarget.evaluation.values import Measure

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
