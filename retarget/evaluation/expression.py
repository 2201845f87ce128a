"""Does it do what the driving face does?

Scores are compared as they are (raw) and with each face's own rest removed: a face whose mouth
corners rise at rest would otherwise be wrong in every frame. Rest is read at the same moments in
both, the tenth of the frames in which the driving face is nearest its own lower decile.

Nothing is corrected for the reading's noise or for the head's turning; what they can do to a
figure stands beside it (`attainable`, `head_share`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retarget.evaluation.catalog import Sheet
from retarget.evaluation.pairs import Pairs, both
from retarget.evaluation.values import RATIOS, Channel, Observed
from retarget.flow import blendshapes
from retarget.flow.arrays import Bools, Doubles
from retarget.flow.values import HeadPose

NO_BUNDLE = (
    "face_landmarker.task was not found (retarget models pull face-landmarker, "
    "or --landmarker FILE)"
)
NO_SMIRK = "SMIRK_em1.pt was not found (retarget models pull smirk, or --smirk FILE)"
_NO_PAIR = "in no frame are both faces seen"
_TURNS = 3.0
"""Degrees (spreads of yaw, pitch and roll together) that tell a turning head from an estimator
that trembles."""
HELD = 0.25
"""A head that turns less than this share of the driving head's turning is held still."""
_SPAN_OF_NOISE = 3.29
"""5th to 95th percentile of normal noise, in its standard deviations."""
_CLEAR = 2.0
"""A driven channel spans at least this many times what its noise would span."""
_LEAST_FOR_A_FIT = 12
"""Frames below which three angles explain anything."""
ACTIVE_RATIO = 0.02
"""As `EvaluateSettings.active`, for landmark ratios, in eye distances (eyes: in eye widths)."""


def rest_rows(driving: Doubles) -> npt.NDArray[np.intp]:
    """(k,) indices of the tenth of the rows (m, c) nearest the columns' lower deciles."""
    away = np.abs(driving - np.percentile(driving, 10, axis=0)).mean(axis=1)
    return np.argsort(away, kind="stable")[: max(1, round(len(driving) / 10))]


def without_rest(driving: Doubles, result: Doubles) -> tuple[Doubles, Doubles]:
    """Both (m, c) less their mean over the moments at which the driving face rests."""
    rows = rest_rows(driving)
    return driving - driving[rows].mean(axis=0), result - result[rows].mean(axis=0)


def without_middle(driving: Doubles, result: Doubles) -> tuple[Doubles, Doubles]:
    """Both (m, c) less the driving median, and the result less what it is usually apart.

    For what turns to either side and so rests between its ends.
    """
    middle, apart = np.median(driving, axis=0), np.median(result - driving, axis=0)
    return driving - middle, result - middle - apart


def span(values: Doubles) -> Doubles:
    """(c,) 5th to 95th percentile of (m, c) rows."""
    low, high = np.percentile(values, [5, 95], axis=0)
    return np.asarray(high - low)


def correlation(driving: Doubles, result: Doubles) -> float:
    """Pearson's r of two (m,) series, -1..1; 0 where one of them never changes.

    A frozen face follows nothing, so it must not drop out of the mean. CLS in PixelSmile.
    """
    d, r = driving - driving.mean(), result - result.mean()
    size = float(np.sqrt((d**2).sum() * (r**2).sum()))
    return float((d * r).sum()) / size if size > 1e-12 else 0.0


def gain(driving: Doubles, result: Doubles) -> float:
    """Least-squares slope of two (m,) series: 1 as strong as driven, 0.8 a fifth less."""
    d = driving - driving.mean()
    return float((d * result).sum()) / max(float((d**2).sum()), 1e-12)


