"""Real identities, and requests of them, for the tests of generators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from faces import astronaut, frame
from outside import tracker

from retarget.expression.rest import understand
from retarget.face.still import find_face
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.report import Report
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    FaceRequest,
    HeadPose,
    Identity,
    Instant,
    Measurement,
)
from tests.expression.acting import mirrored, mirrored_weights

SAMPLES = Path(__file__).parents[1] / "samples"


def known(picture: npt.NDArray[np.uint8]) -> Identity:
    """The face of a picture, understood."""
    shown = frame(picture)
    return understand(shown, find_face(shown, tracker(), Report()))


@cache
def smiling() -> Identity:
    """512x512, open mouth with teeth, 61 pixels between the outer eye corners."""
    return known(astronaut())


@cache
def calm() -> Identity:
    """512x512, the sample's drawn person: mouth shut, eyes open, 154 pixels between corners."""
    with av.open(str(SAMPLES / "drive.mp4")) as clip:
        picture = next(islice(clip.decode(video=0), 140, None)).to_ndarray(format="rgb24")
    return known(np.ascontiguousarray(picture))


def in_mirror(identity: Identity) -> Identity:
    """The same person as a mirror shows them."""
    flip, width = np.diag([-1.0, 1.0, 1.0]), identity.frame.size[0]
    over = np.array([width - 1, 0, 0])
    pose, rest, seen = identity.pose, identity.rest, identity.expression.measured
    assert seen is not None

    def other_side(gaze: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return gaze[::-1] * np.array([-1, 1], np.float32)

    return Identity(
        frame=replace(identity.frame, rgb=np.ascontiguousarray(identity.frame.rgb[:, ::-1])),
        face=replace(
            identity.face, points=(mirrored(identity.face.points) + over).astype(np.float32)
        ),
        pose=HeadPose(
            rotation=flip @ pose.rotation @ flip,
            translation=flip @ pose.translation + over,
            scale=pose.scale,
        ),
        expression=Expression(
            weights=mirrored_weights(identity.expression.weights),
            measured=replace(
                seen,
                gaze=other_side(seen.gaze),
                aperture=seen.aperture[::-1].copy(),
                detail=mirrored(seen.detail).astype(np.float32),
            ),
        ),
        rest=replace(
            rest,
            head=mirrored(rest.head).astype(np.float32),
            aperture=rest.aperture[::-1].copy(),
            gaze=other_side(rest.gaze),
        ),
    )


def on_its_side(identity: Identity) -> Identity:
    """The same photo, turned clockwise by a quarter."""
    turn, height = HeadPose.rotation_of(0, 0, 90), identity.frame.size[1]
    over = np.array([height - 1, 0, 0])
    pose, points = identity.pose, identity.face.points @ turn.T + over
    lying = HeadPose(
        rotation=turn @ pose.rotation,
        translation=turn @ pose.translation + over,
        scale=pose.scale,
    )
    bent = face_model().bent(pose) - face_model().bent(lying)  # a rest is read without its bend
    return replace(
        identity,
        frame=replace(identity.frame, rgb=np.ascontiguousarray(np.rot90(identity.frame.rgb, -1))),
        face=replace(identity.face, points=points.astype(np.float32)),
        pose=lying,
        rest=replace(identity.rest, head=identity.rest.head + bent),
    )


def ask(
    identity: Identity, weights: Mapping[str, float] | None = None, *, index: int = 0,
    aperture: float | None = None, lip_gap: float = 0.0, pose: HeadPose | None = None,
    driving: ExpressedFrame | None = None,
) -> FaceRequest:  # fmt: skip
    """Ask for blendshapes beyond what the photo does."""
    vector = blendshapes.weights(weights or {})
    head = identity.pose.to_head(identity.face.points) + face_model().displacement(vector)
    pose = pose or identity.pose
    measured = None
    if aperture is not None:
        measured = Measurement(
            gaze=np.zeros((2, 2), np.float32),
            aperture=np.full(2, aperture, np.float32),
            lip_gap=lip_gap,
        )
    return FaceRequest(
        index=index,
        at=Instant(index, Fraction(1, 25)),
        duration=Fraction(1, 25),
        identity=identity,
        expression=Expression(weights=vector, measured=measured),
        pose=pose,
        points=pose.to_picture(head).astype(np.float32),
        driving=driving,
    )
