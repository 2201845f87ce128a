"""Which generator draws, for every job that draws expressions given in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.flow.declared import AsDeclared, Kept
from retarget.flow.report import Report
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings
from retarget.jobs.generators import GeneratorName, open_generator
from retarget.sink.mark import source_type

if TYPE_CHECKING:
    from retarget.generate.generator import Generator


@dataclass(frozen=True, kw_only=True)
class DrawSettings(AsDeclared):
    """Which generator draws, and its settings."""

    generator: GeneratorName = "warp"
    """The generator: warp (the photo's own pixels, no download) or diffusion (needs models)."""
    models: Kept[Path] | None = None
    """Folder with model files; left out, RETARGET_MODELS or the user's cache folder."""
    warp: WarpSettings = field(default_factory=WarpSettings)
    """The warp generator."""
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    """The diffusion generator."""

    def open(self, report: Report) -> Generator:
        """The generator, ready for identities and requests."""
        return open_generator(self.generator, self.warp, self.diffusion, self.models, report)

    @property
    def source_type(self) -> str:
        """IPTC's word for what is drawn; see `retarget.sink.mark`."""
        return source_type(trained=self.generator == "diffusion")

    def in_words(self) -> str:
        """All settings that the pixels depend on: where this text changed, pictures are redrawn."""
        warp = replace(self.warp, threads=0)
        return f"{warp} {self.diffusion} {self.models}" if self.generator != "warp" else str(warp)

    def of_panel(self, generator: GeneratorName | None, seed: int) -> DrawSettings:
        """The settings with a panel's own generator and seed; the warp uses no random numbers."""
        name = generator or self.generator
        if name == "warp":  # the settings of diffusion may be for other panels
            return replace(self, generator=name, diffusion=DiffusionSettings())
        return replace(self, generator=name, diffusion=replace(self.diffusion, seed=seed))
