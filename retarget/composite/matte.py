"""Mattes of a person, with soft hair, to replace the background.

A segmentation network gives a rough mask of the person; a guided filter (He, Sun & Tang, IEEE TPAMI
35(6), 2013) with the picture as its guide refines the edge, down to hairs where colours allow. The
person's colours are then separated from the old background's (Forte, "Approximate Fast Foreground
Colour Estimation", ICIP 2021), to avoid a halo.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Bytes, Floats, Picture

_LONGEST = 1280
"""Pixels of the longer side at which edges are refined; larger pictures are scaled down."""
_COARSE = 512
"""The same without fine edges."""
_FACE_SEEN = 0.8
"""The part of a face that the network must take for a person."""
_NEARER = (6.0, 4.5, 3.0)
"""Widths of crops around the person, in heights of the face."""
_ABOVE, _BELOW = 0.4, 1.2
"""Their extent above and below the face, in their widths: most of a body, but no neighbour."""
_SURE = 0.92
_CONNECTED = 0.6
_PURE = 4
_SIDE = 256
"""Side in pixels of the network's input."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cutout:
    """A person without their background."""

    rgb: Picture
    """(height, width, 3) the person's own colours, also where the background shows through."""
    share: Floats
    """(height, width) how much of each pixel is the person, 0..1."""


