"""Learn the correction of the wheel's mesh: `retarget/data/mesh_reading.npz`.

    python -m retarget.training.mesh_reading CLIPS... --bundle face_landmarker.task -o OUT.npz

Each clip, and its mirror image, is followed by both trackers. The difference of the two meshes'
displacements is regressed (ridge) on the displacement of the whole wheel's mesh, each clip relative
to its median, so that face shapes do not count as expressions. Terms of the head pose take part in
the regression and are dropped. Of nine clips of eight people, each left out in turn, it explained
0.3 of the difference sideways and 0.15 of that up and down; features of the network's own layers,
and a network trained on the pixels, explained less for people left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from retarget.expression.mesh_reading import NOT_CORRECTED
from retarget.expression.reader import DEPTH
from retarget.flow import landmarks
from retarget.flow.arrays import Doubles
from retarget.training.face_model_mesh import CanonicalFace
from retarget.training.two_meshes import arguments, both_moved, of_each

_PULL = 0.02
"""Ridge penalty over the mean square of a row: the best of 0.002 to 0.02 on people left out."""
_RANK = 16
"""Singular vectors that are kept; they hold four fifths of the correction."""


class Rows(NamedTuple):
    """The training rows of one clip, each divided by the root of their number."""

    moved: Doubles
    """(n, 478 * 3) displacement of the wheel's mesh, z times `DEPTH`."""
    pose: Doubles
    """(n, 9) pose terms."""
    missing: Doubles
    """(n, 478 * 2) the other mesh's displacement minus it, in x and y."""


def rows(path: Path, bundle: Path, mirrored: bool) -> Rows:
    """The training rows of a clip or of its mirror image."""
    away, pose, other = both_moved(path, bundle, mirrored=mirrored)
    missing = (other - away)[..., :2]
    missing[:, NOT_CORRECTED] = 0.0
    away[..., 2] *= DEPTH
    away[:, landmarks.MESH_COUNT :] = 0.0
    columns = away.reshape(len(away), -1), pose, missing.reshape(len(away), -1)
    return Rows(*((c - np.median(c, axis=0)) / np.sqrt(len(c)) for c in columns))


def learn(clips: Sequence[Rows], mirror: npt.NDArray[np.int64]) -> tuple[Doubles, Doubles]:
    """The low-rank correction of a displaced mesh.

    Args:
        clips: the training rows of each clip.
        mirror: (478,) the mirrored point of each point.

    Returns:
        (r, 478, 3) maps from a displacement to r numbers, and (r, 478, 2) the correction in head
        units that 1 in each of the numbers gives.
    """
    moved, pose, missing = (np.vstack(column) for column in zip(*clips, strict=True))
    sizes = [np.sqrt((c**2).sum() / len(clips)) for c in (moved, pose)]
    design = np.hstack([moved / sizes[0], pose / sizes[1]])
    square = design.T @ design + _PULL * np.eye(design.shape[1])
    found = np.linalg.solve(square, design.T @ missing)[: moved.shape[1]] / sizes[0]
    found = symmetric(found.reshape(landmarks.COUNT, 3, landmarks.COUNT, 2), mirror)
    told, strength, moves = np.linalg.svd(found, full_matrices=False)
    told = (told[:, :_RANK] * strength[:_RANK]).T.reshape(-1, landmarks.COUNT, 3)
    told[..., 2] *= DEPTH
    return told, moves[:_RANK].reshape(-1, landmarks.COUNT, 2)


def symmetric(found: Doubles, mirror: npt.NDArray[np.int64]) -> Doubles:
    """(478 * 3, 478 * 2) the mean of a map (478, 3, 478, 2) and of its mirror image."""
    flipped = found[mirror][:, :, mirror] * np.array([-1.0, 1.0, 1.0])[:, None, None]
    flipped = flipped * np.array([-1.0, 1.0])
    return np.asarray((found + flipped) / 2).reshape(landmarks.COUNT * 3, -1)


def main(argv: Sequence[str] | None = None) -> int:
    """Learn from the clips and write the reading."""
    given = arguments(__doc__, argv)
    clips = of_each(given, rows)
    told, moves = learn(clips, CanonicalFace.read(given.bundle).mirror)
    np.savez(given.output, told=told.astype(np.float32), moves=moves.astype(np.float32))
    print(f"{given.output}: {len(given.clips)} clips, {sum(len(c.pose) for c in clips)} frames")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
