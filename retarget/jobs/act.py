"""Let a photo perform expressions given in words: words in, finished pictures out.

The stages are those of a driving video; only the expressions come from words, not from tracking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from retarget.composite.paste import Paste
from retarget.composite.settings import PasteSettings
from retarget.flow import blendshapes
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Identity, Instant
from retarget.jobs.identity import is_averted, with_person_matte
from retarget.transfer.head import MAX_TURN
from retarget.transfer.settings import TransferSettings
from retarget.transfer.transfer import DrivingFace, Transfer

if TYPE_CHECKING:
    from retarget.flow.arrays import Picture
    from retarget.flow.report import Report
    from retarget.flow.values import FinishedFrame
    from retarget.generate.generator import Generator
    from retarget.language.say import Said

_SHOWN = 0.5
"""Share of an expression that a `from:` picture makes up, from which its mouth is shown."""
_ONE = 0.999
_AVERTED = 25.0
"""Degrees of yaw from which the far corner of the mouth is hardly visible."""
_ONE_SIDED = 0.3
"""Difference between the weights of the two sides that makes a mouth one-sided."""
_SIDES = np.array([
    [blendshapes.index(f"{name}{side}") for name in ("mouthSmile", "mouthDimple", "mouthFrown")]
    for side in ("Left", "Right")
])  # fmt: skip
_NO_TIME = Instant(0, Fraction(1))
_STRAIGHT = HeadPose(rotation=np.eye(3), translation=np.zeros(3), scale=1.0)


class Actor:
    """One identity and the generator that draws it.

    Args:
        identity: the analysed photo.
        generator: draws the faces.
        report: receives times and warnings.
        still_background: keep the background still while the head turns.
    """

    def __init__(
        self,
        identity: Identity,
        generator: Generator,
        report: Report,
        *,
        still_background: bool = True,
    ) -> None:
        if still_background and is_averted(identity):
            identity = with_person_matte(identity)
        self.identity, self._drawn = identity, identity
        self._still_background = still_background
        self._apart: Identity | None = None
        self._generator = generator
        self._report = report
        generator.prepare(identity)

    def perform(self, frames: Iterable[ExpressedFrame]) -> Iterator[FinishedFrame]:
        """One finished picture for each frame, in the photo's own size."""
        face = DrivingFace(rest=self.identity.rest, usual=[_STRAIGHT])
        settings = TransferSettings(motion="full", strength=1.0)
        transfer = Transfer(settings, face, lambda _: self._drawn)
        requests = self._report.stage("transfer", transfer, self._turning(frames))
        faces = self._report.stage("generate", self._generator, requests)
        return self._report.stage("paste", Paste(PasteSettings()), faces)

    def _turning(self, frames: Iterable[ExpressedFrame]) -> Iterator[ExpressedFrame]:
        """The same frames; before a head turns, the person is separated from the background.

        A turn beyond `MAX_TURN`, or of a corner of the mouth that is out of sight, is warned of.
        """
        for frame in frames:
            turn = 0.0 if frame.pose is None else max(map(abs, frame.pose.angles))
            turns = turn > 0 and self._still_background
            if turns and self._apart is None:
                self._apart = with_person_matte(self.identity)
            self._drawn = self._apart if turns and self._apart is not None else self.identity
            if turn > MAX_TURN:
                self._report.warn(
                    f"A head that is to turn by more than {MAX_TURN:g}° turns less: one photo does "
                    "not show what would come into view."
                )
            self._warn_of_hidden_corner(frame.expression)
            yield frame

    def _warn_of_hidden_corner(self, said: Expression | None) -> None:
        """Warn where only the far corner of the mouth moves."""
        yaw = self.identity.pose.angles[0]
        if said is None or abs(yaw) < _AVERTED:
            return
        left, right = said.weights[_SIDES]
        side, alone = ("left", left - right) if yaw > 0 else ("right", right - left)
        if alone.max() > _ONE_SIDED:
            self._report.warn(
                f"The {side} side of this face is turned away: what only that corner of the mouth "
                "does is hardly seen. Let the other do it: left_contempt, left_smirk and "
                "right_wink are words, too, and L12 is R12 on the other side."
            )

    def show(self, said: Said) -> Picture:
        """One picture (height, width, 3) in the photo's own size."""
        return next(self.perform([performed(said, cut=True)])).frame.rgb

    def show_each(self, said: Iterable[Said]) -> Iterator[Picture]:
        """One picture for each expression, each drawn independently of the others."""
        moments = (performed(one, index=i, cut=True) for i, one in enumerate(said))
        for finished in self.perform(moments):
            yield finished.frame.rgb


def performed(
    said: Said,
    *,
    index: int = 0,
    at: Instant = _NO_TIME,
    duration: Fraction = Fraction(0),
    cut: bool = False,
) -> ExpressedFrame:
    """An expression in words as a frame of a driving face that looks straight ahead."""
    seen = said.template
    expression = said.expression
    measured = seen.expression if seen is not None and said.share >= _ONE else None
    if measured is not None and np.allclose(measured.weights, expression.weights, atol=1e-3):
        expression = measured  # the picture alone: with its measured detail
    rotation = HeadPose.rotation_of(*said.head)
    return ExpressedFrame(
        index=index,
        at=at,
        duration=duration,
        expression=expression,
        pose=replace(_STRAIGHT, rotation=rotation),
        cut=cut,
        tracked=seen.tracked if seen is not None and said.share >= _SHOWN else None,
    )
