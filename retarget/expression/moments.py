"""Blinks and brief expressions in a stream of weights: onset, apex and offset.

A brief expression rises out of what the face was doing and falls back within half a second
(Ekman & Friesen 1969; Yan et al., J. Nonverbal Behavior 37, 2013: 170 to 500 ms). What is looked
for is a bump: a value above a baseline that is the larger of the lowest values shortly before and
shortly after (a top-hat; Serra, "Image Analysis and Mathematical Morphology", 1982). A raised
level, a drift or a long smile is no bump. Talking is one bump after the other, so a bump of lips
or jaw counts only where it stands out of its own surroundings. What a camera sees of a face changes
as the head turns, and lids go with the gaze: a bump no larger than that is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retarget.expression.settings import MomentsSettings
from retarget.flow import blendshapes
from retarget.flow.values import ExpressedFrame

Floats = npt.NDArray[np.float64]

_GROUPS: dict[str, tuple[str, ...]] = {
    "brows": ("brow",),
    "eyes": ("eyeSquint", "eyeWide", "cheekSquint"),
    "nose": ("noseSneer",),
    "mouth": ("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "cheekPuff"),
    "lips": ("mouthClose", "mouthFunnel", "mouthPucker", "mouthRoll", "mouthShrug", "mouthPress",
             "mouthLowerDown", "mouthUpperUp", "mouthLeft", "mouthRight", "jaw"),
}  # fmt: skip
"""Where a brief expression may show; blinks and gaze are judged apart."""
_BLINK = [blendshapes.index(f"eyeBlink{side}") for side in ("Left", "Right")]
_GAZE = [i for i, name in enumerate(blendshapes.NAMES) if name.startswith("eyeLook")]
_LIPS = [i for i, name in enumerate(blendshapes.NAMES) if name.startswith(_GROUPS["lips"])]
_SPEAKS = ("nose", "mouth", "lips")
_FAINT = {"nose": 2.0, "eyes": 1.5}
"""How much higher a bump must be where a whole weight moves little skin (3 to 4 mm, elsewhere 8 to
10), so that the same tremble of points is read as more."""
_PER_DEGREE = 0.02
"""Weight that a degree of turning the head may be taken for."""
_TURNING = 0.25
"""Seconds before and after a bump in which a turning head still counts for it."""
_PER_GAZE = {"eyes": 0.6, "brows": 0.2}
"""Weight that may come with a whole eyeLook weight of turning the eyes."""
_PER_LIPS = {"eyes": 0.5, "brows": 0.3, "nose": 0.3, "mouth": 0.3}
"""Weight that a whole weight of lips or jaw drags along in a tracked mesh."""
_FLUTTER = 0.4
"""Share of a blink's least height from which lids take along what is around them."""
_BESIDE_BLINK = 0.1
"""Seconds before and after a blink in which lids and what is around them still go with it."""
_STANDS_OUT = 2.5
"""How many times the usual restlessness of its surroundings a bump must rise."""
_COMPANY, _BUSY = 1, 0.5
"""More bumps than this of a third of its height or more around one of the mouth, or more seconds
at that height, and it is talk: syllables may run into each other."""
_SURROUNDINGS = 3.0
"""Seconds around a bump that say how restless the face is."""
_OWN = 0.25
"""A bump is the tip of something longer if it is less than this share of the rise in three times
its greatest length."""
_FOOT = 0.15
"""Share of its height at which a bump begins and ends."""
_STEADY = 0.004
"""The least restlessness assumed: what tracking leaves on a still face."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One blink or brief expression."""

    kind: str
    """`blink` or `brief`."""
    regions: tuple[str, ...]
    """Where it shows, strongest first."""
    onset: int
    """Index of the first frame in which it shows."""
    apex: int
    offset: int
    """Index of the last frame in which it shows."""
    seconds: tuple[float, float, float]
    """Onset, apex and offset in seconds."""
    intensity: float
    """Height of its strongest weight above what the face was doing."""
    weights: dict[str, float]
    """How far each weight that takes part rises, strongest first."""

    @property
    def lasted(self) -> float:
        """Seconds from onset to offset."""
        return self.seconds[2] - self.seconds[0]


@dataclass(frozen=True, eq=False)
class _Bump:
    region: str
    onset: int
    apex: int
    offset: int
    height: float


