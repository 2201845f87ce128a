"""A tongue stuck out."""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import blurred, box_of, fill, stroke, to_bytes
from retarget.generate.warp.rims import Rims


def draw_tongue_out(out: Bytes, now: Rims, colour: Floats, much: float, unit: float) -> None:
    """Draw a tongue over the lower lip.

    Args:
        out: the crop, changed in place.
        now: the lips.
        colour: (3,) of the tongue, 0..255.
        much: 0..1 how far it is out.
        unit: eye distance in pixels.
    """
    down, along = now.down, np.array([now.down[1], -now.down[0]], np.float32)
    half = min(0.32 * now.width, 0.14 * unit)
    start = now.middle.mean(axis=0)
    tip = now.lower[5] + np.float32(0.19 * much * unit) * down
    angle = np.linspace(0, np.pi, 24, dtype=np.float32)[:, None]
    length = max(float((tip - start) @ down), 1.0)
    round_ = np.maximum(np.sin(angle), 0) ** np.float32(0.6)
    outline = start + half * np.cos(angle) * along + np.float32(length) * round_ * down
    box = box_of(outline, 3, out.shape)
    if box is None:
        return
    patch = out[box]
    corner = np.array([box[1].start, box[0].start], np.float32)
    mask, groove = np.zeros((2, *patch.shape[:2]), np.uint8)
    fill(mask, outline - corner)
    middle = np.stack([start, start + np.float32(0.95 * length) * down])
    stroke(groove, middle - corner, 0.015 * unit)
    soft = blurred(mask, 0.03 * unit).astype(np.float32) / 255
    bright = np.float32(0.62) + np.float32(0.55) * np.clip(2 * soft - 1, 0, 1)
    rows, columns = np.mgrid[box].astype(np.float32)
    out_of_mouth = np.stack([columns, rows], axis=-1) - start
    bright *= 0.72 + 0.28 * np.clip(out_of_mouth @ down / np.float32(length), 0, 1)
    bright *= 1 - np.float32(0.2) * blurred(groove, 0.015 * unit) / np.float32(255)
    lit = colour * bright[..., None]
    alpha = blurred(mask, 0.7).astype(np.float32)[..., None] / 255
    patch[...] = to_bytes(patch + alpha * (lit - patch))
