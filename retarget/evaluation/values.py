"""The values of an evaluation: readings of a video, measures, and the whole result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from retarget.errors import UnknownWord
from retarget.flow.arrays import Doubles

Better = Literal["higher", "lower", "one", "neither"]

RATIOS = (
    "eyeOpenLeft", "eyeOpenRight", "browLiftLeft", "browLiftRight",
    "lipGap", "mouthWidth", "mouthCornerLift",
)  # fmt: skip
"""The landmark ratios, in the order of every ratio vector; see `dlib_face.ratios`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSample:
    """One sampled face: who it is and how sharp."""

    index: int
    dlib: Doubles
    """(128,) dlib's descriptor."""
    arcface: Doubles | None
    """(512,) unit length, where the network is at hand."""
    sharpness: float
    """See `picture.sharpness`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """What the estimators read in one video: numbers only, about 1 KB a frame, no pictures.

    Rows belong to frames in the order of showing; a row of NaN is a frame in which the estimator
    found no face.
    """

    path: Path
    size: tuple[int, int]
    """(width, height) in pixels."""
    times: Doubles
    """(n,) seconds since the first frame."""
    scores: Doubles | None
    """(n, 52) MediaPipe's scores in the order of `blendshapes.NAMES`; None: no bundle."""
    score_noise: Doubles | None
    """(52,) standard deviation of the scores that comes from reading; None: not known."""
    gaze: Doubles | None
    """(n, 2) degrees against the head: yaw (positive to the person's left) and pitch (up)."""
    pose: Doubles | None
    """(n, 3) degrees: yaw, pitch and roll, as `HeadPose.angles`."""
    mesh_shake: Doubles
    """(n,) % of eye distance, second difference of MediaPipe's mesh ending in this frame."""
    ratios: Doubles
    """(n, 7) landmark ratios in the order of `RATIOS`, by dlib."""
    dlib_shake: Doubles
    """(n,) as `mesh_shake`, on dlib's 68 points."""
    tremble: Doubles
    """(n,) the same with the head's motion removed, on the mesh, else on dlib's points."""
    background: Doubles
    """(n,) grey levels: mean change outside the face since the frame before."""
    warping: Doubles
    """(n,) grey levels: what optical flow does not explain since the frame before."""
    boxes: Doubles
    """(n, 4) left, top, right, bottom in pixels of the face and its surroundings."""
    smirk: Doubles | None
    """(n, 55) FLAME's expression, eyelids and jaw, where the encoder is at hand."""
    smirk_pose: Doubles | None
    """(n, 3) radians, the head's rotation as axis times angle, by the same file."""
    faces: tuple[FaceSample, ...]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def spacing(self) -> float:
        """Median seconds between frames; 0 for a single one."""
        return float(np.median(np.diff(self.times))) if len(self) > 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure, with all that is needed to quote it."""

    key: str
    """Section and name: "expression.correlation"."""
    label: str
    value: float | None = None
    """None where it could not be measured; `note` then says why."""
    unit: str
    better: Better
    by: str
    """The estimator."""
    source: str
    """Where the definition comes from."""
    note: str = ""

    @property
    def section(self) -> str:
        """The group it belongs to."""
        return self.key.split(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """How one channel of the driving face comes back in the result."""

    name: str
    by: str
    active: bool
    driven: float
    """5th to 95th percentile of the driving face."""
    correlation: float
    gain: float
    """Least-squares slope of result on driving; 1 is as driven."""
    error: float
    """Mean absolute difference, rest removed."""
    attainable: float | None
    """The correlation that reading noise leaves of a perfect one; None: noise not known."""
    recoded: float | None = None
    """The correlation that the driving clip itself reaches, encoded anew; see `ceiling`."""
    with_head: float | None
    """Share of the driving channel's variance (R²) that the driving head's yaw, pitch and roll
    explain; a large one may be the estimator mistaking a turn for a movement."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One quantity over time, of the driving face and of the result."""

    title: str
    unit: str
    seconds: Doubles
    """(m,) since the first frame of the driving video."""
    driving: Doubles
    """(m,) NaN where it was not read."""
    result: Doubles
    """(m,)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstFrame:
    """A moment at which the result is far from the driving face."""

    seconds: float
    driving_index: int
    result_index: int
    driving_box: tuple[float, float, float, float]
    """left, top, right, bottom in pixels of the face and its surroundings."""
    result_box: tuple[float, float, float, float]
    error: float
    """Mean absolute difference of the active channels, rest removed."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Frames in which an estimator saw no face."""

    estimator: str
    video: str
    frames: tuple[int, ...]
    of: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """All that was measured on one result."""

    result: Path
    driving: Path
    identity: Path
    measures: tuple[Measure, ...]
    channels: tuple[Channel, ...]
    failures: tuple[Failures, ...]
    findings: tuple[str, ...]
    curves: tuple[Curve, ...] = ()
    worst: tuple[WorstFrame, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """Versions, estimators, paired frames."""

    def value(self, key: str) -> float | None:
        """The value of one measure, None where it was not measured.

        Raises:
            UnknownWord: there is no such measure.
        """
        for measure in self.measures:
            if measure.key == key:
                return measure.value
        raise UnknownWord("measure", key, [m.key for m in self.measures])
