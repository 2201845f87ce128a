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

Paths are relative to the suite's file; a mark may choose a face: "two.mp4#right". That face, or the
one of `[options.track] which`, is measured, from `[options.source] start` on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retarget.face.settings import NamedFace, named_face
from retarget.flow.paths import is_file
from retarget.flow.toml_file import TomlFile
from retarget.flow.toml_table import Table
from retarget.source.settings import LONGEST

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
    """Settings of the job that makes the result, where they are not its defaults."""
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
    top = Table(TomlFile(path, "suite"))
    top.check_names(_WORDS, _KIND)
    pairs = top.tables("pair")
    cases = tuple(_case(top, pair) for pair in pairs)
    names = [c.name for c in cases]
    for i, name in enumerate(names):
        if name in names[:i]:
            do = "Give one of them a name of its own: name = …"
            raise pairs[i].problem("name", f"Two pairs are called {name}.", do=do)
    return Suite(name=top.text("name", path.stem), job=top.text("job", _JOB), cases=cases)


def _case(top: Table, pair: Table) -> Case:
    pair.check_names(_PAIR_WORDS, _KIND)
    folder = top.file.path.parent
    driving = folder / pair.text("driving")
    identity = folder / pair.text("identity") if "identity" in pair else None
    names = [_named(pair, "driving", driving)]
    if identity is not None:
        names.append(_named(pair, "identity", identity))
    who = [f"{Path(name.file).stem}{name.mark}" for name in names]
    own = re.sub(r"[^\w.-]+", "_", "_".join(who if identity else (*who, "self")))
    name = pair.text("name", own)
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise pair.problem("name", f"{name!r} cannot name a file.", do="Use letters and digits.")
    options = _options(top, pair, identity is None)
    which, start = (_option(options, *at) for at in (("track", "which"), ("source", "start")))
    return Case(
        name=name,
        driving=_marked(pair, driving, which),
        identity=None if identity is None else _marked(pair, identity, which),
        options=options,
        given=_given(top, name),
        start=pair.number("start", start or 0.0, 0.0, LONGEST),
    )


def _option(options: Mapping[str, Any], table: str, name: str) -> Any:
    """One setting of the job, which measuring depends on, too; None where it is not set."""
    settings = options.get(table)
    return settings.get(name) if isinstance(settings, Mapping) else None


def _marked(pair: Table, path: Path, which: object) -> Path:
    """The path with the face that the options choose where it names none itself."""
    if which is None or named_face(str(path)).which:
        return path
    marked = Path(f"{path}#{which}")
    _named(pair, "options", marked)
    return marked


def _named(pair: Table, key: str, path: Path) -> NamedFace:
    """A video or photo that is there, and which face of it."""
    with pair.telling(key):
        name = named_face(str(path))
    if not is_file(Path(name.file)):
        raise pair.problem(key, f"There is no file {path}.", do="Correct the path.")
    return name


def _options(top: Table, pair: Table, own_face: bool) -> Mapping[str, Any]:
    """The suite's options, then those of self-reenactment, then the pair's own."""
    out: dict[str, Any] = {}
    for table, name in ((top, "options"), (top, "self_options"), (pair, "options")):
        if name in table and (own_face or name != "self_options"):
            out = _laid(out, Table(table.file, (*table.place, name)).values)
    return out


def _laid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one; tables within them are joined, other values replaced."""
    out = dict(under)
    for name, value in over.items():
        old = out.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[name] = _laid(old, value) if both else value  # type: ignore[arg-type]
    return out


def _given(top: Table, name: str) -> Path | None:
    if "results" not in top:
        return None
    text = top.text("results")
    if "{name}" not in text:
        do = "Write {name} where the pair's name belongs."
        raise top.problem("results", "results is the same for every pair.", do=do)
    return top.file.path.parent / text.replace("{name}", name)