def attainable(driving: Doubles, of_driving: Doubles, of_result: Doubles) -> Doubles:
    """(c,) the correlation of a face that does exactly what the driving face does, as it is read.

    Spearman's attenuation (1904): noise that has nothing to do with the movement makes every
    correlation smaller. 0 for a channel whose (m, c) driving values are only noise.

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

    R² of a linear fit. A movement that an estimator only imagines in a turned head is among it, and
    so is one that a person makes while nodding: it says where to be careful, not what is wrong.
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
    """How every column of (m, c) driving comes back in (m, c) result.

    Args:
        names: of the columns.
        driving: what was driven.
        result: what came back.
        active: the least span that counts.
        by: the estimator.
        noise: (c,) standard deviations of the reading, of the driving values and of the result's.
        pose: (m, 3) the driving head's angles, where they were read.
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


def measure(
    driving: Observed, result: Observed, pairs: Pairs, active: float, sheet: Sheet
) -> list[Channel]:
    """Note all figures of expression; return every channel by itself."""
    every = _scores(driving, result, pairs, active, sheet)
    every += _ratios(driving, result, pairs, sheet)
    _gaze(driving, result, pairs, sheet)
    _pose(driving, result, pairs, sheet)
    _smirk(driving, result, pairs, sheet)
    return every


def _scores(
    driving: Observed, result: Observed, pairs: Pairs, active: float, sheet: Sheet
) -> list[Channel]:
    """Mean absolute difference of the 52 scores, correlation and gain of the active ones."""
    keys = ("l1", "l1_corrected", "correlation", "correlation_median", "attainable", "gain")
    rows = _paired(driving.scores, result.scores, pairs, sheet, *_of(keys))
    if rows is None:
        return []
    d, r = rows.driving, rows.result
    d0, r0 = without_rest(d, r)
    sheet.put("expression.l1", float(np.abs(d - r).mean()))
    sheet.put("expression.l1_corrected", float(np.abs(d0 - r0).mean()))
    noise = None
    if driving.score_noise is not None and result.score_noise is not None:
        noise = driving.score_noise, result.score_noise
    pose = _angles_of(driving, pairs, rows)
    every = channels(blendshapes.NAMES, d, r, active, "scores", noise=noise, pose=pose)
    chosen = [c for c in every if c.active]
    if not chosen:
        sheet.miss("the driving face hardly moves: no score is active", *_of(keys[2:]))
        return every
    follows = [c.correlation for c in chosen]
    sheet.put("expression.correlation", float(np.mean(follows)), f"{len(chosen)} of 52 active")
    sheet.put("expression.correlation_median", float(np.median(follows)))
    sheet.put("expression.gain", float(np.median([c.gain for c in chosen])))
    most = [c.attainable for c in chosen if c.attainable is not None]
    if most:
        sheet.put("expression.attainable", float(np.mean(most)))
    else:
        sheet.miss("no frame was read by every look", "expression.attainable")
    return every


def _of(keys: tuple[str, ...]) -> list[str]:
    return [f"expression.{k}" for k in keys]


def _ratios(driving: Observed, result: Observed, pairs: Pairs, sheet: Sheet) -> list[Channel]:
    """The same on dlib's landmark ratios: an estimator of another family."""
    keys = ("ratio_error", "ratio_correlation", "mouth_gain")
    rows = _paired(driving.ratios, result.ratios, pairs, sheet, *_of(keys))
    if rows is None:
        return []
    d, r = rows.driving, rows.result
    d0, r0 = without_rest(d, r)
    sheet.put("expression.ratio_error", float(np.abs(d0 - r0).mean()))
    pose = _angles_of(driving, pairs, rows)
    every = channels(RATIOS, d, r, ACTIVE_RATIO, "dlib", pose=pose)
    chosen = [c for c in every if c.active]
    if chosen:
        note = f"{len(chosen)} of {len(RATIOS)} active"
        mean = float(np.mean([c.correlation for c in chosen]))
        sheet.put("expression.ratio_correlation", mean, note)
    else:
        sheet.miss("the driving face hardly moves: no ratio is active", _of(keys)[1])
    mouth = every[RATIOS.index("lipGap")]
    if mouth.active:
        sheet.put("expression.mouth_gain", mouth.gain)
    else:
        sheet.miss("the driving mouth hardly opens", _of(keys)[2])
    return every


