"""What driving faces were seen to do, for the tests of transfer."""

from __future__ import annotations

import numpy as np

from retarget.flow import blendshapes
from retarget.flow.values import Expression, Measurement


def seen(
    aperture: tuple[float, float] = (1.0, 1.0), gap: float = 0.0, **named: float
) -> Expression:
    """An expression that was measured: lids as open as said (left, right), lips `gap` apart."""
    return Expression(
        weights=blendshapes.weights(named),
        measured=Measurement(
            gaze=np.zeros((2, 2), np.float32),
            aperture=np.array(aperture, np.float32),
            lip_gap=gap,
        ),
    )
