"""How surely a part of the face shows something brief, at each moment.

What rises is held against everything else that could have made it: the tremble that tracking has
on this very face, what a turning head, moving eyes, lids and speaking lips drag along in a tracked
mesh, and what the same weights do just before and after, where talk is one bump after the other.
All of these are variances, and how far a bump stands out of their sum, with all weights of a part
taken together, is its distance after Mahalanobis (the anomaly detector of Reed & Yu, IEEE
TASSP 38(10), 1990): weights that rise together are surer than one alone, and a syllable among
others says nothing.

Brows and lids count as the mean of both sides: both hemispheres move them (Rinn, Psychological
Bulletin 95(1), 1984), so what only one side shows is mostly tremble. A mouth may move on one side.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from retarget.expression.signal import SAME_TIME
from retarget.flow import blendshapes
from retarget.flow.arrays import Doubles, Ints

REGIONS: dict[str, tuple[str, ...]] = {
    "brows": ("brow",),
    "eyes": ("eyeSquint", "eyeWide", "cheekSquint"),
    "nose": ("noseSneer",),
    "mouth": ("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "cheekPuff"),
    "lips": ("mouthClose", "mouthFunnel", "mouthPucker", "mouthRoll", "mouthShrug", "mouthPress",
             "mouthLowerDown", "mouthUpperUp", "mouthLeft", "mouthRight", "jaw"),
}  # fmt: skip
"""Where a brief expression may show; blinks and gaze are judged apart."""
_SPOKEN = ("jaw", "mouthFunnel", "mouthPucker", "mouthClose", "mouthLowerDown", "mouthRoll")
"""What says syllables."""
_SYLLABLE = 0.25
"""Weight that one syllable alone may have of them."""
_STEADY = 0.015
"""The least tremble assumed, in weight: what tracking leaves on a large, still face."""
_PER_DEGREE = 0.02
"""Weight that a degree of turning the head may be taken for."""
_PER_GAZE = {"eyes": 0.6, "brows": 0.3}
"""Weight that may come with a whole eyeLook weight of turning both eyes."""
_ASIDE = {"eyeLookOutLeft": 0.5, "eyeLookInLeft": -0.5,
          "eyeLookInRight": 0.5, "eyeLookOutRight": -0.5}  # fmt: skip
_UPWARD = {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5,
           "eyeLookDownLeft": -0.5, "eyeLookDownRight": -0.5}  # fmt: skip
"""Eyes glance together; what one does alone is tremble."""
_GLANCE = np.stack([blendshapes.weights(a) for a in (_ASIDE, _UPWARD)], axis=1)
_PER_LIPS = {"eyes": 0.5, "brows": 0.3}
"""Weight that a whole weight of lips or jaw drags along above them."""
_PER_SPOKEN = 0.45
"""Weight that a whole weight of what says syllables drags along beside it."""
_PER_LID = {"eyes": 0.8, "brows": 0.8, "nose": 0.8, "mouth": 0.2, "lips": 0.2}
"""Weight that goes with the closing of both lids."""
_TURNING = 0.4
"""Seconds before and after a moment in which a turning head still counts for it."""
_BESIDE = 0.2
"""The same for eyes, lids and lips."""
_SURROUNDINGS = 1.0
"""Seconds before and after a moment that say what the face is doing anyway: four syllables each."""
_OWN = 0.2
"""Seconds before and after a moment that may be part of the same bump."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """What one face did between two cuts."""

    times: Doubles
    """(n,) seconds."""
    weights: Doubles
    """(n, 52)"""
    rises: Doubles
    """(n, 52) how far each weight is above what the face was doing."""
    lids: Doubles
    """(n,) how far both lids are closed above that, where that is more than a tremble."""
    turns: Doubles
    """(n, 3) degrees of the head."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Weights whose evidence counts together."""

    regions: tuple[str, ...]
    paired: bool
    """Whether both sides count as one, their mean."""
    least: float
    """Evidence from which something is shown, in standard deviations."""
    quiet: float
    """Share of the time in which only tremble and, for a mouth, everyday talk is seen."""
    likeness: float
    """How much the bumps around a moment count against it. Brows may flash several times in a row;
    what a mouth repeats is talk."""

    @property
    def names(self) -> tuple[str, ...]:
        """The weights that belong to it, in their usual order."""
        starts = tuple(s for region in self.regions for s in REGIONS[region])
        return tuple(n for n in blendshapes.NAMES if n.startswith(starts))


