"""Draw the clips of a set into its folder, except those that an earlier run finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from retarget.errors import CannotWrite, RetargetError
from retarget.face.settings import NamedFace
from retarget.flow import digest
from retarget.flow.report import Report
from retarget.flow.values import Identity
from retarget.jobs.act import Actor
from retarget.jobs.identity import understood
from retarget.jobs.look import Looker
from retarget.jobs.micro import MicroJob
from retarget.jobs.micro_clip import ClipWriter
from retarget.jobs.micro_keep import SetFolder, key_of, row_of
from retarget.jobs.micro_order import keep_orders
from retarget.jobs.micro_set import Stimulus, StimulusSet, read_set
from retarget.jobs.reframe import on_face, reframed
from retarget.language.words import Vocabulary
from retarget.sink.codecs import check_codec
from retarget.sink.names import CLIPS_TABLE, ORDERS_TABLE
from retarget.sink.partial import filling

_FACE_SHARE = 0.5
"""Size of the face in parts of the side of a set's square pictures."""


def draw_set(job: MicroJob, path: Path, words: Vocabulary, report: Report) -> Path:
    """Write the clips that a file asks for, their manifest and orders; return the folder."""
    look = Looker(
        path.parent,
        confined=not job.outside,
        track=job.track,
        models=job.draw.models,
        report=report,
    )
    whole = read_set(path, outside=job.outside, words=words, look=look)
    overwrite = job.sink.overwrite
    with filling(_folder_of(job, path, whole), (CLIPS_TABLE, ORDERS_TABLE)) as output:
        folder = SetFolder(output, whole.files, overwrite=overwrite)
        keep_orders(output, whole, overwrite=overwrite, warn=report.warn)
        _fill(folder, job, path, whole, report)
    return output


def _folder_of(job: MicroJob, path: Path, whole: StimulusSet) -> Path:
    """The folder of the set, after a check that the codec fits the files' ending."""
    try:
        check_codec(whole.ending, job.sink.codec)
    except CannotWrite as error:
        do = f"Write another ending into {path.name}, or say another --codec."
        raise CannotWrite(error.what, do=do) from error
    return job.output or path.with_suffix("")


def _fill(folder: SetFolder, job: MicroJob, path: Path, whole: StimulusSet, report: Report) -> None:
    """Draw the clips of a set that are not in its folder yet."""
    bar = Report(bar=report.bar)
    actor: Actor | None = None
    generator = job.draw.open(report)
    shown: NamedFace | None = None
    for stimulus in bar.watch(iter(whole.stimuli), len(whole.stimuli)):
        key = _key(job, whole, stimulus)
        row = folder.finished(key)
        if row is None:
            if actor is None or shown != stimulus.identity:
                try:
                    photo = _photo(job, stimulus.identity, whole.size, report)
                except RetargetError as error:
                    raise error.placed(f"{path.name}, clip {stimulus.number}") from None
                actor = Actor(photo, generator, report)
                shown = stimulus.identity
            drawn = Report()
            row = _draw(job, whole, stimulus, actor, folder.folder, key=key, report=drawn)
            report.frames += drawn.frames
            for line in drawn.warnings:  # one line for all clips that have this warning
                report.warn(line.replace(row["file"], f"A clip of {path.name}"))
        folder.note(row)
    if changed := folder.close():
        report.warn(
            f"{folder.folder} still holds files that an earlier set made and somebody has "
            f"changed since: {', '.join(changed)}."
        )


def _key(job: MicroJob, whole: StimulusSet, stimulus: Stimulus) -> str:
    """A hash of all that a clip depends on, with the settings of drawing and encoding."""
    how = f"{replace(job.sink, overwrite=True)} {job.draw.in_words()} {job.track}"
    return key_of(whole, stimulus, digest.of_file(Path(stimulus.identity.file)), how)


def _photo(job: MicroJob, named: NamedFace, size: int | None, report: Report) -> Identity:
    """The face of a photo, in a square picture where the set has a size."""
    photo = understood(str(named), job.track, report, models=job.draw.models)
    if size is None:
        return photo
    share = (_FACE_SHARE, _FACE_SHARE)
    return reframed(photo, on_face(photo, (size, size), share, 0.5), (size, size))


def _draw(
    job: MicroJob, whole: StimulusSet, stimulus: Stimulus, actor: Actor, folder: Path,
    *, key: str, report: Report,
) -> Mapping[str, str]:  # fmt: skip
    """Write one clip of a set and its table; return their row of the manifest."""
    clip, table = (folder / name for name in whole.pair(stimulus))
    writer = ClipWriter(
        path=clip, sink=replace(job.sink, overwrite=True), report=report,
        source_type=job.draw.source_type, table=table,
    )  # fmt: skip
    writer.performed(actor, whole.timeline(stimulus), whole.rate)
    return row_of(whole, stimulus, clip, table, key)
