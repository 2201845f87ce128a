"""What the file of an adapter of expressions must hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from retarget.errors import MissingModel
from retarget.generate.diffusion.expression_adapter import ExpressionAdapter

from . import tiny
from .conftest import one_sentence


@pytest.mark.parametrize(("kind", "tokens"), [("one", 4), ("one", 6), ("two", 4), ("two", 16)])
def test_the_number_of_expression_tokens_is_read_off_the_shapes(
    unet: UNet2DConditionModel, tmp_path: Path, kind: str, tokens: int
) -> None:
    path = tmp_path / "exp_adapter.bin"
    tiny.write_adapter(path, unet, tokens, kind)
    adapter = ExpressionAdapter.load(path, unet)
    assert adapter.token_count == tokens
    assert adapter.tokens(torch.zeros(3, 55)).shape == (3, tokens, tiny.WIDTH)


def test_reading_an_adapter_leaves_the_unet_as_it_was(
    unet: UNet2DConditionModel, models: Path
) -> None:
    before = dict(unet.attn_processors), unet.encoder_hid_proj, unet.config.encoder_hid_dim_type
    ExpressionAdapter.load(models / "exp_adapter" / "exp_adapter.bin", unet)
    after = dict(unet.attn_processors), unet.encoder_hid_proj, unet.config.encoder_hid_dim_type
    assert before == after


def test_an_adapter_for_another_unet_or_other_numbers_is_refused(
    unet: UNet2DConditionModel, models: Path, tmp_path: Path
) -> None:
    state = torch.load(models / "exp_adapter" / "exp_adapter.bin", weights_only=True)
    pairs, proj = state["ip_adapter"], state["image_proj"]
    wrong = {
        "fewer": (proj, dict(list(pairs.items())[:-2])),
        "sizes": (proj, pairs | {"1.to_k_ip.weight": pairs["1.to_k_ip.weight"][:-1]}),
        "numbers": (proj | {"proj.0.weight": torch.zeros(110, 53)}, pairs),
        "kind": ({"latents": torch.zeros(1, 4, 64)}, pairs),
        "lists": (torch.zeros(3), [1]),
    }
    for name, (image_proj, ip_adapter) in wrong.items():
        path = tmp_path / f"{name}.bin"
        torch.save({"image_proj": image_proj, "ip_adapter": ip_adapter}, path)
        with pytest.raises(MissingModel, match=name) as told:
            ExpressionAdapter.load(path, unet)
        one_sentence(told.value)
