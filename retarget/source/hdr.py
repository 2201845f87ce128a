"""Convert HDR and wide-gamut video (BT.2020; PQ, HLG) to sRGB.

Colours are looked up in a table of 33³ entries, computed once: signal → light in nits
(SMPTE ST 2084, ARIB STD-B67 with the BT.2100 display gamma) → highlights rolled off with the
curve of BT.2390 (section 5.4.1) on the largest channel, which keeps the hue → BT.709 primaries
→ sRGB. Diffuse white of HDR is 203 nits (BT.2408), and that is where sRGB ends.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame as Decoded

from retarget.flow.arrays import Doubles
from retarget.source.filter import PictureFilter

_PQ, _HLG = 16, 18  # AVCOL_TRC_*
_BT2020 = 9  # AVCOL_PRI_*
_ST_2084 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875  # m1, m2, c1, c2, c3
_SIDE = 33
_WHITE = 203.0  # nits
_PEAK = 1000.0  # nits: the usual peak of HDR grading and of HLG displays
_TO_BT709 = np.array(
    [  # BT.2087, linear BT.2020 → linear BT.709
        [1.660491, -0.587641, -0.072850],
        [-0.124550, 1.132900, -0.008349],
        [-0.018151, -0.100579, 1.118730],
    ]
)


def is_wide(frame: Decoded) -> bool:
    """Whether `frame` is HDR or wide-gamut."""
    return int(frame.color_trc) in (_PQ, _HLG) or int(frame.color_primaries) == _BT2020


class ToStandard:
    """Convert RGB with one transfer curve to sRGB."""

    def __init__(self, transfer: int) -> None:
        self.transfer = transfer
        table = table_for(transfer)
        lines = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in table.reshape(-1, 3))
        # The filter reads the table from a file, when it is set up for the first picture.
        self._folder = tempfile.TemporaryDirectory(prefix="retarget-")
        file = Path(self._folder.name) / "t.cube"
        file.write_text(f"LUT_3D_SIZE {_SIDE}\n{lines}\n")
        path = re.sub(r"([\\':])", r"\\\1", file.as_posix())  # as the filter reads its options
        self._look_up = PictureFilter(("lut3d", f"file={path}:interp=tetrahedral"))

    def __call__(self, rgb: Decoded) -> Decoded:
        """Convert a picture of RGB signal; gbrp16le goes fastest."""
        return self._look_up(rgb)


def table_for(transfer: int) -> Doubles:
    """(33, 33, 33, 3) sRGB 0..1 for BT.2020 signal 0..1, indexed [blue, green, red].

    Args:
        transfer: AVCOL_TRC of the signal; other than PQ and HLG it is taken as BT.1886's gamma.
    """
    axis = np.linspace(0.0, 1.0, _SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    signal = np.stack([red, green, blue], axis=-1)
    if transfer == _PQ:
        light = _rolled_off(_pq_to_nits(signal)) / _WHITE
    elif transfer == _HLG:
        light = _rolled_off(_hlg_to_nits(signal)) / _WHITE
    else:
        light = signal**2.4
    return _srgb(np.clip(light @ _TO_BT709.T, 0.0, 1.0))


def _pq_to_nits(signal: Doubles) -> Doubles:
    m1, m2, c1, c2, c3 = _ST_2084
    root = signal ** (1 / m2)
    return np.asarray(10_000.0 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def _nits_to_pq(nits: Doubles) -> Doubles:
    m1, m2, c1, c2, c3 = _ST_2084
    power = np.clip(nits / 10_000.0, 0, 1) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def _hlg_to_nits(signal: Doubles) -> Doubles:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(_PEAK * scene * np.maximum(luminance, 1e-6)[..., None] ** 0.2)


def _rolled_off(nits: Doubles) -> Doubles:
    """Light up to `_PEAK` mapped to light up to `_WHITE`: unchanged below the knee."""
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-6)
    top = _nits_to_pq(np.array(_PEAK))
    level = np.minimum(_nits_to_pq(brightest) / top, 1.0)
    white = float(_nits_to_pq(np.array(_WHITE)) / top)
    knee = 1.5 * white - 0.5
    t = np.maximum((level - knee) / (1 - knee), 0.0)
    eased = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * white
    )
    shown = _pq_to_nits(np.where(level < knee, level, eased) * top)
    return np.asarray(nits * (shown / brightest))


def _srgb(light: Doubles) -> Doubles:
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    )
