"""The order in which each participant of a study sees the clips of a set.

Every participant sees each clip once. Where possible no expression, and with three identities or
more no identity, comes twice in a row, as the face seen before biases how the next one is judged
(Russell & Fehr, J. Exp. Psychol. General 116(3), 1987). The first clips rotate through the set, so
that each is first equally often.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow.report import Warn
from retarget.jobs.micro_set import Stimulus, StimulusSet
from retarget.sink.names import ORDERS_TABLE
from retarget.sink.partial import beside
from retarget.sink.refusals import writing

COLUMNS = ("participant", "trial", "clip", "file", "identity", "expression", "intensity")
_CROWD = 3
"""Identities from which on none repeats: with two, participants could predict the next one."""


def keep_orders(folder: Path, whole: StimulusSet, *, overwrite: bool, warn: Warn) -> None:
    """Write the participants' orders into the folder of a set that has participants.

    Further participants are added to those of an earlier run.

    Args:
        folder: the set's folder.
        whole: the set.
        overwrite: replace different orders.
        warn: called where the folder has orders and the set no participants.

    Raises:
        CannotWrite: the folder holds other orders, or cannot be written to.
    """
    path = folder / ORDERS_TABLE
    if not whole.participants:
        if path.exists():
            warn(f"{path} is not of this set, which names no participants.")
        return
    table = _table(whole)
    with writing(path):
        there = path.read_bytes() if path.exists() else None
    if there == table.encode():
        return
    further = there is not None and table.encode().startswith(there)
    if there is not None and not further and not overwrite:
        raise CannotWrite(
            f"{path} holds other orders than this set's.",
            do="Choose another folder, or say --overwrite to have them replaced.",
        )
    with beside(path, overwrite=True) as hidden, writing(path):
        hidden.write_bytes(table.encode())


def _table(whole: StimulusSet) -> str:
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(COLUMNS)
    for participant in range(whole.participants):
        for trial, one in enumerate(order_for(participant, whole)):
            name, _ = whole.pair(one)
            about = (one.who, one.text, f"{one.intensity:g}")
            out.writerow((participant + 1, trial + 1, one.number, name, *about))
    return text.getvalue()


def order_for(participant: int, whole: StimulusSet) -> list[Stimulus]:
    """All clips, in the order in which a participant (from 0) sees them."""
    chance = _chance(f"{whole.blinking.seed} {participant}")
    stimuli = list(whole.stimuli)
    # The first clips of as many participants as there are clips are all different.
    begins = _chance(f"{whole.blinking.seed}").sample(stimuli, len(stimuli))
    first = begins[participant % len(begins)]
    rest = [one for one in stimuli if one is not first]
    chance.shuffle(rest)
    crowd = len({one.who for one in stimuli}) >= _CROWD
    return _spread([first, *rest], lambda one, two: _apart(one, two, crowd=crowd))


def _chance(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - reproducible, not secret


def _apart(one: Stimulus, two: Stimulus, *, crowd: bool) -> bool:
    return one.text != two.text and not (crowd and one.who == two.who)


def _spread(
    shuffled: Sequence[Stimulus], apart: Callable[[Stimulus, Stimulus], bool]
) -> list[Stimulus]:
    """The same clips with the same first one, neighbours `apart` where possible."""
    out, left = [shuffled[0]], list(shuffled[1:])
    while left:
        fits = next((i for i, one in enumerate(left) if apart(out[-1], one)), None)
        if fits is None:
            break
        out.append(left.pop(fits))
    for one in left:
        out.insert(next(_gaps(out, one, apart), len(out)), one)
    return out


def _gaps(
    order: Sequence[Stimulus], one: Stimulus, apart: Callable[[Stimulus, Stimulus], bool]
) -> Iterator[int]:
    """The places between two clips that are both `apart` from this one, the last place first."""
    for i in range(len(order) - 1, 0, -1):
        if apart(order[i - 1], one) and apart(one, order[i]):
            yield i
