"""Gain per region, on weights, on measurements and on the shape beyond the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Floats
from retarget.flow.face_model import FaceModel
from retarget.flow.values import Expression, Measurement
from retarget.transfer.settings import TransferSettings

WIDEST = 1.6
"""Aperture of an eye that is torn open as far as lids go."""
UNTOLD = 0.01
"""Head units by which lips part without a weight that tells of it."""


class Strength:
    """Scale what was performed, region by region."""

    def __init__(self, settings: TransferSettings, model: FaceModel) -> None:
        gain = settings.gain
        self._eyes = settings.strength * gain.eyes
        self._gaze = settings.strength * gain.gaze
        self._strength = settings.strength
        self._smaller = min(gain.mouth, gain.jaw)
        self._parting = [parting(model, region) for region in ("mouth", "jaw")]
        of_region = {r: getattr(gain, r) for r in blendshapes.REGIONS if r != "head"}
        per_weight = [of_region[blendshapes.region(name)] for name in blendshapes.NAMES]
        self._gain = np.array(per_weight, np.float32)  # (52,)
        self._weights = settings.strength * self._gain
        shares = region_shares(model)
        per_point = sum(shares[r] * of_region[r] for r in shares)
        self._detail = np.asarray(settings.strength * settings.detail * per_point, np.float32)

    def __call__(self, expression: Expression) -> Expression:
        """The same expression, scaled; weights stay within 0..1, lids and lips within reach."""
        weights = np.clip(expression.weights * self._weights, 0.0, 1.0)
        measured = expression.measured
        if measured is not None:
            measured = self._measured(measured, self._parted(expression.weights))
        return Expression(weights=weights, measured=measured)

    def _parted(self, weights: Floats) -> float:
        """What the gains multiply the lip gap by: how much farther jaw and mouth now part the lips.

        A jaw that drops as far as it can opens the mouth no farther for a larger gain; and what no
        weight tells of follows the smaller gain.
        """
        scaled = np.clip(weights * self._gain, 0.0, 1.0)
        before, now = (
            sum(max(0.0, float(parting @ w)) for parting in self._parting)
            for w in (weights, scaled)
        )
        return (now + UNTOLD * self._smaller) / (before + UNTOLD)

    def _measured(self, seen: Measurement, parted: float) -> Measurement:
        return replace(
            seen,
            gaze=seen.gaze * np.float32(self._gaze),
            aperture=np.clip(gained(seen.aperture, self._eyes), 0.0, WIDEST),
            lip_gap=seen.lip_gap * (self._strength * parted),
            detail=seen.detail * self._detail[:, None],
        )


def gained(aperture: Floats, gain: float) -> Floats:
    """Apertures (n,) whose distance from rest is multiplied by a gain.

    Lids that nearly meet lie close to the end of their way: a little more than was measured narrows
    a half open eye, but shuts none that the driving face keeps open by a slit.
    """
    if gain <= 1:
        return np.asarray(1 + (aperture - 1) * np.float32(gain))
    narrow = np.minimum(aperture, 1.0)
    beyond = (aperture - narrow) * np.float32(gain)
    return np.asarray(narrow - np.float32(gain - 1) * narrow * (1 - narrow) + beyond)


def parting(model: FaceModel, region: str) -> Floats:
    """(52,) head units by which each weight of a region parts the middle of the lips; else 0."""
    up, low = list(landmarks.LIPS_INNER_UPPER[4:7]), list(landmarks.LIPS_INNER_LOWER[4:7])
    apart = (model.basis[:, low, 1] - model.basis[:, up, 1]).mean(axis=1)
    within = [blendshapes.region(name) == region for name in blendshapes.NAMES]
    return np.where(within, apart, np.float32(0))


def region_shares(model: FaceModel) -> dict[str, Floats]:
    """How much each mesh point belongs to each region, from how far each region moves it.

    Returns:
        For every region that has blendshapes a (478,) share; the shares of a point sum to 1.
    """
    reach = np.linalg.norm(model.basis, axis=2)  # (52, 478)
    regions = [blendshapes.region(name) for name in blendshapes.NAMES]
    power = {
        r: np.square(reach[[i for i, at in enumerate(regions) if at == r]]).sum(0) + 1e-9
        for r in dict.fromkeys(regions)
    }
    total = sum(power.values())
    return {r: (p / total).astype(np.float32) for r, p in power.items()}
