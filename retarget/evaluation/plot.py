"""Two lines over time as inline SVG: driving and result."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from retarget.evaluation.values import Curve
from retarget.flow.arrays import Doubles

_WIDTH, _HEIGHT = 640, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 20
_MOST_POINTS = 600
"""Longer series are thinned to their extremes, so that a page stays small."""


def plot(curve: Curve) -> str:
    """An `<svg>` with both lines; a gap is where a face was not read."""
    low, high = _range(curve)
    end = max(float(curve.seconds[-1]), 1e-3) if len(curve.seconds) else 1.0
    lines = "".join(
        f'<path class="{name}" d="{_path(curve.seconds, values, end, low, high)}"/>'
        for name, values in (("driving", curve.driving), ("result", curve.result))
    )
    title = escape(f"{curve.title} over time, {curve.unit}: driving and result")
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{_axes(low, high, end)}{lines}</svg>"
    )


def _range(curve: Curve) -> tuple[float, float]:
    values = np.concatenate([curve.driving, curve.result])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = max(0.05 * (high - low), 1e-3)
    return low - room, high + room


def _axes(low: float, high: float, end: float) -> str:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    out = [f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>']
    for value in _round_values(low, high, 3):
        y = _y(value, low, high)
        out.append(f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for second in _round_values(0.0, end, 6):
        x = min(_x(second, end), _WIDTH - 14)
        out.append(f'<text x="{x:.1f}" y="{_HEIGHT - 5}" text-anchor="middle">{second:g} s</text>')
    return "".join(out)


def _round_values(low: float, high: float, about: int) -> list[float]:
    """Values of the form 1, 2 or 5 times a power of ten, from low to high."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(k * step, 9) for k in range(first, last + 1)]


def _path(seconds: Doubles, values: Doubles, end: float, low: float, high: float) -> str:
    """The `d` of a path that is lifted over gaps."""
    parts, pen_down = [], False
    for i in _kept(values):
        if not np.isfinite(values[i]):
            pen_down = False
            continue
        place = f"{_x(seconds[i], end):.1f} {_y(values[i], low, high):.1f}"
        parts.append(f"{'L' if pen_down else 'M'}{place}")
        pen_down = True
    return "".join(parts)


def _kept(values: Doubles) -> list[int]:
    """Which samples to draw: of a long series, the lowest and highest of each stretch."""
    if len(values) <= _MOST_POINTS:
        return list(range(len(values)))
    out: set[int] = set()
    for stretch in np.array_split(np.arange(len(values)), _MOST_POINTS // 2):
        part = values[stretch]
        if np.isfinite(part).any():
            out |= {int(stretch[np.nanargmin(part)]), int(stretch[np.nanargmax(part)])}
        else:
            out.add(int(stretch[0]))
    return sorted(out)


def _x(second: float, end: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * second / end


def _y(value: float, low: float, high: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)
