"""The manifest of a set of stimuli, so that an interrupted run continues where it stopped."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from retarget import __version__
from retarget.errors import CannotWrite
from retarget.flow import digest
from retarget.jobs.micro_set import Stimulus, StimulusSet
from retarget.jobs.story_keep import template_digest
from retarget.sink.names import CLIPS_TABLE
from retarget.sink.partial import beside
from retarget.sink.refusals import writing

COLUMNS = (
    "clip", "file", "table", "identity", "expression", "intensity", "base", "onset_ms", "apex_ms",
    "offset_ms", "frames_per_second", "frames", "onset_frame", "apex_frame", "offset_frame",
    "action_units", "identity_sha256", "key", "file_sha256", "table_sha256", "retarget",
)  # fmt: skip
_KEPT = ("file", "file_sha256", "table", "table_sha256")


class SetFolder:
    """The folder of a set, with the clips that earlier runs finished.

    Args:
        folder: the set's folder, which exists.
        own: names of all files of the set.
        overwrite: allow a folder with other files, and remove clips of another set or of an earlier
            version of this one.

    Raises:
        CannotWrite: the folder holds files that are not of this set.
    """

    def __init__(self, folder: Path, own: Iterable[str], *, overwrite: bool) -> None:
        self.folder = folder
        self._manifest = folder / CLIPS_TABLE
        before = _rows(self._manifest)
        if before is None and not overwrite and any(folder.iterdir()):
            raise CannotWrite(
                f"The folder {folder} holds files that are not of a set.",
                do="Choose an empty or new folder, or say --overwrite.",
            )
        self._before = {row["key"]: row for row in before or ()}
        named = {name.casefold() for name in own}
        made = {made for row in before or () for made in _files(row)}
        self._others = {other for other in made if other[0].casefold() not in named}
        if not overwrite and any(self._unchanged(*other) for other in self._others):
            raise CannotWrite(
                f"The folder {folder} holds clips that this set does not name.",
                do="Choose another folder, or say --overwrite to have them taken away.",
            )
        self.rows: list[Mapping[str, str]] = []
        if before is None:
            self._write()  # from now on the folder is known as a set's

    def finished(self, key: str) -> Mapping[str, str] | None:
        """The manifest's row of a clip that has this key and has not been changed since."""
        row = self._before.get(key)
        whole = row is not None and all(self._unchanged(*made) for made in _files(row))
        return row if whole else None

    def note(self, row: Mapping[str, str]) -> None:
        """Append a finished clip's row at once, so that an interrupted run loses none."""
        self.rows.append(row)
        with writing(self._manifest), self._manifest.open("a", newline="", encoding="utf-8") as f:
            csv.DictWriter(f, COLUMNS).writerow(row)

    def close(self) -> list[str]:
        """Rewrite the manifest with this set's clips in order, and remove other clips made earlier.

        Returns:
            Names of other clips that stay, as somebody has changed them.
        """
        for name, sha256 in self._others:
            if self._unchanged(name, sha256):
                with writing(self.folder / name):
                    (self.folder / name).unlink()
        self._write()
        return sorted({name for name, _ in self._others if (self.folder / name).exists()})

    def _write(self) -> None:
        with (
            beside(self._manifest, overwrite=True) as hidden,
            writing(self._manifest),
            hidden.open("w", newline="", encoding="utf-8") as file,
        ):
            out = csv.DictWriter(file, COLUMNS)
            out.writeheader()
            out.writerows(self.rows)

    def _unchanged(self, name: str, sha256: str) -> bool:
        path = self.folder / name
        return path.is_file() and digest.of_file(path) == sha256


def _files(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names and hashes of the files in a row of a manifest."""
    for name, sha256 in zip(_KEPT[::2], _KEPT[1::2], strict=True):
        yield Path(row[name]).name, row[sha256]


def _rows(manifest: Path) -> list[dict[str, str]] | None:
    """The complete rows of an earlier manifest; None where there is none of a set."""
    try:
        with manifest.open(newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file)
            rows = [row for row in lines if None not in (*row, *row.values())]
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return rows if {"key", *_KEPT} <= set(lines.fieldnames or ()) else None


def key_of(whole: StimulusSet, stimulus: Stimulus, photo: str, how: str) -> str:
    """A hash of all that a clip's bytes and its row of the manifest depend on."""
    parts = {
        "retarget": __version__,
        "named": [whole.name(stimulus), stimulus.who, stimulus.text, whole.base_text],
        "photo": photo,
        "weights": [round(float(w), 6) for w in stimulus.said.weights],
        "base": [round(float(w), 6) for w in whole.base.weights],
        "heads": [stimulus.said.head, whole.base.head],
        "template": template_digest(stimulus.said),
        "times": [str(t) for t in (*stimulus.times, *whole.around)],
        "rate": str(whole.rate),
        "size": whole.size,
        "lag": whole.pace.lag_ms,
        "blinks": [whole.blinking.blinks, whole.blinking.seed + stimulus.number],
        "how": how,
        "ending": whole.ending,
    }
    return digest.of_parts(parts)


def row_of(
    whole: StimulusSet, stimulus: Stimulus, clip: Path, table: Path, key: str
) -> Mapping[str, str]:
    """A finished clip's row of the manifest."""
    timeline = whole.timeline(stimulus)
    onset, apex, offset = timeline.events[0].frames(whole.rate)
    times = [f"{float(t * 1000):g}" for t in stimulus.times]
    units = (f"{name}={value:.4f}" for name, value in sorted(stimulus.said.units.items()))
    return {
        "clip": str(stimulus.number),
        "file": clip.name,
        "table": table.name,
        "identity": stimulus.who,
        "expression": stimulus.text,
        "intensity": f"{stimulus.intensity:g}",
        "base": whole.base_text,
        "onset_ms": times[0],
        "apex_ms": times[1],
        "offset_ms": times[2],
        "frames_per_second": f"{float(whole.rate):.10g}",
        "frames": str(timeline.frame_count(whole.rate)),
        "onset_frame": str(onset),
        "apex_frame": str(apex),
        "offset_frame": str(offset),
        "action_units": " ".join(units),
        "identity_sha256": digest.of_file(Path(stimulus.identity.file)),
        "key": key,
        "file_sha256": digest.of_file(clip),
        "table_sha256": digest.of_file(table),
        "retarget": __version__,
    }
