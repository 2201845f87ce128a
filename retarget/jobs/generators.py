"""The generator that a job asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from retarget.extras import extra
from retarget.flow.report import Report
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings

if TYPE_CHECKING:
    from retarget.generate.generator import Generator

GeneratorName = Literal["warp", "diffusion"]


def open_generator(
    name: GeneratorName,
    warp: WarpSettings,
    diffusion: DiffusionSettings,
    models: Path | None,
    report: Report,
) -> Generator:
    """Make it ready to be handed identities and requests.

    Args:
        name: warp or diffusion.
        warp: settings of the warp generator, also where it guides the diffusion.
        diffusion: settings of the diffusion generator.
        models: folder with model files; None: RETARGET_MODELS or the user's cache.
        report: is told what is worth a line.

    Raises:
        MissingPackage: the diffusion extra is not installed.
        RetargetError: the device asked for is not there.

    Model files are read and verified at the first identity or request.
    """
    from retarget.generate.warp.warp import WarpGenerator

    if name == "warp":
        return WarpGenerator(warp)
    with extra("diffusion", purpose="The diffusion generator"):
        from retarget.generate.diffusion.generator import DiffusionGenerator
    from retarget.models.store import Store

    guide = WarpGenerator(warp) if diffusion.guided else None
    return DiffusionGenerator(diffusion, Store(models).part, guide, report)