class PersonMatte:
    """Cuts people out of pictures; keeps the network between calls."""

    def __init__(self) -> None:
        self._segmented = _Segmenter()

    def __call__(self, rgb: Picture, points: Floats, whole: Floats | None = None) -> Cutout:
        """Cut out the person whose face has these mesh points.

        Args:
            rgb: (height, width, 3).
            points: (478, 2 or 3) mesh points in pixels.
            whole: (height, width) this part of the `rough` mask of a larger picture, if this one is
                cut from it: what is background there is background here.
        """
        share = self.share(rgb, points, whole)
        unit = float(np.ptp(points[list(landmarks.EYE_OUTER_CORNERS), 0]))
        colours = own_colours(rgb, share, max(unit, 8.0))
        return Cutout(rgb=colours, share=share)

    def share(self, rgb: Picture, points: Floats, whole: Floats | None = None) -> Floats:
        """(height, width) how much of each pixel is the person, 0..1; arguments as of a call."""
        height, width = rgb.shape[:2]
        scale = min(1.0, _LONGEST / max(height, width))
        small = _resized(rgb, scale)
        rough = self.rough(small, points * scale)
        if whole is not None:
            veto = cv2.resize(whole, small.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            veto = cv2.dilate(np.asarray(veto, np.float32), np.ones((7, 7), np.uint8))
            rough = np.asarray(rough * np.clip((veto - 0.4) / 0.4, 0, 1), np.float32)
        unit = scale * float(np.ptp(points[list(landmarks.EYE_OUTER_CORNERS), 0]))
        share = refined(small, rough, max(unit, 8.0))
        if scale < 1:
            large = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
            share = np.asarray(large, np.float32)
        return share

    def rough(self, rgb: Picture, points: Floats) -> Floats:
        """(height, width) about how much of each pixel is the person, 0..1, without fine edges."""
        found = self._segmented(rgb)
        if not _face_seen(found, points):
            found = self._nearer(rgb, points, found)
        return _with_face(found, points[:, :2])

    def where(self, rgb: Picture, points: Floats) -> Bytes | None:
        """(height, width) mask of the person with this face, 0..255, without fine edges.

        None where the network does not take the face for a person.

        Args:
            rgb: (height, width, 3).
            points: (478, 2 or 3) mesh points in pixels.
        """
        scale = min(1.0, _COARSE / max(rgb.shape[:2]))
        small = _resized(rgb, scale)
        rough = self.rough(small, points * scale)
        if not _face_seen(rough, points * scale):
            return None
        large = cv2.resize(rough, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.rint(255 * np.clip(large, 0, 1)), np.uint8)

    def _nearer(self, rgb: Picture, points: Floats, found: Floats) -> Floats:
        """The mask of the widest crop in which the network finds the person; else `found`.

        The network misses most people in a row, and small ones in a wide picture.
        """
        for wide in _NEARER:
            near = _around(points, wide, found.shape)
            looked = np.zeros_like(found)
            looked[near] = self._segmented(rgb[near])
            if _face_seen(looked, points):
                return looked
        return found


def _face_seen(rough: Floats, points: Floats) -> bool:
    """Whether a mask takes the face with these points for a person's."""
    oval = np.zeros(rough.shape, np.uint8)
    outline = np.rint(points[list(landmarks.FACE_OVAL), :2]).astype(np.int32)
    cv2.fillPoly(oval, [outline], (1,))
    face = rough[oval > 0]
    return bool(face.size and face.mean() >= _FACE_SEEN)


def _around(points: Floats, wide: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns around a face that show its person, `wide` heights of it wide."""
    (left, top), (right, bottom) = points[:, :2].min(0), points[:, :2].max(0)
    width, x, y = wide * float(bottom - top), (left + right) / 2, (top + bottom) / 2
    rows = _within(y - _ABOVE * width, y + _BELOW * width, shape[0])
    return rows, _within(x - width / 2, x + width / 2, shape[1])


def _within(start: float, stop: float, most: int) -> slice:
    """From start to stop, clipped to the picture, at least one pixel."""
    begins = int(np.clip(start, 0, most - 1))
    return slice(begins, int(np.clip(stop, begins + 1, most)))


def _with_face(rough: Floats, points: Floats) -> Floats:
    """The mask without other people and things not connected to the person of this face."""
    _, parts = cv2.connectedComponents((rough > _CONNECTED).astype(np.uint8))
    at = np.rint(points[list(landmarks.FACE_OVAL)]).astype(int)
    inside = (at >= 0).all(1) & (at < np.array(rough.shape[::-1])).all(1)
    touched = parts[at[inside, 1], at[inside, 0]]
    touched = touched[touched > 0]
    if not len(touched):
        return rough
    own = (parts == np.bincount(touched).argmax()).astype(np.float32)
    return np.asarray(rough * cv2.dilate(own, np.ones((9, 9), np.uint8)), np.float32)


def refined(rgb: Picture, rough: Floats, unit: float) -> Floats:
    """Refine a rough mask along the picture's edges, where it is uncertain or near its border.

    Args:
        rgb: (height, width, 3).
        rough: (height, width) 0..1.
        unit: pixels between the outer eye corners, to which the width of the border is relative.
    """
    reach = max(2, round(unit * 0.16))
    person, nobody = _inside(rough > _SURE, reach), _inside(rough < 1 - _SURE, reach)
    start = np.where(person, 1.0, np.where(nobody, 0.0, rough)).astype(np.float32)
    share = guided(rgb, start, max(3, round(unit * 0.12)), 1e-4)
    share = np.clip((share - 0.12) / 0.78, 0.0, 1.0)
    share = np.where(person, 1.0, np.where(nobody, 0.0, share))
    return np.asarray(share, np.float32)


def _inside(mask: Bools, reach: int) -> Bools:
    """The part of a mask that is more than `reach` pixels from its edge (not the picture's)."""
    if mask.all():  # no edge to measure from
        return mask
    away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(away > reach, bool)


def guided(rgb: Picture, mask: Floats, radius: int, smoothness: float) -> Floats:
    """Guided filter with a colour guide: the mask as a local linear function of the colours.

    Args:
        rgb: (height, width, 3) the guide.
        mask: (height, width) 0..1.
        radius: pixels of the windows in which the mask is a linear function of the colours.
        smoothness: variance of colours (0..1) up to which it counts as noise.
    """
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(values: npt.NDArray[Any]) -> Floats:
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, size), np.float32)

    r, g, b = (np.ascontiguousarray(rgb[..., i], np.float32) / 255 for i in range(3))
    mr, mg, mb, mm = mean(r), mean(g), mean(b), mean(mask)
    # The symmetric 3x3 covariance of the colours in each window, and its inverse by cofactors.
    rr, gg, bb = (mean(x * x) - m * m + smoothness for x, m in ((r, mr), (g, mg), (b, mb)))
    rg, rb, gb = mean(r * g) - mr * mg, mean(r * b) - mr * mb, mean(g * b) - mg * mb
    crr: Floats
    cgg: Floats
    cbb: Floats
    crr, crg, crb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    cgg, cgb, cbb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = 1 / (crr * rr + crg * rg + crb * rb)
    tr, tg, tb = (mean(x * mask) - m * mm for x, m in ((r, mr), (g, mg), (b, mb)))
    sr = (crr * tr + crg * tg + crb * tb) * scale
    sg = (crg * tr + cgg * tg + cgb * tb) * scale
    sb = (crb * tr + cgb * tg + cbb * tb) * scale
    offset = mean(mm - sr * mr - sg * mg - sb * mb)
    out = mean(sr) * r + mean(sg) * g + mean(sb) * b + offset
    return np.asarray(np.clip(out, 0.0, 1.0), np.float32)


def own_colours(rgb: Picture, share: Floats, unit: float) -> Picture:
    """The person's colours where the background shows through; elsewhere the picture's.

    Args:
        rgb: (height, width, 3).
        share: (height, width) 0..1.
        unit: pixels between the outer eye corners, to which the averaging radius is relative.
    """
    picture = rgb.astype(np.float32)
    alpha = share[..., None]
    ours: Floats = picture
    for radius in (max(3, round(unit * 0.45)), max(2, round(unit * 0.06))):
        ours = _estimated(picture, ours, alpha, radius)
    mixed = np.where((alpha > 0.002) & (alpha < 0.998), ours, picture)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def _estimated(picture: Floats, ours: Floats, alpha: Floats, radius: int) -> Floats:
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Floats) -> Floats:
        blurred = cv2.blur(values, size)
        return np.asarray(blurred.reshape(*values.shape), np.float32)

    # Pixels that are nearly all person, or nearly none, count most for the two colours.
    ours_weight, theirs_weight = alpha**_PURE + 1e-6, (1 - alpha) ** _PURE + 1e-6
    person = mean(ours * ours_weight) / mean(ours_weight)
    behind = mean(picture * theirs_weight) / mean(theirs_weight)
    left = picture - alpha * person - (1 - alpha) * behind
    return np.asarray(np.clip(person + alpha * left, 0, 255), np.float32)


def _resized(rgb: Picture, scale: float) -> Picture:
    if scale >= 1:
        return rgb
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


class _Segmenter:
    """MediaPipe's selfie segmentation, run by OpenCV from the first call on; not thread-safe.

    The network's file is part of this project, as newer releases of mediapipe lack it. OpenCV's
    output agrees with that of MediaPipe's graph to four digits; only the graph's input is shifted
    by up to half a pixel of the network.
    """

    def __init__(self) -> None:
        self._network: cv2.dnn.Net | None = None

    def __call__(self, rgb: Picture) -> Floats:
        """(height, width) how likely each pixel of a picture (height, width, 3) is a person's."""
        if self._network is None:
            model = (files("retarget") / "data" / "selfie_segmentation.tflite").read_bytes()
            self._network = cv2.dnn.readNetFromTFLite(np.frombuffer(model, np.uint8))
        small = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
        self._network.setInput(cv2.dnn.blobFromImage(small, 1 / 255))
        mask = self._network.forward()[0, 0]
        return np.asarray(cv2.resize(mask, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR))
