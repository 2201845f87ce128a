"""The driving lane: open a video or performance, find its face at rest, and stream its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.errors import NoFaceFound, RetargetError, UnreadableInput
from retarget.expression.settings import FitSettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.blas import one_blas_thread
from retarget.flow.lanes import Lanes, depth_for
from retarget.flow.report import Report
from retarget.jobs.naming import naming
from retarget.jobs.neutral import AUTO, neutral_frame, rest_of
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.expression.performance import Performance
    from retarget.flow.sound import Sound
    from retarget.flow.source_info import SourceInfo
    from retarget.flow.values import ExpressedFrame, HeadPose, RestFace, TrackedFrame
    from retarget.jobs.cast import Person
    from retarget.source.source import Source
    from retarget.transfer.transfer import DrivingFace

_ENOUGH_POSES = 4096


@dataclass(frozen=True, kw_only=True)
class DrivingSettings:
    """How a driving video is read and understood."""

    source: SourceSettings = field(default_factory=SourceSettings)
    track: TrackSettings = field(default_factory=TrackSettings)
    rest: RestSettings = field(default_factory=RestSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    smooth: SmoothSettings = field(default_factory=SmoothSettings)
    models: Path | None = None
    """Folder with model files; None: RETARGET_MODELS or the user's cache."""
    shows_rest: bool = False
    """Whether the moment nearest to rest is wanted with its pixels."""
    finds_identity: bool = False
    """Whether the face of an identity is found with `track`, too."""


@dataclass(frozen=True, kw_only=True)
class Driving:
    """A driving video or saved performance, opened."""

    info: SourceInfo
    face: DrivingFace
    sound: Sound | None
    frames: Callable[[Lanes], Iterator[ExpressedFrame]]
    """Start its lanes; once."""
    has_pixels: bool


@contextmanager
def open_driving(driving: str, settings: DrivingSettings, report: Report) -> Iterator[Driving]:
    """Open whatever drives; its rest is found before this returns.

    Its name may say which face drives, as in two.mp4#left; else `settings.track` does.

    Raises:
        UnreadableInput: it cannot be read.
        NoFaceFound: it never shows a face.
        RetargetError: what was asked for is not in it.
    """
    from retarget.expression.performance import is_performance, open_performance

    named = named_face(driving)
    driving, track = named.file, named.chosen(settings.track)
    if is_performance(driving):
        yield _performed(open_performance(driving), settings, report, named.mark)
        return
    from retarget.source.open import open_source

    settings = replace(settings, track=with_model(track, settings.models))
    with open_source(driving, settings.source, warn=report.warn) as source:
        yield _filmed(driving, source, settings, report)


@contextmanager
def read_driving(
    driving: str, settings: DrivingSettings, report: Report
) -> Iterator[tuple[Driving, Iterator[ExpressedFrame]]]:
    """As `open_driving`, and its frames, told to the report as they come, without pixels."""
    with one_blas_thread(), open_driving(driving, settings, report) as opened, Lanes() as lanes:
        told = (replace(frame, tracked=None) for frame in opened.frames(lanes))
        # On a lane: the program's end waits for those, not for a daemon thread's own work.
        yield opened, report.watch(lanes.ahead(told, name="driving"), opened.info.count)


def _filmed(driving: str, source: Source, settings: DrivingSettings, report: Report) -> Driving:
    from retarget.expression.fit import Fit
    from retarget.expression.smooth import Smooth
    from retarget.face.track import Track
    from retarget.jobs.cast import Cast

    with report.clock("rest"):
        people, rests = _at_rest(driving, source, settings)
        cast = Cast(people, rests) if len(rests) > 1 else None
    fit = Fit(rests[0], settings.fit, cast)
    report.facts["driving_rest"] = rests[0].found
    report.facts["driving_people"] = len(rests)

    def frames(lanes: Lanes) -> Iterator[ExpressedFrame]:
        read = report.timed("source", source.frames())
        track = Track(settings.track, report, called=driving)
        tracked = report.stage("track", track, read)
        # Decoding and the networks let others work, so they share one lane. What follows is many
        # small products, as drawing is, and two threads of such wait for one another at every one.
        ready = lanes.ahead(tracked, depth=depth_for(source.info.size), name="track")
        fitted = report.stage("fit", fit, ready)
        return report.stage("smooth", Smooth(settings.smooth), fitted)

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
    """Who is seen, and each one's rest; a neutral that is given is everyone's."""
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
    """What is known of the first one's face, and of the others' who have a rest of their own."""
    from retarget.expression.fit import Fit

    first, *others = [
        _looked_at(person.samples, own)
        for own, person in zip(rests, people, strict=False)  # one rest that is given is everyone's
    ]
    at_rest = None
    if settings.shows_rest:
        at_rest = _nearest_to_rest(Fit(rests[0], settings.fit)(iter(people[0].samples)))
    if at_rest is not None:
        at_rest = _with_pixels(at_rest, source, settings.rest.samples)
    return replace(first, at_rest=at_rest, others=others)


