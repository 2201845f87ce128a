"""Learn what the wheel's mesh leaves untold: `retarget/data/mesh_reading.npz`.

    python -m retarget.training.mesh_reading CLIPS... --bundle face_landmarker.task -o OUT.npz

Each clip, and its mirror image, is followed by both trackers. How much farther each point of one
mesh moves than the other's is regressed, by ridge regression, on how the other one moves as a
whole, clip by clip about its own median, so that nobody's face shape is mistaken for an expression.
Functions of the head's pose are regressed along and left out. Of nine clips of eight people, each
of them left out in turn, it told 0.3 of what differs sideways and 0.15 of what differs up and
down; features of the network's own layers, and a network of our own that saw the pixels, told less
of people they had not learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from retarget.expression.mesh_reading import LEFT_TO_OTHERS
from retarget.expression.reader import DEPTH
from retarget.flow import landmarks
from retarget.flow.arrays import Doubles
from retarget.training.face_model_mesh import CanonicalFace
from retarget.training.two_meshes import both_moved, of_each, said_to

_PULL = 0.02
"""Pull towards zero, of the mean square of a row: of 0.002 to 0.02 the best on people left out."""
_RANK = 16
"""Directions that are kept, in which lies four fifths of what is told."""


class Taught(NamedTuple):
    """What one clip teaches, each row of it over the root of their number."""

    moved: Doubles
    """(n, 478 * 3) how the wheel's mesh moves, depth at `DEPTH`."""
    pose: Doubles
    """(n, 9) pose terms."""
    untold: Doubles
    """(n, 478 * 2) how much farther the other mesh does, in the picture's plane."""


def taught(path: Path, bundle: Path, mirrored: bool) -> Taught:
    """What a clip or its mirror image teaches."""
    away, pose, other = both_moved(path, bundle, mirrored=mirrored)
    untold = (other - away)[..., :2]
    untold[:, LEFT_TO_OTHERS] = 0.0
    away[..., 2] *= DEPTH
    away[:, landmarks.MESH_COUNT :] = 0.0
    columns = away.reshape(len(away), -1), pose, untold.reshape(len(away), -1)
    return Taught(*((c - np.median(c, axis=0)) / np.sqrt(len(c)) for c in columns))


def learn(clips: Sequence[Taught], mirror: npt.NDArray[np.int64]) -> tuple[Doubles, Doubles]:
    """What to read off a displaced mesh, and how that moves it.

    Args:
        clips: what each clip teaches.
        mirror: (478,) the point that takes each point's place in a mirror.

    Returns:
        (r, 478, 3) by which a displacement is multiplied and summed, and (r, 478, 2) head units
        that each of the r sums adds.
    """
    moved, pose, untold = (np.vstack(column) for column in zip(*clips, strict=True))
    sizes = [np.sqrt((c**2).sum() / len(clips)) for c in (moved, pose)]
    design = np.hstack([moved / sizes[0], pose / sizes[1]])
    square = design.T @ design + _PULL * np.eye(design.shape[1])
    found = np.linalg.solve(square, design.T @ untold)[: moved.shape[1]] / sizes[0]
    found = symmetric(found.reshape(landmarks.COUNT, 3, landmarks.COUNT, 2), mirror)
    told, strength, moves = np.linalg.svd(found, full_matrices=False)
    told = (told[:, :_RANK] * strength[:_RANK]).T.reshape(-1, landmarks.COUNT, 3)
    told[..., 2] *= DEPTH
    return told, moves[:_RANK].reshape(-1, landmarks.COUNT, 2)


def symmetric(found: Doubles, mirror: npt.NDArray[np.int64]) -> Doubles:
    """(478 * 3, 478 * 2) the mean of what moves what (478, 3, 478, 2) and of that in a mirror."""
    flipped = found[mirror][:, :, mirror] * np.array([-1.0, 1.0, 1.0])[:, None, None]
    flipped = flipped * np.array([-1.0, 1.0])
    return np.asarray((found + flipped) / 2).reshape(landmarks.COUNT * 3, -1)


def main(argv: Sequence[str] | None = None) -> int:
    """Learn from the clips and write the reading."""
    said = said_to(__doc__, argv)
    clips = of_each(said, taught)
    told, moves = learn(clips, CanonicalFace.read(said.bundle).mirror)
    np.savez(said.output, told=told.astype(np.float32), moves=moves.astype(np.float32))
    print(f"{said.output}: {len(said.clips)} clips, {sum(len(c.pose) for c in clips)} frames")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
