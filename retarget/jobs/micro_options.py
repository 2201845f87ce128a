"""Refuse options of a brief expression that have no effect when combined with others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from retarget.errors import RetargetError

if TYPE_CHECKING:
    from retarget.jobs.micro import MicroJob

_SAID = ("expression", "base", "intensity", "apex_ms", "offset_ms")
_FACE = ("identity", "timeline")
_PACE = ("pace", "blinking")
_AROUND = ("onset_ms", "before_ms", "after_ms")
_SET = (*_FACE, *_SAID, *_AROUND, "from_", "to", "rate", "table", *_PACE)
_CHANGE = (*_FACE, *_SAID, "words", *_PACE)
_TIMELINE = (*_SAID, *_AROUND)


def check_options(job: MicroJob) -> None:
    """Refuse options that differ from their defaults and would have no effect."""
    if job.set is not None:
        from retarget.jobs.micro_set import ENTRIES

        do = f"Write it into {job.set.name}, whose entries are {', '.join(ENTRIES)}; a table lies "
        do += "beside each clip in any case."
        _check(job, _SET, "--set", do)
    elif job.from_ is not None or job.to is not None:
        do = "Leave that out: the pictures say whose face does what; --before-ms, --onset-ms and "
        do += "--after-ms say when."
        _check(job, _CHANGE, "--from and --to", do)
    elif job.timeline is not None:
        do = "Write it into the timeline's steps: neutral 0.5s > fear:0.2 120ms/80ms/200ms > …"
        _check(job, _TIMELINE, "--timeline", do)


def _check(job: MicroJob, names: Sequence[str], beside: str, do: str) -> None:
    idle = [option for name in names for option in _given(job, type(job)(), name)]
    if not idle:
        return
    listed = " and ".join([", ".join(idle[:-1]), idle[-1]] if len(idle) > 1 else idle)
    verb = "do" if len(idle) > 1 else "does"
    raise RetargetError(f"{listed} {verb} not count beside {beside}.", do=do)


def _given(settings: object, default: object, name: str) -> Iterator[str]:
    """The options of a field that differ from their defaults."""
    one, other = getattr(settings, name), getattr(default, name)
    if is_dataclass(one):
        for field in fields(one):
            yield from _given(one, other, field.name)
    elif one != other:
        yield f"--{name.strip('_').replace('_', '-')}"
