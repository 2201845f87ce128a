"""Open the generator that a job names."""

from __future__ import annotations

# Imported here: once the main thread has ended, jobs on other threads could no longer import it.
import concurrent.futures.thread  # noqa: F401
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from retarget.errors import UnknownWord
from retarget.extras import extra
from retarget.flow.cores import usable_cores
from retarget.flow.free_memory import require_address_space
from retarget.flow.report import Report
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings

if TYPE_CHECKING:
    from retarget.generate.generator import Generator

GeneratorName = Literal["warp", "diffusion"]

_LIBRARIES, _PER_CORE = 1.3e9, 0.15e9
"""Address space in bytes that PyTorch, diffusers and transformers take, and the threads that they
start for each core: measured on Linux with tiny networks, between opening and the last frame."""


def open_generator(
    name: GeneratorName,
    warp: WarpSettings,
    diffusion: DiffusionSettings,
    models: Path | None,
    report: Report,
) -> Generator:
    """Open a generator for identities and requests.

    Raises:
        UnknownWord: there is no such generator.
        MissingPackage: the diffusion extra is not installed.
        RetargetError: the device asked for is not there, or there is no room for the libraries.

    Model files are read and verified at the first identity or request.
    """
    from retarget.generate.warp.warp import WarpGenerator

    if name not in get_args(GeneratorName):
        raise UnknownWord("generator", name, get_args(GeneratorName))
    if name == "warp":
        _warn_of_idle(diffusion, report)
        return WarpGenerator(warp)
    check_room()
    with extra("diffusion", purpose="The diffusion generator"):
        from retarget.generate.diffusion.generator import DiffusionGenerator
    from retarget.models.store import Store

    guide = WarpGenerator(warp) if diffusion.guided else None
    return DiffusionGenerator(diffusion, Store(models).part, guide, report)


def _warn_of_idle(diffusion: DiffusionSettings, report: Report) -> None:
    """Tell of settings that wait for a generator that nobody named."""
    default = DiffusionSettings()
    names = [field.name for field in fields(default)]
    idle = [f"diffusion.{n}" for n in names if getattr(diffusion, n) != getattr(default, n)]
    if idle:
        report.warn(
            f"{', '.join(idle)} {'does' if len(idle) == 1 else 'do'} not count with the generator "
            "warp; the other one is --generator diffusion."
        )


def check_room() -> None:
    """Refuse to import the diffusion generator's libraries where they cannot be mapped.

    Where memory is limited they would abort the process, at best with a message of their own.
    """
    require_address_space(
        _LIBRARIES + _PER_CORE * usable_cores(),
        of="The diffusion generator's libraries",
        do=", or use --generator warp",
    )
