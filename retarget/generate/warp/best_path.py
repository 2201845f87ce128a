"""The best way through a picture of what each place is worth.

Dynamic programming: Bellman, "Dynamic Programming", 1957.
"""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Floats, Ints

STEEPEST = 4
"""Columns from one row to the next at most."""


def best_path(gain: Floats, bend: float) -> Ints:
    """(n,) the columns of the best way through a picture (n, m), row by row.

    Args:
        gain: what each place is worth.
        bend: what a column to the side costs.
    """
    rows, columns = gain.shape
    steps = np.arange(-STEEPEST, STEEPEST + 1)
    cost = (bend * np.abs(steps)).astype(np.float32)[:, None]
    best = np.full(columns + 2 * STEEPEST, np.float32(-1e6))
    inner = slice(STEEPEST, STEEPEST + columns)
    best[inner] = gain[0]
    came = np.zeros(gain.shape, np.int64)
    for row in range(1, rows):
        ways = np.lib.stride_tricks.sliding_window_view(best, columns) - cost
        came[row] = ways.argmax(axis=0) - STEEPEST
        best[inner] = ways.max(axis=0) + gain[row]
    out = np.empty(rows, np.int64)
    column = int(best[inner].argmax())
    for row in range(rows - 1, -1, -1):
        out[row] = column
        column += int(came[row, column])
    return out


def best_closed_path(gain: Floats, bend: float) -> Ints:
    """The same for rows that go round: gone through twice, the middle of it closes."""
    rows, half = len(gain), len(gain) // 2
    path = best_path(np.concatenate([gain, gain]), bend)
    return np.concatenate([path[rows : rows + half], path[half:rows]])
