"""Plain sentences about what the figures mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from retarget.evaluation.expression import HELD
from retarget.evaluation.values import Channel, Failures, Measure

Values = Mapping[str, float | None]

_FOLLOWS = 0.5
"""The correlation below which a gain has no meaning."""
_NOTICED = 0.08
"""A gain this far from 1 is worth a sentence."""
_TWICE = 2.0
"""Above this gain a sentence says "times as far", not percent."""
_TELLING = 0.1
"""The span (scores, eye distances) a region needs for a sentence."""
_PUMPING = 1.5
"""The ratio of unexplained change above which flicker is visible."""
_WITH_HEAD = 0.5
"""The share of a score's variance explained by the head above which the score is named."""
_NAMED = 5
"""The most names in a sentence."""
_REGIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("The mouth opens", "The mouth's opening", ("lipGap",)),
    ("The jaw opens", "The jaw", ("jawOpen",)),
    ("The eyes close", "Closing the eyes", ("eyeBlinkLeft", "eyeBlinkRight")),
    ("The mouth smiles", "The smile", ("mouthSmileLeft", "mouthSmileRight")),
    ("The lips round", "Rounding the lips", ("mouthPucker", "mouthFunnel")),
    ("The brows rise", "Raising the brows",
     ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")),
    ("The brows lower", "Lowering the brows", ("browDownLeft", "browDownRight")),
    ("The gaze moves sideways", "The gaze sideways",
     ("eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight")),
    ("The gaze moves up and down", "The gaze up and down",
     ("eyeLookUpLeft", "eyeLookUpRight", "eyeLookDownLeft", "eyeLookDownRight")),
)  # fmt: skip


def findings(
    measures: Sequence[Measure], channels: Sequence[Channel], failures: Sequence[Failures]
) -> tuple[str, ...]:
    """One sentence for everything worth knowing, expression first."""
    value = {m.key: m.value for m in measures}
    return (
        *_expression(value),
        *_regions(channels),
        *_with_head(channels),
        *_head(value),
        *_identity(value),
        *_picture(value),
        *_time(value),
        *_sound(value),
        *_failed(failures),
    )


def _expression(value: Values) -> Iterator[str]:
    follows, by = value.get("expression.correlation"), "MediaPipe's scores"
    if follows is None:
        follows, by = value.get("expression.ratio_correlation"), "dlib's landmark ratios"
    if follows is None:
        return
    steps = ((0.9, "closely follows"), (0.75, "follows well"), (0.5, "loosely follows"))
    words = next((w for least, w in steps if follows >= least), "hardly follows")
    bounds = [value.get(f"expression.{k}") for k in ("attainable", "recoded")]
    if value.get("expression.correlation") is None:
        bounds = [value.get("expression.recoded_ratios")]
    most = min((b for b in bounds if b is not None), default=follows)
    beside = f", where {most:.2f} could be reached" if most > follows else ""
    yield f"Expression {words}: mean correlation {follows:.2f} of {by}{beside}."


def _regions(channels: Sequence[Channel]) -> Iterator[str]:
    by_name = {c.name: c for c in channels if c.active}
    for moves, subject, names in _REGIONS:
        found = [by_name[n] for n in names if n in by_name]
        if not any(c.driven > _TELLING for c in found):
            continue
        weight = sum(c.driven for c in found)
        follows = sum(c.correlation * c.driven for c in found) / weight
        gain = sum(c.gain * c.driven for c in found) / weight
        if follows < _FOLLOWS:
            yield f"{subject} does not follow the driving face (correlation {follows:.2f})."
        elif gain > _TWICE:
            yield f"{moves} {gain:.1f} times as far as driven."
        elif abs(gain - 1) > _NOTICED:
            word = "less" if gain < 1 else "more"
            yield f"{moves} {abs(gain - 1) * 100:.0f} % {word} than driven."


