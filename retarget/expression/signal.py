"""Expressed frames as rows of numbers, and back; and frames grouped into shots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Measurement

SAME_TIME = 1e-6
"""Seconds; moments that are no farther apart are one."""
_EYES = np.array([n.startswith("eye") for n in blendshapes.NAMES])


class _Parts:
    """The slice of each part in a row, and the usual noise of its numbers."""

    def __init__(self) -> None:
        count = blendshapes.COUNT
        sizes = {
            "weights": count, "gaze": 4, "aperture": 2, "lip_gap": 1,
            "rotation": 9, "place": 3, "size": 1, "detail": 3 * landmarks.COUNT,
        }  # fmt: skip
        usual: dict[str, float | Doubles] = {
            "weights": np.where(_EYES, 0.008, 0.012), "gaze": 0.6, "aperture": 0.012,
            "lip_gap": 0.0015, "rotation": 0.006, "place": 0.003, "size": 0.003,
            "detail": 0.0012,
        }  # fmt: skip
        ends = np.cumsum([0, *sizes.values()])
        self.at = {n: slice(a, b) for n, a, b in zip(sizes, ends[:-1], ends[1:], strict=True)}
        self.size = int(ends[-1])
        self.tremble = np.empty(self.size)
        for name, where in self.at.items():
            self.tremble[where] = usual[name]

    def together(self, squares: Doubles) -> Doubles:
        """The squares, averaged over numbers that belong together (rotation, place, point)."""
        out = squares.copy()
        for name in ("rotation", "place"):
            out[self.at[name]] = squares[self.at[name]].mean()
        points = squares[self.at["detail"]].reshape(-1, 3).mean(axis=1)
        out[self.at["detail"]] = np.repeat(points, 3)
        return out


PARTS = _Parts()


@dataclass(frozen=True, eq=False)
class Signal:
    """One frame that has an expression, and its row."""

    frame: ExpressedFrame
    seconds: float
    values: Doubles

    def past(self) -> Signal:
        """The same without pixels, to free their memory."""
        return Signal(replace(self.frame, tracked=None), self.seconds, self.values)


class Shot(ABC):
    """Frames that belong together, from a cut or a loss to the next.

    Args:
        ahead: seconds after it that each frame waits for.
    """

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead
        self._waiting: deque[Signal] = deque()
        self._filled: tuple[bool, ...] | None = None

    @abstractmethod
    def seen(self, signal: Signal) -> None:
        """Called with each frame, as soon as it comes."""

    @abstractmethod
    def changed(self, now: Signal) -> ExpressedFrame:
        """The changed frame, once all frames within `ahead` seconds after it were seen."""

    def continues(self, frame: ExpressedFrame) -> bool:
        """Whether the frame has the same parts as the ones before."""
        return self._filled in (None, _filled(frame))

    def take(self, frame: ExpressedFrame) -> Iterator[ExpressedFrame]:
        """Take the next frame, and give out those that are ready."""
        signal, self._filled = joined(frame), _filled(frame)
        self._waiting.append(signal)
        self.seen(signal)
        while self._waiting and signal.seconds - self._waiting[0].seconds >= self._ahead:
            yield self.changed(self._waiting.popleft())

    def rest(self) -> Iterator[ExpressedFrame]:
        """Give out all frames that still wait."""
        while self._waiting:
            yield self.changed(self._waiting.popleft())


def shot_by_shot(
    frames: Iterator[ExpressedFrame], begin: Callable[[], Shot]
) -> Iterator[ExpressedFrame]:
    """Every frame once, in order, through a new `Shot` after every cut and loss.

    Frames without an expression pass unchanged.
    """
    shot = begin()
    for frame in frames:
        if frame.expression is None or frame.cut or not shot.continues(frame):
            yield from shot.rest()
            shot = begin()
        if frame.expression is None:
            yield frame
        else:
            yield from shot.take(frame)
    yield from shot.rest()


def _filled(frame: ExpressedFrame) -> tuple[bool, ...]:
    """Whether a frame has a pose, and measurements."""
    measured = frame.expression is not None and frame.expression.measured is not None
    return frame.pose is not None, measured


def joined(frame: ExpressedFrame) -> Signal:
    """The row of a frame that has an expression; other parts it lacks are 0."""
    values = np.zeros(PARTS.size)
    at = PARTS.at
    if frame.expression is None:
        raise ValueError("a frame without an expression has no row")
    values[at["weights"]] = frame.expression.weights
    seen = frame.expression.measured
    if seen is not None:
        values[at["gaze"]] = seen.gaze.ravel()
        values[at["aperture"]] = seen.aperture
        values[at["lip_gap"]] = seen.lip_gap
        values[at["detail"]] = seen.detail.ravel()
    if frame.pose is not None:
        values[at["rotation"]] = frame.pose.rotation.ravel()
        # In head units, so that the noise does not depend on the size of the face.
        values[at["place"]] = frame.pose.translation / frame.pose.scale
        values[at["size"]] = np.log(frame.pose.scale)
    return Signal(frame, frame.at.seconds, values)


def split(signal: Signal, values: Doubles) -> ExpressedFrame:
    """The signal's frame with the numbers of another row (`PARTS.size`,)."""
    at, frame = PARTS.at, signal.frame
    if frame.expression is None:
        raise ValueError("a frame without an expression has no row")
    measured = None
    if frame.expression.measured is not None:
        measured = Measurement(
            gaze=values[at["gaze"]].reshape(2, 2).astype(np.float32),
            aperture=np.maximum(values[at["aperture"]], 0.0).astype(np.float32),
            lip_gap=max(float(values[at["lip_gap"]][0]), 0.0),
            detail=values[at["detail"]].reshape(-1, 3).astype(np.float32),
        )
    weights = np.clip(values[at["weights"]], 0.0, 1.0).astype(np.float32)
    pose = None if frame.pose is None else _pose(values)
    return replace(frame, expression=Expression(weights=weights, measured=measured), pose=pose)


def _pose(values: Doubles) -> HeadPose:
    at = PARTS.at
    u, _, vt = np.linalg.svd(values[at["rotation"]].reshape(3, 3))
    rotation = u @ np.diag((1.0, 1.0, np.linalg.det(u @ vt))) @ vt
    scale = float(np.exp(values[at["size"]][0]))
    return HeadPose(rotation=rotation, translation=values[at["place"]] * scale, scale=scale)
