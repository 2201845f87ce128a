"""Tyro's messages about wrong arguments, in plainer words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retarget.errors import nearest_or_all

TIMES = ("--start", "--end")
"""Options that accept times such as 1:02.5 besides seconds."""
MISSING = "Still missing: "
NO_DRIVING = f"{MISSING}the first word"
NO_OPTION = "There is no option "
NO_VALUE = " needs a value"

_CHOICE = re.compile(r"invalid choice '(.*)' for argument '(.*)'\. Expected one of \((.*)\)")
_NO_VALUE = re.compile(r"Missing value for argument '(?:\S+/)?(\S+)'\.")
_VALUE = re.compile(r"Error parsing (--\S+): (.*)")
_GIVEN = re.compile(r"(?:string to float: |with base 10: |instantiated from \[)'(.*?)'\]?$")
_SEVERAL = re.compile(r"valid parse for arguments: \[(.*)\]$")
_SETTING = re.compile(r"Error parsing ([\w.-]+): (.*)")
_UNKNOWN = re.compile(r"Unrecognized options: ([^,]+)")
_OPTION = re.compile(r"(-{1,2}[a-z]\S*)( .*)?|[A-Z{}|\[\] .]+")


def plain(lines: Sequence[str]) -> tuple[str, str]:
    """Tyro's first paragraph as a sentence without its full stop, and a remedy or nothing."""
    if lines[0].startswith("Missing from"):
        return MISSING + "; ".join(_missing(lines[1:])), ""
    said = " ".join(lines).rstrip(".")
    if found := _CHOICE.match(said):
        known = [word for word in re.findall(r"'(.*?)'", found[3]) if word != "None"]
        return f"{found[2]} cannot be {found[1]!r}", nearest_or_all(found[1], known)[1]
    if found := _NO_VALUE.match(said + "."):
        option = found[1]
        return (f"{option}{NO_VALUE}" if option.startswith("-") else NO_DRIVING), ""
    if found := _VALUE.match(said):
        return _value(found[1], found[2])
    if found := _UNKNOWN.match(said):
        return _unknown(found[1])
    return _SETTING.sub(r"\1.\2", said), ""  # the message of a settings class


def as_typed(said: str, words: Sequence[str]) -> str:
    """A setting's message, with the setting's name as it was typed.

    For `--gain.jaw` the message of the settings class names `jaw`, and tyro's `transfer.gain`.
    """
    name, space, rest = said.partition(" ")
    full = "." + name.replace("_", "-")
    typed = (word.partition("=")[0].replace("_", "-") for word in words if word.startswith("--"))
    fitting = (option for option in typed if full.endswith("." + option.removeprefix("--")))
    return max(fitting, key=len, default=name) + space + rest


def _unknown(word: str) -> tuple[str, str]:
    if word.startswith("-"):
        return f"{NO_OPTION}{word}", ""
    what = f"{word} is one word too many"
    return what, "One command takes one of each; an option's value follows its name."


def _value(option: str, why: str) -> tuple[str, str]:
    if several := _SEVERAL.search(why):
        return f"{option} needs numbers, not {several[1]}", ""
    given = _GIVEN.search(why)
    if given is None:
        return f"{option}: {why}", ""
    if option in TIMES:
        return (
            f"{option} needs a time, not {given[1]!r}",
            "Write seconds as 12.5 or 3.5s, or minutes and seconds as 1:02.5.",
        )
    whole = "whole " if "int()" in why or "INT" in why else ""
    return f"{option} needs a {whole}number, not {given[1]!r}", ""


def _missing(lines: Sequence[str]) -> list[str]:
    """Each missing argument, such as "--identity (whose face: a photo)"."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if option := _OPTION.fullmatch(line):
            found.append((option[1] or "the first word", []))
        elif found:
            found[-1][1].append(line.removesuffix("(required)").strip())
    told = ((name, " ".join(text).strip().rstrip(".")) for name, text in found)
    return [f"{name} ({text[:1].lower()}{text[1:]})" if text else name for name, text in told]
