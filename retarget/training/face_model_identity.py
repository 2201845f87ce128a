"""How people differ at rest, for estimating the rest in a single photo.

A few clips do not show how faces vary, so smoothness is assumed: neighbouring points differ alike,
whole faces more than single features, both sides mostly together (a Gaussian process over
the mesh; Lüthi et al., "Gaussian Process Morphable Models", IEEE TPAMI 40(8), 2018).
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles, Ints

_SCALES = ((0.045, 0.7), (0.025, 0.25), (0.010, 0.09))
"""(standard deviation, range) in head units: the whole face, a feature, a lip."""
_SYMMETRIC = 0.85
"""Part of the variance that both sides have in common."""
_MODES = 60


def identity_modes(neutral: Doubles, mirror: Ints, stability: Doubles) -> Doubles:
    """(60, 478, 3) the strongest principal components of face shape, each for unit variance."""
    far = np.linalg.norm(neutral[:, None] - neutral[None], axis=2)
    alike = sum(s * s * np.exp(-(far**2) / (2 * reach**2)) for s, reach in _SCALES)
    covariance = np.kron(np.asarray(alike), np.eye(3))
    flip = np.zeros_like(covariance)
    for i, j in enumerate(mirror):
        flip[3 * i : 3 * i + 3, 3 * j : 3 * j + 3] = np.diag((-1.0, 1.0, 1.0))
    even, odd = (np.eye(len(flip)) + flip) / 2, (np.eye(len(flip)) - flip) / 2
    covariance = 2 * (
        _SYMMETRIC * even @ covariance @ even.T + (1 - _SYMMETRIC) * odd @ covariance @ odd.T
    )
    shape = _without_pose(neutral, stability)
    values, vectors = np.linalg.eigh(shape @ covariance @ shape.T)
    modes = (vectors[:, -_MODES:] * np.sqrt(values[-_MODES:])).T[::-1]
    # The sign of a mode is arbitrary; a fixed one makes every run give the same result.
    largest = np.take_along_axis(modes, np.abs(modes).argmax(axis=1)[:, None], axis=1)
    modes = modes * np.sign(largest)
    return np.asarray(modes.reshape(_MODES, landmarks.COUNT, 3))


def _without_pose(neutral: Doubles, stability: Doubles) -> Doubles:
    """The projection that removes translation, rotation and scale as the alignment sees them."""
    shifts = [np.tile(axis, (len(neutral), 1)) for axis in np.eye(3)]
    turns = [np.cross(axis, neutral) for axis in np.eye(3)]
    ways = np.stack([w.ravel() for w in (*shifts, *turns, neutral)], axis=1)
    weighted = ways * np.repeat(stability, 3)[:, None]
    return np.asarray(np.eye(len(ways)) - ways @ np.linalg.solve(ways.T @ weighted, weighted.T))
