"""The driving lane: open a video or performance, find its face at rest, and stream its frames."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.errors import NoFaceFound
from retarget.expression.settings import FitSettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.beside import Beside, second_process_pays
from retarget.flow.blas import one_blas_thread
from retarget.flow.lanes import Lanes, depth_for
from retarget.flow.report import Report
from retarget.jobs.naming import naming
from retarget.jobs.neutral import AUTO, neutral_frame, rest_of
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.flow.sound import Sound
    from retarget.flow.source_info import SourceInfo
    from retarget.flow.values import ExpressedFrame, RestFace, TrackedFrame
    from retarget.jobs.cast import Cast, Person
    from retarget.source.source import Source
    from retarget.transfer.transfer import DrivingFace

_FEWEST = 150
"""Frames from which a second process makes up for the time that its start takes."""
_MOST_PIXELS = 1280 * 720
"""Pixels of a frame up to which handing it over takes less time than is gained."""


@dataclass(frozen=True, kw_only=True)
class DrivingSettings:
    """How a driving video is read and analysed."""

    source: SourceSettings = field(default_factory=SourceSettings)
    track: TrackSettings = field(default_factory=TrackSettings)
    rest: RestSettings = field(default_factory=RestSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    smooth: SmoothSettings = field(default_factory=SmoothSettings)
    models: Path | None = None
    """Folder with model files; None: RETARGET_MODELS or the user's cache."""
    shows_rest: bool = False
    """Whether the frame nearest to rest is needed with its pixels."""
    beside: bool = False
    """Whether something else is done with the frames as they come, so that following the face in a
    second process may pay."""
    finds_identity: bool = False
    """Whether `track` is also used to find the identity's face."""


@dataclass(frozen=True, kw_only=True)
class Driving:
    """A driving video or saved performance, opened."""

    info: SourceInfo
    face: DrivingFace
    sound: Sound | None
    frames: Callable[[Lanes], Iterator[ExpressedFrame]]
    """Starts reading on the given lanes; to be called once."""
    has_pixels: bool


@contextmanager
def open_driving(driving: str, settings: DrivingSettings, report: Report) -> Iterator[Driving]:
    """Open a driving video or saved performance, and find its face at rest.

    A mark in its name chooses the face, as in two.mp4#left; else `settings.track` does.

    Raises:
        UnreadableInput: it cannot be read.
        NoFaceFound: it never shows a face.
        RetargetError: what was asked for is not in it.
    """
    from retarget.expression.performance import is_performance, open_performance

    named = named_face(driving)
    driving, track = named.file, named.chosen(settings.track)
    if is_performance(driving):
        from retarget.jobs.driving_saved import drive_from_saved

        yield drive_from_saved(open_performance(driving), settings, report, named.mark)
        return
    from retarget.source.open import open_source

    settings = replace(settings, track=with_model(track, settings.models))
    with open_source(driving, settings.source, warn=report.warn) as source:
        performance = _Performance(source=source, called=driving, settings=settings)
        with _beside(performance, report) as beside:
            yield _filmed(performance, beside, report)


@contextmanager
def read_driving(
    driving: str, settings: DrivingSettings, report: Report
) -> Iterator[tuple[Driving, Iterator[ExpressedFrame]]]:
    """As `open_driving`, and its frames without pixels, reported as they are read."""
    with one_blas_thread(), open_driving(driving, settings, report) as opened, Lanes() as lanes:
        told = (replace(frame, tracked=None) for frame in opened.frames(lanes))
        # On a lane: when the program ends it waits for lanes, but not for daemon threads.
        yield opened, report.watch(lanes.ahead(told, name="driving"), opened.info.count)


@dataclass(frozen=True, kw_only=True)
class _Performance:
    """The stages that tell what a filmed face does."""

    source: Source
    called: str
    settings: DrivingSettings

    def __call__(self, report: Report, given: Callable[[], RestFace]) -> Iterator[ExpressedFrame]:
        """All of them, from the first frame on while the rest is still to be given."""
        tracked = self.tracked(report)
        first = list(islice(tracked, 1))
        yield from self.expressed(chain(first, tracked), given(), report)

    def tracked(self, report: Report) -> Iterator[TrackedFrame]:
        """The driving face, followed."""
        from retarget.face.track import Track

        read = report.timed("source", self.source.frames())
        return report.stage("track", Track(self.settings.track, report, called=self.called), read)

    def expressed(
        self,
        tracked: Iterator[TrackedFrame],
        rest: RestFace,
        report: Report,
        cast: Cast | None = None,
    ) -> Iterator[ExpressedFrame]:
        """What it does."""
        from retarget.expression.fit import Fit
        from retarget.expression.smooth import Smooth

        fitted = report.stage("fit", Fit(rest, self.settings.fit, cast), tracked)
        return report.stage("smooth", Smooth(self.settings.smooth), fitted)


