"""One photo that does what is said: words in, finished pictures out.

The same rooms as for a driving video, with what was said in place of what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import repeat
from typing import TYPE_CHECKING

import cv2
import numpy as np

from retarget.composite.paste import Paste
from retarget.composite.settings import PasteSettings
from retarget.flow.crop import Crop
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    Face,
    HeadPose,
    Identity,
    Instant,
    VideoFrame,
)
from retarget.transfer.settings import TransferSettings
from retarget.transfer.transfer import DrivingFace, Transfer

if TYPE_CHECKING:
    from retarget.flow.arrays import Picture
    from retarget.flow.report import Report
    from retarget.flow.values import FinishedFrame
    from retarget.generate.generator import Generator
    from retarget.language.say import Said

_SHOWN = 0.5
"""A picture's share of an expression from which its mouth is shown."""
_ONE = 0.999
_NO_TIME = Instant(0, Fraction(1))
_STRAIGHT = HeadPose(rotation=np.eye(3), translation=np.zeros(3), scale=1.0)


class Actor:
    """One identity and the generator that draws it.

    Args:
        identity: the photo, understood.
        generator: who draws.
        report: where the times go.
    """

    def __init__(self, identity: Identity, generator: Generator, report: Report) -> None:
        self.identity = identity
        self._generator = generator
        self._report = report
        generator.prepare(identity)

    def perform(self, frames: Iterable[ExpressedFrame]) -> Iterator[FinishedFrame]:
        """One finished picture for each frame, in the photo's own size."""
        face = DrivingFace(rest=self.identity.rest, usual=[_STRAIGHT])
        transfer = Transfer(TransferSettings(motion="full"), face, repeat(self.identity))
        requests = self._report.stage("transfer", transfer, iter(frames))
        faces = self._report.stage("generate", self._generator, requests)
        return self._report.stage("paste", Paste(PasteSettings()), faces)

    def show(self, said: Said) -> Picture:
        """One picture (height, width, 3) in the photo's own size."""
        return next(self.perform([performed(said, cut=True)])).frame.rgb

    def show_each(self, said: Iterable[Said]) -> Iterator[Picture]:
        """One picture for each expression; none carries anything over from the one before."""
        moments = (performed(one, index=i, cut=True) for i, one in enumerate(said))
        for finished in self.perform(moments):
            yield finished.frame.rgb


def performed(
    said: Said,
    *,
    index: int = 0,
    at: Instant = _NO_TIME,
    duration: Fraction = Fraction(0),
    cut: bool = False,
) -> ExpressedFrame:
    """What was said, as if it had been seen on a driving face that looks straight ahead."""
    seen = said.template
    expression = said.expression
    if seen is not None and said.share >= _ONE and _same(seen.expression, expression):
        expression = seen.expression or expression  # nothing but the picture: its detail, too
    rotation = HeadPose.rotation_of(*said.head)
    return ExpressedFrame(
        index=index,
        at=at,
        duration=duration,
        expression=expression,
        pose=replace(_STRAIGHT, rotation=rotation),
        cut=cut,
        tracked=seen.tracked if seen is not None and said.share >= _SHOWN else None,
    )


def _same(one: Expression | None, other: Expression) -> bool:
    return one is not None and np.allclose(one.weights, other.weights, atol=1e-3)


def face_box(identity: Identity, around: float) -> tuple[float, float, float]:
    """A square about a face: (left, top, side) in pixels, which may leave the picture.

    Args:
        identity: whose face.
        around: side of the square in heights of the face (brow to chin about 1).
    """
    low, high = identity.face.points[:, :2].min(0), identity.face.points[:, :2].max(0)
    side = float(around * max(high - low))
    middle = (low + high) / 2
    return float(middle[0] - side / 2), float(middle[1] - side / 2), side


def reframed(identity: Identity, box: tuple[float, float, float], size: int) -> Identity:
    """The identity in a square picture of its own: cheaper to draw where a face is shown small.

    Args:
        identity: the photo, understood.
        box: (left, top, side) of the square in the photo, in pixels.
        size: side of the new picture in pixels.
    """
    left, top, side = box
    scale = side / size
    centre = (scale - 1) / 2  # pixel centres are whole numbers
    crop = Crop(
        to_frame=np.array([[scale, 0.0, left + centre], [0.0, scale, top + centre]]),
        size=(size, size),
    )
    points = identity.face.points.copy()
    points[:, :2] = crop.points_to_crop(points[:, :2])
    points[:, 2] /= scale
    place = identity.pose.translation / scale
    place[:2] = crop.points_to_crop(identity.pose.translation[None, :2])[0]
    return replace(
        identity,
        frame=VideoFrame(
            rgb=cut_out(identity.frame.rgb, box, size),
            index=identity.frame.index,
            at=identity.frame.at,
        ),
        face=Face(points=points, scores=identity.face.scores),
        pose=replace(identity.pose, translation=place, scale=identity.pose.scale / scale),
    )


def cut_out(rgb: Picture, box: tuple[float, float, float], size: int) -> Picture:
    """A square of a picture at another size; beyond its edge the edge is repeated."""
    left, top, side = box
    scale = side / size
    if scale > 2:  # average down first, so that no pixel is passed over
        factor = 1 / int(scale)
        smaller = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        real = smaller.shape[1] / rgb.shape[1]
        moved = (left * real, top * real, side * real)
        return cut_out(np.asarray(smaller, np.uint8), moved, size)
    centre = (scale - 1) / 2
    matrix = np.array([[scale, 0.0, left + centre], [0.0, scale, top + centre]])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if scale > 1 else cv2.INTER_CUBIC)
    out = cv2.warpAffine(rgb, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)
