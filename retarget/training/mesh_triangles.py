"""Make the triangle list of the face mesh that the warp generator ships.

MediaPipe publishes its mesh as edges. Every three points joined by edges are a triangle, except for
two at the sides of the nose, which enclose three smaller ones. Eyes and mouth stay open. All
triangles have the same orientation, clockwise in a frontal picture.

    python -m retarget.training.mesh_triangles
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

ON_THE_NOSE = (1, 44, 4)
"""A triangle whose points run clockwise on a frontal picture."""
TARGET = Path(__file__).parents[1] / "generate" / "warp" / "triangles.npy"


def triangles_of(edges: set[tuple[int, int]]) -> npt.NDArray[np.int16]:
    """(n, 3) triangles that run the same way round, from undirected edges (low, high)."""
    near: dict[int, set[int]] = {}
    for a, b in edges:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a, b in edges for c in near[a] & near[b]}
    used: dict[tuple[int, int], int] = {}
    for a, b, c in found:
        for edge in ((a, b), (a, c), (b, c)):
            used[edge] = used.get(edge, 0) + 1
    real = [(a, b, c) for a, b, c in found if min(used[a, b], used[a, c], used[b, c]) <= 2]
    return np.array(_one_way_round(sorted(real)), np.int16)


def _one_way_round(triangles: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Orient triangles alike, so that each shared edge has both directions, from a known one on."""
    at: dict[tuple[int, int], list[int]] = {}
    for n, (a, b, c) in enumerate(triangles):
        for edge in ((a, b), (b, c), (a, c)):
            at.setdefault(edge, []).append(n)
    first = next(n for n, t in enumerate(triangles) if set(t) == set(ON_THE_NOSE))
    turned: dict[int, tuple[int, ...]] = {first: ON_THE_NOSE}
    waiting = [first]
    while waiting:
        a, b, c = turned[waiting.pop()]
        for x, y in ((a, b), (b, c), (c, a)):
            for other in at[min(x, y), max(x, y)]:
                if other not in turned:
                    (third,) = set(triangles[other]) - {x, y}
                    turned[other] = (y, x, third)
                    waiting.append(other)
    return [turned[n] for n in range(len(triangles))]


def main() -> None:
    """Write the list."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    edges = {(min(e), max(e)) for e in FACEMESH_TESSELATION}
    np.save(TARGET, triangles_of(edges), allow_pickle=False)


if __name__ == "__main__":
    main()