def find_moments(frames: Iterable[ExpressedFrame], settings: MomentsSettings) -> list[Moment]:
    """All blinks and brief expressions of a performance, in order of onset.

    Only weights and times are kept of the frames, so pixels pass through.
    """
    found: list[Moment] = []
    indices: list[int] = []
    seconds: list[float] = []
    rows: list[npt.NDArray[np.float32]] = []
    turns: list[tuple[float, float, float]] = []
    for frame in frames:
        if frame.expression is None or frame.cut:
            found += _in_shot(indices, seconds, rows, turns, settings)
            indices, seconds, rows, turns = [], [], [], []
        if frame.expression is not None:
            indices.append(frame.index)
            seconds.append(frame.at.seconds)
            rows.append(frame.expression.weights)
            turns.append((0.0, 0.0, 0.0) if frame.pose is None else frame.pose.angles)
    found += _in_shot(indices, seconds, rows, turns, settings)
    return sorted(found, key=lambda m: (m.seconds[0], m.kind))


def _in_shot(
    indices: Sequence[int],
    seconds: Sequence[float],
    rows: Sequence[npt.NDArray[np.float32]],
    turns: Sequence[tuple[float, float, float]],
    settings: MomentsSettings,
) -> list[Moment]:
    if len(rows) < 3:
        return []
    weights, times = np.array(rows, np.float64), np.array(seconds)
    clock = (indices, times)
    shut = weights[:, _BLINK].min(axis=1)
    tops = tophat(shut, times, settings.longest)
    lids = _peaks("blink", tops, times, np.full(len(times), _FLUTTER * settings.blink))
    blinks = [b for b in lids if b.height >= settings.blink]
    rises = tophat(weights, times, settings.longest)
    rises *= rises >= _OWN * tophat(weights, times, 3 * settings.longest)
    brief = [
        bump
        for region, starts in _GROUPS.items()
        for bump in _bumps_of(region, starts, rises, times, settings)
    ]
    brief = [
        b
        for b in brief
        if _brief(b, times, settings)
        and not _is_blink(b, lids, times)
        and b.height >= _taken_for(b, times, np.array(turns), weights)
    ]
    out = [_moment([b], clock, tops[:, None], ["eyeBlink"]) for b in blinks
           if times[b.offset] - times[b.onset] <= settings.longest]  # fmt: skip
    return out + [_moment(group, clock, rises, blendshapes.NAMES) for group in _joined(brief)]


def tophat(values: Floats, times: Floats, longest: float) -> Floats:
    """How far values (n, …) rise above the level they rise from and fall back to.

    The level is the opening of the signal by a line of `longest` seconds: the highest line of that
    length that fits below it.
    """
    first = np.searchsorted(times, times - longest / 2 - 1e-6)
    last = np.searchsorted(times, times + longest / 2 + 1e-6)
    low = np.array([values[a:b].min(axis=0) for a, b in zip(first, last, strict=True)])
    level = np.array([low[a:b].max(axis=0) for a, b in zip(first, last, strict=True)])
    return np.asarray(values - np.minimum(level, values))


def _bumps_of(
    region: str, starts: tuple[str, ...], rises: Floats, times: Floats, settings: MomentsSettings
) -> list[_Bump]:
    """Bumps of a region's strongest weight."""
    places = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith(starts)]
    rise = rises[:, places].max(axis=1)
    lowest = settings.least * _FAINT.get(region, 1.0)
    least = np.maximum(lowest, _STANDS_OUT * _restless(rise, times))
    bumps = _peaks(region, rise, times, least)
    if region not in _SPEAKS:
        return bumps
    everything = _peaks(region, rise, times, np.full(len(times), lowest / 2))
    return [
        b
        for b in bumps
        if _company(b, everything, times) <= _COMPANY and _busy(b, rise, times) <= _BUSY
    ]


def _company(bump: _Bump, others: Sequence[_Bump], times: Floats) -> int:
    """How many other bumps of at least a third of its height are around one."""
    return sum(
        o.height >= bump.height / 3
        and not bump.onset <= o.apex <= bump.offset
        and abs(times[o.apex] - times[bump.apex]) <= _SURROUNDINGS / 2
        for o in others
    )


def _busy(bump: _Bump, rise: Floats, times: Floats) -> float:
    """Seconds around a bump, but outside it, for which a third of its height or more is shown."""
    up = (rise >= bump.height / 3) & (np.abs(times - times[bump.apex]) <= _SURROUNDINGS / 2)
    up[bump.onset : bump.offset + 1] = False
    return float(up.sum() * np.median(np.diff(times)))


