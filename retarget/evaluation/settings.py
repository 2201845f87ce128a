"""What to measure and with which estimators; nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retarget.errors import UnknownWord
from retarget.flow.declared import AsDeclared, Kept, check_range
from retarget.source.settings import LONGEST

SECTIONS = ("expression", "identity", "picture", "time", "sound")
"""Groups of measures, in the order in which they are shown."""


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings(AsDeclared):
    """What to measure, and with what."""

    measure: Kept[tuple[str, ...]] = SECTIONS
    """Which groups of measures to take: expression, identity, picture, time, sound."""
    models: Kept[Path] | None = None
    """Folder with model files; left out, RETARGET_MODELS or the user's cache folder."""
    landmarker: Kept[Path] | None = None
    """MediaPipe's face_landmarker.task; left out, it is looked for among the model files. Without
    it, expression rests on dlib alone."""
    arcface: Kept[Path] | None = None
    """An ArcFace network in ONNX; left out, one of the model files or of insightface's folder."""
    smirk: Kept[Path] | None = None
    """SMIRK_em1.pt, for AED and APD; left out, it is looked for among the model files."""
    active: float = 0.05
    """A channel is active where the driving face's 5th to 95th percentile spans more than this,
    and more than twice what the reading's own noise would span."""
    ceiling: bool = True
    """Also score the driving clip itself, scaled to the result's face and encoded anew: what
    nothing can surpass. Takes about 40 % longer."""
    faces: int = 24
    """About how many frames, evenly spread, are sampled for identity and sharpness."""
    start: float = 0.0
    """Second of the driving video at which the result begins."""
    end: float | None = None
    """Second of the driving video at which the result ends; left out, the driving video's end."""
    self_reenactment: bool | None = None
    """Whether the driving frames are the ground truth. Left out: yes, where the photo is the
    driving video's first frame."""
    worst: int = 6
    """How many of the worst frames to show on the page."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for word in self.measure:
            if word not in SECTIONS:
                raise UnknownWord("group of measures", word, SECTIONS)
        check_range("active", self.active, 0.0, 1.0)
        check_range("faces", self.faces, 1)
        check_range("start", self.start, 0.0, LONGEST)
        if self.end is not None:
            check_range("end", self.end, self.start, LONGEST)
        check_range("worst", self.worst, 0)