def _looked_at(samples: list[TrackedFrame], rest: RestFace) -> DrivingFace:
    """The face, its head and its mesh in each sample; what it does there need not be told."""
    from retarget.expression.fit import in_head_frame
    from retarget.flow.face_model import face_model
    from retarget.transfer.transfer import DrivingFace

    faces = (sample.face for sample in samples if sample.face is not None)
    placed = [in_head_frame(face, rest.head, face_model()) for face in faces]
    heads, poses = [head for head, _ in placed], [pose for _, pose in placed]
    return DrivingFace(rest=rest, usual=poses, moments=heads)


def _nearest_to_rest(frames: Iterator[ExpressedFrame]) -> ExpressedFrame | None:
    """The moment at which a face does least, its lids apart."""
    idle = [
        (float(f.expression.weights.sum()), f)
        for f in frames
        if f.expression is not None and f.pose is not None
    ]
    return min(idle, key=lambda one: one[0])[1] if idle else None


def _with_pixels(moment: ExpressedFrame, source: Source, count: int) -> ExpressedFrame:
    """A moment of `_people`, its picture read again."""
    shown = chain(source.sample(count), source.frames())
    frame = next((f for f in shown if f.at == moment.at), None)
    if frame is None or moment.tracked is None:
        return moment
    return replace(moment, tracked=replace(moment.tracked, frame=frame))


def _people(source: Source, settings: DrivingSettings) -> list[Person]:
    """Who is seen at moments spread over the clip, or first where those show no face."""
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


def _performed(
    performance: Performance, settings: DrivingSettings, report: Report, mark: str
) -> Driving:
    from retarget.expression.smooth import Smooth
    from retarget.transfer.transfer import DrivingFace

    _check_performed(performance, settings, report, mark)
    count, usual = _looked_through(piece(performance, settings.source))
    if not count:
        raise UnreadableInput(
            f"{performance.path} has no frame in the piece that was asked for.",
            do="Give an earlier start or a later end.",
        )
    info = _info_of_piece(performance.info, settings.source, count)
    report.facts["driving_rest"] = performance.rest.found

    def frames(lanes: Lanes) -> Iterator[ExpressedFrame]:
        read = report.timed("source", _noted(piece(performance, settings.source), report))
        if settings.smooth == SmoothSettings():  # as it was when the performance was saved
            return read
        return report.stage("smooth", Smooth(settings.smooth), read)

    return Driving(
        info=info,
        face=DrivingFace(rest=performance.rest, usual=usual),
        sound=None,
        frames=frames,
        has_pixels=False,
    )


def _check_performed(
    performance: Performance, settings: DrivingSettings, report: Report, mark: str
) -> None:
    """Refuse a piece or a neutral that cannot be, and tell of what does not count."""
    from retarget.source.open import check_piece

    check_piece(settings.source)
    if settings.rest.neutral != AUTO:
        raise RetargetError(
            f"--neutral does not count beside {performance.path}, whose weights are away from the "
            "rest that was found when it was saved.",
            do="Leave it out, or save the performance anew: retarget fit VIDEO --neutral …",
        )
    if idle := [*filter(None, [mark]), *_idle(settings)]:
        report.warn(
            f"{', '.join(idle)} {'does' if len(idle) == 1 else 'do'} not count beside "
            f"{performance.path}, whose frames are taken as they were saved, without pixels; such "
            "settings count where a video is read, as when retarget fit saves it."
        )


def _idle(settings: DrivingSettings) -> list[str]:
    """What was asked for, other than the usual, of the stages that a saved performance is past."""
    usual = DrivingSettings()
    needs_pixels = ["warp.wrinkles"] if settings.shows_rest else []
    stages: tuple[str, ...] = ("rest", "fit")
    if not settings.finds_identity:
        stages = ("track", *stages)
    return needs_pixels + [
        f"{stage}.{field.name}"
        for stage in stages
        for field in fields(getattr(settings, stage))
        if getattr(getattr(settings, stage), field.name)
        != getattr(getattr(usual, stage), field.name)
    ]


def _noted(frames: Iterator[ExpressedFrame], report: Report) -> Iterator[ExpressedFrame]:
    for frame in frames:
        if frame.expression is None:
            report.lost(frame.index)
        yield frame


def piece(performance: Performance, settings: SourceSettings) -> Iterator[ExpressedFrame]:
    """A performance's frames between start and end, as a video would give them."""
    from retarget.source.clock import moment

    start = moment(settings.start)
    end = None if settings.end is None else moment(settings.end)
    index = 0
    for frame in performance.frames():
        at = frame.at.exact
        if end is not None and at >= end:
            return
        if start > 0 and at < start:
            continue
        duration = frame.duration if end is None else min(frame.duration, end - at)
        yield replace(frame, index=index, duration=duration)
        index += 1


def _looked_through(frames: Iterator[ExpressedFrame]) -> tuple[int, list[HeadPose]]:
    """How many frames there are, and poses spread over them: of hours, some are enough."""
    count, every = 0, 1
    poses: list[HeadPose] = []
    for count, frame in enumerate(frames, 1):
        if frame.pose is not None and count % every == 0:
            poses.append(frame.pose)
        if len(poses) > _ENOUGH_POSES:
            poses, every = poses[1::2], 2 * every
    return count, poses


def _info_of_piece(info: SourceInfo, settings: SourceSettings, count: int) -> SourceInfo:
    if settings.start == 0 and settings.end is None:
        return info
    return replace(info, count=count, duration=None, cut=info.cut or settings.start > 0)
