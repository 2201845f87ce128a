"""Draw a performance over time, with the moments that were found in it, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from retarget.flow import blendshapes
from retarget.flow.arrays import Floats

if TYPE_CHECKING:
    from retarget.expression.moments import Moment
    from retarget.flow.values import ExpressedFrame

_ROWS = {
    "brows": ("brow",),
    "lids": ("eyeBlink",),
    "eyes": ("eyeSquint", "eyeWide", "cheekSquint"),
    "nose": ("noseSneer",),
    "mouth": ("mouth", "cheekPuff"),
    "jaw": ("jaw",),
}
_WIDE, _TALL, _LEFT, _TOP = 1400, 90, 70, 50
_MOST_POINTS = 3000
_COLOURS = {"blink": "#7a8fb8", "brief": "#d9822b"}


class Curves:
    """The largest weight of each region in each frame."""

    def __init__(self) -> None:
        self._places = [
            [i for i, name in enumerate(blendshapes.NAMES) if name.startswith(starts)]
            for starts in _ROWS.values()
        ]
        self._times: list[float] = []
        self._rows: list[Floats] = []

    def noted(self, frames: Iterator[ExpressedFrame]) -> Iterator[ExpressedFrame]:
        """Pass frames on and note their weights; one without a face leaves a gap."""
        for frame in frames:
            self._add(frame)
            yield frame

    def _add(self, frame: ExpressedFrame) -> None:
        self._times.append(frame.at.seconds)
        if frame.expression is None:
            self._rows.append(np.full(len(_ROWS), np.nan, np.float32))
            return
        weights = frame.expression.weights
        self._rows.append(np.array([weights[p].max() for p in self._places], np.float32))

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self._times[-1] - self._times[0] if self._times else 0.0

    def svg(self, found: list[Moment], title: str) -> str:
        """The picture: one line for each region, a band for each moment."""
        height = _TOP + _TALL * len(_ROWS) + 40
        start = self._times[0] if self._times else 0.0
        scale = (_WIDE - _LEFT - 20) / max(self.seconds, 1e-6)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" '
            f'width="{_WIDE}" height="{height}" font-family="sans-serif" font-size="13">',
            f'<rect width="{_WIDE}" height="{height}" fill="white"/>',
            f'<text x="{_LEFT}" y="26" font-size="17">{escape(title)}</text>',
        ]
        for moment in found:
            left, apex, right = (_LEFT + (at - start) * scale for at in moment.seconds)
            colour = _COLOURS[moment.kind]
            parts.append(
                f'<rect x="{left:.1f}" y="{_TOP}" width="{max(right - left, 1):.1f}" '
                f'height="{_TALL * len(_ROWS)}" fill="{colour}" fill-opacity="0.22"/>'
                f'<line x1="{apex:.1f}" x2="{apex:.1f}" y1="{_TOP}" '
                f'y2="{_TOP + _TALL * len(_ROWS)}" stroke="{colour}"/>'
            )
        parts += self._lines(start, scale)
        parts += self._axis(start, scale, height)
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _lines(self, start: float, scale: float) -> list[str]:
        table = np.array(self._rows)
        step = -(-len(table) // _MOST_POINTS) or 1
        parts = []
        for k, name in enumerate(_ROWS):
            floor = _TOP + _TALL * (k + 1) - 6
            parts.append(f'<text x="8" y="{floor - _TALL // 2 + 12}">{name}</text>')
            parts.append(
                f'<line x1="{_LEFT}" x2="{_WIDE - 20}" y1="{floor}" y2="{floor}" stroke="#ccc"/>'
            )
            path, pen_is_down = [], False
            for i in range(0, len(table), step):
                # A point of several frames shows their largest weight, so that no blink is skipped.
                some = table[i : i + step, k]
                if np.isnan(some).all():
                    pen_is_down = False
                    continue
                x = _LEFT + (self._times[i] - start) * scale
                y = floor - float(np.nanmax(some)) * (_TALL - 16)
                path.append(f"{'L' if pen_is_down else 'M'}{x:.1f} {y:.1f}")
                pen_is_down = True
            parts.append(f'<path d="{" ".join(path)}" fill="none" stroke="#222" stroke-width="1"/>')
        return parts

    def _axis(self, start: float, scale: float, height: int) -> list[str]:
        step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300) if s * scale > 60), 900)
        ticks = np.arange(np.ceil(start / step) * step, start + self.seconds + 1e-9, step)
        return [
            f'<text x="{_LEFT + (at - start) * scale:.1f}" y="{height - 14}" '
            f'text-anchor="middle" fill="#555">{at:g} s</text>'
            for at in ticks
        ] + [
            f'<text x="{_WIDE - 330 + 120 * i}" y="26" fill="{colour}">■ {name}</text>'
            for i, (name, colour) in enumerate(_COLOURS.items())
        ]
