"""The manifest of a story folder, so that unchanged panels are not drawn again."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from retarget import __version__
from retarget.errors import CannotWrite
from retarget.flow import blendshapes, digest
from retarget.jobs.storyboard import MOST_PANELS, Panel, Role
from retarget.language.say import Said
from retarget.sink.partial import beside
from retarget.sink.refusals import check_apart, writing

MANIFEST = "manifest.json"
FORMAT = 1


class StoryFolder:
    """A folder of panels and its manifest.

    Args:
        folder: the story's folder, which exists.
        about: the manifest's entries about the whole story.
        panels: the number of panels.
        read: the story's input files, which are never replaced.
        overwrite: replace files that are not as the manifest lists them.

    Raises:
        CannotWrite: the folder holds files that are not the story's, panels that somebody changed,
            or input files at the paths of outputs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        about: Mapping[str, str],
        panels: int,
        read: Collection[Path],
        overwrite: bool,
    ) -> None:
        self.folder = folder
        self.book = folder / "page.pdf"
        """The file with all pages."""
        before, self._pages = _read(folder / MANIFEST)
        if before is None and not overwrite and any(folder.iterdir()):
            raise CannotWrite(
                f"The folder {folder} holds files that are not of a story.",
                do="Choose an empty or new folder, or say --overwrite.",
            )
        self._before = before or {}
        if not overwrite:
            self._check_untouched()
        for file in self._made({*range(1, panels + 1), *self._before}):
            if os.path.lexists(file):
                check_apart(file, read)
        self._about = about
        self._digests: dict[Path, str] = {}
        self._entries: dict[int, dict[str, Any]] = {}
        self._write(self._before)  # from now on the folder is known as a story's

    def file(self, panel: Panel) -> Path:
        """The path of a panel's picture."""
        return self._picture(panel.number)

    def page(self, number: int) -> Path:
        """The path of a page, counted from 1."""
        return self.folder / ("page.png" if number == 1 else f"page_{number}.png")

    def is_unchanged(self, panel: Panel, key: str) -> bool:
        """Whether a picture with this key was drawn before and has not been changed since."""
        path = self.file(panel)
        entry = self._before.get(panel.number, {})
        return (
            entry.get("key") == key
            and path.is_file()
            and entry.get("sha256") == digest.of_file(path)
        )

    def key(self, panel: Panel, how: str) -> str:
        """A hash of all that the panel's pixels depend on."""
        background = panel.background
        parts = {
            "retarget": __version__,
            "format": FORMAT,
            "roles": [self._role(role) for role in panel.roles],
            "framing": panel.framing,
            "background": background.kind,
            "value": self._digest(Path(background.value))
            if background.kind == "picture"
            else background.value,
            "size": panel.size,
            "light": panel.light,
            "seed": panel.seed,
            "how": how,
        }
        return digest.of_parts(parts)

    def note(self, panel: Panel, key: str) -> None:
        """Enter a finished panel into the manifest at once, so that an interrupted run keeps it.

        Entries of an earlier run for panels not yet reached stay.
        """
        path = self.file(panel)
        self._entries[panel.number] = {
            "panel": panel.number,
            "file": path.name,
            "line": panel.line,
            "caption": panel.caption,
            "size": list(panel.size),
            "framing": panel.framing,
            "background": {"kind": panel.background.kind, "value": panel.background.value},
            "characters": [_told(role) for role in panel.roles],
            "key": key,
            "sha256": digest.of_file(path),
        }
        self._write({**self._before, **self._entries})

    def finish(self) -> None:
        """Remove panels of an earlier, longer version of the story."""
        for number in self._before.keys() - self._entries.keys():
            self._picture(number).unlink(missing_ok=True)
        self._write(self._entries)

    def note_pages(self, count: int) -> None:
        """Enter the number of pages, and remove further pages of an earlier version."""
        for number in range(count + 1, self._pages + 1):
            self.page(number).unlink(missing_ok=True)
        if self._pages and not count:
            self.book.unlink(missing_ok=True)
        self._pages = count
        self._write(self._entries)

    def _check_untouched(self) -> None:
        for number, entry in self._before.items():
            path = self._picture(number)
            if path.is_file() and entry.get("sha256") != digest.of_file(path):
                raise CannotWrite(
                    f"{path} was changed since it was drawn.",
                    do="Move it out of the folder, or say --overwrite to have it drawn again.",
                )

    def _picture(self, number: int) -> Path:
        return self.folder / f"{number:04d}.png"

    def _made(self, panels: Iterable[int]) -> Iterator[Path]:
        """Every file that a story with these panels may write or remove."""
        yield from (self.folder / MANIFEST, self.book)
        for number in panels:
            yield from (self._picture(number), self.page(number))

    def _write(self, panels: Mapping[int, Mapping[str, Any]]) -> None:
        ordered = [panels[number] for number in sorted(panels)]
        told = {
            "retarget": __version__,
            "format": FORMAT,
            **self._about,
            "pages": self._pages,
            "panels": ordered,
        }
        with beside(self.folder / MANIFEST, overwrite=True) as hidden, writing(hidden):
            hidden.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def _role(self, role: Role) -> dict[str, Any]:
        return {
            "name": role.name,
            "photos": [f"{self._digest(Path(one.file))}{one.mark}" for one in role.photos],
            "weights": [round(float(w), 6) for w in role.said.weights],
            "head": role.said.head,
            "template": template_digest(role.said),
        }

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = digest.of_file(path)
        return self._digests[path]


def template_digest(said: Said) -> str | None:
    """A digest of the picture that an expression was read from; None without one."""
    seen = said.template
    if seen is None or seen.tracked is None:
        return None
    return digest.of_picture(seen.tracked.frame.rgb)


def _told(role: Role) -> dict[str, Any]:
    shown = blendshapes.named(role.said.expression.weights, 1e-4)
    return {
        "who": role.name,
        "photos": [f"{Path(one.file).name}{one.mark}" for one in role.photos],
        "expression": role.text,
        "action_units": {name: round(value, 4) for name, value in role.said.units.items()},
        "blendshapes": {name: round(value, 4) for name, value in shown.items()},
        "head": list(role.said.head),
    }


def _read(path: Path) -> tuple[dict[int, dict[str, Any]] | None, int]:
    """The panels of an earlier manifest by number, and the count of its pages.

    None and 0 where no story's manifest can be read.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None, 0
    panels = told.get("panels") if isinstance(told, dict) else None
    if not isinstance(panels, list):
        return None, 0
    known = (entry for entry in panels if isinstance(entry, dict))
    pages = told.get("pages")
    return (
        {entry["panel"]: entry for entry in known if type(entry.get("panel")) is int},
        pages if type(pages) is int and pages <= MOST_PANELS else 0,
    )
