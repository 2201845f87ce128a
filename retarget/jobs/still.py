"""One picture of the identity in an expression, or a grid of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from retarget.errors import RetargetError
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.atomic_files import given_or_free
from retarget.flow.blas import one_blas_thread
from retarget.flow.declared import HERE, Kept, check_range
from retarget.flow.report import Report, begin
from retarget.jobs.draw import DrawSettings
from retarget.jobs.preset import StartsFromPreset

if TYPE_CHECKING:
    from PIL import Image

    from retarget.flow.arrays import Picture
    from retarget.language.say import Said
    from retarget.sink.sheet import Tile

MOST_PICTURES = 5000


@dataclass(frozen=True, kw_only=True)
class StillJob(StartsFromPreset):
    """One picture, or a grid of them, of the identity in an expression.

    retarget still --identity face.jpg --expression "0.7*amusement" -o smile.png

    retarget still --identity a.jpg b.jpg --expression joy fear --grid -o grid.png
    """

    identity: Kept[tuple[str, ...]]
    """Whose face: a photo; several with --grid."""
    expression: Kept[tuple[str, ...]]
    """What it does: joy, "0.6*joy + 0.4*surprise", AU6+AU12C, mouthSmileLeft=0.6, from:smile.png,
    "fear + gaze(left=10) + head(down=5)", where left is the person's own; several with --grid."""
    output: Annotated[Kept[Path] | None, tyro.conf.arg(aliases=["-o"])] = None
    """Where to: .png, .jpg, .webp or .pdf. Left out, a name is made beside the photo."""
    grid: bool = False
    """A page of pictures: expressions by --intensity, or identities by expressions."""
    intensity: Kept[tuple[float, ...]] = (1.0,)
    """How strong the expression is, 0 to 1; several with --grid."""
    tile: int = 256
    """Pixels of one picture of a grid."""
    words: Kept[Path] | None = None
    """A .toml file with words of your own: [groups.own], and below it mine = "AU6+AU12"."""
    preset: Kept[str] | None = None
    """Start from a .toml file with any of these settings: expression = "0.6*joy + 0.4*surprise"."""
    overwrite: bool = False
    """Replace an existing file."""
    draw: Annotated[DrawSettings, HERE] = field(default_factory=DrawSettings)
    """The generator."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face of the photo, and how it is found."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for intensity in self.intensity:
            check_range("intensity", intensity, 0.0, 1.0)
        check_range("tile", self.tile, 32, 2048)

    @classmethod
    def from_preset(cls, preset: str | Path) -> StillJob:
        """A job whose values are the preset's where it has them."""
        return cls._from_preset(preset, identity=(), expression=())

    @one_blas_thread()
    def run(self, report: Report | None = None) -> Path:
        """Write the picture and return its path."""
        from retarget.sink.names import made_name

        report = begin(report)
        self._check()
        plain = made_name(self.identity[0], self.expression[0], ".png")
        with given_or_free(self.output, plain) as output:
            return self._run(output, report)

    def _run(self, output: Path, report: Report) -> Path:
        from retarget.jobs.act import Actor
        from retarget.jobs.identity import understood
        from retarget.jobs.look import Looker
        from retarget.language.say import say
        from retarget.language.words import words_with
        from retarget.sink.refusals import check_apart
        from retarget.sink.sheet import check_picture

        photos = (named_face(name).file for name in self.identity)
        read = (*photos, self.words, self.preset, *self.draw.diffusion.photos)
        check_picture(output, overwrite=self.overwrite, read=read)
        words = words_with(self.words)
        look = Looker(Path(), track=self.track, models=self.draw.models, report=report)
        said = {text: say(text, words, look) for text in self.expression}
        check_apart(output, look.read)
        if self.grid:
            return self._save(self._page(said, report), output, report)
        photo = understood(self.identity[0], self.track, report, models=self.draw.models)
        actor = Actor(photo, self.draw.open(report), report)
        picture = actor.show(said[self.expression[0]] * self.intensity[0])
        report.frames = 1
        return self._save(picture, output, report)

    def _save(self, page: Image.Image | Picture, output: Path, report: Report) -> Path:
        from retarget.sink.sheet import save_picture

        how = self.draw.source_type
        return save_picture(
            page, output, overwrite=self.overwrite, source_type=how, warn=report.warn
        )

    def _check(self) -> None:
        if not self.identity or not self.expression or not self.intensity:
            raise RetargetError(
                "A still needs an identity, an expression and an intensity.",
                do='Write --identity face.jpg --expression "0.7*amusement".',
            )
        many = len(self.identity) * len(self.expression) * len(self.intensity)
        if many > 1 and not self.grid:
            raise RetargetError(
                f"{many} pictures were asked for.", do="Add --grid to have them on one page."
            )
        if many > MOST_PICTURES:
            raise RetargetError(
                f"{many} pictures were asked for, and {MOST_PICTURES} are the most.",
                do="Split the grid.",
            )

    def _page(self, said: Mapping[str, Said], report: Report) -> Image.Image:
        from retarget.sink.sheet import sheet

        if len(self.identity) > 1:
            columns = len(self.expression) * len(self.intensity)
        else:
            columns = len(self.intensity)
            if columns == 1:
                columns = max(1, round(math.sqrt(len(said))))  # about square
        total = len(self.identity) * len(self.expression) * len(self.intensity)
        return sheet(list(report.watch(self._tiles(said, report), total)), columns)

    def _tiles(self, said: Mapping[str, Said], report: Report) -> Iterator[Tile]:
        from retarget.jobs.act import Actor
        from retarget.jobs.identity import understood
        from retarget.jobs.reframe import TILE, around_face, reframed
        from retarget.sink.sheet import Tile

        asked = [(text, level) for text in self.expression for level in self.intensity]
        generator = self.draw.open(report)
        for name in self.identity:
            named = named_face(name)
            photo = understood(name, self.track, report, models=self.draw.models)
            photo = reframed(photo, around_face(photo, TILE), (self.tile, self.tile))
            actor = Actor(photo, generator, report)
            pictures = actor.show_each(said[text] * level for text, level in asked)
            for (text, level), rgb in zip(asked, pictures, strict=True):
                caption = text if level == 1.0 else f"{level:g} × {text}"
                note = f"{Path(named.file).stem}{named.mark}" if len(self.identity) > 1 else ""
                yield Tile(rgb=rgb, caption=caption, note=note)
