"""What a face does, read off its pixels: SMIRK's expression encoder.

SMIRK (Retsinas et al., CVPR 2024) regresses FLAME parameters with a small MobileNetV3 and one
linear layer. The network is laid out here with the names of its published file, which were given
by the library it was trained with (timm's `tf_mobilenetv3_large_minimal_100`): no squeezing, ReLU
throughout, 3x3 windows, TensorFlow's padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from retarget.errors import MissingModel
from retarget.flow import flame
from retarget.flow.arrays import Picture
from retarget.flow.flame import FlameExpression
from retarget.flow.values import TrackedFrame
from retarget.generate.diffusion import align, files

_PREFIX = "smirk_encoder.expression_encoder."
_EPSILON = 1e-3
_STAGES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((64, 24, 2), (72, 24, 1)),
    ((72, 40, 2), (120, 40, 1), (120, 40, 1)),
    ((240, 80, 2), (200, 80, 1), (184, 80, 1), (184, 80, 1)),
    ((480, 112, 1), (672, 112, 1)),
    ((672, 160, 2), (960, 160, 1), (960, 160, 1)),
)
"""(widened channels, channels out, stride) of every inverted residual, stage by stage."""
_FEATURES = 960


class SmirkEncoder:
    """The encoder with its published weights.

    Args:
        path: `SMIRK_em1.pt`.
        order: how colors are handed over.

    Raises:
        MissingModel: the file is absent, damaged, or holds another network.
    """

    def __init__(self, path: Path, *, order: Literal["rgb", "bgr"] = "rgb") -> None:
        self._network = _Encoder().eval()
        self._order = order
        wanted = self._network.state_dict()
        weights = {
            name.removeprefix(_PREFIX): tensor
            for name, tensor in files.read_tensors(path).items()
            if name.removeprefix(_PREFIX) in wanted
        }
        if "expression_layers.0.weight" not in weights:
            raise MissingModel(
                f"{path} does not hold SMIRK's expression encoder.",
                do="Use the SMIRK_em1.pt that SMIRK publishes.",
            )
        files.load_into(self._network, weights, path)

    @torch.inference_mode()
    def read(self, crops: Sequence[Picture]) -> list[FlameExpression]:
        """What n face crops (224, 224, 3) do."""
        stacked = np.stack(crops)[..., :: 1 if self._order == "rgb" else -1]
        pixels = torch.from_numpy(np.ascontiguousarray(stacked)).permute(0, 3, 1, 2) / 255
        told = self._network(pixels.float()).numpy()
        return [FlameExpression.limited(row) for row in told]

    def of_frame(self, tracked: TrackedFrame) -> FlameExpression | None:
        """What the followed face does; None while it is away."""
        if tracked.face is None:
            return None
        crop = align.smirk(tracked.face.points)
        return self.read([align.cut(tracked.frame.rgb, crop, smooth=False)])[0]


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = _MobileNet()
        self.expression_layers = nn.Sequential(nn.Linear(_FEATURES, flame.COUNT))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, 224, 224) in 0..1 → (n, 55), unlimited."""
        told: torch.Tensor = self.expression_layers(self.encoder(pixels).mean(dim=(2, 3)))
        return told


class _MobileNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = _Same(3, 16, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(16, eps=_EPSILON)
        stages: list[nn.Module] = [nn.Sequential(_Separable(16))]
        channels = 16
        for stage in _STAGES:
            blocks = []
            for wide, out, stride in stage:
                blocks.append(_Inverted(channels, wide, out, stride))
                channels = out
            stages.append(nn.Sequential(*blocks))
        stages.append(nn.Sequential(_Widen(channels, _FEATURES)))
        self.blocks = nn.Sequential(*stages)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) → (n, 960, h/32, w/32)."""
        out: torch.Tensor = self.blocks(functional.relu(self.bn1(self.conv_stem(pixels))))
        return out


class _Same(nn.Conv2d):
    """A convolution with TensorFlow's padding: what is left over goes right and below."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        window, stride = self.kernel_size[0], self.stride[0]
        over = [max((-(-n // stride) - 1) * stride + window - n, 0) for n in x.shape[:1:-1]]
        pad = [part for n in over for part in (n // 2, n - n // 2)]
        return functional.conv2d(
            functional.pad(x, pad), self.weight, self.bias, self.stride, groups=self.groups
        )


class _Separable(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_dw = _Same(channels, channels, 3, groups=channels, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, eps=_EPSILON)
        self.conv_pw = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels, eps=_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.bn2(self.conv_pw(functional.relu(self.bn1(self.conv_dw(x)))))
        return out + x


class _Inverted(nn.Module):
    def __init__(self, channels: int, wide: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv_pw = nn.Conv2d(channels, wide, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide, eps=_EPSILON)
        self.conv_dw = _Same(wide, wide, 3, stride=stride, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide, eps=_EPSILON)
        self.conv_pwl = nn.Conv2d(wide, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out, eps=_EPSILON)
        self._carried = stride == 1 and channels == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = functional.relu(self.bn1(self.conv_pw(x)))
        deep = functional.relu(self.bn2(self.conv_dw(wide)))
        out: torch.Tensor = self.bn3(self.conv_pwl(deep))
        return out + x if self._carried else out


class _Widen(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out, eps=_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = functional.relu(self.bn1(self.conv(x)))
        return out
