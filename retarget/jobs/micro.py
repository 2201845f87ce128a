"""A brief expression as a clip with exact timing, or a whole set of them for a laboratory."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
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
from retarget.language.settings import BlinkSettings, PaceSettings
from retarget.sink.settings import SinkSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retarget.flow.values import Identity
    from retarget.jobs.micro_clip import ClipWriter
    from retarget.language.say import Look, Said
    from retarget.language.segments import Step
    from retarget.language.timeline import Timeline
    from retarget.language.words import Vocabulary

_TIMES = ("before_ms", "onset_ms", "apex_ms", "offset_ms", "after_ms")


@dataclass(frozen=True, kw_only=True)
class MicroJob(StartsFromPreset):
    """A brief expression as a clip with exact timing.

    retarget micro --identity face.jpg --expression contempt -o clip.mp4

    retarget micro --identity face.jpg --timeline "joy 0.5s > fear:0.2 120ms/80ms/200ms > joy 1s"

    retarget micro --from calm.jpg --to laughing.jpg -o change.mp4

    retarget micro --set stimuli.toml -o stimuli/
    """

    identity: Kept[str] | None = None
    """Whose face: a photo."""
    expression: str = "contempt"
    """What flashes up: joy, AU1+AU2+AU5B, "0.6*fear + 0.4*surprise", from:angry.png."""
    base: str = "neutral"
    """What the face does before and after."""
    intensity: float = 0.4
    """How far the face goes from the base to the expression, 0 to 1; real ones are weak."""
    onset_ms: float = 120.0
    """Milliseconds from the base to the expression; 65 to 260 in measured ones."""
    apex_ms: float = 80.0
    """Milliseconds around its largest moment, in which it stays above 0.85 of its height."""
    offset_ms: float = 200.0
    """Milliseconds back to the base; slower than the onset in measured ones."""
    before_ms: float = 500.0
    """Milliseconds of the base before."""
    after_ms: float = 800.0
    """Milliseconds of the base after."""
    timeline: Kept[str] | None = None
    """Instead of expression and times above: steps in one line, or a .toml file of [[step]]
    tables: expression, and hold_ms or onset_ms, apex_ms and offset_ms."""
    set: Kept[Path] | None = None
    """Instead of all above: a .toml file that asks for many clips; its entries are identities,
    expressions, intensities, durations ([[onset, apex, offset], ...] in ms), base, rate, size,
    before_ms, after_ms, lag_ms, blinks, seed, ending, words and participants; what it leaves open
    is as above. Its manifest.csv lists the clips: onset_frame, apex_frame and offset_frame are the
    first, the largest and the last frame of the expression, counted from 0. orders.csv has a random
    order for each participant."""
    from_: Annotated[Kept[str] | None, tyro.conf.arg(name="from")] = None
    """With --to, instead of --identity: begin with this real picture."""
    to: Kept[str] | None = None
    """With --from: end with this real picture of the same person."""
    output: Annotated[Kept[Path] | None, tyro.conf.arg(aliases=["-o"])] = None
    """The clip (.mp4 .mov .mkv .webm .gif), or the folder of a set. Left out, a name is made."""
    rate: Kept[str] | None = None
    """Frames per second, up to 240: 60, 59.94, 60000/1001. Left out, 60; a set gives its own."""
    table: Kept[Path] | None = None
    """Also write the action units and blendshapes asked for in each frame, as .csv."""
    words: Kept[Path] | None = None
    """A .toml file with words of your own: [groups.own], and below it mine = "AU6+AU12"."""
    preset: Kept[str] | None = None
    """Start from a .toml file with any of these settings: expression = "0.6*joy + 0.4*surprise"."""
    outside: bool = False
    """Let a set name files outside its own folder."""
    pace: Annotated[PaceSettings, HERE] = field(default_factory=PaceSettings)
    """Times that a timeline leaves open."""
    blinking: Annotated[BlinkSettings, HERE] = field(default_factory=BlinkSettings)
    """Whether and how the eyes blink."""
    draw: Annotated[DrawSettings, HERE] = field(default_factory=DrawSettings)
    """The generator."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face of the photo, and how it is found."""
    sink: Annotated[SinkSettings, HERE] = field(default_factory=SinkSettings)
    """How the clip is written."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("intensity", self.intensity, 0.0, 1.0)
        for name in _TIMES:
            check_range(name, getattr(self, name), 1.0, 600_000.0)

    @classmethod
    def from_preset(cls, preset: str | Path) -> MicroJob:
        """A job whose values are the preset's where it has them."""
        return cls._from_preset(preset)

    @one_blas_thread()
    def run(self, report: Report | None = None) -> Path:
        """Write the clip or the set and return its path."""
        from retarget.flow.spoken_time import read_rate
        from retarget.jobs.micro_clip import RATE
        from retarget.jobs.micro_options import check_options
        from retarget.language.words import words_with
        from retarget.sink.codecs import ending_for
        from retarget.sink.names import made_name

        check_options(self)
        report = begin(report)
        words = words_with(self.words)
        if self.set is not None:
            from retarget.jobs.micro_fill import draw_set

            return draw_set(self, self.set, words, report)
        rate = read_rate(self.rate or RATE)
        if self.from_ is not None or self.to is not None:
            return self._run_between(rate, report)
        if self.identity is None:
            raise RetargetError("A clip needs a face.", do="Add --identity face.jpg.")
        name = made_name(self.identity, self._default_name(), ending_for(self.sink.codec))
        with given_or_free(self.output, name) as output:
            return self._run_clip(output, self.identity, rate, words, report)

    def _run_clip(
        self, output: Path, identity: str, rate: Fraction, words: Vocabulary, report: Report
    ) -> Path:
        from retarget.jobs.act import Actor
        from retarget.jobs.look import Looker
        from retarget.language.timeline import Timeline

        photo = named_face(identity).file
        self._check_written(output, (photo, self.timeline and self.timeline.strip()))
        look = Looker(Path(), track=self.track, models=self.draw.models, report=report)
        timeline = Timeline(self._steps(words, look), self.pace, self.blinking)
        self._check_written(output, look.read)
        timeline.check(rate)
        actor = Actor(self._photo(identity, report), self.draw.open(report), report)
        written = self._writer(output, report).performed(actor, timeline, rate)
        _report_events(report, timeline, rate)
        return written

    def _default_name(self) -> str:
        """The word in the name that a clip without one is given."""
        if self.timeline is None:
            return self.expression
        steps = self.timeline.strip()
        return Path(steps).stem if steps.endswith(".toml") else "timeline"

    def _check_written(self, output: Path, read: Iterable[str | Path | None]) -> None:
        """Refuse outputs that cannot be written, or would replace an input."""
        from retarget.sink.open import check_output
        from retarget.sink.refusals import check_apart, check_free

        read = (*read, self.words, self.preset, *self.draw.diffusion.photos)
        check_output(output, overwrite=self.sink.overwrite, read=read)
        if self.table is not None:
            check_free(self.table, overwrite=self.sink.overwrite, read=read)
            check_apart(self.table, [output], use="written to")

    def _steps(self, words: Vocabulary, look: Look) -> list[Step]:
        from retarget.language.say import say
        from retarget.language.segments import Step
        from retarget.language.steps import steps_from_text, steps_from_toml

        if self.timeline is not None and self.timeline.strip().endswith(".toml"):
            return steps_from_toml(Path(self.timeline.strip()), words, look)
        if self.timeline is not None:
            return steps_from_text(self.timeline, words, look)
        base = say(self.base, words, look)
        there: Said = base.toward(say(self.expression, words, look), self.intensity)
        before, *times, after = self._times()
        where = "--expression"
        return [
            Step(text=self.base, said=base, times=(before,), where="--before-ms"),
            Step(text=self.expression, said=there, times=tuple(times), where=where),
            Step(text=self.base, said=base, times=(after,), where="--after-ms"),
        ]

    def _times(self) -> list[Fraction]:
        """Seconds before, of onset, apex and offset, and after."""
        return [Fraction(str(getattr(self, name))) / 1000 for name in _TIMES]

    def _run_between(self, rate: Fraction, report: Report) -> Path:
        from retarget.sink.codecs import ending_for
        from retarget.sink.names import made_name

        if self.from_ is None or self.to is None:
            raise RetargetError(
                "A change between two pictures needs both.", do="Give --from a.jpg --to b.jpg."
            )
        name = made_name(self.from_, Path(self.to).stem, ending_for(self.sink.codec))
        with given_or_free(self.output, name) as output:
            return self._change(output, self.from_, self.to, rate, report)

    def _change(self, output: Path, one: str, other: str, rate: Fraction, report: Report) -> Path:
        from retarget.jobs.micro_between import change
        from retarget.language import profile
        from retarget.language.say import NOTHING
        from retarget.language.segments import Step
        from retarget.language.timeline import Timeline

        self._check_written(output, (named_face(name).file for name in (one, other)))
        before, onset, _, _, after = self._times()
        held = [
            Step(text="the first picture", said=NOTHING, times=(before,), where="--before-ms"),
            Step(text="the change", said=NOTHING, times=(onset,), where="--onset-ms"),
            Step(text="the second picture", said=NOTHING, times=(after,), where="--after-ms"),
        ]
        timeline = Timeline(held, PaceSettings(travel_ms=0))
        timeline.check(rate)
        seconds = [float(i / rate - before) for i in range(timeline.frame_count(rate))]
        ways = [profile.onset(at / float(onset)) for at in seconds]
        first, second = (self._photo(name, report) for name in (one, other))
        both = change(first, second, self.draw.open(report), report)
        both.warn()
        return self._writer(output, report).changed(both, ways, timeline, rate)

    def _writer(self, output: Path, report: Report) -> ClipWriter:
        from retarget.jobs.micro_clip import ClipWriter

        return ClipWriter(
            path=output, sink=self.sink, report=report,
            source_type=self.draw.source_type, table=self.table,
        )  # fmt: skip

    def _photo(self, name: str, report: Report) -> Identity:
        from retarget.jobs.identity import understood

        return understood(name, self.track, report, models=self.draw.models)


def _report_events(report: Report, timeline: Timeline, rate: Fraction) -> None:
    names = ("onset", "apex", "offset")
    report.facts["events"] = [
        {"expression": event.text, **dict(zip(names, event.frames(rate), strict=True))}
        for event in timeline.events
    ]
