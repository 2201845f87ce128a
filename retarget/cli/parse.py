"""From arguments to a job: tyro reads the job's dataclass; its errors become one sentence."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

from retarget.cli import parse_errors
from retarget.cli.commands import COMMANDS, VIDEO
from retarget.errors import CannotWrite, RetargetError, UnknownWord, WrongSetting
from retarget.flow.paths import is_there

_RULE = re.compile(r"^[\s─]+$|^-{3,}$")  # not a word `-`
_FRAME = re.compile(r"^[│|]\s?|\s?[│|]$")
_EDGES = ("╭", "╰")
_NEAR = ("Perhaps you meant", "Arguments similar to")
_LIKE = 0.75
"""Similarity, 0 to 1, from which one option counts as another mistyped."""
_OPTION = re.compile(r"--?[a-zA-Z]")
_EXAMPLE = re.compile(r"^ *(retarget .+)$", re.MULTILINE)


class WrongWords(RetargetError):
    """The command line cannot be understood."""


def job_from(words: Sequence[str]) -> Any:
    """The job of the arguments of `retarget`.

    Raises:
        WrongWords: an option or value that the job does not know, or one that is missing.
        SystemExit: `--help` was asked for and shown.
    """
    _check_filled(words)
    name, rest = _command(_with_seconds(words))
    kind = COMMANDS[name].load()
    rest = _first_by_name(kind, rest)
    starting, rest = _preset(kind, rest)
    import tyro

    from retarget.cli.help_text import REGISTRY, whole_lines

    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told), whole_lines():
            return tyro.cli(
                kind,
                args=rest,
                prog="retarget" if name == VIDEO else f"retarget {name}",
                default=starting,
                registry=REGISTRY,
            )
    except WrongSetting as problem:
        said = parse_errors.as_typed(problem.what, words)
        raise WrongWords(said, do=f"retarget {name} --help lists every option.") from None
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise _sentence(told.getvalue(), name, kind, words) from None


def _check_filled(words: Sequence[str]) -> None:
    """Refuse an empty argument, which as a path would mean the current folder."""
    for before, word in zip(["", *words], words, strict=False):
        option, sign, value = word.partition("=")
        if not word and not before.startswith("-"):
            what = "One of the words is empty"
        elif not word or (sign and not value and option.startswith("-")):
            what = f"{option or before} was given an empty value"
        else:
            continue
        raise WrongWords(f"{what}.", do="Fill it; in a script, a variable may not be set.")


def _with_seconds(words: Sequence[str]) -> list[str]:
    """The arguments, with `--start 1:02.5` and `--end 3s` as plain seconds."""
    from retarget.flow.spoken_time import seconds_of

    out = list(words)
    for i, word in enumerate(out):
        option, sign, value = word.partition("=")
        if option not in parse_errors.TIMES:
            continue
        if sign and (seconds := seconds_of(value)) is not None:
            out[i] = f"{option}={seconds}"
        elif not sign and i + 1 < len(out) and (seconds := seconds_of(out[i + 1])) is not None:
            out[i + 1] = str(seconds)
    return out


def _command(words: Sequence[str]) -> tuple[str, list[str]]:
    first = words[0]
    if first in COMMANDS:
        return first, list(words[1:])
    if first == "help" and words[1] in COMMANDS:
        return words[1], ["--help"]
    if re.fullmatch(r"[a-z]+", first) and not is_there(first):
        unknown = UnknownWord("command", first, COMMANDS)
        if len(words) == 1 or unknown.nearest:
            raise unknown
    return VIDEO, list(words)


def _first_by_name(kind: type[Any], words: Sequence[str]) -> list[str]:
    """The arguments, with positional ones also accepted as options (`--driving drive.mp4`)."""
    out = list(words)
    for option in (f"--{f.name}" for f in fields(kind) if "Positional[" in str(f.type)):
        for i, word in enumerate(out):
            if word.startswith(f"{option}="):
                out[i] = word.partition("=")[2]
            elif word == option and i + 1 < len(out):
                del out[i]
                break
    return out


def _preset(kind: type[Any], words: Sequence[str]) -> tuple[Any, list[str]]:
    """The job's defaults from `--preset NAME`, if given, and the other arguments."""
    rest = list(words)
    if not hasattr(kind, "from_preset"):
        return None, rest
    for i, word in enumerate(words):
        if word == "--preset" and i + 1 < len(words):
            del rest[i : i + 2]
            return kind.from_preset(words[i + 1]), rest
        if word.startswith("--preset="):
            del rest[i]
            return kind.from_preset(word.split("=", 1)[1]), rest
    return None, rest


