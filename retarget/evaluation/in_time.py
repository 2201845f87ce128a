"""Is the result steady, and in time with the driving video?"""

from __future__ import annotations

import numpy as np

from retarget.evaluation.catalog import Sheet
from retarget.evaluation.channels import ACTIVE_RATIO, correlation, span
from retarget.evaluation.expression import NO_BUNDLE
from retarget.evaluation.pairs import Pairs
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import Observed
from retarget.flow.arrays import Doubles

_TOO_FEW = "nowhere is the face seen in three frames in a row"
_FARTHEST = 0.5
"""Seconds of delay that are searched in both directions."""
_CLEAR = 0.5
"""The mean correlation that the best lag needs to count as a delay."""


def measure(
    driving: Observed,
    result: Observed,
    pairs: Pairs,
    sheet: Sheet,
    *,
    start: float = 0.0,
    end: float | None = None,
) -> None:
    """Note the figures of time; the result is of the driving video's seconds `start` to `end`."""
    _steady(driving, result, sheet)
    _stamps(driving, result, pairs, sheet, _driven(driving, start, end))
    late = delay(driving, result, start)
    if late is None:
        sheet.miss("expression follows too weakly to tell a delay", "time.delay")
    else:
        sheet.put("time.delay", late * 1000)
    sheet.put("time.lost", lost(driving, result, pairs) * 100)


def _steady(driving: Observed, result: Observed, sheet: Sheet) -> None:
    """Jitter and flicker, each relative to the driving clip's."""
    jitter = {}
    for name in ("mesh", "dlib"):
        made, reference = (_mean(getattr(o, f"{name}_shake")) for o in (result, driving))
        jitter[name] = made
        absent = NO_BUNDLE if name == "mesh" and result.scores is None else _TOO_FEW
        _against(made, reference, absent, f"time.jitter_{name}", sheet)
    by_mesh = not np.isnan(jitter["mesh"])
    sheet.put("time.jitter", jitter["mesh"] if by_mesh else jitter["dlib"],
              "by MediaPipe" if by_mesh else "by dlib")  # fmt: skip
    _against(_mean(result.tremble), _mean(driving.tremble), _TOO_FEW, "time.tremble", sheet)
    flicker, reference = _mean(result.background), _mean(driving.background)
    if np.isnan(flicker):
        sheet.miss("the face and its surroundings fill the picture", "time.flicker")
    else:
        note = "" if np.isnan(reference) else f"driving {reference:.2f}"
        sheet.put("time.flicker", flicker, note)
    warping, reference = _mean(result.warping), _mean(driving.warping)
    sheet.put("time.warping", warping, f"driving {reference:.2f}")
    sheet.put("time.warping_ratio", warping / reference if reference > 0 else float("nan"))


def _against(result: float, driving: float, absent: str, key: str, sheet: Sheet) -> None:
    """Note the ratio of jitter to the driving clip's, or why it could not be read."""
    if np.isnan(result) or np.isnan(driving):
        sheet.miss(absent, key)
        return
    note = f"{result:.2f} % of eye distance, driving {driving:.2f} %"
    sheet.put(key, result / driving if driving > 0 else float("nan"), note)


def _mean(values: Doubles) -> float:
    """Mean of what was read; NaN where nothing was."""
    read = values[~np.isnan(values)]
    return float(read.mean()) if len(read) else float("nan")


def _driven(driving: Observed, start: float, end: float | None) -> int:
    """The number of driving frames from second `start` to `end`, or to the last one."""
    times = driving.times + driving.spacing / 2  # rounding moves no frame across
    return int(((times >= start) & (times < (np.inf if end is None else end))).sum())


def _stamps(driving: Observed, result: Observed, pairs: Pairs, sheet: Sheet, driven: int) -> None:
    """Frame count, and how far a frame is shown from its driving frame's time, in ms."""
    more = len(result) - driven
    sheet.put("time.frames", float(more), f"{len(result)} frames, driving {driven}")
    start = driving.times[pairs.driving[0]] - result.times[pairs.result[0]]
    apart = result.times[pairs.result] + start - driving.times[pairs.driving]
    note = "" if more == 0 else f"over the {len(pairs)} frames shown together"
    sheet.put("time.stamps", float(np.abs(apart).max()) * 1000, note)


def lost(driving: Observed, result: Observed, pairs: Pairs) -> float:
    """Share of the frames with a driving face in which the result shows none, 0..1."""
    d, r = (o.pose if o.pose is not None else o.ratios for o in (driving, result))
    seen = ~np.isnan(d[pairs.driving]).any(axis=1)
    gone = np.isnan(r[pairs.result]).any(axis=1)
    return float(gone[seen].mean()) if seen.any() else float("nan")


def delay(driving: Observed, result: Observed, start: float = 0.0) -> float | None:
    """Seconds by which the result's face is late (negative: early).

    The lag, in steps of a driving frame, at which the active channels correlate best on average;
    None where even that is weak.
    """
    step = driving.spacing
    have_scores = driving.scores is not None and result.scores is not None
    d, r = (o.scores if have_scores else o.ratios for o in (driving, result))
    d, r = _filled(driving.times, np.asarray(d)), _filled(result.times, np.asarray(r))
    if step <= 0 or d is None or r is None:
        return None
    driven = driving.times - start
    active = np.flatnonzero(span(d) > (EvaluateSettings.active if have_scores else ACTIVE_RATIO))
    reach = min(round(_FARTHEST / step), int((driven >= 0).sum()) // 3)
    if not len(active) or reach < 1:
        return None
    lags = list(range(-reach, reach + 1))
    late = [driven + lag * step for lag in lags]
    follows = [_follows(d[:, active], at, result.times, r[:, active], step) for at in late]
    best = int(np.argmax(follows))
    inside = 0 < best < len(lags) - 1
    return lags[best] * step if inside and follows[best] > _CLEAR else None


def _follows(
    driving: Doubles, late: Doubles, times: Doubles, result: Doubles, step: float
) -> float:
    """Mean correlation of driving rows with the result, interpolated at the times `late`.

    Times outside the result are left out.
    """
    slack = step / 100
    both = (late >= times[0] - slack) & (late <= times[-1] + slack)
    if both.sum() < 2:
        return 0.0
    columns = range(driving.shape[1])
    there = (np.interp(late[both], times, result[:, k]) for k in columns)
    return float(np.mean([correlation(driving[both, k], r) for k, r in enumerate(there)]))


def _filled(times: Doubles, rows: Doubles) -> Doubles | None:
    """Rows with gaps filled by linear interpolation; None with fewer than two rows read."""
    ok = ~np.isnan(rows).any(axis=1)
    if ok.sum() < 2:
        return None
    columns = [np.interp(times, times[ok], rows[ok, k]) for k in range(rows.shape[1])]
    return np.stack(columns, axis=1)