PARTS = (
    Part(regions=("brows", "eyes"), paired=True, least=3.5, quiet=0.5, likeness=0.0),
    Part(regions=("nose", "mouth", "lips"), paired=False, least=4.5, quiet=0.9, likeness=4.0),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What speaks for something brief in one part of the face, over time."""

    names: tuple[str, ...]
    """The weights it is read from."""
    least: float
    """The certainty that is enough."""
    certainty: Doubles
    """(n,) in standard deviations."""
    values: Doubles
    """(n, channels) what rises."""
    filters: Doubles
    """(n, channels) the direction in which what rises at a moment stands out most."""


def evidence(part: Part, shot: Shot) -> Evidence:
    """Weigh what rises in a part of the face at each moment of a shot."""
    channels = _channels(part)
    values = np.stack([shot.rises[:, list(c)].mean(axis=1) for c in channels], axis=1)
    unrelated = _unrelated(part, [blendshapes.NAMES[c[0]] for c in channels], values, shot)
    filters = values / unrelated
    # What surrounds a moment only speaks against it: the others are settled.
    for i in np.flatnonzero((values * filters).sum(axis=1) >= part.least**2):
        usual = part.likeness * _usual(values, shot.times, i)
        filters[i] = np.linalg.solve(usual + np.diag(unrelated[i]), values[i])
    certainty = np.sqrt(np.maximum((values * filters).sum(axis=1), 0.0))
    return Evidence(
        names=part.names,
        least=part.least,
        certainty=certainty,
        values=values,
        filters=filters,
    )


def _usual(values: Doubles, times: Doubles, i: int) -> Doubles:
    """(channels, channels) second moments of what rises around a moment, its own bump left out."""
    reach = np.array([-_SURROUNDINGS, -_OWN, _OWN, _SURROUNDINGS])
    before, own, after, end = np.searchsorted(times, times[i] + reach + SAME_TIME * np.sign(reach))
    near = np.concatenate([values[before:own], values[after:end]])
    return np.asarray(near.T @ near / max(len(near), 1))


def around(times: Doubles, seconds: float) -> tuple[Ints, Ints]:
    """(n,) twice: the first frame within these seconds of each, and the one after the last."""
    return (
        np.searchsorted(times, times - seconds - SAME_TIME),
        np.searchsorted(times, times + seconds + SAME_TIME),
    )


def _channels(part: Part) -> list[tuple[int, ...]]:
    """Indices of the weights that make each channel."""
    sides = [blendshapes.index(n) for n in part.names]
    if not part.paired:
        return [(i,) for i in sides]
    rights = {i: blendshapes.NAMES[i].removesuffix("Left") + "Right" for i in sides}
    return [
        (i, blendshapes.index(rights[i])) if rights[i] in blendshapes.INDEX else (i,)
        for i in sides
        if not blendshapes.NAMES[i].endswith("Right")
    ]


def _unrelated(part: Part, names: list[str], values: Doubles, shot: Shot) -> Doubles:
    """(n, channels) variance of what is no expression, whatever the face is doing around it."""
    deviations = NormalDist().inv_cdf((1.0 + part.quiet) / 2.0)
    tremble = np.maximum(np.quantile(values, part.quiet, axis=0) / deviations, _STEADY)
    syllable = np.array([_SYLLABLE * n.startswith(_SPOKEN) for n in names])
    along = {region: _dragged(region, part, shot) for region in part.regions}
    dragged = np.stack([along[region_of(n)] for n in names], axis=1)
    return np.asarray(tremble**2 + syllable**2 + (dragged / part.least) ** 2)


def _dragged(region: str, part: Part, shot: Shot) -> Doubles:
    """(n,) weight that a turning head, eyes, lids and lips alone may give; it is not enough."""
    turned = np.linalg.norm(_ranges(shot.turns, shot.times, _TURNING), axis=1)
    moved = _ranges(shot.weights, shot.times, _BESIDE)
    glanced = _ranges(shot.weights @ _GLANCE, shot.times, _BESIDE)
    first, last = around(shot.times, _BESIDE)
    lids = np.array([shot.lids[a:b].max() for a, b in zip(first, last, strict=True)])
    speaks = "lips" in part.regions
    return np.asarray(
        _PER_DEGREE * turned
        + _PER_GAZE.get(region, 0.0) * np.linalg.norm(glanced, axis=1)
        + _PER_LIPS.get(region, 0.0) * _largest(moved, REGIONS["lips"])
        + (_PER_SPOKEN if speaks else 0.0) * _largest(moved, _SPOKEN)
        + _PER_LID.get(region, 0.0) * lids
    )


def _ranges(values: Doubles, times: Doubles, seconds: float) -> Doubles:
    """(n, ...) how far values go within these seconds of each moment."""
    return np.array(
        [np.ptp(values[a:b], axis=0) for a, b in zip(*around(times, seconds), strict=True)]
    )


def _largest(weights: Doubles, starts: tuple[str, ...]) -> Doubles:
    places = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith(starts)]
    return np.asarray(weights[:, places].max(axis=1))


def region_of(name: str) -> str:
    """The region of the face a weight belongs to; lids belong to the eyes."""
    return next((r for r, starts in REGIONS.items() if name.startswith(starts)), "eyes")
