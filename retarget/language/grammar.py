"""From text to a tree: how an expression is written.

    expression = term { "+" term }
    term       = [ number "*" ] item [ ":" number ]
    item       = "(" expression ")"
               | unit                     AU12, AU 12, AU12C, 12C, R12A, AU12R, AU12=0.4
               | word [ "=" number ]      joy, neutral, mouthSmileLeft=0.6
               | gaze( … ) | head( … )    gaze(left=10, up=5), gaze(10, -5), head(yaw=8)
               | from:picture [ @ time ]  from:angry.png, from:"my clip.mp4"@1.2s, from:a.mp4@1:02,
                                          from:saved.npz@3 (a performance, without pixels),
                                          from:group.jpg#left (see face/settings.py)

The tree keeps the place of each part in the text, for error messages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from retarget.language.problems import NotUnderstood
from retarget.language.tree import Angles, Item, Scaled, Sum, Template, Unit, Word

MAX_LENGTH = 2000
"""Characters of one expression."""
MAX_FACTOR = 3.0
"""The largest factor of a mixture; weights are clipped to 1 in any case."""
_MAX_DEPTH = 16
_JOIN = "Join parts with '+', as in 0.6*joy + 0.4*surprise."
_JOINING = {"and", "with", "but", "plus", "while"}
_DIRECTIONS = {"left", "right", "up", "down", "away", "aside"}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_UNIT = re.compile(
    r"(?P<side>[LR])?(?:AU\s*)?(?P<unit>\d{1,2})(?(side)|(?P<behind>[LR])?)"
    r"(?P<letter>[A-E])?(?![\w.])",
    re.I,
)
_WORD = re.compile(r"[^\W\d_]\w*")  # letters of any alphabet
_SEVERAL = re.compile(r"[^\W\d_]\w*(?:(?:\s+|-)[^\W\d_]\w*)+")
_PERCENT = re.compile(r"[\d.]*\s*%")
_COMMA = re.compile(r"(?<=\d),(?=\d)")
_FILE = re.compile(r"\.[a-z][a-z0-9]{1,3}(?![\w.])", re.I)
_QUOTED = re.compile(r'"([^"]*)"|\'([^\']*)\'')
_PATH = re.compile(r"[^\s@+*()\"'>]+?(?=@|\s|\+|\*|\)|>|$|:[\d.]+\s*(?:\+|\)|$))")
_TIME = re.compile(
    r"@\s*(?:(?P<minutes>\d+):(?=[0-5]\d(?!\d)))?(?P<number>\d+\.?\d*|\.\d+)\s*(?P<unit>ms|s)?"
)
"""Two digits behind a colon are seconds (1:02); a scale has one before its point (1s:0.5)."""


def parse(text: str, known: Collection[str] = ()) -> Sum:
    """Read an expression.

    Args:
        text: how it is written.
        known: the known words, to suggest one where several stand side by side.

    Raises:
        NotUnderstood: the text does not follow the grammar; the place is named.
    """
    if len(text) > MAX_LENGTH:
        raise NotUnderstood(
            text,
            MAX_LENGTH,
            f"An expression has at most {MAX_LENGTH} characters, and this one has {len(text)}",
            do="Shorten it, or define a word of your own for a part of it.",
        )
    reader = _Reader(text, known)
    tree = reader.sum()
    reader.end()
    return tree


def _in_one(words: Sequence[str], known: Collection[str]) -> str:
    """What to do about words that stand side by side."""
    joined = ("_".join(order).lower() for order in (words, words[::-1]))
    near = [name for one in joined for name in get_close_matches(one, known, n=1, cutoff=0.8)]
    if near:
        return f"Did you mean {near[0]!r}?"
    plain = {word.lower() for word in words}
    if plain & _DIRECTIONS:
        return "Write gaze(left=10) or head(left=10): degrees to the person's own left."
    means = [w for w in words if w in known or w.lower() in known or _UNIT.fullmatch(w)]
    if len(means) > 1 or (means and plain & _JOINING):
        return _JOIN
    if means:
        return f"Write {means[0]!r} alone; how much of it is a number, as in {means[0]}:0.5."
    return "Write a word that `retarget expressions` lists, or action units (AU6+AU12)."


def is_word(name: str) -> bool:
    """Whether `name` is read as one word, and not as an action unit or several parts."""
    return bool(_WORD.fullmatch(name)) and not _UNIT.fullmatch(name)


class _Reader:
    """Walks over one text from left to right."""

    def __init__(self, text: str, known: Collection[str]) -> None:
        self.text = text
        self.known = known
        self.at = 0
        self.depth = 0

    def sum(self) -> Sum:
        terms = [self.term()]
        while self.take("+"):
            terms.append(self.term())
        return Sum(terms=tuple(terms))

    def end(self) -> None:
        self.skip()
        if self.at < len(self.text):
            raise self.stray()

    def term(self) -> Scaled:
        factor = self.leading_factor()
        item = self.item()
        if self.take(":"):
            factor *= self.factor("behind ':'")
        return Scaled(factor=factor, item=item)

    def leading_factor(self) -> float:
        """The number before a `*`; 1 where there is none (`12C` is a unit, not a number)."""
        self.skip()
        found = _NUMBER.match(self.text, self.at)
        if not found or not re.match(r"\s*\*", self.text[found.end() :]):
            return 1.0
        value = self.factor("before '*'")
        self.take("*")
        return value

    def item(self) -> Item:
        self.skip()
        start = self.at
        if self.take("("):
            return self.group(start)
        if unit := _UNIT.match(self.text, self.at):
            return self.unit(unit)
        if not (word := _WORD.match(self.text, self.at)):
            found = repr(self.text[start]) if start < len(self.text) else "the end of the text"
            do = "Write a label (joy), action units (AU6+AU12), or a blendshape (jawOpen=0.3)."
            if _NUMBER.match(self.text, start):
                do = "Write how much of an expression with '*', as in 0.7*joy."
            raise self.problem(f"An expression was expected, not {found}", do=do)
        self.at = word.end()
        name = word.group()
        if name == "from" and self.take(":"):
            return self.template(start)
        if name in ("gaze", "head") and self.take("("):
            return self.angles(name, start)
        value = self.intensity(f"behind '{name}='") if self.take("=") else None
        return Word(name=name, value=value, at=start)

    def group(self, start: int) -> Sum:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.problem(
                f"Parentheses go more than {_MAX_DEPTH} deep", do="Write fewer of them."
            )
        inner = self.sum()
        self.close(start)
        self.depth -= 1
        return inner

    def close(self, start: int) -> None:
        if not self.take(")"):
            if _WORD.match(self.text, self.at):
                raise self.stray()
            self.at = start
            raise self.problem("The parenthesis that opens here is not closed", do="Add ')'.")

    def unit(self, found: re.Match[str]) -> Unit:
        self.at = found.end()
        letter = found.group("letter")
        intensity: str | float = letter.upper() if letter else 1.0
        if letter is None and self.take("="):
            intensity = self.intensity("behind the action unit's '='")
        return Unit(
            number=int(found.group("unit")),
            side=(found.group("side") or found.group("behind") or "").upper(),
            intensity=intensity,
            at=found.start(),
        )

    def template(self, start: int) -> Template:
        self.skip()
        if quoted := _QUOTED.match(self.text, self.at):
            path, end = quoted.group(1) or quoted.group(2) or "", quoted.end()
        elif bare := _PATH.match(self.text, self.at):
            path, end = bare.group(), bare.end()
        else:
            path, end = "", self.at
        if not path:
            raise self.problem(
                "A picture's name was expected behind 'from:'",
                do='Write from:angry.png, or from:"my picture.png" where the name has spaces.',
            )
        self.at = end
        seconds = None
        if time := _TIME.match(self.text, self.at):
            self.at = time.end()
            seconds = float(time["number"]) / (1000 if time["unit"] == "ms" else 1)
            seconds += 60 * float(time["minutes"] or 0)
        return Template(path=path, seconds=seconds, at=start)

    def angles(self, what: str, start: int) -> Angles:
        given: list[tuple[str, float, int]] = []
        while not self.take(")"):
            if given and not self.take(","):
                self.close(start)
            self.skip()
            at = self.at
            name = ""
            if word := _WORD.match(self.text, self.at):
                self.at = word.end()
                name = word.group()
                if not self.take("="):
                    raise self.problem(
                        f"'=' was expected behind {name!r}",
                        do=f"Write {what}(left=10, up=5) or {what}(10, 5), in degrees.",
                    )
            elif any(named for named, _, _ in given):  # as in left=2,5, meant as 2.5
                raise self.problem(
                    f"A direction was expected behind the ',' in {what}(…)",
                    do="Write numbers with a point (left=2.5) and name each angle (left=2, up=5).",
                )
            given.append((name, self.number(f"of degrees in {what}(…)"), at))
        return Angles(what=what, given=tuple(given), at=start)

    def factor(self, where: str) -> float:
        return self.bounded(where, MAX_FACTOR)

    def intensity(self, where: str) -> float:
        return self.bounded(where, 1.0)

    def bounded(self, where: str, most: float) -> float:
        start = self.at
        value = self.number(where)
        if self.text.startswith("%", self.at):
            raise self.stray()
        if not 0.0 <= value <= most:
            self.at = start
            raise self.problem(
                f"The number {where} must lie in 0 to {most:g}, not {value:g}",
                do="Use a number in that range.",
            )
        return value

    def number(self, where: str) -> float:
        self.skip()
        found = _NUMBER.match(self.text, self.at)
        value = float(found.group()) if found else math.nan
        if not found or not math.isfinite(value):
            raise self.problem(f"A number {where} was expected", do="Write one, such as 0.5.")
        self.at = found.end()
        return value

    def take(self, sign: str) -> bool:
        """Step over `sign` if it is next."""
        self.skip()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def stray(self) -> NotUnderstood:
        """The error for text that cannot follow what was read so far."""
        word = _WORD.match(self.text, self.at)
        found = word.group() if word else self.text[self.at]
        runs = (run for run in _SEVERAL.finditer(self.text) if run.end() > self.at)
        run = next((run.group() for run in runs if run.start() < self.at), "")
        if _PERCENT.match(self.text, self.at):
            do = "Write 50% as 0.5: smile:0.5."
        elif _COMMA.match(self.text, self.at):
            do = "Write numbers with a point, as in 0.5*joy."
        elif found == "*":
            do = "A factor stands before what it scales: 0.5*joy."
        elif found == "#":
            do = "A face stands before the time: from:clip.mp4#left@1.2s."
        elif found != "from" and _FILE.search(self.text, self.at):
            do = 'Write a picture as from:angry.png, or from:"my face.png" where it has spaces.'
        elif run and "from:" not in self.text:
            do = _in_one(re.split(r"[\s-]+", run), self.known)
        else:
            do = _JOIN
        return self.problem(f"{found!r} does not belong here", do=do)

    def problem(self, what: str, *, do: str) -> NotUnderstood:
        return NotUnderstood(self.text, self.at, what, do=do)
