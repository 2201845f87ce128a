"""The main job live: pictures from a camera, each answered before the next one is taken.

Without delay: smoothing uses past frames only, and no thread reads ahead.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING

import numpy as np

from retarget.composite.settings import PasteSettings
from retarget.errors import RetargetError, WrongSetting
from retarget.expression.settings import FitSettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings
from retarget.flow.arrays import Picture
from retarget.flow.blas import one_blas_thread
from retarget.flow.declared import Kept
from retarget.flow.report import Report, begin
from retarget.flow.until_closed import UntilClosed
from retarget.flow.values import FinishedFrame, Instant, VideoFrame
from retarget.generate.settings import WarpSettings
from retarget.jobs.identity import IdentityLane, open_identity
from retarget.jobs.neutral import AUTO, parse_neutral, picture_frame, rest_of
from retarget.jobs.preset import StartsFromPreset
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from retarget.flow.values import RestFace, TrackedFrame
    from retarget.generate.warp.warp import WarpGenerator
    from retarget.transfer.transfer import DrivingFace

_TICK = Fraction(1, 10**9)
"""Seconds: nanoseconds are what the clock counts."""


@dataclass(frozen=True, kw_only=True)
class LiveJob(StartsFromPreset):
    """Make the identity perform what a face before a camera performs, drawn by the warp generator.

    Unless `rest.neutral` names a picture of the driving face at rest, its rest is found in the
    first `rest.samples` pictures with a face, a second with most cameras. Until then the identity
    is shown unchanged; the driving person should look calmly ahead.
    """

    identity: Kept[str]
    """Whose face: a photo or a clip, as `VideoJob.identity`."""
    preset: Kept[str] | None = None
    """As `VideoJob.preset`."""
    models: Kept[Path] | None = None
    """Folder with model files; left out, RETARGET_MODELS or the user's cache folder."""
    source: SourceSettings = field(default_factory=SourceSettings)
    """How the identity is read; `longest_side` makes a large photo quicker to draw."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face is followed, and how; it waits for a face without a limit."""
    rest: RestSettings = field(default_factory=RestSettings)
    """Where the driving face is at rest: `auto`, or a picture's path."""
    fit: FitSettings = field(default_factory=FitSettings)
    """How blendshapes are read off the face."""
    smooth: SmoothSettings = field(default_factory=SmoothSettings)
    """How tremble is taken out, from past frames only."""
    transfer: TransferSettings = field(default_factory=TransferSettings)
    """What the identity does of it."""
    warp: WarpSettings = field(default_factory=WarpSettings)
    """The warp generator; on one thread, as more would read ahead."""
    paste: PasteSettings = field(default_factory=PasteSettings)
    """How the face is put back."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warp.wrinkles > 0:
            raise WrongSetting(
                "warp.wrinkles must be 0 live: they are told from the moment nearest to rest, "
                "which is looked for in a whole clip"
            )

    def frames(
        self, pictures: Iterable[Picture | VideoFrame], report: Report | None = None
    ) -> UntilClosed[FinishedFrame]:
        """One finished frame for each picture, given out before the next picture is taken.

        It ends with the pictures, or with its `with` block:

            with LiveJob(identity="face.jpg").frames(camera()) as frames:
                for finished in frames: ...

        Args:
            pictures: (height, width, 3) uint8 RGB, upright, stamped with the time at which each
                comes; or frames with times of their own. Their buffers may be reused.
            report: receives times, warnings and pictures without a face.

        Raises:
            RetargetError: with the first frame: something its reader can put right.
            NoFaceFound: at the end, where no picture showed a face.
            ValueError: what came is no such picture.
        """
        return UntilClosed(self._frames(pictures, report))

    def _frames(
        self, pictures: Iterable[Picture | VideoFrame], report: Report | None
    ) -> Generator[FinishedFrame, None, None]:
        from retarget.face.track import Track

        report = begin(report)
        track = replace(with_model(self.track, self.models), patience=0.0)
        with (
            one_blas_thread(),
            open_identity(
                self.identity, track, report, source=self.source, models=self.models
            ) as identity,
            closing(_stamped(pictures)) as taken,
        ):
            given = self._given_rest(track)
            seen = report.stage("track", Track(track, report), taken)
            yield from report.watch(self._shown(seen, identity, given, report))

    def _given_rest(self, track: TrackSettings) -> RestFace | None:
        """The rest in the picture that `rest.neutral` names; None where it is auto."""
        if self.rest.neutral == AUTO:
            return None
        picture = parse_neutral(self.rest.neutral)
        if not isinstance(picture, Path):
            raise RetargetError(
                f"The neutral {self.rest.neutral!r} is a moment of a clip, and here is none.",
                do="Give a picture's path, or auto.",
            )
        return rest_of(picture_frame(picture), self.rest, track)

    def _shown(
        self,
        seen: Iterator[TrackedFrame],
        identity: IdentityLane,
        given: RestFace | None,
        report: Report,
    ) -> Iterator[FinishedFrame]:
        """The identity unchanged until the driving face's rest is found, then performing."""
        samples: list[TrackedFrame] = []
        while given is None or self.transfer.motion == "full":
            if len(samples) == self.rest.samples:
                break
            tracked = next(seen, None)
            if tracked is None:
                return
            yield FinishedFrame(frame=replace(tracked.frame, rgb=identity.first.frame.rgb.copy()))
            if tracked.face is not None:
                samples.append(tracked.without_pixels())
        with report.clock("prepare"):
            driving = self._driving(samples, given)
            person, generator = self._prepared(identity, driving)
        yield from self._performed(seen, driving, person, generator, report)

    def _driving(self, samples: Sequence[TrackedFrame], given: RestFace | None) -> DrivingFace:
        """The driving face, from samples taken before the identity performs."""
        from retarget.expression.fit import Fit
        from retarget.expression.rest import find_rest
        from retarget.transfer.transfer import DrivingFace

        rest = given or find_rest(samples, self.rest)
        fitted = Fit(rest, self.fit)(iter(samples))
        poses = [frame.pose for frame in fitted if frame.pose is not None]
        return DrivingFace(rest=rest, usual=poses)

    def _prepared(
        self, identity: IdentityLane, driving: DrivingFace
    ) -> tuple[IdentityLane, WarpGenerator]:
        from retarget.generate.warp.warp import WarpGenerator

        person = identity.driven_by(driving, self.transfer, self.warp)
        generator = WarpGenerator(replace(self.warp, threads=1))
        generator.prepare(person.first)
        return person, generator

    def _performed(
        self,
        seen: Iterator[TrackedFrame],
        driving: DrivingFace,
        person: IdentityLane,
        generator: WarpGenerator,
        report: Report,
    ) -> Iterator[FinishedFrame]:
        """The stages, each of which returns a frame before it takes the next one."""
        from retarget.composite.paste import Paste
        from retarget.expression.fit import Fit
        from retarget.expression.smooth import Smooth
        from retarget.generate.generator import OneEach
        from retarget.transfer.transfer import Transfer

        fitted = report.stage("fit", Fit(driving.rest, self.fit), seen)
        smooth = report.stage("smooth", Smooth(replace(self.smooth, live=True)), fitted)
        transfer = Transfer(self.transfer, driving, person.at)
        requests = report.stage("transfer", transfer, smooth)
        faces = report.stage("generate", OneEach(generator), requests)
        yield from report.stage("paste", Paste(self.paste), faces)


def _stamped(pictures: Iterable[Picture | VideoFrame]) -> Generator[VideoFrame, None, None]:
    """Copies as numbered frames, stamped on arrival where they have no time of their own."""
    began: int | None = None
    for index, picture in enumerate(pictures):
        if isinstance(picture, VideoFrame):
            yield replace(picture, rgb=picture.rgb.copy(), index=index)
            continue
        now = monotonic_ns()
        began = now if began is None else began
        rgb = np.array(picture, order="C")  # a view of OpenCV's BGR would be read backwards
        yield VideoFrame(rgb=rgb, index=index, at=Instant(now - began, _TICK))
