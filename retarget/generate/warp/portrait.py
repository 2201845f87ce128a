"""One photo, prepared once and redrawn for every request."""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.flow.crop import Crop
from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp import flow, mesh
from retarget.generate.warp.backdrop import Backdrop
from retarget.generate.warp.eyes.eyeball import Eyeball, take_apart
from retarget.generate.warp.eyes.eyes import bare_below_lid, draw_eye, lit_when_bare
from retarget.generate.warp.eyes.lids import (
    LEFT_BROW,
    LEFT_FOLD,
    LEFT_SKIN,
    RIGHT_BROW,
    RIGHT_FOLD,
    RIGHT_SKIN,
    Lid,
    backed,
)
from retarget.generate.warp.eyes.limbus import EyePatch, LastingSize, limbi
from retarget.generate.warp.eyes.unseen_eyes import unseen_eyes
from retarget.generate.warp.glasses.glasses import Glasses
from retarget.generate.warp.glasses.glasses_seen import glasses_seen
from retarget.generate.warp.mouth.mouth import Mouth
from retarget.generate.warp.mouth.shut_lips import lips_backed
from retarget.generate.warp.render import Canvas, pixel_field
from retarget.generate.warp.rims import LEFT_EYE, MOUTH, RIGHT_EYE, Rims, rims_of
from retarget.generate.warp.shape.closing import gathering
from retarget.generate.warp.shape.displace import Displacer, Moved
from retarget.generate.warp.shape.lip_ends import giving_way
from retarget.generate.warp.shape.seen_lids import lids_to_where_seen
from retarget.generate.warp.shape.seen_outline import outline_to_where_seen
from retarget.generate.warp.shape.turned_skin import TurnedSkin
from retarget.generate.warp.skin.creases import Creases
from retarget.generate.warp.skin.own_folds import OwnFolds
from retarget.generate.warp.skin.wrinkles import DrivingFolds, along_creases, draw_folds

EYES = (
    (RIGHT_EYE, landmarks.RIGHT_IRIS, (RIGHT_FOLD, RIGHT_BROW), RIGHT_SKIN),
    (LEFT_EYE, landmarks.LEFT_IRIS, (LEFT_FOLD, LEFT_BROW), LEFT_SKIN),
)
CELLS = 60
"""Cells of the displacement field per eye distance."""
SEEN_ANGLE = 2.0
"""Turn of the head in degrees from which triangles are sorted by depth."""


