"""Learn the correction of brows in the wheel's mesh: `retarget/data/brow_reading.npy`.

    python -m retarget.training.brow_reading CLIPS... --bundle face_landmarker.task -o OUT.npy

Each clip, and its mirror image, is followed by both trackers. The difference of the two meshes'
brow heights is regressed on the displacement of the whole wheel's mesh, each clip relative to its
median, so that face shapes do not count as expressions. Terms of the head pose take part in the
regression and are dropped, as a turned head is no frown. Displacements that are those of a single
blendshape are set to give no correction; without that, smiles lowered brows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retarget.expression.mesh_reading import BROW_SHAPES
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Ints
from retarget.flow.face_model import face_model
from retarget.training.face_model_mesh import CanonicalFace
from retarget.training.two_meshes import arguments, both_moved, of_each
from retarget.transfer.strength import region_shares

_PULL, _POSE_PULL = 1e-4, 1e-3
"""Ridge penalties of the result and of the pose terms, in variance of one input; of 1e-5 to 1e-3
the best on clips left out, by a small margin."""
_PLAIN = 0.3
"""Weight (squared) of each blendshape without correction, relative to a clip."""


def lowered(displacement: Doubles) -> Doubles:
    """(n, 2) the browDown weights, left and right, nearest to (n, 478, 3) displacements."""
    model = face_model()
    share = region_shares(model)["brows"][:, None]
    shapes = (model.basis[BROW_SHAPES] * share)[..., :2].reshape(2, -1)
    seen = (displacement * share)[..., :2].reshape(len(displacement), -1)
    return np.asarray(np.linalg.lstsq(shapes.T, seen.T, rcond=None)[0].T)


def rows(path: Path, bundle: Path, mirrored: bool) -> tuple[Doubles, Doubles, Doubles]:
    """The training rows of one clip, each divided by the root of their number.

    Returns:
        (n, 478 * 3) displacement of the wheel's mesh, (n, 9) pose terms, (n, 2) how much further
        the Tasks mesh lowers its left and right brow; each minus its median.
    """
    away, pose, other = both_moved(path, bundle, mirrored=mirrored)
    columns = away.reshape(len(away), -1), pose, lowered(other - away)
    x, p, y = ((c - np.median(c, axis=0)) / np.sqrt(len(c)) for c in columns)
    return x, p, y


def learn(clips: Sequence[tuple[Doubles, Doubles, Doubles]]) -> Doubles:
    """(2, 478, 3) how much the movement of each coordinate lowers the left and the right brow."""
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
    """The mean of a map (2, 478, 3) and of its mirror image.

    Args:
        reading: the map for the left and the right brow.
        mirror: (478,) the mirrored point of each point.
    """
    flipped = reading[::-1, mirror] * (-1.0, 1.0, 1.0)
    return np.asarray((reading + flipped) / 2)


def main(argv: Sequence[str] | None = None) -> int:
    """Learn from the clips and write the reading."""
    given = arguments(__doc__, argv)
    clips = of_each(given, rows)
    reading = symmetric(learn(clips), CanonicalFace.read(given.bundle).mirror)
    np.save(given.output, reading.astype(np.float32))
    print(f"{given.output}: {len(given.clips)} clips, {sum(len(x) for x, _, _ in clips)} frames")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
