"""The upper bound: the driving clip itself, scaled to the size of the result and encoded again.

What an estimator loses by compression and a small face is lost in every result. The driving clip,
scored like a result, shows how much that is. As it needs no other identity, the true bound of a
result that shows another person is somewhat lower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from retarget.errors import NoFaceFound
from retarget.evaluation import expression, video
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.pairs import pair
from retarget.evaluation.values import Channel, Observed
from retarget.flow.values import FinishedFrame
from retarget.sink.open import open_sink

_FRAMES = 600
"""The most frames of the driving clip that are encoded again, which bounds the time."""
_SAME = {
    "expression.recoded": "expression.correlation",
    "expression.recoded_l1": "expression.l1_corrected",
    "expression.recoded_ratios": "expression.ratio_correlation",
}
"""Each bound, and the measure that it bounds."""

Observe = Callable[[Path], Observed]


class Ceiling:
    """The bounds for one driving clip, shared by results with faces of the same size.

    Args:
        driving: the driving clip's readings.
        active: see `EvaluateSettings.active`.
        observe: reads a video as the driving clip was read.
    """

    def __init__(self, driving: Observed, active: float, observe: Observe) -> None:
        self._driving, self._active, self._observe = driving, active, observe
        self._known: dict[float, tuple[Sheet, list[Channel]]] = {}

    def measure(self, result: Observed, channels: Sequence[Channel], sheet: Sheet) -> list[Channel]:
        """Note the bounds for a result; return its channels with the bound of each."""
        scale = shrinking(self._driving, result)
        if scale not in self._known:
            self._known[scale] = self._scored(scale)
        bounds, most = self._known[scale]
        for key, bounded in _SAME.items():
            sheet.found[key] = bounds.found[bounded]
        reached = {(c.by, c.name): c.correlation for c in most}
        return [replace(c, recoded=reached.get((c.by, c.name))) for c in channels]

    def _scored(self, scale: float) -> tuple[Sheet, list[Channel]]:
        sheet = Sheet()
        with TemporaryDirectory() as folder:
            again = Path(folder) / "driving.mp4"
            recode(self._driving.path, again, scale)
            if video.named(self._driving.path).which:
                again = Path(f"{again}#{_place(self._driving, scale)}")
            try:
                seen = self._observe(again)
            except NoFaceFound:
                sheet.miss("scaled to the result's face, the driving face is not found",
                           *_SAME.values())  # fmt: skip
                return sheet, []
        pairs = pair(self._driving, seen)
        channels = expression.measure(self._driving, seen, pairs, self._active, sheet)
        note = f"{len(pairs)} frames, face at {scale:.0%} of its size"
        for key in _SAME.values():
            value = sheet.found[key][0]
            if value is not None:
                sheet.put(key, value, note)
        return sheet, channels


def shrinking(driving: Observed, result: Observed) -> float:
    """The size of the result's face relative to the driving one, in steps of 5 %; at most 1."""
    made, wanted = (
        float(np.nanmedian(seen.boxes[:, 2] - seen.boxes[:, 0])) for seen in (result, driving)
    )
    return min(1.0, max(0.05, round(20 * made / wanted) / 20))


def _place(seen: Observed, scale: float) -> str:
    """The pixel "x,y" at which a clip's face is first seen, once the clip is scaled."""
    box = seen.boxes[~np.isnan(seen.boxes).any(axis=1)][0]
    x, y = (box[:2] + box[2:]) / 2 * scale
    return f"{x:.0f},{y:.0f}"


def recode(clip: Path, target: Path, scale: float) -> None:
    """Write the first pictures of a clip, scaled, as every result is written."""
    with video.opened(clip) as source, open_sink(target, info=source.info) as sink:
        for frame in islice(source.frames(), _FRAMES):
            width, height = (max(2, 2 * round(side * scale / 2)) for side in frame.size)
            small = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
            sink.write(FinishedFrame(frame=replace(frame, rgb=np.asarray(small, np.uint8))))
