"""From one real picture of a person to another, through blendshape space.

Both photos perform every frame: each shows the interpolated expression and head rotation, and the
result fades from the first photo to the second. `way` is how far a frame has come: 0 is the first
photo as it is, 1 the second.
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
"""Degrees between two heads above which hair and ears of one cannot be warped to the other."""
LONGEST = 1920
"""Pixels of the frames' longer side at most, as each frame warps two whole pictures."""
_FADE = (0.2, 0.05)
"""Half the length of the fade, in parts of the way: for heads turned alike, and for heads `FAR` or
more apart, which would both be visible in a longer one."""


class Change:
    """The change from one photo to another; frames have the size of the first."""

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
        if generator.name == "warp":  # other generators do not move hair
            both = zip(self._photos, self._still, strict=True)
            self._mattes = [
                _with_background(_as_picture(p, s.share), generator, report) for p, s in both
            ]
        # Roll is undone in the image plane; what remains is the rotation out of it.
        begins, ends = (
            HeadPose.rotation_of(0, 0, -p.pose.angles[2]) @ p.pose.rotation for p in self._photos
        )
        self._turn = ends @ begins.T

    @property
    def one_camera(self) -> bool:
        """Whether both show one background; if so, the clip ends with the second photo."""
        return self._join.one_camera

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames."""
        return self._photos[0].frame.size

    @property
    def apart(self) -> float:
        """Degrees between the two heads' rotations, without roll."""
        return float(np.degrees(np.linalg.norm(cv2.Rodrigues(self._turn)[0])))

    def warn(self) -> None:
        """Warn of two people, or of heads that are turned too far apart."""
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
        """The interpolated expression at each way."""
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
        """One of the photos performing frames, with the person's matte in each."""
        shares: Iterable[Floats] = repeat(self._still[which].share)
        if self._mattes:
            mattes = self._mattes[which].perform(frames)
            shares = (m.frame.rgb[..., 0] / np.float32(255) for m in mattes)
        for finished, share in zip(self._actors[which].perform(frames), shares, strict=False):
            yield Portrayed(rgb=finished.frame.rgb, share=_with_face(share, finished.request))

    def _faded(self, way: float) -> float:
        """The opacity of the second photo."""
        alike, far = _FADE
        reach = alike + (far - alike) * min(1.0, self.apart / FAR) ** 2
        return eased(float(np.clip((way - 0.5) / (2 * reach) + 0.5, 0, 1)))


def _with_background(photo: Identity, generator: Generator, report: Report) -> Actor:
    """An actor whose background moves along, so that a matte that is warped fits the picture."""
    return Actor(photo, generator, report, still_background=False)


def change(first: Identity, second: Identity, generator: Generator, report: Report) -> Change:
    """The change from one photo to another, cropped to what both show, at most `LONGEST` large."""
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
    """The part of the first photo that the second covers with aligned heads; None: not the face."""
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
    """The photo with a matte in place of its pixels, to be warped as they are."""
    grey = np.repeat(np.rint(255 * share).astype(np.uint8)[..., None], 3, axis=2)
    return replace(photo, frame=replace(photo.frame, rgb=grey))


def _with_face(share: Floats, request: FaceRequest | None) -> Floats:
    """A matte that is 1 in the whole face, where eyes and mouth may have been drawn into it."""
    if request is None:
        return share
    oval = np.rint(request.points[list(landmarks.FACE_OVAL), :2]).astype(np.int32)
    inside = cv2.fillPoly(np.zeros(share.shape, np.uint8), [oval], [1])
    inside = cv2.erode(inside, np.ones((5, 5), np.uint8))
    return np.where(np.asarray(inside) > 0, np.float32(1), share)


def _similarity(photo: HeadPose, to: HeadPose) -> Doubles:
    """(2, 3) similarity from a photo's pixels to another's that aligns the heads."""
    angle = np.radians(to.angles[2] - photo.angles[2])
    scale = to.scale / photo.scale
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = to.translation[:2] - turn @ photo.translation[:2]
    return np.hstack([turn, shift[:, None]])


def _part(turn: Doubles, share: float) -> Doubles:
    """A rotation by a part, of either sign, of another's angle."""
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
