"""Rigid alignment with scale (similarity): where the head is."""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Doubles, Reals
from retarget.flow.values import HeadPose

_ROUNDS = 2
"""Reweighting rounds."""
_TYPICAL = 0.012
"""Typical distance of an inlier, in head units."""


def align(head: Reals, points: Reals, weights: Reals) -> HeadPose:
    """The similarity that lays head-frame points on picture points, in weighted least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE TPAMI 13(4), 1991.

    Args:
        head: (n, 3) points in the head frame.
        points: (n, 3) the same points in pixels.
        weights: (n,) not negative, not all 0.
    """
    share = weights / weights.sum()
    head_centre, points_centre = share @ head, share @ points
    a, b = head - head_centre, points - points_centre
    held = a * share[:, None]
    u, values, vt = np.linalg.svd(b.T @ held)
    rotation = u @ vt
    if np.linalg.det(rotation) < 0.0:
        u[:, 2], values[2] = -u[:, 2], -values[2]
        rotation = u @ vt
    scale = float(values.sum() / np.vdot(held, a))
    return HeadPose(
        rotation=rotation, translation=points_centre - scale * rotation @ head_centre, scale=scale
    )


def align_robustly(head: Reals, points: Reals, weights: Reals) -> HeadPose:
    """As `align`, iteratively reweighted with Cauchy weights, so that outliers count less.

    Args:
        head: (n, 3) points in the head frame.
        points: (n, 3) the same points in pixels.
        weights: (n,) not negative, not all 0.
    """
    used = np.flatnonzero(weights)
    head, points, weights = head[used], points[used], weights[used].astype(np.float64)
    pose = align(head, points, weights)
    for _ in range(_ROUNDS):
        off = (pose.to_head(points) - head) / _TYPICAL
        pose = align(head, points, weights / (1.0 + np.einsum("ij,ij->i", off, off)))
    return pose


def similarity(points: Reals, to: Reals) -> Doubles:
    """(2, 3) the similarity that lays points (n, 2) nearest to others (n, 2), in least squares.

    Solved in complex numbers, where one factor is rotation and scale and cannot mirror.
    """
    here, there = points.mean(axis=0, dtype=np.float64), to.mean(axis=0, dtype=np.float64)
    p, q = (points - here) @ (1, 1j), (to - there) @ (1, 1j)
    turn = complex(np.vdot(p, q) / max(np.vdot(p, p).real, 1e-12))
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, there - linear @ here])
