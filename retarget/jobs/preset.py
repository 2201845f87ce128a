"""Apply a preset to a job's defaults; an unknown name is an error that offers the nearest one.

On the command line every given option overrides the preset. In Python a job cannot see which values
its caller gave, so that values other than the defaults override the preset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.declared import AsDeclared
from retarget.flow.lay_over import Job, lay_over
from retarget.flow.shipped import presets_folder
from retarget.flow.toml_file import TomlFile

Starting = TypeVar("Starting", bound="StartsFromPreset")


class _Laid(str):
    """The name of a preset that has been applied to a job."""


@dataclass(frozen=True)
class StartsFromPreset(AsDeclared):
    """A frozen dataclass with a field `preset`, whose values replace the job's defaults.

    They count as given from then on: they override another preset in `replace(job, preset=…)`.

    Raises:
        UnknownWord: there is no such preset, or it holds a word that is not known.
        RetargetError: the preset holds a value of the wrong kind.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        word: str | None = getattr(self, "preset", None)
        if word is None or isinstance(word, _Laid):
            return
        object.__setattr__(self, "preset", _Laid(word))
        whole = _with_given(self, apply_preset(self, word))
        for field in fields(self):
            object.__setattr__(self, field.name, getattr(whole, field.name))

    @classmethod
    def _from_preset(cls: type[Starting], preset: str | Path, **needed: Any) -> Starting:
        """A job with all values of the preset, for the command line to override."""
        word = _Laid(preset)
        return apply_preset(cls(**needed, **{"preset": word}), word)


def apply_preset(job: Job, word: str) -> Job:
    """The job with the values of a preset in place of its own."""
    return lay_over(job, read_preset(word), where=f"preset {word}", explain=_of_videos)


def _with_given(own: Job, laid: Job) -> Job:
    """`laid` with the values of `own` that are not defaults."""
    kept: dict[str, Any] = {}
    for field in fields(own):
        own_value, laid_value = getattr(own, field.name), getattr(laid, field.name)
        if is_dataclass(own_value):
            kept[field.name] = _with_given(own_value, laid_value)
        elif own_value != _default(field):
            kept[field.name] = own_value
    return replace(laid, **kept)


def _default(field: Field[Any]) -> Any:
    """A field's default value; `MISSING` where it has none."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def preset_names() -> dict[str, Path]:
    """The shipped presets by name."""
    return {p.stem: p for p in sorted(presets_folder().glob("*.toml"))}


def read_preset(word: str) -> Mapping[str, Any]:
    """The tables of a shipped preset, or of a person's own .toml file.

    Raises:
        UnknownWord: neither a shipped preset nor a file.
        UnreadableInput: the file is missing or not TOML.
    """
    path = Path(word)
    if path.suffix.lower() != ".toml":
        known = preset_names()
        if word not in known:
            raise UnknownWord("preset", word, known)
        path = known[word]
    table = TomlFile(path, "preset").data
    if "preset" in table:
        raise RetargetError(
            f"{path} starts from another preset, and presets do not build on one another.",
            do="Copy that one's values into it.",
        )
    return table


def _of_videos(name: str, place: str) -> RetargetError | None:
    """The error for a setting that only `VideoJob` has; None where it has none of this name."""
    from retarget.jobs.video import VideoJob

    if name not in (f.name for f in fields(VideoJob)):
        return None
    return RetargetError(
        f"{place} sets {name!r}, which only a video has.",
        do="Leave the preset out, or give a .toml file with the settings of this command.",
    )
