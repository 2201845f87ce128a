"""Does it do what the driving face does?

Scores are compared as they are (raw) and with each face's own rest removed; see `channels.py`.
Figures are not corrected for the noise of the reading or for the turning of the head; `attainable`
and `head_share` tell how much either may contribute.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.evaluation.catalog import Sheet
from retarget.evaluation.channels import ACTIVE_RATIO, channels, without_middle, without_rest
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
"""Degrees, the sum of the standard deviations of yaw, pitch and roll, above which a head turns."""
HELD = 0.25
"""A head that turns less than this share of the driving head's turning is held still."""


def measure(
    driving: Observed, result: Observed, pairs: Pairs, active: float, sheet: Sheet
) -> list[Channel]:
    """Note all figures of expression; return every channel."""
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
    """The same with dlib's landmark ratios, which do not depend on MediaPipe."""
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
    """Mean angle in degrees between the two directions of gaze, each relative to its median."""
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
    """Mean geodesic angle in degrees of the two heads, each relative to its median pose."""
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
    """AED and APD: mean absolute difference of SMIRK's parameters, without removing rest."""
    keys, unseen = _of(("aed", "apd")), f"{_NO_PAIR} (SMIRK's crop needs MediaPipe's mesh)"
    for key, d, r in zip(
        keys, (driving.smirk, driving.smirk_pose), (result.smirk, result.smirk_pose), strict=True
    ):
        rows = _paired(d, r, pairs, sheet, key, absent=NO_SMIRK, unseen=unseen)
        if rows is not None:
            sheet.put(key, float(np.abs(rows.driving - rows.result).mean()))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The pairs of rows that an estimator read in both videos."""

    driving: Doubles
    result: Doubles
    ok: Bools
    """(pairs,) whether each pair is among them."""


def _paired(
    driving: Doubles | None, result: Doubles | None, pairs: Pairs, sheet: Sheet, *keys: str,
    absent: str = NO_BUNDLE, unseen: str = _NO_PAIR,
) -> _Rows | None:  # fmt: skip
    """The rows; None where there are none, which is noted for the measures `keys`."""
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
