"""Close lids and lips completely, which the tracked mesh alone does not.

A tracked mesh leaves a slit between shut lids and between touching lips. Both are closed here,
gradually, so that nothing pops; lids that are shut in the photo stay shut, since the eye behind
them is unknown.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import at_rest
from retarget.flow.values import FaceRequest, Identity
from retarget.generate.warp.rims import LEFT_EYE, LIP_ROWS, MOUTH, RIGHT_EYE, Opening, rims_of
from retarget.generate.warp.shape.closing import into_a_bow

SHUT, NEARLY_SHUT = 0.04, 0.16
"""Measured lid aperture between which the lids are drawn together; at the first they meet."""
SHUT_SAID, NEARLY_SHUT_SAID = 0.1, 0.25
"""The same without a measurement: the mesh's aperture relative to the eye at rest."""
TOUCHING, NEARLY_TOUCHING = 0.004, 0.016
"""The same for the gap between the lips, in head units."""
SHUT_PHOTO = 0.11
"""Lid distance in eye widths below which the photo's eye counts as shut."""
LOWER_LID_RISE = 0.12
"""Share of the closing movement done by the lower lid."""


class Contact:
    """Closes eyes and mouth of one photo.

    Args:
        identity: the photo.
        points: (478, 3) its mesh in pixels of the crop.
    """

    def __init__(self, identity: Identity, points: Floats) -> None:
        self._points, self._rest = points, identity.rest
        self._unit = identity.face.eye_distance
        tracked = identity.face.points
        self._eyes = [rims_of(points, eye) for eye in (LEFT_EYE, RIGHT_EYE)]
        self._larger = [
            rims.gap - rims_of(tracked, eye).gap
            for rims, eye in zip(self._eyes, (LEFT_EYE, RIGHT_EYE), strict=True)
        ]
        """Pixels by which the photo's eyes are open wider than the tracker found, per eye."""
        self._mouth = rims_of(points, MOUTH)
        self._photo_gap = self._mouth.gap / self._unit
        self.mouth_shut = self._photo_gap <= identity.rest.lip_gap + 0.012
        rest = rims_of(identity.pose.to_picture(at_rest(identity)).astype(np.float32), MOUTH)
        self._rest_gap = max(rest.gap / self._unit, 0.0)

    def lids(self, request: FaceRequest, wish: Floats) -> Floats:
        """Requested displacements (478, 3) with the eyes closed where they should be."""
        out = wish.copy()
        for side, eye in enumerate((LEFT_EYE, RIGHT_EYE)):
            out = self._lid(request, out, eye, side)
        return out

    def _lid(self, request: FaceRequest, wish: Floats, eye: Opening, side: int) -> Floats:
        photo, now = self._eyes[side], rims_of(self._points + wish, eye)
        apart = now.apart
        measured = request.expression.measured
        if measured is not None:
            shut = 1 - smoothstep(SHUT, NEARLY_SHUT, float(measured.aperture[side]))
        else:
            rest = max(float(self._rest.aperture[side]), 0.05) * photo.width
            gap = now.gap - self._larger[side]
            shut = 1 - smoothstep(SHUT_SAID, NEARLY_SHUT_SAID, gap / rest)
        if photo.gap < SHUT_PHOTO * photo.width:
            close = apart - np.clip(apart, 0, np.maximum(photo.apart, 0))
        else:
            close = np.maximum(apart, 0) * shut + np.minimum(apart, 0)
        across = (close[:, None] * photo.down).astype(np.float32)
        upper, lower = eye
        wish[upper[1:-1], :2] += (1 - LOWER_LID_RISE) * across[1:-1]
        wish[lower[1:-1], :2] -= LOWER_LID_RISE * across[1:-1]
        return wish

    def touching(self, request: FaceRequest, gap: float) -> float:
        """How far the lips are held together, 0..1.

        Args:
            request: the face to draw.
            gap: distance between the lips in the requested mesh, in head units.
        """
        measured = request.expression.measured
        open_by = measured.lip_gap if measured is not None else gap - self._rest_gap
        return 1 - smoothstep(TOUCHING, NEARLY_TOUCHING, open_by)

    def lips(self, request: FaceRequest, wish: Floats) -> Floats:
        """Requested displacements (478, 3) with the lips closed where they should touch."""
        now = rims_of(self._points + wish, MOUTH)
        held = self.touching(request, now.gap / self._unit)
        return self._closed(wish, held, now.apart)

    def lips_meet(self, request: FaceRequest, moved: Floats, wish: Floats) -> Floats:
        """Close again lips that smoothing among neighbouring points has parted.

        Args:
            request: the face to draw.
            moved: (468, 3) smoothed displacements.
            wish: (468, 3) displacements requested before smoothing.
        """
        wished = rims_of(self._points[: landmarks.MESH_COUNT] + wish, MOUTH)
        held = self.touching(request, wished.gap / self._unit)
        out = self._closed(moved, held, wished.apart)
        now = rims_of(self._points[: landmarks.MESH_COUNT] + out, MOUTH)
        out[LIP_ROWS, :2] += into_a_bow(self._mouth, now)[:, None] * self._mouth.down
        return out

    def _closed(self, moved: Floats, held: float, wished: Floats) -> Floats:
        """Displacements with lips at most `wished` (11,) pixels apart, closed by `held`, 0..1."""
        photo = self._mouth
        apart = rims_of(self._points[: len(moved)] + moved, MOUTH).apart
        touch = photo.apart if self.mouth_shut else np.zeros_like(photo.apart)
        too_far = np.maximum(apart - np.maximum(wished, touch), 0) + np.minimum(apart - touch, 0)
        close = held * (apart - touch) + (1 - held) * too_far
        across = (0.5 * close[:, None] * photo.down).astype(np.float32)
        out = moved.copy()
        upper, lower = MOUTH
        out[upper[1:-1], :2] += across[1:-1]
        out[lower[1:-1], :2] -= across[1:-1]
        return out
