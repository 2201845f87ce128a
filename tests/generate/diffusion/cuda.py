"""For tests that need the kind of device that drawing by diffusion is made for."""

from __future__ import annotations

import pytest
import torch

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
