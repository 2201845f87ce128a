"""Put a person in front of another background, in its light."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.composite.matte import Cutout
from retarget.flow.arrays import Floats, Picture

_MOST_LIGHTNESS, _MOST_COLOUR = 28.0, 14.0
"""The largest changes of lightness and of a and b in CIE Lab."""


def without_person(rgb: Picture, share: Floats, blur: float) -> Picture:
    """The blurred background of a person, whose place is filled from its surroundings.

    Args:
        rgb: (height, width, 3).
        share: (height, width) how much of each pixel is the person, 0..1.
        blur: standard deviation in pixels.
    """
    behind = (1 - share)[..., None].astype(np.float32)
    picture = rgb.astype(np.float32)
    # From wide to narrow: each finer average is used where it covers enough background.
    filled = np.full_like(picture, (picture * behind).sum((0, 1)) / (behind.sum() + 1e-3))
    for deviation in (16 * blur, 8 * blur, 4 * blur, 2 * blur, blur):
        seen = blurred(behind, deviation)[..., None]
        local = blurred(picture * behind, deviation) / (seen + 1e-4)
        trust = np.clip(seen * 4, 0.0, 1.0)
        filled = trust * local + (1 - trust) * filled
    return np.asarray(np.clip(np.rint(filled), 0, 255), np.uint8)


def blurred(values: Floats, deviation: float) -> Floats:
    """Gaussian blur of (height, width, …) by pixels; wide ones at a reduced size."""
    factor = max(1, int(deviation / 4))
    height, width = values.shape[:2]
    if factor > 1:
        small = max(2, width // factor), max(2, height // factor)
        values = np.asarray(cv2.resize(values, small, interpolation=cv2.INTER_AREA), np.float32)
        deviation = deviation * small[0] / width
    out = cv2.GaussianBlur(values, (0, 0), max(deviation, 0.3), borderType=cv2.BORDER_REPLICATE)
    if factor > 1:
        out = cv2.resize(out, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(out, np.float32)


def in_light_of(person: Cutout, background: Picture, amount: float) -> Picture:
    """The person's colours, shifted towards the mean colour of a background.

    Only the mean is shifted, within limits; contrast stays.

    Args:
        person: the person's pixels.
        background: (height, width, 3) of any size.
        amount: 0 leaves the person unchanged, 1 is the full shift.
    """
    if amount == 0 or not person.share.any():
        return person.rgb
    picture = person.rgb.astype(np.float32) / 255
    lab: Floats = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.float32)
    weight = person.share / person.share.sum()
    small = cv2.resize(background, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    around = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).mean((0, 1))
    shift = amount * (around - (lab * weight[..., None]).sum((0, 1)))
    limits = np.array([_MOST_LIGHTNESS, _MOST_COLOUR, _MOST_COLOUR], np.float32)
    shift = limits * np.tanh(shift / limits)
    # Lightness moves most in the middle, so that neither black hair nor highlights turn grey.
    room = 4 * (lab[..., 0] / 100) * (1 - lab[..., 0] / 100)
    lab[..., 0] += shift[0] * room
    lab[..., 1:] += shift[1:] * np.sqrt(np.clip(room, 0, 1))[..., None]
    out = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(np.rint(out * 255), 0, 255), np.uint8)


def laid_over(background: Picture, person: Picture, share: Floats) -> Picture:
    """A person over a background, with an opacity (height, width) of 0..1."""
    alpha = share[..., None]
    mixed = alpha * person.astype(np.float32) + (1 - alpha) * background.astype(np.float32)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def covering(rgb: Picture, size: tuple[int, int]) -> Picture:
    """A picture scaled and cropped to fill (width, height)."""
    width, height = size
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    across, down = max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = cv2.resize(rgb, (across, down), interpolation=method)
    left, top = (across - width) // 2, (down - height) // 2
    return np.asarray(large[top : top + height, left : left + width], np.uint8)


def plain(colour: tuple[int, int, int], size: tuple[int, int]) -> Picture:
    """One colour with a slight vertical gradient, like a studio wall."""
    width, height = size
    shade = np.linspace(1.06, 0.9, height, dtype=np.float32)[:, None, None]
    wall = np.broadcast_to(np.array(colour, np.float32) * shade, (height, width, 3))
    return np.asarray(np.clip(np.rint(wall), 0, 255), np.uint8)