def _sentence(box: str, name: str, kind: type[Any], words: Sequence[str]) -> WrongWords:
    """Tyro's framed message as one sentence and one remedy."""
    lines = box.splitlines()
    inside = [line for line in lines if not line.startswith(_EDGES)]
    parts: list[list[str]] = [[]]
    for line in (_FRAME.sub("", line).strip() for line in inside):
        if _RULE.match(line) or not line:
            parts.append([])
        else:
            parts[-1].append(line)
    texts = [part for part in parts if part]
    if len(inside) == len(lines):  # without a frame, the title is the first line
        texts = texts[1:]
    what, do = parse_errors.plain(texts[0] if texts else ["The command line cannot be understood"])
    near = [part[1].split()[0].rstrip(",") for part in texts if part[0].startswith(_NEAR)]
    if what.startswith(parse_errors.NO_OPTION) or what == parse_errors.NO_DRIVING:
        what, near = _misspelt(words, kind) or (what, near)
    if what.startswith(parse_errors.MISSING):
        typed = next((p[1] for p in texts if p[0].startswith("Unrecognized") and p[1:]), "")
        missing = re.findall(r"(?:^|; )(--\S+)", what.removeprefix(parse_errors.MISSING))
        near = difflib.get_close_matches(typed, missing, n=1)
        if typed and not typed.startswith("-"):
            near = [f"{missing[0]} {shlex.quote(typed)}"] if len(missing) == 1 else []
    if what.endswith(parse_errors.NO_VALUE):
        near = _joined(what.removesuffix(parse_errors.NO_VALUE), words)
    if near:
        do = f"Did you mean {' and '.join(near)}?"
    more = f"retarget {name} --help lists every option."
    if what.startswith(parse_errors.MISSING) and (example := _EXAMPLE.search(kind.__doc__ or "")):
        more = f"retarget {name} --help lists every option; for example: {example[1]}"
    return WrongWords(f"{parse_errors.as_typed(what, words)}.", do=f"{do} {more}" if do else more)


def _joined(option: str, words: Sequence[str]) -> list[str]:
    """`--option=file` for a file whose name begins with a hyphen."""
    pairs = pairwise(words)
    names = (word for before, word in pairs if before == option and word.startswith("-"))
    return [f"{option}={shlex.quote(name)}" for name in names if os.path.lexists(name)]


def _misspelt(words: Sequence[str], kind: type[Any]) -> tuple[str, list[str]] | None:
    """The sentence about an unknown option, and the likely ones; None where all are known.

    It replaces tyro's message, which suggests options with common letters, or mentions only that
    the first argument is missing.
    """
    known = _options(kind)
    typed = (word.partition("=")[0] for word in words if _OPTION.match(word))
    unknown = [name for name in typed if name.replace("_", "-") not in known]
    if not unknown:
        return None
    near = []
    for name in unknown:
        file = [shlex.quote(f"./{name}")] if os.path.lexists(name) else []
        longer = sorted((option for option in known if option.startswith(name)), key=len)
        longer += [option for option in known if option.endswith(f".{name.lstrip('-')}")]
        near += file or longer[:1] or difflib.get_close_matches(name, known, n=1, cutoff=_LIKE)
    return f"{parse_errors.NO_OPTION}{unknown[0]}", near


def _options(kind: type[Any]) -> list[str]:
    """All options of a command, short and long, as its help lists them."""
    import tyro

    from retarget.cli.help_text import REGISTRY

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        tyro.cli(kind, args=["--help"], registry=REGISTRY)
    lines = (_FRAME.sub("", line).strip() for line in shown.getvalue().splitlines())
    named = (line.partition("  ")[0] for line in lines if line.startswith("-"))
    return [name for line in named for name in re.findall(r"(?<!\S)--?[a-z][\w.-]*", line)]


def wants_overview(words: Sequence[str]) -> bool:
    """Whether the overview is asked for."""
    return not words or list(words) in (["-h"], ["--help"], ["help"])


def show(text: str) -> None:
    """Print to standard output, without buffering.

    Raises:
        CannotWrite: the system refuses, as with a full disk.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # its reader has ended
        raise
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # else Python would try again at its end
        raise CannotWrite(
            f"What was to be said cannot be written: {error.strerror}.",
            do="What was made is in its place; lead standard output elsewhere to be told where.",
        ) from error