def _restless(rise: Floats, times: Floats) -> Floats:
    """(n,) how high the bumps around each moment usually are."""
    first = np.searchsorted(times, times - _SURROUNDINGS / 2)
    last = np.searchsorted(times, times + _SURROUNDINGS / 2)
    usual = [np.mean(np.sort(rise[a:b])[: max(1, int(0.85 * (b - a)))])
             for a, b in zip(first, last, strict=True)]  # fmt: skip
    return np.maximum(np.array(usual), _STEADY)


def _peaks(region: str, rise: Floats, times: Floats, least: Floats) -> list[_Bump]:
    """Every stretch that rises above `least` somewhere, out to its feet."""
    out: list[_Bump] = []
    start = 0
    while start < len(rise):
        over = np.flatnonzero(rise[start:] >= least[start:])
        if over.size == 0:
            break
        apex = start + int(over[0])
        while apex + 1 < len(rise) and rise[apex + 1] >= rise[apex]:
            apex += 1
        foot = _FOOT * rise[apex]
        end = apex
        while end + 1 < len(rise) and rise[end + 1] > foot:
            end += 1
            if rise[end] > rise[apex]:
                apex, foot = end, _FOOT * rise[end]
        begin = apex
        while begin > start and rise[begin - 1] > foot:
            begin -= 1
        out.append(_Bump(region, begin, apex, end, float(rise[apex])))
        start = end + 1
    return out


def _brief(bump: _Bump, times: Floats, settings: MomentsSettings) -> bool:
    if bump.onset == 0 or bump.offset == len(times) - 1:
        return False  # not seen whole
    lasted = times[bump.offset] - times[bump.onset]
    return bool(settings.shortest <= lasted <= settings.longest)


def _taken_for(bump: _Bump, times: Floats, turns: Floats, weights: Floats) -> float:
    """The height that a turning head, turning eyes and speaking lips alone may give a bump."""
    near = (times >= times[bump.onset] - _TURNING) & (times <= times[bump.offset] + _TURNING)
    turned = float(np.linalg.norm(np.ptp(turns[near], axis=0)))
    ranges = np.ptp(weights[bump.onset : bump.offset + 1], axis=0)
    return (
        _PER_DEGREE * turned
        + _PER_GAZE.get(bump.region, 0.0) * float(ranges[_GAZE].max())
        + _PER_LIPS.get(bump.region, 0.0) * float(ranges[_LIPS].max())
    )


def _is_blink(bump: _Bump, blinks: Sequence[_Bump], times: Floats) -> bool:
    """Lids, brows, cheeks and nose take part in every blink."""
    at = times[bump.apex]
    return bump.region in ("eyes", "brows", "nose") and any(
        times[b.onset] - _BESIDE_BLINK <= at <= times[b.offset] + _BESIDE_BLINK
        and bump.height < b.height
        for b in blinks
    )


def _joined(bumps: Sequence[_Bump]) -> list[list[_Bump]]:
    """Bumps whose apexes lie in one another are one expression."""
    groups: list[list[_Bump]] = []
    for bump in sorted(bumps, key=lambda b: b.onset):
        for group in groups:
            if any(b.onset <= bump.apex <= b.offset or bump.onset <= b.apex <= bump.offset
                   for b in group):  # fmt: skip
                group.append(bump)
                break
        else:
            groups.append([bump])
    return groups


def _moment(
    group: Sequence[_Bump], clock: tuple[Sequence[int], Floats], rises: Floats, names: Sequence[str]
) -> Moment:
    """One moment; `clock` is the index and the time of every row of `rises`."""
    indices, times = clock
    group = sorted(group, key=lambda b: -b.height)
    onset, offset = min(b.onset for b in group), max(b.offset for b in group)
    apex = group[0].apex
    rise = {n: float(v) for n, v in zip(names, rises[apex], strict=True)}
    shown = tuple(start for b in group for start in _GROUPS.get(b.region, ("eyeBlink",)))
    part = {n: v for n, v in rise.items() if v >= 0.3 * group[0].height and n.startswith(shown)}
    return Moment(
        kind="blink" if group[0].region == "blink" else "brief",
        regions=tuple(dict.fromkeys("eyes" if b.region == "blink" else b.region for b in group)),
        onset=indices[onset],
        apex=indices[apex],
        offset=indices[offset],
        seconds=(float(times[onset]), float(times[apex]), float(times[offset])),
        intensity=group[0].height,
        weights=dict(sorted(part.items(), key=lambda x: -x[1])),
    )