def _gaze(driving: Observed, result: Observed, pairs: Pairs, sheet: Sheet) -> None:
    """Mean angle in degrees between the two directions of gaze, each away from its usual one."""
    rows = _paired(driving.gaze, result.gaze, pairs, sheet, "expression.gaze")
    if rows is None:
        return
    d, r = (_directions(x) for x in without_middle(rows.driving, rows.result))
    angles = np.degrees(np.arccos(np.clip((d * r).sum(axis=1), -1.0, 1.0)))
    sheet.put("expression.gaze", float(angles.mean()))


def _directions(degrees: Doubles) -> Doubles:
    """(m, 3) unit vectors of (m, 2) yaw and pitch."""
    yaw, pitch = np.radians(degrees).T
    flat = np.cos(pitch)
    return np.stack([np.sin(yaw) * flat, np.sin(pitch), np.cos(yaw) * flat], axis=1)


def _pose(driving: Observed, result: Observed, pairs: Pairs, sheet: Sheet) -> None:
    """Mean geodesic angle in degrees of the two heads, each turned from its own usual pose."""
    keys = ("expression.pose", "expression.pose_gain")
    rows = _paired(driving.pose, result.pose, pairs, sheet, *keys)
    if rows is None:
        return
    angles = []
    for d, r in zip(*without_middle(rows.driving, rows.result), strict=True):
        relative = HeadPose.rotation_of(*d).T @ HeadPose.rotation_of(*r)
        angles.append(np.degrees(np.arccos(np.clip((np.trace(relative) - 1) / 2, -1.0, 1.0))))
    moved, shown = (float(x.std(axis=0).sum()) for x in (rows.driving, rows.result))
    held = shown < HELD * moved
    note = "the result's head is held: this is how far the driving head turns" if held else ""
    sheet.put("expression.pose", float(np.mean(angles)), note)
    if moved > _TURNS:
        sheet.put("expression.pose_gain", shown / moved)
    else:
        sheet.miss("the driving head hardly turns", "expression.pose_gain")


def _smirk(driving: Observed, result: Observed, pairs: Pairs, sheet: Sheet) -> None:
    """AED and APD: mean absolute difference of SMIRK's parameters as they are, nothing removed."""
    keys, unseen = _of(("aed", "apd")), f"{_NO_PAIR} (SMIRK's crop needs MediaPipe's mesh)"
    for key, d, r in zip(
        keys,
        (driving.smirk, driving.smirk_pose),
        (result.smirk, result.smirk_pose),
        strict=True,
    ):
        rows = _paired(d, r, pairs, sheet, key, absent=NO_SMIRK, unseen=unseen)
        if rows is not None:
            sheet.put(key, float(np.abs(rows.driving - rows.result).mean()))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The paired rows that an estimator could read in both."""

    driving: Doubles
    result: Doubles
    ok: Bools
    """Which of the pairs they are."""


def _paired(
    driving: Doubles | None, result: Doubles | None, pairs: Pairs, sheet: Sheet, *keys: str,
    absent: str = NO_BUNDLE, unseen: str = _NO_PAIR,
) -> _Rows | None:  # fmt: skip
    """The rows; None where there are none, which is noted of what would be told of them."""
    if driving is None or result is None:
        sheet.miss(absent, *keys)
        return None
    d, r = driving[pairs.driving], result[pairs.result]
    ok = both(d, r)
    if not ok.any():
        sheet.miss(unseen, *keys)
        return None
    return _Rows(d[ok], r[ok], ok)


def _angles_of(driving: Observed, pairs: Pairs, rows: _Rows) -> Doubles | None:
    """The driving head's angles in those rows."""
    return driving.pose[pairs.driving][rows.ok] if driving.pose is not None else None