class Portrait:
    """A photo that can be redrawn.

    Args:
        identity: the photo.
        settings: how to draw.
        irises: what a clip's pictures so far tell of their size; used for a passing one.
        moves: whether the head will move.
    """

    def __init__(
        self,
        identity: Identity,
        settings: WarpSettings,
        irises: LastingSize,
        *,
        moves: bool,
    ) -> None:
        self.identity, self.moves = identity, moves
        rgb, points = identity.frame.rgb, identity.face.points
        rings = mesh.with_rings(points, mesh.MOVING_SCALES if moves else mesh.HELD_SCALES)
        low = np.clip(np.floor(rings.min(axis=0)), 0, identity.frame.size).astype(int)
        high = np.clip(np.ceil(rings.max(axis=0)) + 1, 0, identity.frame.size).astype(int)
        photo = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
        self._corner = (int(low[0]), int(low[1]))
        self._origin = np.array([*self._corner, 0], np.float32)
        self._points = points - self._origin
        hidden = unseen_eyes(photo, self._points)
        seen = None
        if not identity.passing:  # found anew in each picture, they would tremble
            seen = glasses_seen(photo, self._points, identity.pose, hidden)
        self._glasses = None
        if seen is not None:
            self._glasses = Glasses(photo, seen, _openings(self._points)[:2])
            photo = self._glasses.bare
        for eye, _, _, around in EYES:
            self._points = lids_to_where_seen(photo, self._points, eye, around[:3])
        person = None
        if identity.person is not None:
            person = identity.person[low[1] : high[1], low[0] : high[0]]
            if moves:
                unit = identity.face.eye_distance
                self._points = outline_to_where_seen(person, self._points, unit)
        self._source = rings - self._origin[:2]
        self._source[: landmarks.MESH_COUNT] = self._points[: landmarks.MESH_COUNT, :2]
        self._beside_lips = giving_way(photo, self._points)
        self._rims = _openings(self._points)
        self._step = max(1, round(identity.face.eye_distance / CELLS))
        backdrop = None
        if person is not None and settings.background == "still":
            moving = self._glasses.with_wearer(person) if self._glasses is not None else person
            backdrop = Backdrop.of(photo, moving, identity.face.eye_distance, held=not moves)
        self._canvas = Canvas(photo, passing=identity.passing, backdrop=backdrop)
        self._displace = Displacer(identity, self._points, hidden)
        self._turned_skin = TurnedSkin(self._points, identity.face.eye_distance)
        self._lids = [
            None if unseen else Lid.of(photo, self._points, rims, rows, around)
            for (*_, rows, around), rims, unseen in zip(EYES, self._rims, hidden, strict=False)
        ]
        self._eyes = self._taken_apart(photo, irises if identity.passing else None)
        tones = [ball.tone for ball in self._eyes if ball is not None]
        white = np.mean(tones or [photo.mean(axis=(0, 1))], axis=0).astype(np.float32)
        own = identity.expression.weights
        self._creases = Creases(photo, self._points, own, settings.creases)
        self._own_folds = OwnFolds(own, photo, self._points)
        self._wrinkles = settings.wrinkles
        self._folds = DrivingFolds()
        self._mouth = Mouth(identity, photo, self._points, white=white, settings=settings)

    def draw(self, request: FaceRequest, white: Floats | None) -> GeneratedFace:
        """The crop of the photo, redrawn as requested.

        Args:
            request: the request.
            white: (3,) white of the driving eyes, if known.
        """
        height, width = self._canvas.photo.shape[:2]
        moved = self._displace(request)
        now = _openings(moved.points)
        change = self._change(moved)
        found = flow.moving_grid(self._source, change, self._step, (width, height))
        out = self._skin(*found, change, moved, now) if found else self._canvas.photo.copy()
        if found:
            closing = gathering(self._rims[-1], now[-1])
            self._own_folds.smooth(out, moved.points, request.expression.weights, closing)
            self._draw_folds(out, found[0], moved, request)
        self._draw_eyes(out, moved, now)
        if self._glasses is not None:
            self._glasses.lay_over(out, moved.glasses if self.moves else None)
        self._mouth.draw(out, now[-1], moved, request, white)
        crop = Crop.box(*self._corner, width, height)
        return GeneratedFace(request=request, rgb=out, crop=crop)

    def _taken_apart(self, photo: Bytes, lasting: LastingSize | None) -> list[Eyeball | None]:
        """The eyes in the order of `EYES`; None where one is hidden or outside the photo."""
        shown = [
            None if lid is None else EyePatch.of(photo, rims, self._points[list(iris), :2])
            for (_, iris, *_), rims, lid in zip(EYES, self._rims, self._lids, strict=False)
        ]
        edges = iter(limbi([eye for eye in shown if eye is not None], lasting))
        return [
            None if eye is None or lid is None else take_apart(eye, next(edges), lid.skin)
            for eye, lid in zip(shown, self._lids, strict=True)
        ]

    def _change(self, moved: Moved) -> Floats:
        """(576, 2) displacements of the mesh and its rings."""
        whole = moved.points[:, :2] - self._source[: landmarks.MESH_COUNT]
        if not self.moves:
            return mesh.rings_follow(whole)
        by_head = whole - moved.expression
        along = mesh.rings_go_along(self._source, by_head)
        return along + mesh.rings_follow(moved.expression)

    def _in_order(self, triangles: Ints, moved: Moved, placed: Floats) -> Ints:
        """The triangles that face the viewer, far ones before near ones if the head has turned."""
        ring = (triangles.T >= landmarks.MESH_COUNT).any(axis=0)
        rings, face = triangles[ring], triangles[~ring]
        face = face[mesh.signed_areas(placed, face) > 0]
        if moved.turned > SEEN_ANGLE:
            depth = moved.points[:, 2].take(face).mean(axis=1)
            face = face[np.argsort(-depth, kind="stable")]
        return np.concatenate([rings, face])

    def _skin(
        self, grid: flow.Grid, triangles: Ints, change: Floats, moved: Moved, now: list[Rims]
    ) -> Bytes:
        source = self._source.copy()
        for (eye, *_), lid, photo, shown in zip(EYES, self._lids, self._rims, now, strict=False):
            if lid is not None:
                backed(source, photo, eye, lid.closing(shown))
        much = gathering(self._rims[-1], now[-1])
        lips_backed(source, self._rims[-1], much, self._beside_lips)
        openings = list(zip(now, _openings(source), strict=True))
        placed = self._source + change
        triangles = self._in_order(triangles, moved, placed)
        back = source - placed
        if self.moves:
            by_head = change[: landmarks.MESH_COUNT] - moved.expression
            back[: landmarks.MESH_COUNT] += by_head - self._turned_skin(by_head)
        field = flow.skin_field(grid, placed, back, triangles)
        if self.moves:
            height, width = self._canvas.photo.shape[:2]
            flow.stay_within(field, grid, (width, height))
        return self._canvas.moved(grid, *pixel_field(grid, field, openings))

    def _draw_folds(self, out: Bytes, grid: flow.Grid, moved: Moved, request: FaceRequest) -> None:
        folds = self._folds(request) if self._wrinkles > 0 else None
        share: Floats | float = 1.0
        if folds is not None:
            ratio, told = folds
            ratio *= np.float32(self._wrinkles)
            draw_folds(out, grid, moved.points[:, :2], ratio, self._creases.tint)
            share = 1 - np.float32(self._wrinkles) * along_creases(told)
        self._creases.draw(out, moved.points, request.expression.weights, share)

    def _draw_eyes(self, out: Bytes, moved: Moved, now: list[Rims]) -> None:
        for ball, lid, shown, shift in zip(self._eyes, self._lids, now, moved.irises, strict=False):
            if lid is None:
                continue
            if ball is not None:
                draw_eye(out, ball, shown, shift, lit_when_bare(ball.tone, lid.skin))
            bare = 0.0 if ball is None else bare_below_lid(ball, shown, shift)
            lid.draw(out, moved.points, shown, bare)


def _openings(points: Floats) -> list[Rims]:
    """The openings of a mesh (n, 2 or 3): both eyes, in the order of `EYES`, and the mouth."""
    return [rims_of(points, opening) for opening in (RIGHT_EYE, LEFT_EYE, MOUTH)]
