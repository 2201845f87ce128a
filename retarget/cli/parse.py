"""From words to a job: tyro reads the job's dataclass; what it refuses becomes one sentence."""

from __future__ import annotations

import contextlib
import difflib
import io
import re
import sys
from collections.abc import Sequence
from typing import Any

from retarget.cli.commands import COMMANDS, VIDEO
from retarget.errors import RetargetError, UnknownWord

_RULE = re.compile(r"^[\s─\-]+$")
_FRAME = re.compile(r"^[│|]\s?|\s?[│|]$")
_EDGES = ("╭", "╰")
_TIMES = ("--start", "--end")


class WrongWords(RetargetError):
    """The command line cannot be understood."""


def job_from(words: Sequence[str]) -> Any:
    """The job that the words after `retarget` ask for.

    Raises:
        WrongWords: an option or value that the job does not know, or one that is missing.
        SystemExit: `--help` was asked for and shown.
    """
    name, rest = _command(_with_seconds(words))
    kind = COMMANDS[name].load()
    import tyro

    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            return tyro.cli(
                kind,
                args=rest,
                prog="retarget" if name == VIDEO else f"retarget {name}",
                default=_preset(kind, rest),
            )
    except ValueError as problem:  # a setting's own check: a programmer's error, but for us words
        raise WrongWords(f"{problem}.", do=f"retarget {name} --help lists every option.") from None
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise _sentence(told.getvalue(), name) from None


def _with_seconds(words: Sequence[str]) -> list[str]:
    """The words, `--start 1:02.5` and `--end 3s` as plain seconds."""
    from retarget.jobs.neutral import seconds_of

    out = list(words)
    for i, word in enumerate(out):
        option, sign, value = word.partition("=")
        if option not in _TIMES:
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
    looks_like_a_command = len(words) == 1 and re.fullmatch(r"[a-z]+", first)
    if looks_like_a_command:
        raise UnknownWord("command", first, COMMANDS)
    return VIDEO, list(words)


def _preset(kind: type[Any], words: Sequence[str]) -> Any:
    """The job's starting values where `--preset NAME` is among the words; else None."""
    starting = getattr(kind, "from_preset", None)
    if starting is None:
        return None
    for i, word in enumerate(words):
        if word == "--preset" and i + 1 < len(words):
            return starting(words[i + 1])
        if word.startswith("--preset="):
            return starting(word.split("=", 1)[1])
    return None


def _sentence(box: str, name: str) -> WrongWords:
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
    if len(inside) == len(lines):  # no edge was drawn, so the title stands among the rest
        texts = texts[1:]
    what = " ".join(texts[0]) if texts else "The command line cannot be understood."
    near = next((part[1] for part in texts if part[0].startswith("Perhaps you meant")), None)
    more = f"retarget {name} --help lists every option."
    if missing := _missing(texts):
        what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
        typed = next((part[1] for part in texts if part[0].startswith("Unrecognized")), "")
        near = next(iter(difflib.get_close_matches(typed, missing, n=1)), None)
    do = f"Did you mean {near.split(' ')[0]}? {more}" if near else more
    return WrongWords(what.rstrip(".") + ".", do=do)


def _missing(texts: Sequence[Sequence[str]]) -> list[str]:
    """The options that a job cannot do without and that were not given."""
    if not texts or not texts[0][0].startswith("Missing from"):
        return []
    return [line.split(" ")[0] for line in texts[0] if line.startswith("--")]


def wants_overview(words: Sequence[str]) -> bool:
    """True where a person asks what this is."""
    return not words or list(words) in (["-h"], ["--help"], ["help"])


def show(text: str) -> None:
    """Print to standard output."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
