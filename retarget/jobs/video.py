"""The main job: driving + identity → a video with sound."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import tyro

from retarget.composite.settings import PasteSettings
from retarget.errors import RetargetError
from retarget.expression.settings import FitSettings, MagnifySettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.atomic_files import given_or_free
from retarget.flow.blas import one_blas_thread
from retarget.flow.declared import HERE, Kept
from retarget.flow.lanes import Lanes
from retarget.flow.report import Report, begin
from retarget.flow.until_closed import UntilClosed
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings
from retarget.jobs.driving import Driving, DrivingSettings, open_driving
from retarget.jobs.generators import GeneratorName, open_generator
from retarget.jobs.identity import IdentityLane, open_identity
from retarget.jobs.preset import StartsFromPreset
from retarget.jobs.video_output import preview_path, save_report, warn_of_size
from retarget.sink.mark import source_type
from retarget.sink.settings import SinkSettings
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from retarget.flow.sound import Sound
    from retarget.flow.source_info import SourceInfo
    from retarget.flow.values import FinishedFrame
    from retarget.generate.generator import Generator as FaceGenerator
    from retarget.sink.sink import PlacedSink


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The joined stages of a job: frames flow as they are read."""

    info: SourceInfo
    """The driving side's clock and size."""
    sound: Sound | None
    result_size: tuple[int, int]
    driving_size: tuple[int, int] | None
    """None where the driving side has no pixels."""
    frames: Iterator[FinishedFrame]


