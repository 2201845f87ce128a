"""Draw faces by diffusion: requests in, faces out, in batches.

Every frame starts from the same noise, so that constant parts do not flicker. With a guide (another
generator, such as the warp) it starts from the guide's picture, which gives pose, gaze, hair and
background; diffusion adds what a warp cannot: opened eyes, teeth, folds. Without a guide, a warm
start begins from the frame before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from itertools import chain, islice

import torch

from retarget.flow.arrays import Picture
from retarget.flow.flame import FlameExpression
from retarget.flow.lanes import DEPTH, Lanes, depth_for
from retarget.flow.report import Report
from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.diffusion.device import choose_device, choose_dtype, choose_graphs
from retarget.generate.diffusion.draw import Draw, Frame, laid
from retarget.generate.diffusion.load import load_networks
from retarget.generate.diffusion.look import Looks
from retarget.generate.diffusion.memory import after_running_out, memory_watched
from retarget.generate.diffusion.places import Locate
from retarget.generate.diffusion.read_expression import ReadExpression
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.generator import Generator

_Asked = tuple[FaceRequest, GeneratedFace | None]


class DiffusionGenerator:
    """Arc2Face with its expression and reference adapters, as a generator.

    Args:
        settings: how to draw.
        models: finds each model file.
        guide: draws the pictures to start from; None: every frame starts from noise.
        report: receives warnings and facts.

    Raises:
        RetargetError: there is no such device. Model files are read at the first `prepare` or
            request.
    """

    name = "diffusion"

    def __init__(
        self,
        settings: DiffusionSettings,
        models: Locate,
        guide: Generator | None = None,
        report: Report | None = None,
    ) -> None:
        self.settings = settings
        self._locate = models
        self._guide = guide
        self._report = report or Report()
        self._device = choose_device(settings.device)
        # Compiled and recorded passes need batches of one size.
        self._fixed_shape = settings.compile or choose_graphs(self._device, settings.graphs)
        self._reader = ReadExpression(
            settings.expression, models, order=settings.pixel_order, device=self._device
        )
        self._loaded: Draw | None = None
        # Held while networks are in use, as a photo may be prepared on another thread.
        self._lock = threading.RLock()

    def prepare(self, identity: Identity) -> None:
        """Read the model files and the photo, and let the guide do the same."""
        with self._lock, torch.inference_mode(), memory_watched(self._what_fits):
            self._draw().look(identity)
        if self._guide is not None:
            self._guide.prepare(identity)

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        """Draw every request, `batch` of them at a time.

        While the device draws a batch, the host prepares the next one and places the last one.
        """
        size = 1 if self._warm else self.settings.batch
        first = next(frames, None)  # its size decides how many may wait
        if first is None:
            return
        guided = self._report.stage("guide", self._guided, chain([first], frames))
        denoised = partial(self._drawn, size)
        depth = _depth(first, size)
        with Lanes() as lanes:
            asked = lanes.ahead(guided, depth=depth, name="guide")
            drawn = lanes.ahead(
                self._report.stage("denoise", denoised, asked), depth=depth, name="denoise"
            )
            for frame, picture in drawn:
                yield laid(frame, picture)

    def _guided(self, frames: Iterator[FaceRequest]) -> Iterator[_Asked]:
        """Every request, with the picture to start from where there is a guide."""
        if self._guide is None:
            return ((request, None) for request in frames)
        return ((face.request, face) for face in self._guide(frames))

    def _drawn(self, size: int, asked: Iterator[_Asked]) -> Iterator[tuple[Frame, Picture]]:
        """Pictures of the networks, in batches of `size`."""
        warm = _WarmStart(self.settings) if self._warm else None
        held: FlameExpression | None = None
        for batch in _batches(asked, size):
            with self._lock, torch.inference_mode(), memory_watched(self._what_fits):
                frames = self._frames(batch, held)
                held = frames[-1].expression
                start = warm.before(frames[0].request) if warm else None
                latents = self._draw().latents(self._filled(frames), start)[: len(frames)]
                if warm:
                    warm.after(latents)
                pictures = self._draw().pictures(latents)
            yield from zip(frames, pictures, strict=True)

    def _frames(self, batch: list[_Asked], held: FlameExpression | None) -> list[Frame]:
        draw = self._draw()
        expressions = self._reader.of([request for request, _ in batch], held)
        return [
            Frame(request, expression, guide, draw.look(request.identity))
            for (request, guide), expression in zip(batch, expressions, strict=True)
        ]

    @property
    def _warm(self) -> bool:
        return self._guide is None and self.settings.warm_start > 0

    def _filled(self, frames: list[Frame]) -> list[Frame]:
        """Pad a last, shorter batch, as another size would be compiled or recorded again."""
        lacking = self.settings.batch - len(frames) if self._fixed_shape else 0
        return frames + frames[-1:] * (0 if self._warm else lacking)

    def _what_fits(self) -> str:
        sizes = self._loaded.sizes if self._loaded else None
        return after_running_out(sizes, self.settings, self._device)

    def _draw(self) -> Draw:
        if self._loaded is None:
            chosen = self.settings.chosen()
            dtype = choose_dtype(self._device, chosen.precision)
            self._report.facts["drawn_with"] = {
                **asdict(chosen), "device": str(self._device), "numbers": str(dtype),
            }  # fmt: skip
            tell = self._report.warn
            networks = load_networks(self.settings, self._locate, self._device, dtype, tell)
            looks = Looks(networks, self.settings, self._locate, tell)
            self._loaded = Draw(networks, looks, self.settings)
        return self._loaded


class _WarmStart:
    """The latent to begin from: the last frame's, and every `anchor_every` frames the shot's first.

    So errors do not add up over a long chain of frames.
    """

    def __init__(self, settings: DiffusionSettings) -> None:
        self._every = settings.anchor_every
        self._anchor: torch.Tensor | None = None
        self._last: torch.Tensor | None = None
        self._drawn = 0

    def before(self, request: FaceRequest) -> torch.Tensor | None:
        """The latent to begin this request from; None: noise."""
        if request.cut:
            self._anchor = self._last = None
            self._drawn = 0
        return self._anchor if self._drawn % self._every == 0 else self._last

    def after(self, latents: torch.Tensor) -> None:
        """Keep the latents that were drawn."""
        self._anchor = latents if self._anchor is None else self._anchor
        self._last = latents
        self._drawn += 1


def _depth(request: FaceRequest, size: int) -> int:
    """How many such requests may wait before the networks, and pictures behind them.

    A batch, but fewer of large frames: each holds its driving frame and, of a clip, its own picture
    of the identity.
    """
    tracked = request.driving.tracked if request.driving is not None else None
    shown = tracked.frame.size if tracked is not None else None
    bounded = depth_for(shown, request.identity.frame.size, most=size)
    return max(min(size, DEPTH), bounded)


def _batches(asked: Iterator[_Asked], size: int) -> Iterator[list[_Asked]]:
    """Lists of `size`, the last one shorter."""
    while gathered := list(islice(asked, size)):
        yield gathered
