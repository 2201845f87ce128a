"""The evidence, at each moment, that a part of the face shows a brief expression.

The rise of the weights is compared with other causes: the tracking noise on this face, crosstalk
from a turning head, moving eyes, lids and speaking lips, and what the same weights do just before
and after, as talk is one bump after the other. Each cause contributes a variance; the evidence is
the Mahalanobis distance of the rise of all weights of a part (the anomaly detector of Reed & Yu,
IEEE TASSP 38(10), 1990). So weights that rise together count more than a single one, and a
syllable among others counts little.

Brows and lids count as the mean of both sides: both hemispheres move them (Rinn, Psychological
Bulletin 95(1), 1984), so what only one side shows is mostly noise. A mouth may move on one side.
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
"""Weights of a brief expression by their beginnings; blinks and gaze are judged separately."""
_SPOKEN = ("jaw", "mouthFunnel", "mouthPucker", "mouthClose", "mouthLowerDown", "mouthRoll")
"""Weights that move in speech."""
_SYLLABLE = 0.25
"""The weight that a single syllable may give each of them."""
_STEADY = 0.015
"""The least tracking noise, in weight: that of a large, still face."""
_PER_DEGREE = 0.02
"""Weight that a degree of head rotation may cause."""
_PER_GAZE = {"eyes": 0.6, "brows": 0.3}
"""Weight that may come with an eyeLook weight of 1 in both eyes."""
_ASIDE = {"eyeLookOutLeft": 0.5, "eyeLookInLeft": -0.5,
          "eyeLookInRight": 0.5, "eyeLookOutRight": -0.5}  # fmt: skip
_UPWARD = {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5,
           "eyeLookDownLeft": -0.5, "eyeLookDownRight": -0.5}  # fmt: skip
"""Mean of both eyes: they move together, and differences are noise."""
_GLANCE = np.stack([blendshapes.weights(a) for a in (_ASIDE, _UPWARD)], axis=1)
_PER_LIPS = {"eyes": 0.5, "brows": 0.3}
"""Weight above the mouth that may come with a weight of 1 of lips or jaw."""
_PER_SPOKEN = 0.45
"""Weight of the mouth that may come with a weight of 1 of `_SPOKEN`."""
_PER_LID = {"eyes": 0.8, "brows": 0.8, "nose": 0.8, "mouth": 0.2, "lips": 0.2}
"""Weight that may come with closing both lids."""
_TURNING = 0.4
"""Seconds before and after a moment in which head rotation counts."""
_BESIDE = 0.2
"""The same for eyes, lids and lips."""
_SURROUNDINGS = 1.0
"""Seconds before and after a moment to compare with: about four syllables each."""
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
    """(n, 52) how far each weight is above its baseline; see `moments.tophat`."""
    lids: Doubles
    """(n,) how far both lids are closed above their baseline; 0 where that is noise."""
    turns: Doubles
    """(n, 3) degrees of the head."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Weights whose evidence counts together."""

    regions: tuple[str, ...]
    paired: bool
    """Whether both sides count as one, their mean."""
    least: float
    """The evidence that counts as an expression, in standard deviations."""
    quiet: float
    """Share of the time in which only noise and, for a mouth, ordinary talk is seen."""
    likeness: float
    """How much other bumps around a moment count against it: brows may flash several times in a
    row, but a mouth that repeats a movement talks."""

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
    """The evidence for brief expressions in one part of the face, over time."""

    names: tuple[str, ...]
    """The weights it is read from."""
    least: float
    """The certainty that is enough."""
    certainty: Doubles
    """(n,) in standard deviations."""
    values: Doubles
    """(n, channels) the rise of each channel."""
    filters: Doubles
    """(n, channels) the weights of the channels with which the rise of a moment stands out most."""


def evidence(part: Part, shot: Shot) -> Evidence:
    """The evidence for a part of the face at each moment of a shot."""
    channels = _channels(part)
    values = np.stack([shot.rises[:, list(c)].mean(axis=1) for c in channels], axis=1)
    unrelated = _noise(part, [blendshapes.NAMES[c[0]] for c in channels], values, shot)
    filters = values / unrelated
    # The surroundings can only lower the evidence, so other moments need not be looked at.
    for i in np.flatnonzero((values * filters).sum(axis=1) >= part.least**2):
        usual = part.likeness * _usual(values, shot.times, i)
        filters[i] = np.linalg.solve(usual + np.diag(unrelated[i]), values[i])
    certainty = np.sqrt(np.maximum((values * filters).sum(axis=1), 0.0))
    return Evidence(
        names=part.names, least=part.least, certainty=certainty, values=values, filters=filters
    )


def _usual(values: Doubles, times: Doubles, i: int) -> Doubles:
    """(channels, channels) second moments of the rise around a moment, without its own bump."""
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


def _noise(part: Part, names: list[str], values: Doubles, shot: Shot) -> Doubles:
    """(n, channels) variance of noise, syllables and crosstalk."""
    deviations = NormalDist().inv_cdf((1.0 + part.quiet) / 2.0)
    tremble = np.maximum(np.quantile(values, part.quiet, axis=0) / deviations, _STEADY)
    syllable = np.array([_SYLLABLE * n.startswith(_SPOKEN) for n in names])
    along = {region: _crosstalk(region, part, shot) for region in part.regions}
    crosstalk = np.stack([along[region_of(n)] for n in names], axis=1)
    return np.asarray(tremble**2 + syllable**2 + (crosstalk / part.least) ** 2)


def _crosstalk(region: str, part: Part, shot: Shot) -> Doubles:
    """(n,) weight that may be crosstalk from head, eyes, lids and lips."""
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
    """(n, ...) the range of values within these seconds of each moment."""
    return np.array(
        [np.ptp(values[a:b], axis=0) for a, b in zip(*around(times, seconds), strict=True)]
    )


def _largest(weights: Doubles, starts: tuple[str, ...]) -> Doubles:
    places = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith(starts)]
    return np.asarray(weights[:, places].max(axis=1))


def region_of(name: str) -> str:
    """The region of the face a weight belongs to; lids belong to the eyes."""
    return next((r for r, starts in REGIONS.items() if name.startswith(starts)), "eyes")
