"""From one real picture of a person to another, through blendshape space.

Both photos act: each does what lies between the two expressions, its head turned as far as on the
way, and the picture passes from the first, at whose own expression the way begins, to the second,
at whose own it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import repeat
from typing import TYPE_CHECKING

import cv2
import numpy as np

from retarget.composite.join import Join, Portrayed
from retarget.composite.matte import PersonMatte
from retarget.face.likeness import ANOTHER, edges, unlikeness
from retarget.flow import landmarks
from retarget.flow.ease import eased
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    FaceRequest,
    FinishedFrame,
    HeadPose,
    Identity,
    Instant,
    VideoFrame,
)
from retarget.jobs.act import Actor
from retarget.jobs.reframe import Box, reframed, within_size
from retarget.transfer.lost import between

if TYPE_CHECKING:
    from retarget.flow.arrays import Doubles, Floats, Picture
    from retarget.flow.report import Report
    from retarget.generate.generator import Generator

FAR = 25.0
"""Degrees between two heads from which the surroundings of the one cannot be had from the other."""
LONGEST = 1920
"""Pixels of the longer side of the frames: larger photos are made smaller, as each frame moves two
pictures whole."""
_FADE = (0.2, 0.05)
"""How long on each side of the middle of the way the one fades into the other: where the heads
are turned alike, and where they are `FAR` apart or more and both would be seen."""


class Change:
    """The way from one photo to another; the clip has the size of the first."""

    def __init__(
        self, first: Identity, second: Identity, generator: Generator, report: Report
    ) -> None:
        self._photos, self._report = (first, second), report
        matte = PersonMatte().share
        one, two = (
            Portrayed(rgb=p.frame.rgb, share=matte(p.frame.rgb, p.face.points))
            for p in self._photos
        )
        self._still = one, two
        over = _similarity(first.pose, second.pose)
        head = first.pose.translation[:2]
        self._join = Join(one, two, over, head, first.pose.scale)
        self._actors = [_with_background(p, generator, report) for p in self._photos]
        self._mattes: list[Actor] = []
        if generator.name == "warp":  # any other leaves hair where it is
            both = zip(self._photos, self._still, strict=True)
            self._mattes = [
                _with_background(_as_picture(p, s.share), generator, report) for p, s in both
            ]
        # Roll is left to the plane: what remains is how far the heads are turned apart.
        begins, ends = (
            HeadPose.rotation_of(0, 0, -p.pose.angles[2]) @ p.pose.rotation for p in self._photos
        )
        self._turn = ends @ begins.T

    @property
    def one_camera(self) -> bool:
        """Whether both stand before one background; the way ends with the second photo, then."""
        return self._join.one_camera

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames."""
        return self._photos[0].frame.size

    @property
    def apart(self) -> float:
        """Degrees that the second head is turned away from the first, roll aside."""
        return float(np.degrees(np.linalg.norm(cv2.Rodrigues(self._turn)[0])))

    def warn(self) -> None:
        """Say what speaks against joining these two."""
        one, two = (edges(photo.frame.rgb, photo.face) for photo in self._photos)
        if unlikeness(one, two) > ANOTHER:
            self._report.warn(
                "The two pictures seem to show two different people, and halfway a face will be "
                "neither's; give two pictures of one person, unless they are."
            )
        if self.apart > FAR:
            self._report.warn(
                f"The two heads are turned {self.apart:.0f}° apart. Beyond {FAR:.0f}° one picture "
                "cannot be moved to where the other begins, and hair and ears will jump halfway; "
                "choose pictures that look the same way."
            )

    def expressions(self, ways: Sequence[float]) -> list[Expression]:
        """What the face does at each way."""
        old, new = (photo.expression for photo in self._photos)
        return [between(old, new, way) for way in ways]

    def frames(self, ways: Sequence[float], rate: Fraction) -> Iterator[FinishedFrame]:
        """One frame for each way (0 the first photo, 1 the second), in the first photo's size."""
        moving = [way for way in ways if 0 < way < 1]
        drawn = self._drawn(moving, rate)
        ends = {0.0: self._still[0].rgb, 1.0: self._end()}
        for i, way in enumerate(ways):
            rgb = ends[way] if way in ends else next(drawn)
            yield FinishedFrame(
                frame=VideoFrame(rgb=rgb, index=i, at=Instant(i, 1 / rate), duration=1 / rate)
            )

    def _end(self) -> Picture:
        if self.one_camera:
            return self._still[1].rgb
        one, two = self._still
        return self._join(1.0, one, two, 1.0)

    def _drawn(self, ways: Sequence[float], rate: Fraction) -> Iterator[Picture]:
        expressions = self.expressions(ways)
        turns = (
            [_part(self._turn, way) for way in ways],
            [_part(self._turn, way - 1) for way in ways],
        )
        pairs = zip(
            *(self._acted(i, list(_frames(expressions, turns[i], rate))) for i in range(2)),
            strict=True,
        )
        for way, (first, second) in zip(ways, pairs, strict=True):
            yield self._join(way, first, second, self._faded(way))

    def _acted(self, which: int, frames: Sequence[ExpressedFrame]) -> Iterator[Portrayed]:
        """One of the photos doing what is said, and where the person is in it."""
        shares: Iterable[Floats] = repeat(self._still[which].share)
        if self._mattes:
            mattes = self._mattes[which].perform(frames)
            shares = (m.frame.rgb[..., 0] / np.float32(255) for m in mattes)
        for finished, share in zip(self._actors[which].perform(frames), shares, strict=False):
            yield Portrayed(rgb=finished.frame.rgb, share=_with_face(share, finished.request))

    def _faded(self, way: float) -> float:
        """How much of the second is shown."""
        alike, far = _FADE
        reach = alike + (far - alike) * min(1.0, self.apart / FAR) ** 2
        return eased(float(np.clip((way - 0.5) / (2 * reach) + 0.5, 0, 1)))


