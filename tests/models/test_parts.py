"""The parts of the generator in the layouts in which they are published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from retarget.errors import MissingModel
from retarget.models import catalog, folders, parts
from retarget.models.store import Store
from tests.models.conftest import CONTENT, sha


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("models", "models/lcm_lora/pytorch_lora_weights.safetensors"),
        ("models", "lcm-lora-sdv1-5/pytorch_lora_weights.safetensors"),
        (".", "models/lcm-lora-sdv1-5/pytorch_lora_weights.safetensors"),
    ],
)
def test_a_file_in_any_place_of_the_published_layout_is_found_and_held_to_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, place: str
) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    right = replace(catalog.LCM_LORA, sha256=sha(CONTENT))
    monkeypatch.setattr(catalog, "FILES", (right,))
    store = Store(tmp_path / given)
    assert [row.found for row in store.status()] == [path]
    assert store.part("lcm-lora") == path
    monkeypatch.setattr(catalog, "FILES", (catalog.LCM_LORA,))
    with pytest.raises(MissingModel, match="SHA-256 differs"):
        Store(tmp_path / given).part("lcm-lora")


def test_a_folder_of_the_published_repository_is_verified_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = "stable-diffusion-v1-5/stable-diffusion-v1-5/vae/diffusion_pytorch_model.safetensors"
    path = tmp_path / inner
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    monkeypatch.setattr(catalog, "FILES", (replace(catalog.VAE, sha256=sha(CONTENT)),))
    assert Store(tmp_path).part("vae") == path.parent
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(MissingModel, match="SHA-256 differs"):
        Store(tmp_path).part("vae")


@pytest.mark.parametrize(
    ("part", "pulled"),
    [("unet", "diffusion"), ("tcd-lora", "tcd-lora"), ("flame-map", "flame-map")],
)
def test_a_missing_part_says_where_it_was_looked_for_and_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, pulled: str
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "named"))
    with pytest.raises(MissingModel) as told:
        Store(tmp_path / "given").part(part)
    assert all(str(tmp_path / name) in told.value.what for name in ("given", "named", "cache"))
    assert f"retarget models pull {pulled}`" in told.value.do
    assert any(parts.within(part, file.path) is not None for file in catalog.named([pulled]))
