"""SMIRK's encoders of expression and head pose from pixels.

SMIRK (Retsinas et al., CVPR 2024) regresses FLAME parameters with a MobileNetV3 and one linear
layer for each group of them. The networks are defined here with the names of the published file,
which come from the library they were trained with (timm's `tf_mobilenetv3_large_minimal_100`
for expression, `tf_mobilenetv3_small_minimal_100` for pose): no squeezing, ReLU throughout, 3x3
windows, TensorFlow's padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from retarget.errors import MissingModel
from retarget.flow import flame
from retarget.flow.arrays import Picture, Reals
from retarget.flow.flame import FlameExpression
from retarget.flow.values import Face
from retarget.generate.diffusion import align, files

_CPU = torch.device("cpu")
_EPSILON = 1e-3
_STEM = 16
"""Channels that the first two layers of either size give."""
_TURN = slice(0, 3)
"""The head's rotation among the pose network's six outputs; the rest is the camera."""


@dataclass(frozen=True, slots=True)
class _Size:
    """One of the two sizes of MobileNetV3 (Howard et al., ICCV 2019, tables 1 and 2)."""

    first_stride: int
    stages: tuple[tuple[tuple[int, int, int], ...], ...]
    """(widened channels, channels out, stride) of every inverted residual, stage by stage."""
    features: int


_LARGE = _Size(
    first_stride=1,
    stages=(
        ((64, 24, 2), (72, 24, 1)),
        ((72, 40, 2), (120, 40, 1), (120, 40, 1)),
        ((240, 80, 2), (200, 80, 1), (184, 80, 1), (184, 80, 1)),
        ((480, 112, 1), (672, 112, 1)),
        ((672, 160, 2), (960, 160, 1), (960, 160, 1)),
    ),
    features=960,
)
_SMALL = _Size(
    first_stride=2,
    stages=(
        ((72, 24, 2), (88, 24, 1)),
        ((96, 40, 2), (240, 40, 1), (240, 40, 1)),
        ((120, 48, 1), (144, 48, 1)),
        ((288, 96, 2), (576, 96, 1), (576, 96, 1)),
    ),
    features=576,
)


class SmirkEncoder:
    """The encoder with its published weights, as `SMIRK_em1.pt` holds them.

    Raises:
        MissingModel: the file is absent, damaged, or holds another network.
    """

    def __init__(
        self, path: Path, *, order: Literal["rgb", "bgr"] = "rgb", device: torch.device = _CPU
    ) -> None:
        self._network = _read(path, "expression", _Encoder()).to(device)
        self._order = order
        self._device = device

    @torch.inference_mode()
    def read(self, crops: Sequence[Picture]) -> list[FlameExpression]:
        """The expressions of n face crops (224, 224, 3)."""
        told = self._network(_pixels(crops, self._order).to(self._device)).cpu().numpy()
        return [FlameExpression.limited(row) for row in told]

    @staticmethod
    def crop(rgb: Picture, face: Face) -> Picture:
        """(224, 224, 3) the network's input from a frame (height, width, 3) and its face."""
        return align.cut(rgb, align.smirk(face.points), smooth=False)


class SmirkPoseEncoder:
    """Reads the rotation of heads, by another network of the same file; not used for drawing.

    Raises:
        MissingModel: the file is absent, damaged, or holds another network.
    """

    def __init__(self, path: Path) -> None:
        self._network = _read(path, "pose", _PoseEncoder())

    @torch.inference_mode()
    def read(self, crops: Sequence[Picture]) -> Reals:
        """(n, 3) rotation of the heads in n crops (224, 224, 3): axis times angle, radians."""
        return np.asarray(self._network(_pixels(crops, "rgb")).numpy()[:, _TURN].astype(np.float64))


def _read(path: Path, what: str, network: nn.Module) -> nn.Module:
    """`network` with the weights that the published file keeps under `what`."""
    prefix = f"smirk_encoder.{what}_encoder."
    wanted = network.state_dict()
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in files.read_tensors(path).items()
        if name.startswith(prefix) and name.removeprefix(prefix) in wanted
    }
    if not weights:
        raise MissingModel(
            f"{path} does not hold SMIRK's {what} encoder.",
            do="Use the SMIRK_em1.pt that SMIRK publishes.",
        )
    files.load_into(network, weights, path)
    return network.eval()


def _pixels(crops: Sequence[Picture], order: Literal["rgb", "bgr"]) -> torch.Tensor:
    """(n, 3, 224, 224) in 0..1."""
    stacked = np.stack(crops)[..., :: 1 if order == "rgb" else -1]
    return torch.from_numpy(np.ascontiguousarray(stacked)).permute(0, 3, 1, 2).float() / 255


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = _MobileNet(_LARGE)
        self.expression_layers = nn.Sequential(nn.Linear(_LARGE.features, flame.COUNT))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, 224, 224) in 0..1 → (n, 55), unlimited."""
        told: torch.Tensor = self.expression_layers(self.encoder(pixels).mean(dim=(2, 3)))
        return told


class _PoseEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = _MobileNet(_SMALL)
        self.pose_cam_layers = nn.Sequential(nn.Linear(_SMALL.features, 6))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, 224, 224) in 0..1 → (n, 6): rotation, then camera."""
        told: torch.Tensor = self.pose_cam_layers(self.encoder(pixels).mean(dim=(2, 3)))
        return told


class _MobileNet(nn.Module):
    def __init__(self, size: _Size) -> None:
        super().__init__()
        self.conv_stem = _Same(3, _STEM, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        stages: list[nn.Module] = [nn.Sequential(_Separable(_STEM, size.first_stride))]
        channels = _STEM
        for stage in size.stages:
            blocks = []
            for wide, out, stride in stage:
                blocks.append(_Inverted(channels, wide, out, stride))
                channels = out
            stages.append(nn.Sequential(*blocks))
        stages.append(nn.Sequential(_Widen(channels, size.features)))
        self.blocks = nn.Sequential(*stages)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) → (n, features, h/32, w/32)."""
        out: torch.Tensor = self.blocks(functional.relu(self.bn1(self.conv_stem(pixels))))
        return out


class _Same(nn.Conv2d):
    """A convolution with TensorFlow's padding: an odd rest goes right and below."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        window, stride = self.kernel_size[0], self.stride[0]
        over = [max((-(-n // stride) - 1) * stride + window - n, 0) for n in x.shape[:1:-1]]
        pad = [part for n in over for part in (n // 2, n - n // 2)]
        return functional.conv2d(
            functional.pad(x, pad), self.weight, self.bias, self.stride, groups=self.groups
        )


class _Separable(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = _Same(channels, channels, 3, stride=stride, groups=channels, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, eps=_EPSILON)
        self.conv_pw = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels, eps=_EPSILON)
        self._carried = stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.bn2(self.conv_pw(functional.relu(self.bn1(self.conv_dw(x)))))
        return out + x if self._carried else out


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
