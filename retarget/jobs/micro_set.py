"""Whole sets of stimuli for laboratories: every identity with every expression, strength and pace.

    identities = ["a.jpg", "b.jpg"]
    expressions = ["fear", "contempt"]
    intensities = [0.2, 0.5]
    durations = [[70, 30, 100], [120, 80, 200]]   # onset, apex and offset in ms
    participants = 24                             # each with an order of their own in orders.csv

Each clip has a table of the weights commanded in each frame; `manifest.csv` lists the clips.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from retarget.face.settings import NamedFace, named_face
from retarget.flow.spoken_time import read_rate
from retarget.flow.toml_file import TomlFile
from retarget.flow.toml_table import Table
from retarget.jobs.micro import MicroJob
from retarget.jobs.micro_clip import RATE
from retarget.language.say import Look, Said, say
from retarget.language.segments import Step
from retarget.language.settings import MOST_LAG, BlinkSettings, PaceSettings
from retarget.language.timeline import Timeline, check_rate
from retarget.language.words import Vocabulary

MOST_CLIPS = 20_000
MOST_TRIALS = 1_000_000
ENTRIES = (
    "identities", "expressions", "intensities", "durations", "base", "rate", "size", "before_ms",
    "after_ms", "lag_ms", "blinks", "seed", "ending", "words", "participants",
)  # fmt: skip
"""The entries of a set's file."""
_ENDINGS = (".mp4", ".mov", ".mkv", ".webm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """One clip of a set."""

    number: int
    """From 1."""
    identity: NamedFace
    who: str
    """The identity as the set names it."""
    text: str
    intensity: float
    """How far the face goes from the base to the expression `text`, 0 to 1."""
    times: tuple[Fraction, Fraction, Fraction]
    """Onset, apex and offset in seconds."""
    said: Said
    """The expression at the apex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StimulusSet:
    """The content of a set's file, checked."""

    stimuli: tuple[Stimulus, ...]
    base_text: str
    base: Said
    rate: Fraction
    size: int | None
    """Side of a square about the face in pixels; None: the whole photo."""
    around: tuple[Fraction, Fraction]
    """Seconds before and after."""
    pace: PaceSettings
    blinking: BlinkSettings
    ending: str
    participants: int = 0
    """How many people see the set, each in an order of their own."""

    def timeline(self, stimulus: Stimulus) -> Timeline:
        """The clip's timeline."""
        where = f"clip {stimulus.number}"
        before, after = self.around
        steps = [
            Step(text=self.base_text, said=self.base, times=(before,), where=where),
            Step(text=stimulus.text, said=stimulus.said, times=stimulus.times, where=where),
            Step(text=self.base_text, said=self.base, times=(after,), where=where),
        ]
        blinking = replace(self.blinking, seed=self.blinking.seed + stimulus.number)
        return Timeline(steps, self.pace, blinking)

    def name(self, stimulus: Stimulus) -> str:
        """The clip's name without its ending."""
        word = re.sub(r"\W+", "-", stimulus.text).strip("-")[:32]
        pace = "-".join(f"{float(t * 1000):g}" for t in stimulus.times)
        mark = stimulus.identity.mark
        who = f"{Path(stimulus.who.removesuffix(mark)).with_suffix('')}{mark}"
        who = re.sub(r"\W+", "-", who).strip("-")[-32:]
        return f"{stimulus.number:05d}_{who}_{word}_{stimulus.intensity:g}_{pace}"

    def pair(self, stimulus: Stimulus) -> tuple[str, str]:
        """Names of the clip and of its table."""
        name = self.name(stimulus)
        return f"{name}{self.ending}", f"{name}.csv"

    @property
    def files(self) -> Iterator[str]:
        """Names of all clips and tables."""
        return (name for stimulus in self.stimuli for name in self.pair(stimulus))


def read_set(path: Path, *, outside: bool, words: Vocabulary, look: Look) -> StimulusSet:
    """Read a set; every mistake names its line.

    Raises:
        RetargetError: the file cannot be read or asks for what is not possible.
    """
    return _Reader(Table(TomlFile(path, "set of stimuli")), outside, words, look).whole()


class _Reader:
    def __init__(self, top: Table, outside: bool, words: Vocabulary, look: Look) -> None:
        self.top, self.outside, self.words, self.look = top, outside, words, look
        top.check_names(ENTRIES, "entry of a set")
        if "words" in top:
            self.words = words.with_file(top.path("words", top.values["words"], outside=outside))

    def whole(self) -> StimulusSet:
        base_text = self.top.text("base", "neutral")
        base = self.said("base", base_text)
        out = StimulusSet(
            stimuli=tuple(self.stimuli(base)),
            base_text=base_text,
            base=base,
            rate=self.rate(),
            size=self.size(),
            around=(
                self.seconds("before_ms", MicroJob.before_ms),
                self.seconds("after_ms", MicroJob.after_ms),
            ),
            pace=PaceSettings(lag_ms=self.top.number("lag_ms", 0, -MOST_LAG, MOST_LAG)),
            blinking=BlinkSettings(
                blinks=self.top.flag("blinks"), seed=self.top.whole_number("seed", 0, 0, 2**31)
            ),
            ending=self.top.choice("ending", _ENDINGS, ".mp4"),
            participants=self.top.whole_number("participants", 0, 0, MOST_TRIALS),
        )
        self.check(out)
        return out

    def check(self, whole: StimulusSet) -> None:
        """Refuse times that the frame rate cannot show, and too many trials."""
        trials = whole.participants * len(whole.stimuli)
        if trials > MOST_TRIALS:
            raise self.top.problem(
                "participants",
                f"They would see {trials} clips together, and {MOST_TRIALS} are the most.",
                do="Name fewer participants, or split the set.",
            )
        seen = set()
        for stimulus in whole.stimuli:
            if stimulus.times not in seen:
                seen.add(stimulus.times)
                with self.top.telling("durations"):
                    whole.timeline(stimulus).check(whole.rate)

    def stimuli(self, base: Said) -> Iterator[Stimulus]:
        identities = {name: self.face("identities", name) for name in self.several("identities")}
        said = {t: self.said("expressions", t) for t in self.several("expressions")}
        levels = [
            self.top.checked_number("intensities", v, 0, 1)
            for v in self.several("intensities", [MicroJob.intensity])
        ]
        usual = [[MicroJob.onset_ms, MicroJob.apex_ms, MicroJob.offset_ms]]
        times = [self.times(v) for v in self.several("durations", usual)]
        count = len(identities) * len(said) * len(levels) * len(times)
        if count > MOST_CLIPS:
            raise self.top.problem(
                "identities",
                f"This makes {count} clips, and {MOST_CLIPS} are the most.",
                do="Split the set.",
            )
        everything = product(identities, said, levels, times)
        for i, (who, text, level, pace) in enumerate(everything):
            yield Stimulus(
                number=i + 1,
                identity=identities[who],
                who=who,
                text=text,
                intensity=level,
                times=pace,
                said=base.toward(said[text], level),
            )

    def several(self, key: str, default: list[Any] | None = None) -> list[Any]:
        value = self.top.values.get(key, default)
        if not isinstance(value, list) or not value:
            raise self.top.problem(key, f"{key} is no list.", do=f"Write {key} = [ … ].")
        return value

    def said(self, key: str, text: object) -> Said:
        if not isinstance(text, str):
            raise self.top.problem(key, f"{text!r} is no expression.", do="Write it in quotes.")
        with self.top.telling(key):
            return say(text, self.words, self.look)

    def times(self, value: object) -> tuple[Fraction, Fraction, Fraction]:
        if not isinstance(value, list) or len(value) != 3 or not all(map(_is_time, value)):
            raise self.top.problem(
                "durations",
                f"{value!r} is not three times above 0.",
                do="Write [onset, apex, offset] in milliseconds, each up to 60000.",
            )
        onset, apex, offset = (Fraction(str(v)) / 1000 for v in value)
        return onset, apex, offset

    def face(self, key: str, name: object) -> NamedFace:
        with self.top.telling(key):
            named = named_face(str(name), self.top.file.path.parent)
        file = named.file if named.mark else name
        return replace(named, file=str(self.top.path(key, file, outside=self.outside)))

    def rate(self) -> Fraction:
        with self.top.telling("rate"):
            rate = read_rate(str(self.top.values.get("rate", RATE)))
            check_rate(rate)
        return rate

    def size(self) -> int | None:
        if "size" not in self.top:
            return None
        return round(self.top.number("size", 512, 64, 2048) / 2) * 2

    def seconds(self, key: str, default: float) -> Fraction:
        return Fraction(str(self.top.number(key, default, 1, 600_000))) / 1000


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 60_000
