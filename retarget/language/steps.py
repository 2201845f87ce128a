"""Read the steps of a timeline from one line of text or from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from retarget.errors import RetargetError
from retarget.flow.toml_file import TomlFile
from retarget.flow.toml_table import Table
from retarget.language.problems import NotUnderstood
from retarget.language.say import Look, say
from retarget.language.segments import Step
from retarget.language.words import Vocabulary

MAX_LENGTH = 100_000
"""Characters of one line."""
_TIME = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ms|s)"
_TIMES = re.compile(rf"(?:^|\s)({_TIME}(?:\s*/\s*{_TIME})*)\s*$")
_NEARLY = r"\d[\d.,]*(?:\s*[a-z]{1,3})?"
_NEARLY_TIMES = re.compile(
    rf"(?<=[^\s+*:=/])(?<![Aa][Uu])\s+({_NEARLY}(?:\s*/\s*{_NEARLY})*)(?:\s*/)?$"
)
"""Likely mistakes in writing times: 120/80/200ms, 0,5s, 1sec."""
_ONWARD = re.compile(rf"\s{_TIME}\s*([^\s/].*|/\s*[^\s\d.].*)$")
"""What follows a step's time without a `>` between them."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HOLD, _PHASES = "hold_ms", ("onset_ms", "apex_ms", "offset_ms")
_LIMITS = (0.001, 1e7)
"""Milliseconds."""
STEP_ENTRIES = ("expression", _HOLD, *_PHASES)
"""The entries of a [[step]]."""


def steps_from_text(
    text: str, words: Vocabulary | None = None, look: Look | None = None
) -> list[Step]:
    """Read `neutral 0.5s > fear:0.2 120ms/80ms/200ms > neutral 1s`.

    Raises:
        RetargetError: the text cannot be read; the place is named.
    """
    if len(text) > MAX_LENGTH:
        raise NotUnderstood(
            text,
            MAX_LENGTH,
            f"A timeline has at most {MAX_LENGTH} characters",
            do="Write it as a TOML file.",
        )
    reader = _Text(text, words, look)
    return [reader.step(i, start, part) for i, (start, part) in enumerate(_parts(text))]


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """(place, text) between the `>` that are not inside quotes."""
    start = 0
    for part in _unquoted(text).split(">"):
        yield start, text[start : start + len(part)]
        start += len(part) + 1


def _unquoted(text: str) -> str:
    """The text, with underscores in place of quoted names."""
    return _QUOTED.sub(lambda found: "_" * len(found.group()), text)


class _Text:
    """Reads the steps of one line."""

    def __init__(self, whole: str, words: Vocabulary | None, look: Look | None) -> None:
        self.whole = whole
        self.words = words
        self.look = look

    def step(self, i: int, start: int, part: str) -> Step:
        """Read one step, which stands at `start`."""
        found = _TIMES.search(part)
        before = (part[: found.start()] if found else part).rstrip()
        text = before.lstrip()
        if not text:
            raise self.problem(
                start,
                f"Step {i + 1} has no expression",
                do="Write one before its time, as in: neutral 0.5s > joy 2s.",
            )
        if nearly := _NEARLY_TIMES.search(before):
            raise self.problem(
                start + nearly.start(1),
                f"{nearly.group(1)!r} is no time that can be read here",
                do="Write 0.5s or 120ms/80ms/200ms, each number with its unit and a point.",
            )
        times = self.times(i, start + found.start(1), found.group(1)) if found else ()
        if onward := _ONWARD.search(_unquoted(before)):
            raise self.problem(
                start + onward.start(1),
                f"Step {i + 1} goes on behind its time",
                do="Put '>' between two steps, as in: joy 0.5s > fear 1s.",
            )
        try:
            said = say(text, self.words, self.look)
        except RetargetError as error:
            raise error.placed(f"Step {i + 1}") from None
        return Step(text=text, said=said, times=times, where=f"step {i + 1}")

    def times(self, i: int, at: int, text: str) -> tuple[Fraction, ...]:
        """The times of one step in seconds."""
        times = tuple(_time(t) for t in text.split("/"))
        if len(times) > 3:
            raise self.problem(
                at, f"Step {i + 1} has {len(times)} times", do="Write onset/apex/offset."
            )
        if any(t <= 0 for t in times):
            raise self.problem(
                at, f"A time of step {i + 1} is not above 0", do="Every phase takes some time."
            )
        return times

    def problem(self, at: int, what: str, *, do: str) -> NotUnderstood:
        """An error at a place in the line."""
        return NotUnderstood(self.whole, at, what, do=do)


def _time(text: str) -> Fraction:
    text = text.strip()
    if text.endswith("ms"):
        return Fraction(text[:-2].strip()) / 1000
    return Fraction(text[:-1].strip())


def steps_from_toml(
    path: Path, words: Vocabulary | None = None, look: Look | None = None
) -> list[Step]:
    """Read a file of `[[step]]` tables with `expression` and times in milliseconds.

    A step has `hold_ms`, or `onset_ms` and `apex_ms` and, where the face leaves it, `offset_ms`.

    Raises:
        RetargetError: the file cannot be read; file and line are named.
    """
    steps = Table(TomlFile(path, "timeline")).tables("step")
    return [_step(step, words, look) for step in steps]


def _step(step: Table, words: Vocabulary | None, look: Look | None) -> Step:
    step.check_names(STEP_ENTRIES, "entry of a step")
    text = step.text("expression")
    with step.telling("expression"):
        said = say(text, words, look)
    where = f"{step.file.path.name}, line {step.file.line(step.place)}"
    return Step(text=text, said=said, times=_times(step), where=where)


def _times(step: Table) -> tuple[Fraction, ...]:
    given = [name for name in (*_PHASES, _HOLD) if name in step]
    for name in given:
        step.number(name, 0, *_LIMITS)
    if len(given) > 1 and _HOLD in given:
        raise step.problem(
            _HOLD, "A step has a hold or an onset, not both.", do="Keep one of them."
        )
    if given and given != [_HOLD] and given != list(_PHASES[: max(2, len(given))]):
        raise step.problem(
            given[0], "An onset needs an apex, and an offset both.", do="Give the missing times."
        )
    return tuple(Fraction(str(step.values[name])) / 1000 for name in given)