def _with_background(photo: Identity, generator: Generator, report: Report) -> Actor:
    """An actor whose background goes along, so that what is drawn of a matte fits the picture."""
    return Actor(photo, generator, report, tells_background=False)


def change(first: Identity, second: Identity, generator: Generator, report: Report) -> Change:
    """The way from one photo to another: no more than both show, and no larger than `LONGEST`."""
    first, second = within_size(first, LONGEST), within_size(second, LONGEST)
    way = Change(first, second, generator, report)
    if way.one_camera:
        return way
    box = _shown_by_both(first, second)
    if box is None or (box.width, box.height) == first.frame.size:
        return way
    part = reframed(first, box, (round(box.width), round(box.height)))
    return Change(part, second, generator, report)


def _shown_by_both(first: Identity, second: Identity) -> Box | None:
    """The part of the first photo that the second has, too, laid head on head; None: no face."""
    width, height = second.frame.size
    back = cv2.invertAffineTransform(_similarity(first.pose, second.pose))
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    x, y = (corners @ back[:, :2].T + back[:, 2]).T
    left, right = max(0, np.ceil(max(x[0], x[2])) + 1), np.floor(min(x[1], x[3])) - 1
    top, bottom = max(0, np.ceil(max(y[0], y[1])) + 1), np.floor(min(y[2], y[3])) - 1
    right, bottom = min(first.frame.size[0], right), min(first.frame.size[1], bottom)
    box = Box(float(left), float(top), float(right - left), float(bottom - top))
    points = first.face.points[:, :2]
    inside = (points > (left, top)).all() and (points < (right, bottom)).all()
    return box if inside else None


def _as_picture(photo: Identity, share: Floats) -> Identity:
    """The photo with a matte in place of its pixels, which moves as they do."""
    grey = np.repeat(np.rint(255 * share).astype(np.uint8)[..., None], 3, axis=2)
    return replace(photo, frame=replace(photo.frame, rgb=grey))


def _with_face(share: Floats, request: FaceRequest | None) -> Floats:
    """A matte with the whole face in it, whatever eyes and mouth were drawn there."""
    if request is None:
        return share
    oval = np.rint(request.points[list(landmarks.FACE_OVAL), :2]).astype(np.int32)
    inside = cv2.fillPoly(np.zeros(share.shape, np.uint8), [oval], [1])
    inside = cv2.erode(inside, np.ones((5, 5), np.uint8))
    return np.where(np.asarray(inside) > 0, np.float32(1), share)


def _similarity(photo: HeadPose, to: HeadPose) -> Doubles:
    """(2, 3) from a photo's pixels to another's, in the plane, that lays head on head."""
    angle = np.radians(to.angles[2] - photo.angles[2])
    scale = to.scale / photo.scale
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = to.translation[:2] - turn @ photo.translation[:2]
    return np.hstack([turn, shift[:, None]])


def _part(turn: Doubles, share: float) -> Doubles:
    """A share, of either sign, of a rotation."""
    axis, _ = cv2.Rodrigues(turn)
    part, _ = cv2.Rodrigues(axis * share)
    return np.asarray(part, np.float64)


def _frames(
    expressions: Sequence[Expression], turns: Sequence[Doubles], rate: Fraction
) -> Iterator[ExpressedFrame]:
    for i, (expression, turn) in enumerate(zip(expressions, turns, strict=True)):
        yield ExpressedFrame(
            index=i,
            at=Instant(i, 1 / rate),
            duration=1 / rate,
            expression=expression,
            pose=HeadPose(rotation=turn, translation=np.zeros(3), scale=1.0),
        )
