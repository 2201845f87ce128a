"""Photos as phones keep them: HEVC tiles in a HEIF file, turned by a property of the whole."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from retarget.flow.arrays import Picture

_GRID, _EXIF, _FIRST_TILE = 1, 2, 3
_VPS, _SPS, _PPS = 32, 33, 34


def make_heic(
    path: Path, rgb: Picture, *, tile: int, quarter_turns: int = 0, profile: bytes = b""
) -> Path:
    """Write a picture (height, width, 3) in square tiles (ISO 23008-12, 6.6.2.3).

    Args:
        path: where to.
        rgb: as stored; its sides are multiples of `tile`.
        tile: side of a tile in pixels.
        quarter_turns: how often it is to be turned counterclockwise to be shown. Its EXIF says the
            same, as that of a phone does, and is not to be obeyed once more.
        profile: its colours, as an ICC profile; b"" for none.
    """
    rows, columns = rgb.shape[0] // tile, rgb.shape[1] // tile
    tiles = [
        _encoded(rgb[y * tile : (y + 1) * tile, x * tile : (x + 1) * tile])
        for y in range(rows)
        for x in range(columns)
    ]
    ids = range(_FIRST_TILE, _FIRST_TILE + len(tiles))
    height, width = rgb.shape[:2]
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    orientation = {0: 1, 1: 8, 2: 3, 3: 6}[quarter_turns]
    exif = struct.pack(">I6s8sHHHIHHI", 6, b"Exif\0\0", b"MM\0*\0\0\0\x08", 1, 0x112, 3, 1,
                       orientation, 0, 0)  # fmt: skip
    items = {_GRID: grid, _EXIF: exif, **{i: data for i, (data, _) in zip(ids, tiles, strict=True)}}
    kinds = {_GRID: b"grid", _EXIF: b"Exif", **dict.fromkeys(ids, b"hvc1")}
    properties = b"".join([
        _box(b"hvcC", tiles[0][1]),
        _full(b"ispe", 0, struct.pack(">II", tile, tile)),
        _full(b"ispe", 0, struct.pack(">II", width, height)),
        _box(b"irot", bytes([quarter_turns])),
        _box(b"colr", b"prof" + profile) if profile else b"",
    ])  # fmt: skip
    said = {
        _GRID: (3, 0x80 | 4, 5) if profile else (3, 0x80 | 4),
        **dict.fromkeys(ids, (128 | 1, 2)),
    }
    told = struct.pack(">I", len(said)) + b"".join(
        struct.pack(">HB", i, len(which)) + bytes(which) for i, which in said.items()
    )
    references = _box(b"dimg", struct.pack(f">HH{len(tiles)}H", _GRID, len(tiles), *ids))
    references += _box(b"cdsc", struct.pack(">HHH", _EXIF, 1, _GRID))
    entries = b"".join(
        _full(b"infe", 2, struct.pack(">HH4sx", i, 0, kind)) for i, kind in kinds.items()
    )
    fixed = [
        _full(b"hdlr", 0, struct.pack(">I4s12xx", 0, b"pict")),
        _full(b"pitm", 0, struct.pack(">H", _GRID)),
        _full(b"iinf", 0, struct.pack(">H", len(kinds)) + entries),
        _full(b"iref", 0, references),
        _box(b"iprp", _box(b"ipco", properties) + _full(b"ipma", 0, told)),
    ]
    kind = _box(b"ftyp", b"heic" + struct.pack(">I", 0) + b"mif1heic")
    # The places are known once the length of what says them is.
    start = len(kind) + len(_meta(fixed, items, 0)) + 8
    path.write_bytes(kind + _meta(fixed, items, start) + _box(b"mdat", b"".join(items.values())))
    return path


def _meta(fixed: list[bytes], items: dict[int, bytes], start: int) -> bytes:
    places = struct.pack(">BBH", 0x44, 0, len(items))
    for i, data in items.items():
        places += struct.pack(">HHHII", i, 0, 1, start, len(data))
        start += len(data)
    return _full(b"meta", 0, b"".join(fixed) + _full(b"iloc", 0, places))


def _encoded(rgb: Picture) -> tuple[bytes, bytes]:
    """One HEVC picture, and what its decoder has to know (ISO 14496-15, 8.3.3.1)."""
    encoder = av.CodecContext.create("libx265", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = rgb.shape[:2]
    encoder.pix_fmt, encoder.time_base = "yuv444p", Fraction(1, 25)
    encoder.options = {"crf": "4", "x265-params": "log-level=error"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    stream = b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)])
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]
    of_kind = {kind: [u for u in units if u[0] >> 1 & 63 == kind] for kind in (_VPS, _SPS, _PPS)}
    profile = of_kind[_SPS][0].replace(b"\0\0\3", b"\0\0")[3:15]
    about = b"\1" + profile + bytes([0xF0, 0, 0xFC, 0xFF, 0xF8, 0xF8, 0, 0, 0x0F, len(of_kind)])
    for kind, (unit,) in of_kind.items():
        about += struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit
    shown = [u for u in units if u[0] >> 1 & 63 < _VPS]
    return b"".join(struct.pack(">I", len(u)) + u for u in shown), about


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def _full(kind: bytes, version: int, data: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24) + data)
