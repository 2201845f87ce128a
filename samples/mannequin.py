"""Draw a painted mannequin head that performs given blendshapes: a driving face without a person.

The mesh is the project's own face model, so what it performs is known exactly. It is coloured by
landmark groups, lit by its normals and set before a plain background; hair, ears, neck and
shoulders are simple shapes that move with the head.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import HeadPose

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
Color = tuple[float, float, float]

SIZE = 512
SCALE = 150.0
"""Pixels between the outer eye corners."""
CENTRE = (256.0, 236.0)
_OVER = 2  # drawn this many times larger and averaged down

SKIN: Color = (214, 168, 140)
LIPS: Color = (178, 92, 92)
HAIR: Color = (72, 50, 40)
SHIRT: Color = (66, 92, 112)
BACKGROUND: Color = (176, 186, 190)
IRIS: Color = (92, 112, 84)
UPPER_TEETH, LOWER_TEETH = 0.37, 0.4
"""Head units below the tip of the nose, and above the chin."""
LIGHT = np.array([-0.35, -0.45, -0.82])


def draw(weights: npt.NDArray[np.float32], angles: tuple[float, float, float]) -> Picture:
    """One (512, 512, 3) RGB picture.

    Args:
        weights: (52,) ARKit blendshape weights, 0..1.
        angles: yaw, pitch and roll of the head in degrees.
    """
    head = _rest() + face_model().displacement(weights)
    scale = SCALE * _OVER
    pose = HeadPose(
        rotation=HeadPose.rotation_of(*angles),
        translation=np.array([CENTRE[0] * _OVER, CENTRE[1] * _OVER, 0.0]),
        scale=scale,
    )
    mesh = pose.to_picture(head)
    side = SIZE * _OVER
    canvas = np.full((side, side, 3), BACKGROUND, np.float32)
    canvas *= np.linspace(1.06, 0.9, side, dtype=np.float32)[:, None, None]
    _body(canvas, pose)
    _skin(canvas, mesh, _triangles())
    for outline, color, blur in _paint(mesh):
        _fill(canvas, outline, color, blur)
    _eyes(canvas, mesh)
    _mouth(canvas, mesh)
    small = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(5).normal(0, 1.2, (SIZE, SIZE, 1))
    return np.asarray(np.clip(small + grain, 0, 255), np.uint8)


@cache
def _rest() -> Floats:
    """The mean face with its mouth shut; people's mouths are a little open on average."""
    head = face_model().neutral.astype(np.float64)
    shut = face_model().basis[blendshapes.index("mouthClose")]
    up, low = landmarks.LIPS_INNER_UPPER[5], landmarks.LIPS_INNER_LOWER[5]
    apart, closes = head[low, 1] - head[up, 1], shut[up, 1] - shut[low, 1]
    return np.asarray(head + shut * 0.9 * apart / closes)