def _with_head(channels: Sequence[Channel]) -> Iterator[str]:
    scores = [c for c in channels if c.active and c.by == "scores"]
    along = sorted(
        (c for c in scores if c.with_head is not None and c.with_head > _WITH_HEAD),
        key=lambda c: -(c.with_head or 0.0),
    )
    if along:
        names = ", ".join(c.name for c in along[:_NAMED])
        if len(along) > _NAMED:
            names += f" and {len(along) - _NAMED} more"
        yield (
            f"{len(along)} of the {len(scores)} active scores go along with the driving head "
            f"and may be read off its turning: {names}."
        )


def _head(value: Values) -> Iterator[str]:
    turning = value.get("expression.pose_gain")
    if turning is None:
        return
    if turning < HELD:
        yield "The head is held still while the driving head turns."
    elif abs(turning - 1) > 0.2:
        word = "less" if turning < 1 else "more"
        yield f"The head turns {abs(turning - 1) * 100:.0f} % {word} than driven."


def _identity(value: Values) -> Iterator[str]:
    same, far = value.get("identity.dlib_same"), value.get("identity.dlib_distance")
    if same is None or far is None:
        return
    yield (
        f"dlib calls {same:.0f} % of the sampled frames the person of the photo "
        f"(mean distance {far:.2f})."
    )
    follows = value.get("expression.correlation")
    if follows is not None and follows < 0.25 and same > 90:
        yield "It resembles the photo because it hardly performs: judge identity with expression."


def _picture(value: Values) -> Iterator[str]:
    sharp, seam = value.get("picture.sharpness"), value.get("picture.seam")
    if sharp is not None and abs(sharp - 1) > 0.1:
        word = "softer" if sharp < 1 else "harsher"
        yield f"The face is {abs(sharp - 1) * 100:.0f} % {word} than in the photo."
    if seam is not None and seam > 3:
        yield f"A seam shows where the redrawn part ends (an edge of {seam:.1f} grey levels)."


def _time(value: Values) -> Iterator[str]:
    for shake, what in (("time.tremble", "face"), ("time.jitter_mesh", "head")):
        ratio = value.get(shake)
        if ratio is not None and ratio > 1.15:
            yield f"The {what} trembles {ratio:.1f} times as much as the driving {what}."
    pumping = value.get("time.warping_ratio")
    if pumping is not None and pumping > _PUMPING:
        yield f"The face flickers: {pumping:.1f} times the change that motion does not explain."
    flicker, late = value.get("time.flicker"), value.get("time.delay")
    if flicker is not None and flicker > 1:
        yield f"The picture around the face changes by {flicker:.1f} grey levels per frame."
    if late is not None and abs(late) > 1:
        yield f"The face is {abs(late):.0f} ms {'late' if late > 0 else 'early'}."
    frames, stamps, lost = (value.get(f"time.{k}") for k in ("frames", "stamps", "lost"))
    if frames:
        word = "more" if frames > 0 else "fewer"
        count = abs(round(frames))
        yield f"The result has {count} frame{'' if count == 1 else 's'} {word} than driven."
    if stamps is not None and stamps > 1:
        yield f"A frame is shown up to {stamps:.1f} ms away from its driving frame's time."
    if lost:
        yield f"The face is lost in {lost:.1f} % of the frames in which the driving face is seen."


def _sound(value: Values) -> Iterator[str]:
    equal, offset = value.get("sound.packets"), value.get("sound.offset")
    if equal is not None and equal < 100:
        yield f"{equal:.0f} % of the driving clip's sound packets are in the result unchanged."
    if offset is not None and abs(offset) > 1:
        yield f"The sound is {abs(offset):.0f} ms {'late' if offset > 0 else 'early'}."


def _failed(failures: Sequence[Failures]) -> Iterator[str]:
    for f in failures:
        if f.frames:
            yield (
                f"{f.estimator} sees no face in {len(f.frames)} of the {f.of} {f.video} frames; "
                "they are left out of its figures."
            )
