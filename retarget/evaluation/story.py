"""Say in plain sentences what the figures mean, and where to look."""

from __future__ import annotations

from collections.abc import Sequence

from retarget.evaluation.pairs import Pairs
from retarget.evaluation.values import (
    Channel,
    Curve,
    Failures,
    Measure,
    Observed,
    WorstFrame,
)


def findings(
    measures: Sequence[Measure], channels: Sequence[Channel], failures: Sequence[Failures]
) -> tuple[str, ...]:
    """One sentence for everything worth knowing."""
    value = {m.key: m.value for m in measures}
    del channels, failures, value
    return ()


def worst_frames(
    driving: Observed, result: Observed, pairs: Pairs, count: int
) -> tuple[WorstFrame, ...]:
    """The moments at which expression differs most, at least half a second apart."""
    return ()


def curves(driving: Observed, result: Observed, pairs: Pairs) -> tuple[Curve, ...]:
    """What to plot over time, region by region."""
    return ()
