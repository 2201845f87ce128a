"""The main job, on real input: what goes in comes out, in time, with its sound, or not at all."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from outside import needs_tracker
from PIL import Image
from programs import run
from threadpoolctl import threadpool_limits

from retarget.face.open import carries_models
from retarget.flow import blendshapes, landmarks
from retarget.flow.report import Report
from retarget.generate.settings import WarpSettings
from retarget.jobs.fit import FitJob
from retarget.jobs.video import VideoJob
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings


def times(path: Path) -> list[float]:
    with av.open(str(path)) as clip:
        return [float(f.time or 0) for f in clip.decode(video=0)]


def sound(path: Path) -> list[tuple[bytes, float]]:
    with av.open(str(path)) as clip:
        packets = [p for p in clip.demux(audio=0) if p.size]
        return [(bytes(p), float((p.pts or 0) * p.time_base)) for p in packets]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, drive: Path, photo: Path) -> Path:
    folder = tmp_path_factory.mktemp("result")
    job = VideoJob(
        driving=str(drive),
        identity=str(photo),
        output=folder / "out.mp4",
        preview=True,
        report=folder / "run.json",
    )
    return job.run()


def test_every_driving_frame_comes_out_at_its_own_time(result: Path, drive: Path) -> None:
    assert times(result) == pytest.approx(times(drive), abs=1e-3)
    assert len(times(result)) == 30


def test_the_sound_is_the_driving_videos_packet_for_packet(result: Path, drive: Path) -> None:
    came, went = sound(result), sound(drive)
    assert [data for data, _ in came] == [data for data, _ in went]
    assert [at for _, at in came] == pytest.approx([at for _, at in went], abs=1e-3)


def test_the_result_has_the_photos_size_and_the_preview_shows_all_three(result: Path) -> None:
    with av.open(str(result)) as clip:
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (512, 512)
    with av.open(str(result.with_name("out_preview.mp4"))) as clip:
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (1536, 512)


def test_a_photo_too_large_for_players_is_told_and_can_be_shrunk(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    with Image.open(photo) as image:
        image.resize((3200, 3200)).save(tmp_path / "large.jpg")
    told, quiet = Report(), Report()
    brief = SourceSettings(end=0.1)
    job = VideoJob(
        driving=str(drive),
        identity=str(tmp_path / "large.jpg"),
        output=tmp_path / "a.mp4",
        source=brief,
    )
    job.run(told)
    assert any("3200 x 3200" in line and "--longest-side" in line for line in told.warnings)
    fewer = replace(brief, longest_side=512)
    small = replace(job, output=tmp_path / "b.mp4", source=fewer).run(quiet)
    assert quiet.warnings == []
    with av.open(str(small)) as clip:
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (512, 512)


def test_the_report_tells_settings_times_and_frames(result: Path) -> None:
    told = json.loads(result.with_name("run.json").read_text("utf-8"))
    assert told["frames"] == 30
    assert told["frames_without_face"] == []
    assert told["settings"]["transfer"]["motion"] == "expression"
    assert {"source", "track", "fit", "generate", "sink"} <= told["stages"].keys()


def test_the_identitys_jaw_opens_when_the_driving_jaw_does(drive: Path, photo: Path) -> None:
    frames = list(VideoJob(driving=str(drive), identity=str(photo)).frames())
    jaw = blendshapes.index("jawOpen")
    asked, gap = [], []
    for frame in frames:
        assert frame.request is not None
        asked.append(frame.request.expression.weights[jaw])
        points = frame.request.points
        gap.append(
            points[landmarks.LIPS_INNER_LOWER[5], 1] - points[landmarks.LIPS_INNER_UPPER[5], 1]
        )
    assert np.corrcoef(asked, gap)[0, 1] > 0.8
    closed, wide = frames[int(np.argmin(gap))], frames[int(np.argmax(gap))]
    changed = np.abs(wide.frame.rgb.astype(int) - closed.frame.rgb).sum(axis=2) > 30
    rows = np.flatnonzero(changed.any(axis=1))
    assert wide.request is not None
    lips = wide.request.points[list(landmarks.LIPS_OUTER_LOWER), 1].mean()
    assert rows.min() < lips < rows.max()


def test_nothing_moves_away_from_the_face_while_the_head_is_still(drive: Path, photo: Path) -> None:
    frames = VideoJob(driving=str(drive), identity=str(photo)).frames()
    for finished in islice(frames, 0, None, 7):
        assert finished.request is not None
        face = finished.request.identity
        x, y = face.face.points[:, :2].mean(axis=0)
        reach = 2.6 * face.face.eye_distance
        rows, columns = np.mgrid[: face.frame.rgb.shape[0], : face.frame.rgb.shape[1]]
        outside = np.maximum(abs(columns - x), abs(rows - y)) > reach
        assert outside.any()
        np.testing.assert_array_equal(finished.frame.rgb[outside], face.frame.rgb[outside])


@pytest.mark.parametrize("background", ["still", "along"])
def test_what_is_behind_a_head_that_moves_is_told_from_it_where_it_shall_keep_still(
    drive: Path, photo: Path, background: Literal["still", "along"]
) -> None:
    job = VideoJob(
        driving=str(drive),
        identity=str(photo),
        transfer=TransferSettings(motion="full"),
        warp=WarpSettings(background=background),
    )
    finished = next(job.frames())
    assert finished.request is not None
    assert (finished.request.identity.person is not None) == (background == "still")
    held = next(replace(job, transfer=TransferSettings()).frames())
    assert held.request is not None
    assert held.request.identity.person is None


def test_the_same_job_gives_the_same_pixels(drive: Path, photo: Path) -> None:
    def some() -> list[np.ndarray]:
        frames = VideoJob(driving=str(drive), identity=str(photo)).frames()
        return [f.frame.rgb for f in islice(frames, 12)]

    for one, two in zip(some(), some(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_read_off_the_photo_is_the_same_however_many_threads_numpy_has(
    drive: Path, photo: Path
) -> None:
    def read(threads: int) -> bytes:
        job = VideoJob(driving=str(drive), identity=str(photo))
        with threadpool_limits(threads, user_api="blas"), job.pipeline(Report()) as pipeline:
            request = next(pipeline.frames).request
            return pickle.dumps((request.identity.rest, request.expression))

    assert read(1) == read(2)


@pytest.mark.parametrize("lost", ["hold", "ease", "neutral"])
def test_frames_without_a_face_stay_in_the_video(
    drive_with_gap: Path, photo: Path, tmp_path: Path, lost: str
) -> None:
    report = Report()
    out = VideoJob(
        driving=str(drive_with_gap),
        identity=str(photo),
        output=tmp_path / "out.mp4",
        transfer=TransferSettings(lost=lost),  # type: ignore[arg-type]
    ).run(report)
    assert len(times(out)) == 24
    assert report.away == list(range(10, 18))


def test_a_preview_shows_the_driving_picture_while_no_face_is_in_it(
    drive_with_gap: Path, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    VideoJob(driving=str(drive_with_gap), identity=str(photo), output=out, preview=True).run()
    with av.open(str(tmp_path / "out_preview.mp4")) as clip:
        frames = [f.to_ndarray(format="rgb24") for f in clip.decode(video=0)]
    left = frames[14][:, :512]
    assert np.abs(left.astype(int) - 128).max() < 8  # the gap is grey


def test_a_saved_performance_drives_as_its_video_did(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    saved = FitJob(driving=str(drive), output=tmp_path / "drive.npz").run()
    job = VideoJob(driving=str(saved), identity=str(photo), output=tmp_path / "out.mp4")
    assert times(job.run()) == pytest.approx(times(drive), abs=1e-3)

    def points(driving: Path) -> Iterator[np.ndarray]:
        for frame in VideoJob(driving=str(driving), identity=str(photo)).frames():
            assert frame.request is not None
            yield frame.request.points

    for one, two in zip(points(drive), points(saved), strict=True):
        np.testing.assert_allclose(one, two, atol=0.05)  # pixels


def test_a_piece_of_a_performance_is_that_piece_of_its_video(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    saved = FitJob(driving=str(drive), output=tmp_path / "drive.npz").run()
    piece = SourceSettings(start=0.4, end=0.8)

    def made(driving: Path, name: str) -> list[float]:
        job = VideoJob(
            driving=str(driving), identity=str(photo), output=tmp_path / name, source=piece
        )
        return times(job.run())

    assert made(saved, "a.mp4") == pytest.approx(made(drive, "b.mp4"), abs=1e-3)
    assert len(times(tmp_path / "a.mp4")) < len(times(drive))


@pytest.mark.parametrize("name", ["piece.npz", "piece.csv"])
def test_a_saved_piece_begins_at_nought_as_the_piece_itself_does(
    drive: Path, photo: Path, tmp_path: Path, name: str
) -> None:
    piece = SourceSettings(start=0.4, end=0.8)
    saved = FitJob(driving=str(drive), output=tmp_path / name, source=piece).run()
    job = VideoJob(driving=str(saved), identity=str(photo), output=tmp_path / "out.mp4")
    assert times(job.run()) == pytest.approx([i / 25 for i in range(10)], abs=1e-3)


def test_a_piece_of_the_driving_video_leaves_the_identitys_clip_whole(drive: Path) -> None:
    piece = SourceSettings(start=0.4, end=0.8)
    job = VideoJob(driving=str(drive), identity=str(drive), source=piece)
    shown = [frame.request.identity.frame for frame in job.frames() if frame.request is not None]
    assert [float(picture.at.exact) for picture in shown] == pytest.approx(
        [k / 25 for k in range(10)]
    )


def test_a_photo_of_the_driving_person_rests_as_the_clip_does(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.png"
    with av.open(str(drive)) as clip:
        next(islice(clip.decode(video=0), 4, None)).to_image().save(own)
    found = {}
    for name in (own, photo):
        report = Report()
        next(iter(VideoJob(driving=str(drive), identity=str(name)).frames(report)))
        found[name] = report.facts["identity_rest"]
    assert found == {own: "from the driving face", photo: "from one photo"}


def test_folds_are_drawn_against_the_driving_face_at_rest(drive: Path, photo: Path) -> None:
    plain = VideoJob(driving=str(drive), identity=str(photo))
    folds = replace(plain, warp=WarpSettings(wrinkles=0.8))
    rest = next(iter(folds.frames())).request.driving_rest
    assert rest is not None and rest.tracked is not None
    with av.open(str(drive)) as clip:
        shown = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    np.testing.assert_allclose(rest.tracked.frame.rgb, shown[rest.index], atol=3)


@needs_tracker
@pytest.mark.skipif(
    (3, 12) <= sys.version_info < (3, 12, 2), reason="there no thread begins then (gh-113964)"
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_on_a_thread_goes_on_when_the_main_thread_has_ended(
    drive: Path, photo: Path, tmp_path: Path, threads: int
) -> None:
    done = run(f"""
        import threading
        from retarget.generate.settings import WarpSettings
        from retarget.jobs.video import VideoJob
        job = VideoJob(
            driving={str(drive)!r}, identity={str(photo)!r}, output={str(tmp_path / "o.mp4")!r},
            warp=WarpSettings(threads={threads}),
        )
        threading.Thread(target=job.run).start()
    """)
    if not carries_models():  # it then hands its calls to a thread, which the end ends first
        assert "thread.join()" in done.stderr
        assert list(tmp_path.iterdir()) == []
        return
    assert (done.returncode, times(tmp_path / "o.mp4")) == (0, pytest.approx(times(drive)))


def test_the_background_shows_behind_a_photo_that_is_transparent(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    from PIL import Image

    pixels = np.dstack([np.asarray(Image.open(photo).convert("RGB")), np.full((512, 512), 255)])
    pixels[:40, :, 3] = 0
    cut = tmp_path / "cut.png"
    Image.fromarray(pixels.astype(np.uint8)).save(cut)
    job = VideoJob(
        driving=str(drive), identity=str(cut), source=SourceSettings(background="#00ff00")
    )
    assert next(job.frames()).frame.rgb[10, 10].tolist() == [0, 255, 0]


def test_frames_without_a_face_are_told_of_a_saved_performance_too(
    drive_with_gap: Path, photo: Path, tmp_path: Path
) -> None:
    saved = FitJob(driving=str(drive_with_gap), output=tmp_path / "gap.npz").run()
    report = Report()
    VideoJob(driving=str(saved), identity=str(photo), output=tmp_path / "o.mp4").run(report)
    assert report.away == list(range(10, 18))


@pytest.mark.parametrize("neutral", ["3", "0.4s", "0:00.4"])
def test_a_given_neutral_is_where_nothing_moves(drive: Path, photo: Path, neutral: str) -> None:
    from retarget.expression.settings import RestSettings

    job = VideoJob(
        driving=str(drive),
        identity=str(photo),
        rest=RestSettings(neutral=neutral),
        transfer=TransferSettings(strength=1.0),
    )
    index = 3 if neutral == "3" else 10
    frame = next(islice(job.frames(), index, None))
    assert frame.request is not None
    still = [
        w for n, w in blendshapes.named(frame.request.expression.weights).items() if "eye" not in n
    ]
    assert max(still, default=0.0) < 0.15


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.2), (0.6, 0.8)])
def test_a_neutral_time_may_lie_outside_the_piece_that_is_asked_for(
    drive: Path, photo: Path, start: float, end: float
) -> None:
    """It is a time of the whole video, so the piece does what the whole does there."""
    from retarget.expression.settings import RestSettings, SmoothSettings

    def jaw(source: SourceSettings, index: int) -> float:
        job = VideoJob(
            driving=str(drive), identity=str(photo), rest=RestSettings(neutral="0.4s"),
            smooth=SmoothSettings(strength=0.0), source=source,
        )  # fmt: skip
        request = next(islice(job.frames(), index, None)).request
        assert request is not None
        return float(request.points[landmarks.CHIN, 1])

    piece = jaw(SourceSettings(start=start, end=end), 2)
    whole = jaw(SourceSettings(), round(start * 25) + 2)
    assert piece == pytest.approx(whole, abs=0.3)
