"""The path of highest total gain through an array, from first row to last.

Dynamic programming: Bellman, "Dynamic Programming", 1957.
"""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Floats, Ints

STEEPEST = 4
"""Largest step in columns from one row to the next."""


def best_path(gain: Floats, bend: float) -> Ints:
    """(n,) column in each row of the path with the highest total gain.

    Args:
        gain: (n, m) gain of each position.
        bend: cost per column of sideways step.
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
    """`best_path` for rows that wrap around: the middle of two rounds joins up at its ends."""
    rows, half = len(gain), len(gain) // 2
    path = best_path(np.concatenate([gain, gain]), bend)
    return np.concatenate([path[rows : rows + half], path[half:rows]])
