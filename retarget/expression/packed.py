"""The layout of a performance's frames, rest and source in arrays and JSON."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.flow import blendshapes, landmarks
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    HeadPose,
    Instant,
    Measurement,
    RestFace,
)

FRAME = np.dtype(
    [
        ("index", "<i8"), ("pts", "<i8"), ("time_base", "<i8", 2), ("duration", "<i8", 2),
        ("cut", "?"), ("expressed", "?"), ("measured", "?"), ("detailed", "?"), ("posed", "?"),
        ("weights", "<f4", blendshapes.COUNT), ("gaze", "<f4", (2, 2)), ("aperture", "<f4", 2),
        ("lip_gap", "<f4"), ("rotation", "<f8", (3, 3)), ("translation", "<f8", 3),
        ("scale", "<f8"), ("detail", "<f2", (landmarks.COUNT, 3)),
    ]
)  # fmt: skip
"""One frame. Detail as half floats: a hundredth of a pixel on any face."""
REST = np.dtype(
    [("head", "<f4", (landmarks.COUNT, 3)), ("aperture", "<f4", 2), ("gaze", "<f4", (2, 2)),
     ("lip_gap", "<f4")]
)  # fmt: skip
"""A face at rest."""
_EXACT = re.compile(r"\d{1,40}(/\d{1,40})?", re.ASCII)
_MOST = {
    "weights": 10.0, "gaze": 360.0, "aperture": 100.0, "lip_gap": 100.0, "detail": 1000.0,
    "rotation": 1.001, "translation": 1e6, "scale": 1e6,
}  # fmt: skip
"""Limits far beyond any real face, on which readers of a frame can rely."""


def packed(frame: ExpressedFrame) -> npt.NDArray[Any]:
    """(1,) of `FRAME`."""
    row = np.zeros(1, FRAME)
    row["index"], row["pts"], row["cut"] = frame.index, frame.at.pts, frame.cut
    row["time_base"] = frame.at.time_base.as_integer_ratio()
    row["duration"] = frame.duration.as_integer_ratio()
    if frame.pose is not None:
        row["posed"], row["scale"] = True, frame.pose.scale
        row["rotation"], row["translation"] = frame.pose.rotation, frame.pose.translation
    if frame.expression is None:
        return row
    row["expressed"], row["weights"] = True, frame.expression.weights
    seen = frame.expression.measured
    if seen is None:
        return row
    row["measured"], row["gaze"], row["aperture"] = True, seen.gaze, seen.aperture
    row["lip_gap"] = seen.lip_gap
    row["detailed"], row["detail"] = True, np.clip(seen.detail, -100, 100)
    return row


def packed_rest(rest: RestFace) -> npt.NDArray[Any]:
    """(1,) of `REST`."""
    row = np.zeros(1, REST)
    row["head"], row["aperture"], row["gaze"] = rest.head, rest.aperture, rest.gaze
    row["lip_gap"] = rest.lip_gap
    return row


def packed_info(info: SourceInfo) -> dict[str, Any]:
    """Values for JSON; fractions as text."""
    known = {name: getattr(info, name) for name in ("name", "size", "count", "cut", "still")}
    exact = {"time_base": info.time_base, "rate": info.rate, "duration": info.duration}
    return {**known, **{n: None if v is None else str(v) for n, v in exact.items()}}


def unpacked_info(said: dict[str, Any]) -> SourceInfo:
    """The source of `packed_info`.

    Raises:
        KeyError, TypeError, ValueError, ArithmeticError: these are not its values.
    """
    width, height = (int(x) for x in said["size"])
    rate, duration = (None if said[n] is None else _exact(said[n]) for n in ("rate", "duration"))
    time_base = _exact(said["time_base"])
    for exact in (time_base, rate or time_base):
        if not (exact > 0 and max(exact.as_integer_ratio()) < 2**31):  # FFmpeg's are no larger
            raise ValueError(f"{exact} is no time")
    return SourceInfo(
        name=str(said["name"]), size=(width, height), time_base=time_base,
        rate=rate, count=int(said["count"]), duration=duration,
        cut=bool(said.get("cut")), still=bool(said.get("still")),  # older files have neither
    )  # fmt: skip


def _exact(text: str) -> Fraction:
    """The fraction of its digits; `Fraction` would work for hours on "1e9999999999"."""
    if not _EXACT.fullmatch(text):
        raise ValueError(f"{text!r} is no fraction")
    return Fraction(text)


def unpacked(row: np.void) -> ExpressedFrame:
    """The frame of one `FRAME`.

    Raises:
        ValueError: its values are impossible.
    """
    if not all(np.isfinite(row[name]).all() for name in _MOST):
        raise ValueError("it holds NaN or infinity")
    if beyond := [name for name, most in _MOST.items() if np.abs(row[name]).max() > most]:
        raise ValueError(f"{beyond[0]} beyond all measure")
    duration = Fraction(*(int(x) for x in row["duration"]))
    if duration < 0:
        raise ValueError("it lasts a negative time")
    return ExpressedFrame(
        index=int(row["index"]),
        at=Instant(int(row["pts"]), Fraction(*(int(x) for x in row["time_base"]))),
        duration=duration,
        expression=_unpacked_expression(row) if row["expressed"] else None,
        pose=_unpacked_pose(row) if row["posed"] else None,
        cut=bool(row["cut"]),
    )


def _unpacked_pose(row: np.void) -> HeadPose:
    turned, scale = row["rotation"].copy(), float(row["scale"])
    if not scale > 0:
        raise ValueError("its head has no size")
    if np.linalg.det(turned) < 0 or np.abs(turned @ turned.T - np.eye(3)).max() > 1e-3:
        raise ValueError("its head is not turned but bent")
    return HeadPose(rotation=turned, translation=row["translation"].copy(), scale=scale)


def _unpacked_expression(row: np.void) -> Expression:
    measured = None
    if row["measured"]:
        measured = Measurement(
            gaze=row["gaze"].copy(), aperture=row["aperture"].copy(),
            lip_gap=float(row["lip_gap"]), detail=row["detail"].astype(np.float32),
        )  # fmt: skip
    return Expression(weights=row["weights"].copy(), measured=measured)
