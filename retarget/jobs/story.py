"""Draw a storyboard of characters, expressions, backgrounds and captions as frames and pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from retarget.errors import RetargetError
from retarget.face.settings import TrackSettings
from retarget.flow.blas import one_blas_thread
from retarget.flow.declared import HERE, AsDeclared, Kept
from retarget.flow.report import Report, begin
from retarget.jobs.draw import DrawSettings
from retarget.sink.mark import source_type

if TYPE_CHECKING:
    from PIL import Image

    from retarget.jobs.story_draw import PanelDrawer
    from retarget.jobs.story_keep import StoryFolder
    from retarget.jobs.storyboard import Panel, Storyboard
    from retarget.sink.letters import Letters


@dataclass(frozen=True, kw_only=True)
class StoryJob(AsDeclared):
    """Draw a storyboard: numbered frames, a page as PNG and PDF, and a manifest.

    retarget story story.toml -o frames/

    First of all: title, size = [960, 720], layout (comic, grid), columns, font, words
    [characters.NAME] photo, or photos = [...]
    [[panel]] who, expression (lists for several together), photo (a number)
    [[panel]] framing (close-up, portrait, wide), aspect (16:9), caption
    [[panel]] background (photo, blur, #rrggbb, a picture, prompt: ...), generator
    [[panel]] light (0 to 1: how much the background's tints them), seed
    """

    story: tyro.conf.Positional[Kept[Path]]
    """The storyboard, a .toml file with [characters.NAME] and [[panel]] tables."""
    output: Annotated[Kept[Path] | None, tyro.conf.arg(aliases=["-o"])] = None
    """The folder for the frames. Left out, it lies beside the storyboard and has its name."""
    page: bool = True
    """Also set all captioned panels on page.png and page.pdf; without, older ones are removed."""
    outside: bool = False
    """Let the storyboard name files outside its own folder."""
    text_to_image: Kept[Path] | None = None
    """Folder of a text-to-image model in diffusers' layout, for backgrounds from prompts."""
    overwrite: bool = False
    """Write into a folder that holds other files, and over panels that were changed since."""
    draw: Annotated[DrawSettings, HERE] = field(default_factory=DrawSettings)
    """The generator, where a panel names none."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face of a photo, and how it is found."""

    @one_blas_thread()
    def run(self, report: Report | None = None) -> Path:
        """Draw the panels that are new or changed, and return the folder.

        Raises:
            RetargetError: something its reader can put right; the line is named.
        """
        from retarget.jobs.story_draw import PanelDrawer
        from retarget.jobs.story_keep import MANIFEST, StoryFolder
        from retarget.sink.partial import filling

        report = begin(report)
        board, read = self._read(report)
        output = self.output or self.story.with_suffix("")
        about = {"storyboard": self.story.name, "title": board.title}
        with filling(output, notes=[MANIFEST]):
            folder = StoryFolder(
                output, about=about, panels=len(board.panels), read=read, overwrite=self.overwrite
            )
            drawer = PanelDrawer(self.track, self.draw, report, self.text_to_image)
            for panel in report.watch(iter(board.panels), len(board.panels)):
                self._draw(panel, drawer, folder)
            folder.finish()
            if self.page:
                self._write_pages(board, folder, report)
            else:
                folder.note_pages(0)
        return output

    def _read(self, report: Report) -> tuple[Storyboard, set[Path]]:
        """The storyboard, and all files that it and the settings name."""
        from retarget.jobs.look import Looker
        from retarget.jobs.storyboard_file import read_storyboard
        from retarget.language.words import shipped_words

        look = Looker(
            self.story.parent,
            confined=not self.outside,
            track=self.track,
            models=self.draw.models,
            report=report,
        )
        board = read_storyboard(self.story, outside=self.outside, words=shipped_words(), look=look)
        return board, {*board.files, *look.read, *self.draw.diffusion.photos}

    def _draw(self, panel: Panel, drawer: PanelDrawer, folder: StoryFolder) -> None:
        from retarget.sink.sheet import save_picture

        key = folder.key(panel, self._how(panel))
        if not folder.is_unchanged(panel, key):
            try:
                rgb = drawer.draw(panel)
            except RetargetError as error:
                where = f"{self.story.name}, line {panel.line}: panel {panel.number}"
                raise error.placed(where) from None
            how = self._source_type([panel])
            save_picture(rgb, folder.file(panel), overwrite=True, source_type=how)
        folder.note(panel, key)

    def _write_pages(self, board: Storyboard, folder: StoryFolder, report: Report) -> None:
        from PIL import Image

        from retarget.sink.page import Framed, pages, save_pdf
        from retarget.sink.sheet import save_picture

        how = self._source_type(board.panels)
        framed = []
        for panel in board.panels:
            file = folder.file(panel)
            with Image.open(file) as picture:
                size = picture.size
            framed.append(Framed(size=size, read=partial(_picture, file), caption=panel.caption))
        letters = _letters(board, report)
        drawn = pages(
            framed, layout=board.layout, columns=board.columns, title=board.title, letters=letters
        )
        folder.note_pages(len(drawn))
        for number, page in enumerate(drawn, 1):
            save_picture(page, folder.page(number), overwrite=True, source_type=how)
        save_pdf(drawn, folder.book, title=board.title, overwrite=True, source_type=how)

    def _how(self, panel: Panel) -> str:
        """The settings that a panel's pixels depend on, as text."""
        draw = self.draw.of_panel(panel.generator, panel.seed)
        painted = self.text_to_image if panel.background.kind == "prompt" else None
        return f"{draw.in_words()} {self.track} {painted}"

    def _source_type(self, panels: Iterable[Panel]) -> str:
        """IPTC's word for pictures of these panels together."""
        drawn = ((p.generator or self.draw.generator, p.background.kind) for p in panels)
        return source_type(trained=any("diffusion" in d or "prompt" in d for d in drawn))


def _letters(board: Storyboard, report: Report) -> Letters:
    """The font of the page, with a warning of letters that it lacks."""
    from retarget.sink.letters import Letters

    letters = Letters(file=board.font)
    if lacking := letters.lacking("".join((board.title, *(p.caption for p in board.panels)))):
        report.warn(
            f"The font of the page has no letters for {lacking[:12]!r}, and boxes stand in "
            'their place; name a font file that has them in the storyboard: font = "NAME.ttf".'
        )
    return letters


def _picture(file: Path) -> Image.Image:
    from PIL import Image

    with Image.open(file) as picture:
        return picture.convert("RGB")