@contextmanager
def _beside(performance: _Performance, report: Report) -> Iterator[Beside[ExpressedFrame] | None]:
    """The second process for a performance; None where a thread does as well."""
    info, beside = performance.source.info, None
    width, height = info.size
    pays = (info.count or 0) >= _FEWEST and width * height <= _MOST_PIXELS
    local = Path(performance.called).is_file()
    if performance.settings.beside and pays and local and second_process_pays():
        with suppress(OSError, pickle.PicklingError, TypeError, AttributeError):
            beside = Beside(performance, report)
    try:
        yield beside
    finally:
        if beside is not None:
            beside.close()


def _filmed(
    performance: _Performance, beside: Beside[ExpressedFrame] | None, report: Report
) -> Driving:
    from retarget.jobs.cast import Cast

    driving, source, settings = performance.called, performance.source, performance.settings
    with report.clock("rest"):
        people, rests = _at_rest(driving, source, settings)
        cast = Cast(people, rests) if len(rests) > 1 else None
    report.facts["driving_rest"] = rests[0].found
    report.facts["driving_people"] = len(rests)
    if beside is not None and cast is not None:
        beside.end()  # several rests are told apart as objects, of which a pipe makes new ones

    def frames(lanes: Lanes) -> Iterator[ExpressedFrame]:
        depth = depth_for(source.info.size)
        if beside is not None and cast is None:
            values = beside.values(rests[0])
            return lanes.ahead(values, depth=depth, name="track", interrupt=beside.end)
        # Decoding and the networks release the GIL, so they share one lane. What follows is many
        # small numpy calls, as drawing is: two such threads would wait for each other at each one.
        ready = lanes.ahead(performance.tracked(report), depth=depth, name="track")
        return performance.expressed(ready, rests[0], report, cast)

    return Driving(
        info=source.info,
        face=_face_of(people, rests, source, settings),
        sound=source.sound(),
        frames=frames,
        has_pixels=True,
    )


def _at_rest(
    driving: str, source: Source, settings: DrivingSettings
) -> tuple[list[Person], list[RestFace]]:
    """The people in the video and the rest of each; a given neutral is the rest of them all."""
    from retarget.expression.rest import find_rest

    with naming(driving):
        people = _people(source, settings)
    if settings.rest.neutral == AUTO:
        return people, [find_rest(person.samples, settings.rest) for person in people]
    frame = neutral_frame(settings.rest.neutral, driving, settings.source)
    return people, [rest_of(frame, settings.rest, settings.track)]


def _face_of(
    people: list[Person], rests: list[RestFace], source: Source, settings: DrivingSettings
) -> DrivingFace:
    """The first person's face, and the others' where each has a rest of their own."""
    from retarget.expression.fit import Fit

    first, *others = [
        _face_in(person.samples, own)
        for own, person in zip(rests, people, strict=False)  # a given neutral is one rest for all
    ]
    at_rest = None
    if settings.shows_rest:
        at_rest = _nearest_to_rest(Fit(rests[0], settings.fit)(iter(people[0].samples)))
    if at_rest is not None:
        at_rest = _with_pixels(at_rest, source, settings.rest.samples)
    return replace(first, at_rest=at_rest, others=others)


def _face_in(samples: list[TrackedFrame], rest: RestFace) -> DrivingFace:
    """The face with its head pose and mesh, but no expression, in each sample."""
    from retarget.expression.fit import in_head_frame
    from retarget.flow.face_model import face_model
    from retarget.transfer.transfer import DrivingFace

    faces = (sample.face for sample in samples if sample.face is not None)
    placed = [in_head_frame(face, rest.head, face_model()) for face in faces]
    heads, poses = [head for head, _ in placed], [pose for _, pose in placed]
    return DrivingFace(rest=rest, usual=poses, moments=heads)


def _nearest_to_rest(frames: Iterator[ExpressedFrame]) -> ExpressedFrame | None:
    """The frame whose weights have the smallest sum; None where no frame has a face."""
    idle = [
        (float(f.expression.weights.sum()), f)
        for f in frames
        if f.expression is not None and f.pose is not None
    ]
    return min(idle, key=lambda one: one[0])[1] if idle else None


def _with_pixels(moment: ExpressedFrame, source: Source, count: int) -> ExpressedFrame:
    """A frame of `_people` with its picture, which is read again."""
    shown = chain(source.sample(count), source.frames())
    frame = next((f for f in shown if f.at == moment.at), None)
    if frame is None or moment.tracked is None:
        return moment
    return replace(moment, tracked=replace(moment.tracked, frame=frame))


def _people(source: Source, settings: DrivingSettings) -> list[Person]:
    """The people in samples spread over the clip, or in its first faces where those show none."""
    from retarget.face.track import Track
    from retarget.jobs.cast import people_in

    count = settings.rest.samples
    try:
        with Lanes() as lanes:
            depth = depth_for(source.info.size)
            shown = lanes.ahead(source.sample(count), depth=depth, name="sample")
            people = people_in(Track(settings.track, Report())(shown))
    except NoFaceFound:
        people = []
    if people:
        return people
    everything = Track(settings.track, Report())(source.frames())
    return people_in(islice((t for t in everything if t.face is not None), count))
