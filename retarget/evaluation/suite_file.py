"""A suite: which pairs to make and measure, and how they are made.

    name = "two faces"
    results = "made/{name}.mp4"      # measure existing videos; left out, they are made here

    [options.transfer]               # laid over the job that makes a result, as a preset is
    motion = "expression"
    [self_options.transfer]          # the same, for self-reenactment only
    motion = "full"

    [[pair]]                         # cross-identity
    driving = "driving/a.mp4"
    identity = "identity/b.jpg"
    [[pair]]                         # self-reenactment: the photo is the driving's first frame
    driving = "driving/a.mp4"

Paths are relative to the suite's file, and may say which face: "two.mp4#right". That face, or the
one that `[options.track] which` says, is measured, from `[options.source] start` on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retarget.face.settings import NamedFace, named_face
from retarget.flow.there import is_file
from retarget.flow.toml_file import Place, TomlFile

CROSS, SELF = "cross-identity", "self-reenactment"
_WORDS = ("name", "results", "job", "options", "self_options", "pair")
_PAIR_WORDS = ("name", "driving", "identity", "options", "start")
_KIND = "word in a suite"
_JOB = "retarget.jobs.video:VideoJob"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One pair of a suite."""

    name: str
    """Also the name of its files."""
    driving: Path
    identity: Path | None
    """None for self-reenactment: the driving video's own first frame."""
    options: Mapping[str, Any]
    """What the job that makes it is told beyond its defaults."""
    given: Path | None
    """An existing result to measure instead of making one."""
    start: float = 0.0
    """Second of the driving video at which the result begins."""

    @property
    def kind(self) -> str:
        """`CROSS` or `SELF`."""
        return SELF if self.identity is None else CROSS


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The pairs, and the job that makes them."""

    name: str
    job: str
    """module:Class of a job with `driving`, `identity`, `output` and `run(report)`."""
    cases: tuple[Case, ...]


def read_suite(path: Path) -> Suite:
    """Read and check a suite.

    Raises:
        UnreadableInput: it cannot be read, or what it says makes no sense; the line is named.
    """
    file = TomlFile(path, "suite")
    file.check_known((), file.data, _WORDS, _KIND)
    pairs = file.data.get("pair", [])
    if not isinstance(pairs, list) or not pairs:
        raise file.problem(
            ("pair",), "There is no pair.", do="Add [[pair]] with driving and identity."
        )
    cases = tuple(_case(file, i, pair) for i, pair in enumerate(pairs))
    names = [c.name for c in cases]
    for i, name in enumerate(names):
        if name in names[:i]:
            do = "Give one of them a name of its own: name = …"
            raise file.problem(("pair", i), f"Two pairs are called {name}.", do=do)
    suite_name = _text(file, ("name",), file.data.get("name", path.stem))
    return Suite(
        name=suite_name, job=_text(file, ("job",), file.data.get("job", _JOB)), cases=cases
    )


def _case(file: TomlFile, i: int, pair: object) -> Case:
    place: Place = ("pair", i)
    if not isinstance(pair, Mapping):
        raise file.problem(place, "This is no pair.", do="Write [[pair]], then driving = …")
    file.check_known(place, pair, _PAIR_WORDS, _KIND)
    if "driving" not in pair:
        raise file.problem(place, "This pair has no driving video.", do="Add driving = …")
    folder = file.path.parent
    driving = folder / _text(file, (*place, "driving"), pair["driving"])
    identity = None
    if "identity" in pair:
        identity = folder / _text(file, (*place, "identity"), pair["identity"])
    names = [_named(file, place, path) for path in (driving, identity) if path is not None]
    who = [f"{Path(name.file).stem}{name.mark}" for name in names]
    own = re.sub(r"[^\w.-]+", "_", "_".join(who if identity else (*who, "self")))
    name = _text(file, (*place, "name"), pair.get("name", own))
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise file.problem(place, f"{name!r} cannot name a file.", do="Use letters and digits.")
    options = _options(file, place, pair, identity is None)
    which, start = (_option(options, *at) for at in (("track", "which"), ("source", "start")))
    return Case(
        name=name,
        driving=_marked(file, place, driving, which),
        identity=None if identity is None else _marked(file, place, identity, which),
        options=options,
        given=_given(file, name),
        start=_number(file, (*place, "start"), pair.get("start", start or 0.0)),
    )


def _option(options: Mapping[str, Any], table: str, name: str) -> Any:
    """What the job is told of something that is to be measured as it was made; None: nothing."""
    settings = options.get(table)
    return settings.get(name) if isinstance(settings, Mapping) else None


def _marked(file: TomlFile, place: Place, path: Path, which: object) -> Path:
    """The path with the face that the options choose where it names none itself."""
    if which is None or named_face(str(path)).which:
        return path
    marked = Path(f"{path}#{which}")
    _named(file, (*place, "options"), marked)
    return marked


def _named(file: TomlFile, place: Place, path: Path) -> NamedFace:
    """A video or photo that is there, and which face of it."""
    with file.telling(place):
        name = named_face(str(path))
    if not is_file(Path(name.file)):
        raise file.problem(place, f"There is no file {path}.", do="Correct the path.")
    return name


def _options(
    file: TomlFile, place: Place, pair: Mapping[str, Any], own_face: bool
) -> Mapping[str, Any]:
    """The suite's options, then those of self-reenactment, then the pair's own."""
    out: dict[str, Any] = {}
    tables = [(("options",), file.data.get("options", {}))]
    if own_face:
        tables.append((("self_options",), file.data.get("self_options", {})))
    tables.append(((*place, "options"), pair.get("options", {})))  # type: ignore[arg-type]
    for where, table in tables:
        if not isinstance(table, Mapping):
            raise file.problem(where, f"{where[-1]} is no table.", do=f"Write [{where[-1]}].")
        out = _laid(out, table)
    return out


def _laid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one; tables within them are joined, other values replaced."""
    out = dict(under)
    for name, value in over.items():
        old = out.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[name] = _laid(old, value) if both else value  # type: ignore[arg-type]
    return out


def _given(file: TomlFile, name: str) -> Path | None:
    pattern = file.data.get("results")
    if pattern is None:
        return None
    text = _text(file, ("results",), pattern)
    if "{name}" not in text:
        do = "Write {name} where the pair's name belongs."
        raise file.problem(("results",), "results is the same for every pair.", do=do)
    return file.path.parent / text.replace("{name}", name)


def _text(file: TomlFile, place: Place, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise file.problem(place, f"{place[-1]} must be text.", do="Put it in quotes.")
    return value


def _number(file: TomlFile, place: Place, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        do = "Give seconds, 0 or more."
        raise file.problem(place, f"{place[-1]} must be a number.", do=do)
    return float(value)
