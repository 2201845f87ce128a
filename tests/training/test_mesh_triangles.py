"""The shipped triangles are those that MediaPipe's edges make."""

from __future__ import annotations

import numpy as np
import pytest

from retarget.training.mesh_triangles import TARGET, triangles_of


def test_the_shipped_triangles_are_made_of_the_published_edges() -> None:
    published = pytest.importorskip(
        "mediapipe.python.solutions.face_mesh_connections", reason="newer wheels do not list them"
    )
    edges = {(min(edge), max(edge)) for edge in published.FACEMESH_TESSELATION}
    np.testing.assert_array_equal(triangles_of(edges), np.load(TARGET))
