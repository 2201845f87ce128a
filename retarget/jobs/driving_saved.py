"""The driving lane of a saved performance, whose frames were fitted when it was saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from retarget.errors import RetargetError, UnreadableInput
from retarget.expression.settings import SmoothSettings
from retarget.expression.smooth import Smooth
from retarget.jobs.driving import Driving, DrivingSettings
from retarget.jobs.neutral import AUTO
from retarget.source.clock import moment
from retarget.source.open import check_piece
from retarget.transfer.transfer import DrivingFace

if TYPE_CHECKING:
    from retarget.expression.performance import Performance
    from retarget.flow.lanes import Lanes
    from retarget.flow.report import Report
    from retarget.flow.source_info import SourceInfo
    from retarget.flow.values import ExpressedFrame, HeadPose
    from retarget.source.settings import SourceSettings

_MOST_POSES = 4096


def drive_from_saved(
    performance: Performance, settings: DrivingSettings, report: Report, mark: str
) -> Driving:
    """A driving lane of the frames that a saved performance has between start and end.

    Args:
        performance: the saved performance.
        settings: the piece to read, and how; settings that need pixels are warned of.
        report: receives the settings that have no effect, and frames without a face.
        mark: the mark of a face in the file's name, as in `#left`; it has no effect either.

    Raises:
        UnreadableInput: there is no frame between start and end.
        RetargetError: a neutral is given, which was fixed when the performance was saved.
    """
    _check_settings(performance, settings, report, mark)
    count, usual = _count_and_poses(piece(performance, settings.source))
    if not count:
        raise UnreadableInput(
            f"{performance.path} has no frame in the piece that was asked for.",
            do="Give an earlier start or a later end.",
        )
    info = _info_of_piece(performance.info, settings.source, count)
    report.facts["driving_rest"] = performance.rest.found

    def frames(lanes: Lanes) -> Iterator[ExpressedFrame]:
        read = report.timed("source", _lost_reported(piece(performance, settings.source), report))
        if settings.smooth == SmoothSettings():  # as it was when the performance was saved
            return read
        return report.stage("smooth", Smooth(settings.smooth), read)

    return Driving(
        info=info,
        face=DrivingFace(rest=performance.rest, usual=usual),
        sound=None,
        frames=frames,
        has_pixels=False,
    )


def _check_settings(
    performance: Performance, settings: DrivingSettings, report: Report, mark: str
) -> None:
    """Refuse an impossible piece or any neutral; warn of settings that have no effect."""
    check_piece(settings.source)
    if settings.rest.neutral != AUTO:
        raise RetargetError(
            f"--neutral does not count beside {performance.path}, whose weights are away from the "
            "rest that was found when it was saved.",
            do="Leave it out, or save the performance anew: retarget fit VIDEO --neutral …",
        )
    if idle := [*filter(None, [mark]), *_without_effect(settings)]:
        report.warn(
            f"{', '.join(idle)} {'does' if len(idle) == 1 else 'do'} not count beside "
            f"{performance.path}, whose frames are taken as they were saved, without pixels; such "
            "settings count where a video is read, as when retarget fit saves it."
        )


def _without_effect(settings: DrivingSettings) -> list[str]:
    """The settings off their defaults whose stages ran before the performance was saved."""
    default = DrivingSettings()
    needs_pixels = ["warp.wrinkles"] if settings.shows_rest else []
    stages: tuple[str, ...] = ("rest", "fit")
    if not settings.finds_identity:
        stages = ("track", *stages)
    return needs_pixels + [
        f"{stage}.{field.name}"
        for stage in stages
        for field in fields(getattr(settings, stage))
        if getattr(getattr(settings, stage), field.name)
        != getattr(getattr(default, stage), field.name)
    ]


def _lost_reported(frames: Iterator[ExpressedFrame], report: Report) -> Iterator[ExpressedFrame]:
    for frame in frames:
        if frame.expression is None:
            report.lost(frame.index)
        yield frame


def piece(performance: Performance, settings: SourceSettings) -> Iterator[ExpressedFrame]:
    """A performance's frames between start and end, numbered from 0 as those of a video are."""
    start = moment(settings.start)
    end = None if settings.end is None else moment(settings.end)
    index = 0
    for frame in performance.frames():
        at = frame.at.exact
        if end is not None and at >= end:
            return
        if start > 0 and at < start:
            continue
        duration = frame.duration if end is None else min(frame.duration, end - at)
        yield replace(frame, index=index, duration=duration)
        index += 1


def _count_and_poses(frames: Iterator[ExpressedFrame]) -> tuple[int, list[HeadPose]]:
    """How many frames there are, and at most `_MOST_POSES` poses, evenly spread over them."""
    count, every = 0, 1
    poses: list[HeadPose] = []
    for count, frame in enumerate(frames, 1):
        if frame.pose is not None and count % every == 0:
            poses.append(frame.pose)
        if len(poses) > _MOST_POSES:
            poses, every = poses[1::2], 2 * every
    return count, poses


def _info_of_piece(info: SourceInfo, settings: SourceSettings, count: int) -> SourceInfo:
    if settings.start == 0 and settings.end is None:
        return info
    return replace(info, count=count, duration=None, cut=info.cut or settings.start > 0)
