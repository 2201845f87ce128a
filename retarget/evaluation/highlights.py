"""What to look at: curves over time, and the moments at which the result is worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retarget.evaluation.channels import ACTIVE_RATIO, span, without_rest
from retarget.evaluation.pairs import Pairs, both
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import RATIOS, Curve, Observed, WorstFrame
from retarget.flow import blendshapes
from retarget.flow.arrays import Bools, Doubles, Ints

_APART = 0.5
"""Seconds between two worst frames, so that they are not neighbours."""
_SCORES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("brows up", ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")),
    ("brows down", ("browDownLeft", "browDownRight")),
    ("eyes shut", ("eyeBlinkLeft", "eyeBlinkRight")),
    ("jaw open", ("jawOpen",)),
    ("smile", ("mouthSmileLeft", "mouthSmileRight")),
    ("lips rounded", ("mouthPucker", "mouthFunnel")),
)
_RATIOS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("eyes open (dlib)", ("eyeOpenLeft", "eyeOpenRight")),
    ("lips apart (dlib)", ("lipGap",)),
)


def curves(driving: Observed, result: Observed, pairs: Pairs) -> tuple[Curve, ...]:
    """What to plot over time, region by region: scores, landmark ratios, gaze, head, jitter."""
    d, r, out = pairs.driving, pairs.result, []

    def add(title: str, unit: str, of_driving: Doubles, of_result: Doubles) -> None:
        curve = Curve(
            title=title, unit=unit, seconds=pairs.seconds, driving=of_driving, result=of_result
        )
        out.append(curve)

    if driving.scores is not None and result.scores is not None:
        for title, names in _SCORES:
            at = [blendshapes.INDEX[n] for n in names]
            add(title, "0..1", driving.scores[d][:, at].mean(1), result.scores[r][:, at].mean(1))
    for title, names in _RATIOS:
        at = [RATIOS.index(n) for n in names]
        unit = "eye widths" if "eye" in names[0] else "eye distances"
        add(title, unit, driving.ratios[d][:, at].mean(1), result.ratios[r][:, at].mean(1))
    for titles, of_driving, of_result in (
        (("gaze, to the person's left", "gaze, up"), driving.gaze, result.gaze),
        (("head yaw", "head pitch", "head roll"), driving.pose, result.pose),
    ):
        if of_driving is not None and of_result is not None:
            for k, title in enumerate(titles):
                unit = "° from its median"
                add(title, unit, _centred(of_driving[d, k]), _centred(of_result[r, k]))
    by_mesh = driving.scores is not None
    shakes = [o.mesh_shake if by_mesh else o.dlib_shake for o in (driving, result)]
    add("jitter", "% of eye distance", shakes[0][d], shakes[1][r])
    return tuple(out)


def _centred(angles: Doubles) -> Doubles:
    """Angles minus their median, as two people's zeros of gaze and head differ."""
    read = angles[~np.isnan(angles)]
    return angles - np.median(read) if len(read) else angles


def worst_frames(
    driving: Observed, result: Observed, pairs: Pairs, count: int
) -> tuple[WorstFrame, ...]:
    """The moments at which expression differs most (rest removed), half a second apart."""
    found = _apart(driving, result, pairs)
    if found is None:
        return ()
    rows, names, apart = found
    error = np.abs(apart).mean(axis=1)
    out = []
    for i in _peaks(error, pairs.seconds[rows], count):
        k = int(np.argmax(np.abs(apart[i])))
        word = "above" if apart[i, k] > 0 else "below"
        wanted, made = int(pairs.driving[rows[i]]), int(pairs.result[rows[i]])
        out.append(
            WorstFrame(
                seconds=float(pairs.seconds[rows[i]]),
                driving_index=wanted,
                result_index=made,
                driving_box=_box(driving, wanted),
                result_box=_box(result, made),
                error=float(error[i]),
                reason=f"{names[k]} {abs(apart[i, k]):.2f} {word} the driving face",
            )
        )
    return tuple(out)


def _apart(
    driving: Observed, result: Observed, pairs: Pairs
) -> tuple[Ints, list[str], Doubles] | None:
    """Indices of the n pairs read, names of the k active channels, (n, k) result minus driving."""
    names: Sequence[str] = RATIOS
    least, d, r = ACTIVE_RATIO, driving.ratios, result.ratios
    if driving.scores is not None and result.scores is not None:
        names, least = blendshapes.NAMES, EvaluateSettings.active
        d, r = driving.scores, result.scores
    d, r = d[pairs.driving], r[pairs.result]
    rows = np.flatnonzero(both(d, r))
    d, r = d[rows], r[rows]
    active = np.flatnonzero(span(d) > least) if len(rows) else rows
    if not len(active):
        return None
    d0, r0 = without_rest(d, r)
    return rows, [names[i] for i in active], r0[:, active] - d0[:, active]


def _box(seen: Observed, index: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, seen.boxes[index])
    return left, top, right, bottom


def _peaks(error: Doubles, seconds: Doubles, count: int) -> list[int]:
    """Indices of the largest errors, at least `_APART` seconds from one another."""
    free: Bools = np.ones(len(error), bool)
    out: list[int] = []
    while len(out) < count and free.any():
        best = int(np.argmax(np.where(free, error, -1.0)))
        out.append(best)
        free &= np.abs(seconds - seconds[best]) >= _APART
    return out
