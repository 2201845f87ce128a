"""Blinks and brief expressions in a stream of weights: onset, apex and offset.

A brief expression rises out of what the face was doing and falls back within half a second
(Ekman & Friesen 1969; Yan et al., J. Nonverbal Behavior 37, 2013: 170 to 500 ms). It is found as a
bump above a baseline, the larger of the lowest values shortly before and shortly after (the top-hat
transform; Serra, "Image Analysis and Mathematical Morphology", 1982). A raised level, a drift or a
long smile is no bump. Upper and lower face are judged separately, each by all its weights together:
a bump counts where other causes do not explain it (`evidence.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from retarget.expression.evidence import PARTS, Evidence, Shot, around, evidence, region_of
from retarget.expression.settings import MomentsSettings
from retarget.flow import blendshapes
from retarget.flow.arrays import Doubles, Floats
from retarget.flow.values import ExpressedFrame

_BLINK = [blendshapes.index(f"eyeBlink{side}") for side in ("Left", "Right")]
_LIDS = "eyeBlink"
"""The name of both lids' common movement."""
_FLUTTER = 0.4
"""Part of a blink's least height from which lids cause crosstalk."""
_OWN = 0.25
"""A bump is only the tip of a longer movement if it is lower than this part of the rise within
three times its greatest length."""
_FOOT = 0.15
"""Part of its height at which a bump begins and ends."""
_VALLEY = 0.5
"""Part of its height below which a bump also ends where another one begins."""
_BLINKS_APART = 0.15
"""The fewest seconds between the apexes of two blinks."""
_PARTAKES = 0.3
"""A weight takes part if it rises by this share of the strongest one."""


_Seen: TypeAlias = tuple[int, float, Floats, tuple[float, float, float]]
"""Index, seconds, weights and the head's angles of one frame."""


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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bump:
    names: tuple[str, ...]
    """The weights it may show in."""
    onset: int
    apex: int
    offset: int
    certainty: float


def find_moments(frames: Iterable[ExpressedFrame], settings: MomentsSettings) -> list[Moment]:
    """All blinks and brief expressions of a performance, in order of onset.

    Only weights and times are kept of the frames, so pixels pass through.
    """
    shots: list[list[_Seen]] = [[]]
    for frame in frames:
        if frame.expression is None or frame.cut:
            shots.append([])
        if frame.expression is not None:
            turn = (0.0, 0.0, 0.0) if frame.pose is None else frame.pose.angles
            shots[-1].append((frame.index, frame.at.seconds, frame.expression.weights, turn))
    found = [moment for shot in shots for moment in _in_shot(shot, settings)]
    return sorted(found, key=lambda m: (m.seconds[0], m.kind))


def _in_shot(frames: Sequence[_Seen], settings: MomentsSettings) -> list[Moment]:
    if len(frames) < 3:
        return []
    indices, seconds, rows, turns = zip(*frames, strict=True)
    weights, times = np.array(rows, np.float64), np.array(seconds)
    rises = tophat(weights, times, settings.longest)
    rises *= rises >= _OWN * tophat(weights, times, 3 * settings.longest)
    shut = tophat(weights[:, _BLINK].min(axis=1), times, settings.longest)
    lids = np.where(shut >= _FLUTTER * settings.blink, shut, 0.0)
    shot = Shot(times=times, weights=weights, rises=rises, lids=lids, turns=np.array(turns))
    closing = Evidence(
        names=(_LIDS,),
        least=settings.blink,
        certainty=shut,
        values=shut[:, None],
        filters=np.ones((len(shut), 1)),
    )
    shuts = _merged(_bumps(closing), times)
    blinks = [b for b in shuts if times[b.offset] - times[b.onset] <= settings.longest]
    brief = [
        b
        for seen in (evidence(part, shot) for part in PARTS)
        for b in _bumps(seen)
        if _brief(b, times, settings) and seen.values[b.apex].max() >= settings.least
    ]
    clock = (indices, times)
    out = [_moment("blink", [b], clock, {_LIDS: shut}) for b in blinks]
    each = dict(zip(blendshapes.NAMES, rises.T, strict=True))
    return out + [_moment("brief", group, clock, each) for group in _joined(brief)]


def tophat(values: Doubles, times: Doubles, longest: float) -> Doubles:
    """How far values (n, …) rise above their baseline.

    The baseline is the morphological opening by a flat line of `longest` seconds.
    """
    first, last = around(times, longest / 2)
    low = np.array([values[a:b].min(axis=0) for a, b in zip(first, last, strict=True)])
    level = np.array([low[a:b].max(axis=0) for a, b in zip(first, last, strict=True)])
    return np.asarray(values - np.minimum(level, values))


def _bumps(seen: Evidence) -> list[_Bump]:
    """Bumps with enough evidence, each extended to its feet."""
    out: list[_Bump] = []
    sure = seen.certainty >= seen.least
    start = 0
    while sure[start:].any():
        first = start + int(sure[start:].argmax())
        last = first
        while last + 1 < len(sure) and sure[last + 1]:
            last += 1
        top = first + int(seen.certainty[first : last + 1].argmax())
        curve = seen.values @ seen.filters[top]
        onset, offset = _foot(curve, top, -1), _foot(curve, top, 1)
        out.append(
            _Bump(
                names=seen.names,
                onset=onset,
                apex=onset + int(curve[onset : offset + 1].argmax()),
                offset=offset,
                certainty=float(seen.certainty[top]),
            )
        )
        start = max(last, offset) + 1
    return out


def _merged(blinks: Sequence[_Bump], times: Doubles) -> list[_Bump]:
    """Blinks, of which those too close for the lids to open between are merged."""
    out: list[_Bump] = []
    for blink in blinks:
        if out and times[blink.apex] - times[out[-1].apex] < _BLINKS_APART:
            surer = max(out[-1], blink, key=lambda b: b.certainty)
            out[-1] = replace(surer, onset=out[-1].onset, offset=blink.offset)
        else:
            out.append(blink)
    return out


def _foot(curve: Doubles, top: int, step: int) -> int:
    """Where a bump begins (step -1) or ends (step 1): at its foot, or before the next bump."""
    at = top
    while 0 <= at + step < len(curve):
        rising = curve[at + step] > curve[at] and curve[at] < _VALLEY * curve[top]
        if rising or curve[at + step] <= _FOOT * curve[top]:
            break
        at += step
    return at


def _brief(bump: _Bump, times: Doubles, settings: MomentsSettings) -> bool:
    if bump.onset == 0 or bump.offset == len(times) - 1:
        return False  # not seen whole
    lasted = times[bump.offset] - times[bump.onset]
    return bool(settings.shortest <= lasted <= settings.longest)


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
    kind: str,
    group: Sequence[_Bump],
    clock: tuple[Sequence[int], Doubles],
    rises: Mapping[str, Doubles],
) -> Moment:
    """One moment; `clock` is the index and the time of every frame of `rises`."""
    indices, times = clock
    onset, offset = min(b.onset for b in group), max(b.offset for b in group)
    apex = max(group, key=lambda b: b.certainty).apex
    rise = {n: float(rises[n][apex]) for b in group for n in b.names}
    height = max(rise.values())
    part = {n: v for n, v in rise.items() if v >= _PARTAKES * height}
    weights = dict(sorted(part.items(), key=lambda x: -x[1]))
    return Moment(
        kind=kind,
        regions=tuple(dict.fromkeys(region_of(n) for n in weights)),
        onset=indices[onset],
        apex=indices[apex],
        offset=indices[offset],
        seconds=(float(times[onset]), float(times[apex]), float(times[offset])),
        intensity=height,
        weights=weights,
    )
