"""One photo, taken apart once, drawn again for every request."""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.crop import Crop
from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp import mesh
from retarget.generate.warp.displace import Displacer
from retarget.generate.warp.eyes import draw_eye, take_apart
from retarget.generate.warp.mesh import Floats, topology
from retarget.generate.warp.mouth import DrivingMouth, skin_tone, smoothstep
from retarget.generate.warp.render import full_field, moving_grid, skin_field, warped
from retarget.generate.warp.rims import LEFT_EYE, MOUTH, RIGHT_EYE, Rims, rims_of

EYES = ((RIGHT_EYE, landmarks.RIGHT_IRIS), (LEFT_EYE, landmarks.LEFT_IRIS))


class Portrait:
    """A photo that can be redrawn."""

    def __init__(self, identity: Identity, settings: WarpSettings) -> None:
        self.identity, self._settings = identity, settings
        rgb = identity.frame.rgb
        height, width = rgb.shape[:2]
        points = identity.face.points
        rings = mesh.with_rings(points[:, :2])
        low = np.maximum(np.floor(rings.min(axis=0)), 0).astype(int)
        high = np.minimum(np.ceil(rings.max(axis=0)) + 1, (width, height)).astype(int)
        self._left, self._top = int(low[0]), int(low[1])
        self._photo = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
        self._origin = np.array([self._left, self._top, 0], np.float32)
        self._points = points - self._origin
        self._source = rings - self._origin[:2]
        self._unit = identity.face.eye_distance
        self._step = max(1, round(self._unit / 60))
        self._displace = Displacer(self._points)
        self._mouth = DrivingMouth(skin_tone(rgb, points), self._unit)
        self._eyes = []
        for eye, iris in EYES:
            rim = self._points[list(iris), :2]
            radius = float(np.linalg.norm(rim[1:] - rim[0], axis=1).mean())
            self._eyes.append(take_apart(self._photo, rims_of(self._points, eye), rim[0], radius))

    def draw(self, request: FaceRequest) -> GeneratedFace:
        """The crop of the photo with the request's points."""
        height, width = self._photo.shape[:2]
        wished = request.points - self._origin
        moved = self._displace(wished, turning=False)
        source, all_moved = self._source, mesh.rings_follow(moved)
        found = moving_grid(source, all_moved, topology().all, self._step, (width, height))
        out = self._photo.copy()
        now = (self._points[: landmarks.MESH_COUNT, :2] + moved).astype(np.float32)
        if found is not None:
            grid, used = found
            field = skin_field(grid, source, all_moved, used)
            openings = [
                (rims_of(now, o), rims_of(self._points, o)) for o in (RIGHT_EYE, LEFT_EYE, MOUTH)
            ]
            out = warped(self._photo, grid, full_field(grid, field, openings))
            self._draw_eyes(out, now, wished)
            self._draw_mouth(out, rims_of(now, MOUTH), request)
        crop = Crop.box(self._left, self._top, width, height)
        return GeneratedFace(request=request, rgb=out, crop=crop)

    def _draw_eyes(self, out: np.ndarray, now: Floats, wished: Floats) -> None:
        for (eye, iris), ball in zip(EYES, self._eyes, strict=True):
            rims = rims_of(now, eye)
            shift = (wished[iris[0], :2] - rims.middle.mean(0)) - (
                self._points[iris[0], :2] - ball.rims.middle.mean(0)
            )
            corners = rims.upper[[0, -1]].mean(0) - ball.rims.upper[[0, -1]].mean(0)
            shift = wished[iris[0], :2] - self._points[iris[0], :2] - corners
            if np.abs(shift).max() < 0.05 and np.abs(rims.outline - ball.rims.outline).max() < 0.05:
                continue
            draw_eye(out, ball, rims, shift)

    def _draw_mouth(self, out: np.ndarray, now: Rims, request: FaceRequest) -> None:
        driving = request.driving
        if driving is None or driving.tracked is None or driving.tracked.face is None:
            return
        open_by = now.gap / self._unit
        share = smoothstep(0.012, 0.032, open_by)
        if share > 0:
            self._mouth.draw(out, now, driving.tracked, share)
