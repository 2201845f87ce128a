"""Learn how much lower brows are than the mesh says: `retarget/data/brow_reading.npy`.

    python -m retarget.training.brow_reading CLIPS... --bundle face_landmarker.task -o OUT.npy

Each clip, and its mirror image, is followed by both trackers. How much farther one mesh lowers its
brows than the other is regressed on how the other one moves as a whole, clip by clip about its own
median, so that nobody's face shape is mistaken for an expression. Functions of the head's pose are
regressed along and left out: what a turned head does to a mesh is no frown. And a mesh that moves
just as a blendshape moves it says nothing more: without that, smiles lowered brows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retarget.expression.brows import SHAPES
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Ints
from retarget.flow.face_model import face_model
from retarget.training.face_model_mesh import CanonicalFace
from retarget.training.two_meshes import both_moved, of_each, said_to
from retarget.transfer.strength import region_shares

_PULL, _POSE_PULL = 1e-4, 1e-3
"""Pull towards zero of what is learned and of the pose terms, in variance of one of their inputs;
of 1e-5 to 1e-3 the best on clips that were left out, and little better than the others."""
_PLAIN = 0.3
"""How much each blendshape, which shall say nothing more, counts against a clip (squared)."""


def lowered(displacement: Doubles) -> Doubles:
    """(n, 2) the browDown weights, left and right, nearest to (n, 478, 3) displacements."""
    model = face_model()
    share = region_shares(model)["brows"][:, None]
    shapes = (model.basis[SHAPES] * share)[..., :2].reshape(2, -1)
    seen = (displacement * share)[..., :2].reshape(len(displacement), -1)
    return np.asarray(np.linalg.lstsq(shapes.T, seen.T, rcond=None)[0].T)


def rows(path: Path, bundle: Path, mirrored: bool) -> tuple[Doubles, Doubles, Doubles]:
    """What one clip teaches, each row of it over the root of their number.

    Returns:
        (n, 478 * 3) how the face mesh moves, (n, 9) pose terms, (n, 2) how much farther the Tasks
        mesh lowers its left and right brow; each about its median.
    """
    away, pose, other = both_moved(path, bundle, mirrored=mirrored)
    columns = away.reshape(len(away), -1), pose, lowered(other - away)
    x, p, y = ((c - np.median(c, axis=0)) / np.sqrt(len(c)) for c in columns)
    return x, p, y


def learn(clips: Sequence[tuple[Doubles, Doubles, Doubles]]) -> Doubles:
    """(2, 478, 3) by what each coordinate's movement lowers the left and the right brow."""
    x, p, y = (np.vstack(column) for column in zip(*clips, strict=True))
    design = np.hstack([x, p * np.sqrt(_PULL / _POSE_PULL)])
    shapes = face_model().basis.reshape(blendshapes.COUNT, -1)
    plain = np.hstack([shapes, np.zeros((len(shapes), p.shape[1]))])
    design = np.vstack([design, _PLAIN * np.sqrt(len(clips)) * plain])
    y = np.vstack([y, np.zeros((len(shapes), y.shape[1]))])
    u, s, vt = np.linalg.svd(design, full_matrices=False)
    found = vt.T @ ((s / (s**2 + _PULL * len(clips)))[:, None] * (u.T @ y))
    return np.asarray(found[: x.shape[1]].T.reshape(2, landmarks.COUNT, 3))


def symmetric(reading: Doubles, mirror: Ints) -> Doubles:
    """The mean of a reading (2, 478, 3) and of what it says of mirrored faces.

    Args:
        reading: of the left and the right brow.
        mirror: (478,) the point that takes each point's place in a mirror.
    """
    flipped = reading[::-1, mirror] * (-1.0, 1.0, 1.0)
    return np.asarray((reading + flipped) / 2)


def main(argv: Sequence[str] | None = None) -> int:
    """Learn from the clips and write the reading."""
    said = said_to(__doc__, argv)
    clips = of_each(said, rows)
    reading = symmetric(learn(clips), CanonicalFace.read(said.bundle).mirror)
    np.save(said.output, reading.astype(np.float32))
    print(f"{said.output}: {len(said.clips)} clips, {sum(len(x) for x, _, _ in clips)} frames")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
