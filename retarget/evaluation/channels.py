"""Compare series of driving and result, channel by channel, with the rest of each face removed.

A face whose mouth corners rise at rest would otherwise be wrong in every frame. Rest is read at the
same moments in both: the tenth of the frames in which the driving face is nearest to its 10th
percentiles.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retarget.evaluation.values import Channel
from retarget.flow.arrays import Doubles

_SPAN_OF_NOISE = 3.29
"""5th to 95th percentile of normal noise, in its standard deviations."""
_CLEAR = 2.0
"""An active channel spans at least this many times what its noise would."""
_LEAST_FOR_A_FIT = 12
"""With fewer frames a fit of three angles would explain anything."""
ACTIVE_RATIO = 0.02
"""As `EvaluateSettings.active`, for landmark ratios, in eye distances (eyes: in eye widths)."""


def rest_rows(driving: Doubles) -> npt.NDArray[np.intp]:
    """(k,) indices of the tenth of the rows (m, c) nearest the columns' lower deciles."""
    away = np.abs(driving - np.percentile(driving, 10, axis=0)).mean(axis=1)
    return np.argsort(away, kind="stable")[: max(1, round(len(driving) / 10))]


def without_rest(driving: Doubles, result: Doubles) -> tuple[Doubles, Doubles]:
    """Both (m, c) minus their mean over the rows in which the driving face is at rest."""
    rows = rest_rows(driving)
    return driving - driving[rows].mean(axis=0), result - result[rows].mean(axis=0)


def without_middle(driving: Doubles, result: Doubles) -> tuple[Doubles, Doubles]:
    """Both (m, c) minus the driving median, and the result minus its median difference, too.

    For angles, whose rest lies in the middle of their range.
    """
    middle, apart = np.median(driving, axis=0), np.median(result - driving, axis=0)
    return driving - middle, result - middle - apart


def span(values: Doubles) -> Doubles:
    """(c,) 5th to 95th percentile of (m, c) rows."""
    low, high = np.percentile(values, [5, 95], axis=0)
    return np.asarray(high - low)


def correlation(driving: Doubles, result: Doubles) -> float:
    """Pearson's r of two (m,) series, -1..1; 0 where one of them never changes.

    A frozen face counts as 0 in a mean, instead of dropping out of it. CLS in PixelSmile.
    """
    d, r = driving - driving.mean(), result - result.mean()
    size = float(np.sqrt((d**2).sum() * (r**2).sum()))
    return float((d * r).sum()) / size if size > 1e-12 else 0.0


def gain(driving: Doubles, result: Doubles) -> float:
    """Least-squares slope of two (m,) series: 1 as strong as driven, 0.8 a fifth weaker."""
    d = driving - driving.mean()
    return float((d * result).sum()) / max(float((d**2).sum()), 1e-12)


def attainable(driving: Doubles, of_driving: Doubles, of_result: Doubles) -> Doubles:
    """(c,) the correlation that reading noise would leave of a perfect result.

    Spearman's attenuation (1904): noise independent of the movement lowers every
    correlation. 0 for a channel whose (m, c) driving values are only noise.

    Args:
        driving: (m, c) values as they were read.
        of_driving: (c,) standard deviation of their noise.
        of_result: (c,) the same of the result's values.
    """
    a, b = of_driving**2, of_result**2
    true = np.maximum(driving.var(axis=0) - a, 0.0)
    whole = np.sqrt((true + a) * (true + b))
    return np.asarray(np.divide(true, whole, out=np.zeros_like(true), where=whole > 0))


def head_share(driving: Doubles, pose: Doubles) -> Doubles:
    """(c,) share of the variance of (m, c) driving values that (m, 3) head angles explain, 0..1.

    R² of a linear fit. It includes movements that an estimator wrongly reads in a turned head and
    true ones made while nodding, so a large share is a reason for care, not an error.
    """
    seen = ~np.isnan(pose).any(axis=1)
    values, angles = driving[seen], pose[seen]
    if len(values) < _LEAST_FOR_A_FIT:
        return np.full(driving.shape[1], np.nan)
    apart = values - values.mean(axis=0)
    design = angles - angles.mean(axis=0)
    left = apart - design @ np.linalg.lstsq(design, apart, rcond=None)[0]
    whole = (apart**2).sum(axis=0)
    rest = (left**2).sum(axis=0)
    return np.asarray(1 - np.divide(rest, whole, out=np.ones_like(whole), where=whole > 1e-12))


def channels(
    names: tuple[str, ...], driving: Doubles, result: Doubles, active: float, by: str, *,
    noise: tuple[Doubles, Doubles] | None = None, pose: Doubles | None = None,
) -> list[Channel]:  # fmt: skip
    """Compare every column of (m, c) driving with (m, c) result.

    Args:
        names: the columns' names.
        driving: values of the driving face.
        result: values of the result.
        active: the smallest span of an active channel.
        by: the estimator.
        noise: (c,) standard deviations of the reading noise in driving and in the result.
        pose: (m, 3) the driving head's angles in degrees, if read.
    """
    d, r = without_rest(driving, result)
    driven, error = span(driving), np.abs(d - r).mean(axis=0)
    trembling = noise[0] if noise is not None else np.zeros(len(names))
    least = np.maximum(active, _CLEAR * _SPAN_OF_NOISE * trembling)
    most = attainable(driving, *noise) if noise is not None else None
    share = head_share(driving, pose) if pose is not None else np.full(len(names), np.nan)
    return [
        Channel(
            name=name,
            by=by,
            active=bool(driven[k] > least[k]),
            driven=float(driven[k]),
            correlation=correlation(d[:, k], r[:, k]),
            gain=gain(d[:, k], r[:, k]),
            error=float(error[k]),
            attainable=float(most[k]) if most is not None else None,
            with_head=float(share[k]) if np.isfinite(share[k]) else None,
        )
        for k, name in enumerate(names)
    ]
