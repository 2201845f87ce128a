"""An evaluation as plain values for JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from retarget.evaluation.values import Evaluation

VERSION = 1
"""The version of the layout below; it changes when a key does."""


def as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Everything that was measured, NaN as None, paths as text."""
    return {
        "version": VERSION,
        "result": str(evaluation.result),
        "driving": str(evaluation.driving),
        "identity": str(evaluation.identity),
        "measures": {m.key: _plain(asdict(m)) for m in evaluation.measures},
        "channels": [_plain(asdict(c)) for c in evaluation.channels],
        "failures": [_plain(asdict(f)) for f in evaluation.failures],
        "findings": list(evaluation.findings),
        "curves": [
            {name: _plain(getattr(c, name)) for name in c.__slots__} for c in evaluation.curves
        ],
        "worst": [_plain(asdict(w)) for w in evaluation.worst],
        "facts": evaluation.facts,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
