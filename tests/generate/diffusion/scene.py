"""A person in a picture, and requests for what they should do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from retarget.flow import blendshapes
from retarget.flow.crop import Crop
from retarget.flow.face_model import face_model
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    Face,
    FaceRequest,
    GeneratedFace,
    HeadPose,
    Identity,
    Instant,
    RestFace,
    TrackedFrame,
    VideoFrame,
)

SIZE = (96, 128)
"""Height and width of the person's picture."""


def picture(seed: int = 0) -> VideoFrame:
    """Soft spots of color."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (6, 8, 3))
    rows, columns = np.linspace(0, 5, SIZE[0]), np.linspace(0, 7, SIZE[1])
    rgb = coarse[np.rint(rows).astype(int)][:, np.rint(columns).astype(int)]
    return VideoFrame(rgb=rgb.astype(np.uint8), index=0, at=Instant(0, Fraction(1, 25)))


def pose(x: float = 64.0, y: float = 44.0, size: float = 30.0) -> HeadPose:
    return HeadPose(rotation=np.eye(3), translation=np.array([x, y, 0.0]), scale=size)


def points(where: HeadPose, expression: Expression) -> np.ndarray:
    model = face_model()
    head = model.neutral + model.displacement(expression.weights)
    return where.to_picture(head).astype(np.float32)


def doing(**weights: float) -> Expression:
    return Expression(weights=blendshapes.weights(weights))


def person(seed: int = 0) -> Identity:
    where, calm = pose(), doing()
    return Identity(
        frame=picture(seed),
        face=Face(points=points(where, calm)),
        pose=where,
        expression=calm,
        rest=RestFace(
            head=face_model().neutral.astype(np.float32),
            aperture=np.full(2, 0.3, np.float32),
            gaze=np.zeros((2, 2), np.float32),
            lip_gap=0.0,
        ),
    )


def request(
    identity: Identity,
    index: int = 0,
    *,
    pixels: bool = True,
    cut: bool = False,
    away: bool = False,
    **weights: float,
) -> FaceRequest:
    """A request whose driving frame is a picture of its own, or has no pixels at all."""
    expression, where = doing(**weights), pose(x=64.0 + 0.5 * index)
    frame = replace(picture(100 + index), index=index)
    face = Face(points=points(where, expression))
    tracked = TrackedFrame(frame=frame, face=None if away else face)
    at = Instant(index, Fraction(1, 25))
    return FaceRequest(
        index=index,
        at=at,
        duration=Fraction(1, 25),
        identity=identity,
        expression=expression,
        pose=where,
        points=points(where, expression),
        driving=ExpressedFrame(
            index=index,
            at=at,
            duration=Fraction(1, 25),
            expression=None if away else expression,
            pose=None if away else where,
            tracked=tracked if pixels else None,
        ),
        away=away,
        cut=cut,
    )


def requests(identity: Identity, count: int, cuts: Sequence[int] = (0,)) -> list[FaceRequest]:
    return [
        request(identity, i, cut=i in cuts, jawOpen=0.1 * (i % 7), mouthSmileLeft=0.2 * (i % 4))
        for i in range(count)
    ]


class Still:
    """A guide that draws the photo with a square of its own color in the middle of the face."""

    name = "generate"

    def __init__(self) -> None:
        self.prepared: list[Identity] = []

    def prepare(self, identity: Identity) -> None:
        self.prepared.append(identity)

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        for asked in frames:
            crop = Crop.box(24, 4, 80, 88)
            rgb = asked.identity.frame.rgb[4:92, 24:104].copy()
            rgb[30:40, 30:50] = (10 * asked.index) % 256
            yield GeneratedFace(request=asked, rgb=rgb, crop=crop)
