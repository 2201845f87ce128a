"""The outline of the driving mouth, for rounded mouths.

Displacements keep the form that the lips have at rest. In a photo that smiles that form is unknown:
the corners lie too high, and a rounded mouth would be a V. Lips drawn together exaggerate it: what
hangs a little at rest would be a wedge. Where the driving mouth is visible and round, its rims give
the form.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.flow.values import FaceRequest
from retarget.generate.warp.rims import MOUTH, Rims, rims_of

ROUNDED = (0.35, 0.7)
"""Gap of the lips in mouth widths between which a mouth becomes rounded."""
SMILING = (0.2, 0.5)
"""Smile of the photo (0..1) between which the form of its lips at rest becomes too uncertain; while
it is known, lips follow better with it."""
DRAWN_IN = (0.85, 0.65)
"""Width of the drawn mouth relative to the photo's between which its form at rest loses weight."""
_SMILE = blendshapes.weights({"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5})
_CORNERS = np.array([i for row in landmarks.UPPER_LIP_ROWS for i in (row[0], row[-1])])


def as_driving_mouth(moved: Floats, points: Floats, request: FaceRequest) -> None:
    """Give rounded lips the form of the driving mouth, with the requested width and gap.

    Their height is kept; the corners take the place that they have in the driving mouth.

    Args:
        moved: displacements (468, 3), changed in place.
        points: (478, 3) the photo's mesh.
        request: the request.
    """
    now = rims_of(points[: landmarks.MESH_COUNT] + moved, MOUTH)
    smile = smoothstep(*SMILING, float(_SMILE @ request.identity.expression.weights))
    drawn_in = smoothstep(*DRAWN_IN, now.width / rims_of(points, MOUTH).width)
    unknown = max(smile, drawn_in)
    then = _driving_rims(request) if unknown > 0 else None
    if then is None:
        return
    round_ = min(smoothstep(*ROUNDED, rims.gap / rims.width) for rims in (then, now))
    if round_ == 0:
        return
    much = np.float32(unknown * round_)
    off = [
        _laid(theirs, then, now) - own
        for own, theirs in ((now.upper, then.upper), (now.lower, then.lower))
    ]
    middle = np.mean([rim[4:7] @ now.down for rim in off]) * now.down
    for rim, to in zip(MOUTH, off, strict=True):
        moved[rim[1:-1], :2] += much * (to - middle)[1:-1]
    moved[_CORNERS, :2] -= much * middle


def _driving_rims(request: FaceRequest) -> Rims | None:
    """The driving lips in front view; None where the driving face is not visible."""
    driving = request.driving
    tracked = None if driving is None else driving.tracked
    if driving is None or driving.pose is None or tracked is None or tracked.face is None:
        return None
    return rims_of(driving.pose.to_head(tracked.face.points).astype(np.float32), MOUTH)


def _laid(line: Floats, then: Rims, now: Rims) -> Floats:
    """A line (n, 2) of one mouth mapped to another, scaled by width and gap."""
    out = line - then.middle_of_corners
    across = (out @ then.along * np.float32(now.width / then.width))[:, None] * now.along
    down = (out @ then.down * np.float32(now.gap / then.gap))[:, None] * now.down
    return np.asarray(now.middle_of_corners + across + down, np.float32)
