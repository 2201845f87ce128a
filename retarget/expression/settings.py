"""What can be chosen about reading a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retarget.errors import WrongSetting
from retarget.flow.declared import AsDeclared, Kept, check_range


@dataclass(frozen=True, kw_only=True)
class RestSettings(AsDeclared):
    """How the face at rest, the zero of every weight, is found."""

    samples: int = 32
    """Frames, spread evenly over the clip, from which the neutral face is estimated."""
    neutral: Kept[str] = "auto"
    """`auto`, or where the person is at rest: a frame number (`12`) or a time (`0:03.5`, `3.5s`)
    of the whole video, or a picture's path."""
    certainty: float = 1.0
    """How strongly a lasting expression, such as a constant smile, is removed from the neutral
    face, judged by an average face; 0 removes nothing."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("samples", self.samples, 1, 4096)
        check_range("certainty", self.certainty, 0.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class FitSettings(AsDeclared):
    """How 52 weights are read off the mesh."""

    prior: Literal["none", "scores"] = "none"
    """The prior where the mesh is ambiguous: none, or MediaPipe's scores (Tasks tracker only)."""
    pull: float = 1.0
    """How strongly weights are pulled to their prior."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("pull", self.pull, 0.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class SmoothSettings(AsDeclared):
    """How the tremble of landmarks is taken out of weights, pose and detail.

    A saved performance, smoothed before, is smoothed again only if these are not the defaults.
    """

    reach: float = 0.17
    """Seconds on each side of a moment (live: before it) that are used; 0: no smoothing."""
    strength: float = 1.0
    """Strength, as a factor of the assumed noise; 0: no smoothing."""
    live: bool = False
    """Use past frames only, so that no frame waits for a later one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("reach", self.reach, 0.0, 1.0)
        check_range("strength", self.strength, 0.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class MagnifySettings(AsDeclared):
    """How much larger the driving face's small movements become."""

    gain: float = 1.0
    """How many times larger the smallest become; 1 leaves all as they are."""
    knee: float = 0.3
    """Weight from which a movement is large and stays as it is."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gain", self.gain, 1.0, 20.0)
        check_range("knee", self.knee, 0.01, 1.0)


@dataclass(frozen=True, kw_only=True)
class MomentsSettings(AsDeclared):
    """What counts as a blink and as a brief expression."""

    least: float = 0.04
    """The least height of a brief expression, in weight; brows and lids count as the mean of both
    sides. What trembles or talks must rise higher."""
    shortest: float = 0.08
    """Seconds; what is shorter is tremble: muscles take 65 ms for the onset alone."""
    longest: float = 0.6
    """Seconds; what is longer is an ordinary expression."""
    blink: float = 0.35
    """How far both lids must close for a blink, in weight."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("least", self.least, 0.001, 1.0)
        check_range("shortest", self.shortest, 0.0, 1.0)
        check_range("longest", self.longest, 0.05, 5.0)
        check_range("blink", self.blink, 0.05, 1.0)
        if not self.shortest < self.longest:
            raise WrongSetting(
                f"shortest must be less than longest, got {self.shortest} and {self.longest}"
            )
