"""Real identities, and requests of them, for the tests of generators."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from faces import astronaut, frame

from retarget.expression.rest import understand
from retarget.face.settings import TrackSettings
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

SAMPLES = Path(__file__).parents[1] / "samples"


def known(picture: npt.NDArray[np.uint8]) -> Identity:
    """The face of a picture, understood."""
    shown = frame(picture)
    return understand(shown, find_face(shown, TrackSettings(), Report()))


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
