"""The one place where one basis of expressions becomes another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from retarget.errors import MissingModel
from retarget.flow import blendshapes, flame
from retarget.flow.flame import FlameExpression, FlameMap
from retarget.flow.values import Expression


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A map in the published layout: row r moves component r, and row 25 the jaw too."""
    exp, jaw = np.zeros((52, 100)), np.zeros((52, 3))
    for row in range(52):
        exp[row, row] = 1.0
    jaw[25, 0] = 0.5
    digests = {}
    for name, array in (("bs2exp.npy", exp), ("bs2jaw.npy", jaw)):
        np.save(tmp_path / name, array)
        digests[name] = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    monkeypatch.setattr(flame, "MAP_FILES", digests)
    return tmp_path


def doing(**weights: float) -> Expression:
    return Expression(weights=blendshapes.weights(weights))


def test_rows_follow_mediapipe_s_order_with_its_neutral_first(folder: Path) -> None:
    mapping = FlameMap.load(folder)
    for name in ("browDownLeft", "jawForward", "mouthSmileLeft"):
        components = mapping.to_flame(doing(**{name: 0.5})).parameters[flame.EXPRESSION]
        (moved,) = np.flatnonzero(components)
        assert moved == blendshapes.index(name) + 1
        assert components[moved] == 0.5
    assert not mapping.to_flame(doing(tongueOut=1.0)).parameters.any()


def test_blinks_close_the_lids_and_jaw_open_turns_the_jaw(folder: Path) -> None:
    mapping = FlameMap.load(folder)
    lids = mapping.to_flame(doing(eyeBlinkLeft=0.9)).parameters[flame.EYELIDS]
    assert lids.tolist() == pytest.approx([0.9, 0.0])
    jaw = mapping.to_flame(doing(jawOpen=1.0)).parameters[flame.JAW]
    assert jaw.tolist() == pytest.approx([0.5, 0.0, 0.0])


def test_lids_and_jaw_keep_within_what_they_can_do_and_the_rest_is_left_as_it_is() -> None:
    raw = np.full(flame.COUNT, -7.0)
    far = FlameExpression.limited(raw).parameters
    np.testing.assert_array_equal(far[flame.EXPRESSION], -7.0)
    np.testing.assert_allclose(far[flame.EYELIDS], 0.0)
    np.testing.assert_allclose(far[flame.JAW], (0.0, -0.2, -0.2))  # a jaw does not open upwards
    other = FlameExpression.limited(-raw).parameters
    np.testing.assert_allclose(other[flame.EYELIDS], 1.0)
    np.testing.assert_allclose(other[flame.JAW], (7.0, 0.2, 0.2))
    assert (raw == -7.0).all()


def test_a_map_that_is_not_the_published_one_is_refused(folder: Path) -> None:
    path = folder / "bs2jaw.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(MissingModel, match="SHA-256"):
        FlameMap.load(folder)
    path.unlink()
    with pytest.raises(MissingModel, match="missing"):
        FlameMap.load(folder)


def test_a_map_that_holds_objects_is_never_unpickled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "bs2jaw.npy"
    np.save(path, np.array([{}], object), allow_pickle=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(flame.MAP_FILES, "bs2jaw.npy", digest)
    with pytest.raises(MissingModel, match="numbers"):
        FlameMap.load(folder)


def test_an_expression_has_fifty_five_finite_numbers() -> None:
    with pytest.raises(ValueError, match="55"):
        FlameExpression(parameters=np.zeros(52, np.float32))
    with pytest.raises(ValueError, match="NaN"):
        FlameExpression(parameters=np.full(55, np.nan, np.float32))