@cache
def _triangles() -> npt.NDArray[np.int64]:
    from scipy.spatial import Delaunay

    flat = face_model().neutral[: landmarks.MESH_COUNT, :2]
    triangles = Delaunay(flat).simplices
    corners = flat[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    return np.asarray(triangles[longest < 0.45], np.int64)


def _fill(canvas: npt.NDArray[np.float32], outline: Floats, color: Color, blur: float) -> None:
    """Paint a soft-edged shape."""
    margin = int(4 * blur * _OVER) + 3
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - margin, 0)
    high = np.ceil(outline.max(axis=0)).astype(int) + margin
    part = canvas[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        return
    mask = _inside(part.shape, outline - low)
    if blur > 0:
        mask = cv2.GaussianBlur(mask, (0, 0), blur * _OVER)
    part += mask[..., None] * (np.array(color, np.float32) - part)


def _inside(shape: tuple[int, ...], outline: Floats) -> npt.NDArray[np.float32]:
    """(h, w) 1 within the outline, 0 outside, its edge smooth."""
    mask = np.zeros(shape[:2], np.float32)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return mask


def _oval(centre: Floats, width: float, height: float, turn: float = 0.0) -> Floats:
    t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    shape = np.stack([width * np.cos(t), height * np.sin(t)], 1)
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(centre[:2] + shape @ np.array([[c, s], [-s, c]]))


def _body(canvas: npt.NDArray[np.float32], pose: HeadPose) -> None:
    """Shoulders, neck, ears and hair, behind the face."""
    unit = pose.scale
    roll = np.radians(pose.angles[2])

    def at(x: float, y: float, z: float) -> Floats:
        return pose.to_picture(np.array([[x, y, z]]))[0]

    base = np.array([pose.translation[0], pose.translation[1] + 2.05 * unit])
    _fill(canvas, _oval(base + (0, 0.55 * unit), 1.5 * unit, 0.85 * unit), SHIRT, 1.5)
    shade = (SKIN[0] * 0.72, SKIN[1] * 0.68, SKIN[2] * 0.66)
    _fill(canvas, _oval(base + (0, -0.55 * unit), 0.42 * unit, 0.75 * unit), shade, 2)
    _fill(canvas, _oval(at(0, -0.25, 0.75), 0.92 * unit, 1.12 * unit, roll), HAIR, 3)
    for side in (-1, 1):
        ear = (SKIN[0] * 0.86, SKIN[1] * 0.8, SKIN[2] * 0.78)
        _fill(canvas, _oval(at(side * 0.8, 0.22, 0.72), 0.1 * unit, 0.22 * unit, roll), ear, 1.5)


def _skin(canvas: npt.NDArray[np.float32], mesh: Floats, triangles: npt.NDArray[np.int64]) -> None:
    """The face, lit by its smoothed normals; far triangles first."""
    corners = mesh[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal *= -np.sign(normal[:, 2:])
    at_point = np.zeros((len(mesh), 3))
    for k in range(3):
        np.add.at(at_point, triangles[:, k], normal)
    at_point /= np.linalg.norm(at_point, axis=1, keepdims=True) + 1e-9
    light = np.clip(at_point @ LIGHT, 0, None)
    layer, mask = canvas.copy(), np.zeros(canvas.shape[:2], np.float32)
    for t in np.argsort(-corners[..., 2].mean(axis=1)):
        shade = 0.55 + 0.52 * float(light[triangles[t]].mean())
        outline = [np.rint(corners[t, :, :2] * 16).astype(np.int32)]
        cv2.fillPoly(layer, outline, tuple(c * shade for c in SKIN), cv2.LINE_8, 4)
        cv2.fillPoly(mask, outline, 1.0, cv2.LINE_8, 4)
    inside = cv2.GaussianBlur(cv2.erode(mask, np.ones((9, 9))), (0, 0), 2.5 * _OVER)
    # The mesh's facets are no part of a face: its light is smoothed within its outline.
    both = np.dstack([layer * mask[..., None], mask])
    small = cv2.resize(both, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 9 * _OVER / 4)
    smooth = cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    skin = smooth[..., :3] / np.maximum(smooth[..., 3:], 0.05)
    canvas += inside[..., None] * (skin - canvas)


def _paint(mesh: Floats) -> list[tuple[Floats, Color, float]]:
    """Brows, cheeks, nose shade, lip colour: (outline, colour, softness in pixels)."""

    def points(indices: tuple[int, ...]) -> Floats:
        return np.asarray(mesh[list(indices), :2])

    dark = (SKIN[0] * 0.62, SKIN[1] * 0.52, SKIN[2] * 0.48)
    unit = float(np.linalg.norm(mesh[landmarks.LEFT_EYE_OUTER] - mesh[landmarks.RIGHT_EYE_OUTER]))
    shapes: list[tuple[Floats, Color, float]] = []
    for cheek in (50, 280):
        rosy = (SKIN[0] * 0.99, SKIN[1] * 0.86, SKIN[2] * 0.84)
        shapes.append((_oval(mesh[cheek], 0.16 * unit, 0.12 * unit), rosy, 9))
    for nostril in (79, 309):
        shapes.append((_oval(mesh[nostril], 0.05 * unit, 0.022 * unit), dark, 1.2))
    bridge = mesh[[168, 6, 197, 195, 5], :2]
    shapes.append(
        (
            np.vstack([bridge - (0.02 * unit, 0), bridge[::-1] + (0.01 * unit, 0)]),
            (SKIN[0] * 1.1, SKIN[1] * 1.12, SKIN[2] * 1.12),
            5,
        )
    )
    for brow in (landmarks.RIGHT_BROW, landmarks.LEFT_BROW):
        shapes.append((points(brow), HAIR, 1.4))
    lips_up = points((*landmarks.LIPS_OUTER_UPPER, *landmarks.LIPS_INNER_UPPER[::-1]))
    lips_low = points((*landmarks.LIPS_OUTER_LOWER, *landmarks.LIPS_INNER_LOWER[::-1]))
    shapes.append((lips_up, (LIPS[0] * 0.9, LIPS[1] * 0.88, LIPS[2] * 0.88), 0.8))
    shapes.append((lips_low, LIPS, 0.8))
    return shapes


def _eyes(canvas: npt.NDArray[np.float32], mesh: Floats) -> None:
    sides = (
        (landmarks.RIGHT_EYE_UPPER, landmarks.RIGHT_EYE_LOWER, landmarks.RIGHT_IRIS),
        (landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER, landmarks.LEFT_IRIS),
    )
    for upper, lower, iris in sides:
        lid, low = mesh[list(upper), :2], mesh[list(lower), :2]
        _eye(canvas, lid, low, mesh[list(iris), :2])
        lash = np.vstack([lid, lid[::-1] - (0, 2.2 * _OVER)])
        _fill(canvas, lash, (46, 32, 28), 0.7)
        crease = lid + (0, -7.0 * _OVER)
        outline = np.vstack([crease, crease[::-1] - (0, 1.6 * _OVER)])
        _fill(canvas, outline, (SKIN[0] * 0.72, SKIN[1] * 0.64, SKIN[2] * 0.6), 1.6)


def _eye(canvas: npt.NDArray[np.float32], lid: Floats, low: Floats, iris: Floats) -> None:
    """White, iris and pupil within the lids, under the shade of the upper one."""
    outline = np.vstack([lid, low[::-1]])
    corner = np.floor(outline.min(axis=0)).astype(int) - 12
    end = np.ceil(outline.max(axis=0)).astype(int) + 12
    part = canvas[corner[1] : end[1], corner[0] : end[0]]
    hole = _inside(part.shape, outline - corner)
    ball = np.full_like(part, 1.0) * np.array((232, 228, 222), np.float32)
    centre = iris[0] - corner
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    dark = (IRIS[0] * 0.5, IRIS[1] * 0.5, IRIS[2] * 0.5)
    for size, color, blur in ((1, dark, 0.8), (0.86, IRIS, 1), (0.42, (16, 14, 14), 0.6)):
        _fill(ball, _oval(centre, radius * size, radius * size), color, blur)
    _fill(ball, _oval(centre - 0.35 * radius, radius * 0.16, radius * 0.16), (250, 250, 250), 0.5)
    shade = np.roll(cv2.GaussianBlur(1 - hole, (0, 0), 3.0 * _OVER), round(2 * _OVER), axis=0)
    ball *= (1 - 0.45 * shade)[..., None]
    part += hole[..., None] * (ball - part)


def _mouth(canvas: npt.NDArray[np.float32], mesh: Floats) -> None:
    """The inside: dark, upper teeth fixed to the skull, lower ones to the chin, a tongue."""
    up = mesh[list(landmarks.LIPS_INNER_UPPER), :2]
    low = mesh[list(landmarks.LIPS_INNER_LOWER), :2]
    outline = np.vstack([up, low[::-1]])
    corner = np.floor(outline.min(axis=0)).astype(int) - 12
    end = np.ceil(outline.max(axis=0)).astype(int) + 12
    part = canvas[corner[1] : end[1], corner[0] : end[0]]
    hole = _inside(part.shape, outline - corner)
    inside = np.full_like(part, 1.0) * np.array((58, 22, 22), np.float32)
    nose, chin = mesh[landmarks.NOSE_TIP, :2] - corner, mesh[landmarks.CHIN, :2] - corner
    unit, width = SCALE * _OVER, float(np.linalg.norm(up[-1] - up[0]))
    down = (chin - nose) / np.linalg.norm(chin - nose)
    tongue = 0.4 * (low[5] - corner) + 0.6 * chin
    _fill(inside, _oval(tongue, 0.36 * width, 0.3 * width), (168, 78, 78), 3)
    middle = (up[0] + up[-1]) / 2 - corner
    upper = np.array([middle[0], nose[1]]) + down * UPPER_TEETH * unit
    _fill(inside, _oval(upper, 0.34 * width, 0.075 * unit), (226, 216, 204), 1.5)
    lower = chin - down * LOWER_TEETH * unit
    _fill(inside, _oval(lower, 0.28 * width, 0.05 * unit), (198, 186, 174), 1.5)
    shade = np.roll(cv2.GaussianBlur(1 - hole, (0, 0), 4.0 * _OVER), round(3 * _OVER), axis=0)
    inside *= (1 - 0.6 * shade)[..., None]
    part += hole[..., None] * (inside - part)
    _fill(canvas, np.vstack([up, up[::-1] - (0, 1.4 * _OVER)]), (96, 44, 44), 0.8)