@dataclass(frozen=True, kw_only=True)
class VideoJob(StartsFromPreset):
    """Make the identity perform what the driving face performs.

    retarget drive.mp4 --identity face.jpg
    """

    driving: tyro.conf.Positional[Kept[str]]
    """Whose expressions: a video, a folder of pictures, an http(s) address, or a performance saved
    by `retarget fit` (.npz, .csv)."""
    identity: Kept[str]
    """Whose face: a photo, or a clip, which keeps its own speed, is played back and forth where it
    is shorter, and whose own blinks are left out."""
    output: Annotated[Kept[Path] | None, tyro.conf.arg(aliases=["-o"])] = None
    """Where to: .mp4 .mov .mkv .webm .gif, or a folder for numbered pictures. Left out, a name is
    made beside the driving file."""
    preset: Kept[str] | None = None
    """Start from a preset (natural, lively, lips_only) or from a .toml file of your own; options
    that stand beside it count more."""
    preview: bool = False
    """Also write driving | identity | result side by side, as NAME_preview."""
    report: Kept[Path] | None = None
    """Write what happened as JSON: versions, settings, times, frames without a face, warnings."""
    generator: GeneratorName = "warp"
    """The generator: warp (the photo's own pixels, no download) or diffusion (needs models)."""
    models: Kept[Path] | None = None
    """Folder with model files; left out, RETARGET_MODELS or the user's cache folder."""
    source: Annotated[SourceSettings, HERE] = field(default_factory=SourceSettings)
    """How the driving video is read."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face is followed, and how."""
    rest: Annotated[RestSettings, HERE] = field(default_factory=RestSettings)
    """Where the driving face is at rest."""
    fit: FitSettings = field(default_factory=FitSettings)
    """How blendshapes are read off the face."""
    smooth: SmoothSettings = field(default_factory=SmoothSettings)
    """How tremble is taken out."""
    magnify: MagnifySettings = field(default_factory=MagnifySettings)
    """How much larger small movements become."""
    transfer: Annotated[TransferSettings, HERE] = field(default_factory=TransferSettings)
    """What the identity does of it."""
    warp: WarpSettings = field(default_factory=WarpSettings)
    """The warp generator."""
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    """The diffusion generator."""
    paste: PasteSettings = field(default_factory=PasteSettings)
    """How the face is put back."""
    sink: Annotated[SinkSettings, HERE] = field(default_factory=SinkSettings)
    """How the result is written."""

    @classmethod
    def from_preset(cls, preset: str | Path) -> VideoJob:
        """A job with the preset's values, but without driving and identity.

        `dataclasses.replace(job, driving=…, identity=…)` makes it one that can run.
        """
        return cls._from_preset(preset, driving=tyro.MISSING, identity=tyro.MISSING)

    def run(self, report: Report | None = None) -> Path:
        """Write the video and return its path; if anything fails, no half-written file is left.

        Args:
            report: receives progress, times and warnings; an error that its bar raises ends the
                run.

        Raises:
            RetargetError: something its reader can put right.
        """
        report = begin(report)
        self._check_said()
        with self._place() as output:
            return self._run(output, report)

    def _run(self, output: Path, report: Report) -> Path:
        self._check_output(output)
        with self.pipeline(report) as job, ExitStack() as sinks:
            warn_of_size(job.result_size, output, report)
            sink = sinks.enter_context(self._open_sink(output, job.info, job.sound, report))
            wide = self._preview_sink(sinks, output, job, report)
            for frame in report.watch(job.frames, job.info.count):
                with report.clock("sink"):
                    sink.write(frame)
                    if wide is not None:
                        wide(frame)
        report.end()
        if self.report is not None:
            save_report(self, self.report, sink.target, report)
        return sink.target

    def frames(self, report: Report | None = None) -> UntilClosed[FinishedFrame]:
        """The finished frames, one by one; no file is written.

        The job's threads, and the second process in which a longer video's face is followed, end
        with the last frame, or when the iterator is closed or garbage collected; until then BLAS
        uses one thread in the whole process. Where a loop may be left early, use a `with` block, as
        a variable, a traceback or `async` generator keeps it alive:

            with job.frames() as frames:
                for finished in frames: ...

        Any thread may read and close it. Each frame's pixels may be changed.

        Raises:
            RetargetError: with the first frame: something its reader can put right.
        """
        return UntilClosed(self._frames(report))

    def _frames(self, report: Report | None) -> Generator[FinishedFrame, None, None]:
        report = begin(report)
        with self.pipeline(report) as job:
            yield from report.watch(job.frames, job.info.count)

    def face_generator(self, report: Report) -> FaceGenerator:
        """What draws the faces; a subclass may return a generator of its own."""
        return open_generator(self.generator, self.warp, self.diffusion, self.models, report)

    @contextmanager
    def pipeline(self, report: Report) -> Iterator[Pipeline]:
        """Join the stages; frames can be read while the block lasts."""
        self._check_said()
        look = replace(self.source, start=0.0, end=None)
        with (
            one_blas_thread(),  # here, as rest faces are read before any lane begins
            open_driving(self.driving, self._driving_settings(), report) as driving,
            open_identity(
                self.identity, self.track, report, source=look, models=self.models
            ) as identity,
            Lanes() as lanes,
        ):
            if driving.info.still and not identity.photo:
                raise self._swapped()
            generator, person = self._prepared(identity, driving, report)
            yield Pipeline(
                info=driving.info,
                sound=driving.sound,
                result_size=person.first.frame.size,
                driving_size=driving.info.size if driving.has_pixels else None,
                frames=self._finished(driving, lanes, person, generator, report),
            )

    def _finished(
        self,
        driving: Driving,
        lanes: Lanes,
        person: IdentityLane,
        generator: FaceGenerator,
        report: Report,
    ) -> Iterator[FinishedFrame]:
        from retarget.composite.paste import Paste
        from retarget.expression.magnify import Magnify
        from retarget.generate.generator import OneEach
        from retarget.transfer.transfer import Transfer

        expressed = report.stage("magnify", Magnify(self.magnify), driving.frames(lanes))
        transfer = Transfer(self.transfer, driving.face, person.at)
        requests = report.stage("transfer", transfer, expressed)
        # Not on a thread of its own: drawing, like fitting, is many small numpy calls, and two such
        # threads wait for each other longer than they save.
        faces = report.stage("generate", OneEach(generator), requests)
        return report.stage("paste", Paste(self.paste), faces)

    def _prepared(
        self, identity: IdentityLane, driving: Driving, report: Report
    ) -> tuple[FaceGenerator, IdentityLane]:
        """The generator, prepared for the person, and the person adapted to the driving face."""
        generator = self.face_generator(report)
        with report.clock("prepare"):
            person = identity.driven_by(driving.face, self.transfer, self.warp)
            generator.prepare(person.first)
        report.facts["identity_rest"] = person.first.rest.found
        return generator, person

    def _check_said(self) -> None:
        """Refuse to run without driving or identity, which `from_preset` leaves out."""
        unsaid = [n for n in ("driving", "identity") if getattr(self, n) is tyro.MISSING]
        if unsaid:
            given = ", ".join(f"{name}=…" for name in unsaid)
            raise RetargetError(
                f"The job has no {' and no '.join(unsaid)}.",
                do=f"Give what is missing: dataclasses.replace(job, {given}).",
            )

    def _swapped(self) -> RetargetError:
        """The error where a single picture drives a clip."""
        return RetargetError(
            f"{self.driving} is one picture, of which a clip as the identity would show one frame.",
            do="Did you mean it as the identity? "
            f"retarget {quote(self.identity)} --identity {quote(self.driving)}",
        )

    def _driving_settings(self) -> DrivingSettings:
        return DrivingSettings(
            source=self.source,
            track=self.track,
            rest=self.rest,
            fit=self.fit,
            smooth=self.smooth,
            models=self.models,
            shows_rest=self.warp.wrinkles > 0,
            beside=True,
            finds_identity=True,
        )

    def _place(self) -> AbstractContextManager[Path]:
        """The result's path; a generated name is reserved while the job runs."""
        from retarget.sink.names import default_output

        name = default_output(self.driving, self.identity, self.sink.codec)
        return given_or_free(self.output, name)

    def _check_output(self, output: Path) -> None:
        """Refuse to run where an output cannot be written, or would replace an input."""
        from retarget.sink.open import check_output
        from retarget.sink.refusals import check_apart, check_free

        photos = self.diffusion.photos
        given = (named_face(name).file for name in (self.driving, self.identity))
        read = (*given, self.rest.neutral, self.preset, *photos)
        check_output(output, overwrite=self.sink.overwrite, read=read)
        written = [output]
        if self.preview:
            written.append(preview_path(output))
            check_output(written[1], overwrite=self.sink.overwrite, read=read)
        if self.report is not None:
            check_apart(self.report, written, use="written to")
            check_free(self.report, overwrite=self.sink.overwrite, read=read)

    def _preview_sink(
        self, sinks: ExitStack, output: Path, job: Pipeline, report: Report
    ) -> Callable[[FinishedFrame], None] | None:
        from retarget.composite.side_by_side import SideBySide, preview_size

        if not self.preview:
            return None
        path = preview_path(output)
        size = preview_size(job.result_size, job.driving_size)
        info = replace(job.info, size=size)
        sink = sinks.enter_context(self._open_sink(path, info, job.sound, report))
        beside = SideBySide(job.result_size, job.driving_size)
        return lambda frame: sink.write(beside(frame))

    def _open_sink(
        self, path: Path, info: SourceInfo, sound: Sound | None, report: Report
    ) -> AbstractContextManager[PlacedSink]:
        from retarget.sink.open import open_sink

        how = source_type(trained=self.generator == "diffusion")
        return open_sink(path, self.sink, info=info, sound=sound, warn=report.warn, source_type=how)
