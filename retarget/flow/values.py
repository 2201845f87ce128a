"""The values that pass from room to room, in the order in which they are made.

VideoFrame → TrackedFrame → ExpressedFrame → FaceRequest → GeneratedFace → FinishedFrame

Pictures are upright RGB uint8. Points are in pixels of the whole frame (x right, y down, z away
from the camera) unless a name says "head": the head frame has the same axes on a face that looks
straight into the camera, its origin midway between the outer eye corners of the rest face, and
the distance of those corners as its unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Bytes, Doubles, Floats, Picture, Reals
from retarget.flow.check import check_array, check_finite
from retarget.flow.crop import Crop


@dataclass(frozen=True, slots=True)
class Instant:
    """An exact moment: `pts` ticks of `time_base` seconds."""

    pts: int
    time_base: Fraction

    @property
    def exact(self) -> Fraction:
        """Seconds, exactly."""
        return self.pts * self.time_base

    @property
    def seconds(self) -> float:
        """Seconds."""
        return float(self.exact)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VideoFrame:
    """One upright picture and when it is shown."""

    rgb: Picture
    """(height, width, 3) RGB, upright, sRGB."""
    index: int
    """0, 1, 2, … in the order of showing."""
    at: Instant
    duration: Fraction = Fraction(0)
    """Seconds until the next frame; 0 where unknown."""

    def __post_init__(self) -> None:
        check_array("rgb", self.rgb, (None, None, 3), np.uint8)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def __repr__(self) -> str:
        width, height = self.size
        return f"VideoFrame({self.index} at {self.at.seconds:.3f} s, {width}x{height})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Face:
    """Where one face lies in one frame."""

    points: Floats
    """(478, 3) mesh points in pixels of the whole frame."""
    scores: Floats | None = None
    """(52,) scores of MediaPipe's own blendshape network, 0..1, where the tracker gives them; None
    from the tracker in mediapipe's wheel, whose mesh understates lowered brows."""

    def __post_init__(self) -> None:
        check_array("points", self.points, (landmarks.COUNT, 3), np.float32)
        check_finite("points", self.points)
        if self.scores is not None:
            check_array("scores", self.scores, (blendshapes.COUNT,), np.float32)

    @property
    def eye_distance(self) -> float:
        """Pixels between the outer eye corners, depth included."""
        right, left = self.points[list(landmarks.EYE_OUTER_CORNERS)]
        return float(np.linalg.norm(left - right))

    def __repr__(self) -> str:
        x, y = self.points[:, :2].mean(axis=0)
        return f"Face(at ({x:.0f}, {y:.0f}))"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackedFrame:
    """A frame and the face that is followed in it, None while the face is away."""

    frame: VideoFrame
    face: Face | None
    cut: bool = False
    """True on the first frame of a new shot or of a face found again: nothing may be carried
    over from the frames before."""
    others: int = 0
    """Faces seen beside the followed one."""

    def without_pixels(self) -> TrackedFrame:
        """The same with a black picture of that size that takes no memory."""
        rgb = np.broadcast_to(np.uint8(0), self.frame.rgb.shape)
        return replace(self, frame=replace(self.frame, rgb=rgb))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadPose:
    """Where the head is: picture points = scale · rotation @ head points + translation."""

    rotation: Doubles
    """(3, 3) proper rotation from the head frame to the picture's axes."""
    translation: Doubles
    """(3,) the head frame's origin, in pixels of the whole frame."""
    scale: float
    """Pixels per head unit (one outer-eye-corner distance)."""

    def __post_init__(self) -> None:
        check_array("rotation", self.rotation, (3, 3), np.float64)
        check_array("translation", self.translation, (3,), np.float64)

    def to_picture(self, head: Reals) -> Doubles:
        """Head-frame points (n, 3) as picture points (n, 3) in pixels."""
        return self.scale * (head @ self.rotation.T) + self.translation

    def to_head(self, points: Reals) -> Doubles:
        """Picture points (n, 3) in pixels as head-frame points (n, 3)."""
        return (points - self.translation) @ self.rotation / self.scale

    @property
    def angles(self) -> tuple[float, float, float]:
        """(yaw, pitch, roll) in degrees.

        Positive when the face turns to the picture's right, looks up, and leans its crown to the
        picture's right; `rotation` = Ry(yaw) · Rx(pitch) · Rz(roll).
        """
        r = self.rotation
        yaw = np.degrees(np.arctan2(-r[0, 2], r[2, 2]))
        pitch = np.degrees(np.arcsin(np.clip(r[1, 2], -1.0, 1.0)))
        roll = np.degrees(np.arctan2(r[1, 0], r[1, 1]))
        return float(yaw), float(pitch), float(roll)

    def apart(self, other: HeadPose) -> float:
        """Degrees between the rotations of two heads, about any axis."""
        cos = (np.trace(self.rotation @ other.rotation.T) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cos, -1.0, 1.0))))

    def __repr__(self) -> str:
        yaw, pitch, roll = self.angles
        return (
            f"HeadPose(yaw {yaw:.0f}, pitch {pitch:.0f}, roll {roll:.0f}, scale {self.scale:.3g})"
        )

    @staticmethod
    def rotation_of(yaw: float, pitch: float, roll: float) -> Doubles:
        """The (3, 3) rotation whose `angles` are these, in degrees."""
        (sy, sp, sr), (cy, cp, cr) = (
            np.sin(np.radians([yaw, pitch, roll])),
            np.cos(np.radians([yaw, pitch, roll])),
        )
        about_y = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
        about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
        about_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(about_y @ about_x @ about_z)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """What is measured directly on the mesh, more exactly than weights can tell.

    Lids, gaze and the contact of the lips follow it and not the weights: who edits the weights of a
    blink changes `aperture`, too.
    """

    gaze: Floats
    """(2, 2) degrees relative to the head, rows left eye and right eye, columns yaw (positive to
    the person's left) and pitch (positive up)."""
    aperture: Floats
    """(2,) opening of the left and right eye relative to the same eye at rest: 0 shut, 1 rest."""
    lip_gap: float
    """Distance of the inner lip rims at the middle of the mouth in head units; 0 is contact."""
    detail: Floats = field(default_factory=lambda: np.zeros((landmarks.COUNT, 3), np.float32))
    """(478, 3) head units: the measured mesh minus the mesh of the weights."""

    def __post_init__(self) -> None:
        check_array("gaze", self.gaze, (2, 2), np.float32)
        check_array("aperture", self.aperture, (2,), np.float32)
        check_array("detail", self.detail, (landmarks.COUNT, 3), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expression:
    """What a face does, relative to its own rest."""

    basis: ClassVar[str] = "arkit-52"

    weights: Floats
    """(52,) ARKit blendshape weights in the order of `blendshapes.NAMES`, 0..1."""
    measured: Measurement | None = None
    """None where the expression comes from words (a label, a preset) and not from a face."""

    def __post_init__(self) -> None:
        check_array("weights", self.weights, (blendshapes.COUNT,), np.float32)
        check_finite("weights", self.weights)

    def __repr__(self) -> str:
        strongest = sorted(blendshapes.named(self.weights, 0.05).items(), key=lambda x: -x[1])[:3]
        return "Expression(" + ", ".join(f"{n}={v:.2f}" for n, v in strongest) + ")"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RestFace:
    """One person's neutral face: the zero from which their expressions are measured."""

    head: Floats
    """(478, 3) mesh in the head frame."""
    aperture: Floats
    """(2,) lid distance of left and right eye at rest, in that eye's widths."""
    gaze: Floats
    """(2, 2) degrees, as `Measurement.gaze`: what the mesh reports of eyes that look ahead."""
    lip_gap: float
    """Head units: what the mesh reports between lips that touch."""
    found: str = "given"
    """How this rest was found, for the report."""

    def __post_init__(self) -> None:
        check_array("head", self.head, (landmarks.COUNT, 3), np.float32)
        check_array("aperture", self.aperture, (2,), np.float32)
        check_array("gaze", self.gaze, (2, 2), np.float32)

    def __repr__(self) -> str:
        return f"RestFace({self.found})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpressedFrame:
    """What the driving face does at one moment; its pixels may already be gone."""

    index: int
    at: Instant
    duration: Fraction
    """Seconds until the next frame; 0 where unknown."""
    expression: Expression | None
    """None while the face is away."""
    pose: HeadPose | None
    """None while the face is away."""
    cut: bool = False
    tracked: TrackedFrame | None = field(default=None, repr=False)
    """The frame with its pixels; None from a saved performance."""
    rest: RestFace | None = field(default=None, repr=False)
    """The rest of the person shown, where a video shows several; None: the only person's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identity:
    """One picture of the person who is to perform, tracked and fitted."""

    frame: VideoFrame
    face: Face
    pose: HeadPose
    expression: Expression
    """What the person does in this picture."""
    rest: RestFace
    """The person without that expression."""
    as_filmed: bool = False
    """Whether this is a frame of the driving clip: the same person in a head pose of the clip."""
    passing: bool = False
    """True for a frame of an identity clip: shown once, so not worth long preparation."""
    away: bool = False
    """Whether the frame shows no face: face, pose and expression are another frame's, and the frame
    is to stay as it is."""
    person: Bytes | None = field(default=None, repr=False)
    """(height, width) 255 on this person, 0 on the background; None where not segmented."""

    def __post_init__(self) -> None:
        if self.person is not None:
            check_array("person", self.person, self.frame.rgb.shape[:2], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceRequest:
    """What the identity should look like at one moment."""

    index: int
    at: Instant
    duration: Fraction
    identity: Identity = field(repr=False)
    expression: Expression
    """What the identity should do: absolute, relative to the identity's rest."""
    pose: HeadPose
    """Where the identity's head should be, in the identity's frame."""
    points: Floats = field(repr=False)
    """(478, 3) where its mesh should be, in pixels of the identity's frame."""
    driving: ExpressedFrame | None = field(default=None, repr=False)
    """The driving frame, also one without a face. Its pixels, if any, feed the mouth interior,
    pixel encoders and the preview."""
    driving_rest: ExpressedFrame | None = field(default=None, repr=False)
    """The driving frame nearest to the driving face's rest, with pixels."""
    away: bool = False
    """True where the driving face is away and the request was filled in."""
    cut: bool = False

    def __post_init__(self) -> None:
        check_array("points", self.points, (landmarks.COUNT, 3), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeneratedFace:
    """New pixels for the surroundings of one face."""

    request: FaceRequest
    rgb: Picture = field(repr=False)
    """(height, width, 3) the crop."""
    crop: Crop
    """Where the crop lies in the identity's frame."""
    mask: Bytes | None = field(default=None, repr=False)
    """(height, width) how much of each pixel is new, 0..255; None: all of it, and the border
    already equals the identity's frame."""

    def __post_init__(self) -> None:
        width, height = self.crop.size
        check_array("rgb", self.rgb, (height, width, 3), np.uint8)
        if self.mask is not None:
            check_array("mask", self.mask, (height, width), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FinishedFrame:
    """A whole picture of the result."""

    frame: VideoFrame
    request: FaceRequest | None = None
    """The request behind it; None where the frame was not generated."""
