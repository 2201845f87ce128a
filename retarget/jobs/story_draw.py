"""Draw one panel: each person's photo performs, is framed and is put before the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retarget.composite.background import covering, in_light_of, laid_over, plain, without_person
from retarget.composite.matte import Cutout, PersonMatte
from retarget.face.settings import NamedFace, TrackSettings
from retarget.flow.arrays import Floats, Picture
from retarget.flow.crop import Crop
from retarget.flow.report import Report
from retarget.flow.values import Identity
from retarget.jobs.act import Actor
from retarget.jobs.draw import DrawSettings
from retarget.jobs.identity import understood
from retarget.jobs.reframe import crop_of, cut_out, on_face, within_size
from retarget.jobs.storyboard import Background, Panel, Role

if TYPE_CHECKING:
    from retarget.generate.generator import Generator
    from retarget.jobs.story_prompt import Painter

_FACE_HEIGHT = {"close-up": 0.62, "portrait": 0.36, "wide": 0.22}
"""Height of the face, brow to chin, in heights of the panel."""
_FACE_WIDTH = 0.75
"""The largest width of a face, in parts of the panel's width per person."""
_FACE_AT = 0.42
"""The middle of the face, in heights of the panel from its top."""
_FADE = 0.07
"""Part of a shot's width that fades out at an edge of the photo inside the panel."""
_LONGEST = 2400
"""Pixels of a photo's longer side; a larger one is scaled down."""
_KEPT = 24
"""Analysed photos that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shot:
    """One person, drawn with their expression and framed."""

    rgb: Picture
    photo: Identity
    """The photo without the expression."""
    crop: Crop
    """The map from the shot to the photo."""
    before: int
    """Pixels by which it is wider on the left than the size that was asked for."""


class PanelDrawer:
    """Draws panels; keeps the analysis of photos for further panels."""

    def __init__(
        self, track: TrackSettings, draw: DrawSettings, report: Report, text_to_image: Path | None
    ) -> None:
        self._track = track
        self._draw = draw
        self._report = report
        self._text_to_image = text_to_image
        self._painter: Painter | None = None
        self._photos: dict[NamedFace, Identity] = {}
        self._rough: dict[int, Picture] = {}
        self._matte = PersonMatte()
        self._generators: dict[DrawSettings, Generator] = {}

    def draw(self, panel: Panel) -> Picture:
        """The panel's picture."""
        generator = self._generator(panel)
        if panel.background.kind in ("photo", "blur"):
            return self._side_by_side(panel, generator)
        return self._together(panel, generator)

    def _side_by_side(self, panel: Panel, generator: Generator) -> Picture:
        """Each person before the background of their own photo, in a strip of the panel."""
        width, height = panel.size
        edges = np.linspace(0, width, len(panel.roles) + 1).round().astype(int)
        strips = []
        for role, left, right in zip(panel.roles, edges[:-1], edges[1:], strict=True):
            size = (int(right - left), height)
            shot = self._shot(role, panel, size, generator)
            rgb = shot.rgb
            if panel.background.kind == "blur":
                cut = self._cut(shot)
                behind = without_person(rgb, cut.share, 0.012 * height)
                rgb = laid_over(behind, cut.rgb, cut.share)
            strips.append(rgb)
        out = np.concatenate(strips, axis=1)
        for edge in edges[1:-1]:
            out[:, max(0, edge - 2) : edge + 2] = 255
        return np.asarray(out, np.uint8)

    def _together(self, panel: Panel, generator: Generator) -> Picture:
        """All people before one background, next to each other."""
        width, height = panel.size
        out = self._behind(panel.background, panel)
        count = len(panel.roles)
        across = width if count == 1 else round(width * (1.25 / count))
        for i, role in enumerate(panel.roles):
            left = round((width - across) * i / max(count - 1, 1))
            beside = left, width - left - across
            shot = self._shot(role, panel, (across, height), generator, beside)
            left, right = left - shot.before, left - shot.before + shot.crop.size[0]
            window = out[:, left:right]
            cut = self._cut(shot)
            cut = replace(cut, share=cut.share * _fade(cut.share.shape, left > 0, right < width))
            window[:] = laid_over(window, in_light_of(cut, out, panel.light), cut.share)
        return out

    def _behind(self, background: Background, panel: Panel) -> Picture:
        if background.kind == "colour":
            colour = bytes.fromhex(background.value[1:])
            return plain((colour[0], colour[1], colour[2]), panel.size)
        if background.kind == "picture":
            return covering(_picture(Path(background.value)), panel.size)
        return covering(self._painted(background.value, panel.seed), panel.size)

    def _painted(self, prompt: str, seed: int) -> Picture:
        from retarget.jobs.story_prompt import Painter, no_model

        if self._text_to_image is None:
            raise no_model()
        if self._painter is None:
            self._painter = Painter(self._text_to_image)
        return self._painter.paint(prompt, seed)

    def _shot(
        self,
        role: Role,
        panel: Panel,
        size: tuple[int, int],
        generator: Generator,
        beside: tuple[int, int] = (0, 0),
    ) -> _Shot:
        """The person with the role's expression, framed.

        `beside` are pixels to the left and right of `size` that the shot may add where the photo
        reaches so far, so that no shoulder is cut off.
        """
        photo = self._fitting(role)
        with self._report.clock("act"):
            # The whole photo is drawn, not its crop: a generator is prepared for one photo, and
            # a story shows few photos often.
            acted = Actor(photo, generator, self._report).show(role.said)
        widest = _FACE_WIDTH * panel.size[0] / len(panel.roles) / size[0]
        share = widest, _FACE_HEIGHT[panel.framing]
        box = on_face(photo, size, share, _FACE_AT)
        scale = box.height / size[1]
        room = box.left, photo.frame.size[0] - box.left - box.width
        before, after = (min(a, int(b / scale)) for a, b in zip(beside, room, strict=True))
        wider = before + size[0] + after, size[1]
        box = replace(box, left=box.left - before * scale, width=wider[0] * scale)
        crop = crop_of(box, wider)
        return _Shot(rgb=cut_out(acted, crop), photo=photo, crop=crop, before=before)

    def _cut(self, shot: _Shot) -> Cutout:
        with self._report.clock("matte"):
            known = id(shot.photo)
            if known not in self._rough:
                rough = self._matte.rough(shot.photo.frame.rgb, shot.photo.face.points)
                self._rough[known] = np.rint(rough * 255).astype(np.uint8)
            whole = cut_out(self._rough[known], shot.crop).astype(np.float32) / 255
            points = shot.crop.points_to_crop(shot.photo.face.points).astype(np.float32)
            return self._matte(shot.rgb, points, whole)

    def _generator(self, panel: Panel) -> Generator:
        wanted = self._draw.of_panel(panel.generator, panel.seed)
        if wanted not in self._generators:
            self._generators.clear()  # one at a time: a diffusion generator fills the memory
            self._generators[wanted] = wanted.open(self._report)
        return self._generators[wanted]

    def _fitting(self, role: Role) -> Identity:
        """The character's photo whose own expression is nearest to the role's."""
        photos = [self._understood(photo) for photo in role.photos]
        wanted = role.said.expression.weights
        away = [float(np.abs(p.expression.weights - wanted).sum()) for p in photos]
        return photos[int(np.argmin(away))]

    def _understood(self, named: NamedFace) -> Identity:
        if named not in self._photos:
            models = self._draw.models
            photo = understood(str(named), self._track, self._report, models=models)
            while len(self._photos) >= _KEPT:
                self._rough.pop(id(self._photos.pop(next(iter(self._photos)))), None)
            self._photos[named] = within_size(photo, _LONGEST)
        return self._photos[named]


def _fade(shape: tuple[int, ...], left: bool, right: bool) -> Floats:
    """(1, width) opacity: 1 inside, falling to 0 at the edges that lie inside the panel."""
    width = shape[1]
    ramp = np.clip(np.arange(width, dtype=np.float32) / (width * _FADE), 0, 1)
    out = np.ones(width, np.float32)
    if left:
        out *= ramp
    if right:
        out *= ramp[::-1]
    return out[None]


def _picture(path: Path) -> Picture:
    from retarget.source.open import open_source

    with open_source(str(path)) as source:
        return next(source.frames()).rgb
