from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import ffmpeg
import imageio_ffmpeg
import numpy as np
import pytest
from clips import finished, heard, info_for, lay_tone, make_clip, number_in, numbered, read, times

from retarget.errors import CannotWrite
from retarget.flow.values import FinishedFrame
from retarget.sink.codecs import CODECS, CONTAINERS
from retarget.sink.open import open_sink
from retarget.sink.settings import SinkSettings
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings
from tests.sink.conftest import Save

HELD = [(suffix, codec) for suffix, kind in CONTAINERS.items() for codec in kind.codecs]
NAMES = {
    "h264": "h264", "h265": "hevc", "av1": "av1", "vp9": "vp9", "prores": "prores", "ffv1": "ffv1",
}  # fmt: skip
PATCHES = np.array(
    [[200, 60, 60], [60, 180, 80], [70, 80, 200], [190, 170, 60], [128, 128, 128], [30, 30, 30]]
)


def patches(index: int) -> np.ndarray:
    return np.repeat(np.repeat(PATCHES[None].astype(np.uint8), 64, axis=0), 16, axis=1)


def codec_of(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.codec.canonical_name


@pytest.mark.parametrize(("suffix", "codec"), HELD)
def test_each_codec_in_each_container_keeps_frames_times_and_colors(
    save: Save, suffix: str, codec: str
) -> None:
    path = save(f"a{suffix}", codec=codec, rate=Fraction(30_000, 1001), quality=90)
    assert codec_of(path) == NAMES[codec]
    assert [number_in(frame.rgb) for frame in read(path)] == list(range(20))
    expected = [i * Fraction(1001, 30_000) for i in range(20)]
    assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(times(path), expected, strict=True))
    colored = save(f"b{suffix}", codec=codec, quality=90, picture=patches, count=3)
    seen = read(colored)[1].rgb[32, 8::16].astype(int)
    assert np.abs(seen - PATCHES).max() <= 8


@pytest.mark.parametrize(("suffix", "codec"), HELD)
def test_the_same_frames_give_the_same_bytes(save: Save, suffix: str, codec: str) -> None:
    once, again = (save(f"{name}{suffix}", codec=codec) for name in "ab")
    assert once.read_bytes() == again.read_bytes()


def test_lossless_is_lossless_at_any_size(save: Save) -> None:
    def noise(index: int) -> np.ndarray:
        return np.random.default_rng(index).integers(0, 255, (35, 53, 3), np.uint8)

    for index, frame in enumerate(read(save("a.mkv", codec="ffv1", picture=noise, count=4))):
        np.testing.assert_array_equal(frame.rgb, noise(index))


def test_the_file_says_how_its_colors_are_coded(save: Save) -> None:
    with av.open(str(save("a.mp4"))) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (
        1, 1, 1, 1,
    )  # fmt: skip


@pytest.mark.parametrize("count", [30, 31])
def test_the_last_frame_is_shown_as_long_as_it_should_be_in_whichever_order_it_is_decoded(
    tmp_path: Path, count: int
) -> None:
    *before, last = (finished(index) for index in range(count))
    long = replace(last, frame=replace(last.frame, duration=Fraction(1, 5)))
    info = info_for(time_base=Fraction(1, 1000))
    with open_sink(tmp_path / "o.mp4", SinkSettings(), info=info) as sink:
        for one in (*before, long):
            sink.write(one)
    assert read(tmp_path / "o.mp4")[-1].duration == Fraction(1, 5)


def test_an_odd_side_is_made_even_by_its_own_edge_and_told(save: Save) -> None:
    said: list[str] = []
    path = save("a.mp4", picture=lambda i: numbered(i, (97, 65)), quality=95, warn=said.append)
    frame = read(path)[7]
    assert frame.size == (98, 66)
    assert number_in(frame.rgb) == 7
    assert np.abs(frame.rgb[64, :].astype(int) - frame.rgb[65, :]).max() <= 8
    assert len(said) == 1
    assert "98 x 66" in said[0]


def test_more_quality_takes_more_bytes(save: Save) -> None:
    def noise(index: int) -> np.ndarray:
        return np.random.default_rng(index).integers(60, 120, (64, 96, 3), np.uint8)

    for codec, suffix in [("h264", "mp4"), ("h265", "mp4"), ("av1", "mp4"), ("vp9", "webm")]:
        sizes = [
            save(f"{codec}{q}.{suffix}", codec=codec, quality=q, picture=noise).stat().st_size
            for q in (20, 60, 100)
        ]
        assert sizes == sorted(sizes)
        assert sizes[0] < 0.7 * sizes[2]


@pytest.mark.parametrize("speed", ["fast", "balanced", "small"])
@pytest.mark.parametrize("codec", ["h264", "h265", "av1", "vp9"])
def test_every_speed_is_known_to_its_encoder(save: Save, codec: str, speed: str) -> None:
    assert len(read(save("a.mkv", codec=codec, speed=speed, count=4))) == 4


@pytest.mark.parametrize("speed", ["fast", "balanced", "small"])
def test_a_processor_without_fast_instructions_writes_the_same_bytes(
    save: Save, monkeypatch: pytest.MonkeyPatch, speed: str
) -> None:
    def grains(index: int) -> np.ndarray:
        coarse = np.random.default_rng(1).integers(60, 120, (16, 16, 3), np.uint8)
        return np.roll(cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC), index, axis=1)

    usual = save("usual.mp4", speed=speed, picture=grains).read_bytes()
    codec = CODECS["h264"]

    def plain(quality: int, speed: str, pixels: int) -> dict[str, str]:
        options = codec.options(quality, speed, pixels)
        return {**options, "x264-params": options["x264-params"] + ":asm=0"}

    monkeypatch.setitem(CODECS, "h264", replace(codec, options=plain))
    assert save("plain.mp4", speed=speed, picture=grains).read_bytes() == usual


@pytest.mark.parametrize("speed", ["balanced", "small"])
def test_the_encoder_holds_fewer_pictures_where_they_are_large(speed: str) -> None:
    def held(width: int, height: int) -> int:
        """How many pictures go in before the first comes out."""
        options = CODECS["h264"].options(75, speed, width * height)
        with av.open(os.devnull, "w", format="null") as out:
            stream: Any = out.add_stream("libx264", rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            frame = av.VideoFrame(width, height, "yuv420p")
            for index in range(80):
                frame.pts = index
                if stream.encode(frame):
                    return index + 1
        return 80

    usual = held(96, 64)
    assert held(1920, 1080) == usual
    assert held(4000, 3000) < usual / 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="has one core")
@pytest.mark.parametrize("codec", CODECS)
def test_however_many_cores_there_are_the_same_bytes_are_written(save: Save, codec: str) -> None:
    def grains(index: int) -> np.ndarray:
        coarse = np.random.default_rng(1).integers(60, 120, (16, 16, 3), np.uint8)
        return np.roll(cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC), index, axis=1)

    name = next(f"{{}}{suffix}" for suffix, kind in CONTAINERS.items() if codec in kind.codecs)
    on_all = save(name.format("all"), codec=codec, picture=grains).read_bytes()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        on_one = save(name.format("one"), codec=codec, picture=grains).read_bytes()
    finally:
        os.sched_setaffinity(0, cores)
    assert on_one == on_all


@pytest.mark.parametrize(
    ("name", "codec"), [("a.webm", "h264"), ("a.mp4", "prores"), ("a.mov", "av1")]
)
def test_a_codec_its_container_cannot_hold_is_refused_at_once(
    save: Save, tmp_path: Path, name: str, codec: str
) -> None:
    with pytest.raises(CannotWrite, match=codec):
        save(name, codec=codec)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_a_video_says_that_it_is_synthetic_and_what_made_it(save: Save, name: str) -> None:
    from retarget import __version__

    with av.open(str(save(name))) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert "Synthetic" in tags["comment"]
    assert f"retarget {__version__}" in tags["comment"]
    assert tags["comment"].endswith("digitalsourcetype/compositeSynthetic")


def test_the_index_comes_first_so_that_a_browser_can_start(save: Save) -> None:
    data = save("a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def clicking(path: Path, codec: str, click: float) -> Path:
    """A clip whose sound is silence but for one click."""
    make_clip(path.with_name("silent.mp4"), count=50)
    with av.open(str(path.with_name("silent.mp4"))) as clip, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(clip.streams.video[0])
        sound = out.add_stream(codec, rate=48_000, layout="mono")
        for packet in clip.demux(video=0):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        lay_tone(out, sound, 2.0, click=click)
    return path


def loudest(path: Path) -> float:
    """The second at which the sound is loudest."""
    best = (0.0, 0.0)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            wave = np.abs(frame.to_ndarray()).reshape(frame.layout.nb_channels, -1).max(axis=0)
            peak = int(wave.argmax())
            best = max(best, (float(wave[peak]), frame.time + peak / frame.sample_rate))
    return best[1]


def unnamed(path: Path, channels: int) -> Path:
    """A clip with uncompressed sound whose file does not say where its channels belong."""
    make_clip(path.with_name("silent.mp4"), count=3)
    with av.open(str(path.with_name("silent.mp4"))) as clip, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(clip.streams.video[0])
        layout = {2: "stereo", 7: "6.1"}[channels]
        sound = out.add_stream("pcm_s16le", rate=48_000, layout=layout)
        for packet in clip.demux(video=0):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        wave = np.random.default_rng(1).integers(-9999, 9999, (1, 5000 * channels), np.int16)
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout=layout)
        frame.rate, frame.pts = 48_000, 0
        out.mux(sound.encode(frame))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("channels", [2, 7])
def test_sound_whose_channels_have_no_names_is_copied_as_it_is(
    save: Save, tmp_path: Path, channels: int, name: str
) -> None:
    clip = unnamed(tmp_path / "unnamed.mkv", channels)
    with open_source(clip) as source:
        sound = source.sound()
    assert sound is not None
    with sound.open() as opened:
        assert opened.stream.codec_context.layout.name == f"{channels} channels"
    result = save(name, count=3, sound=sound)
    bytes_of = [b"".join(held for _, held, _ in heard(path)) for path in (result, clip)]
    assert bytes_of[0] == bytes_of[1] != b""


def test_the_last_packet_is_kept_of_sound_whose_packets_say_no_length(
    save: Save, tmp_path: Path
) -> None:
    clip = clicking(tmp_path / "a.mkv", "alac", 1.25)
    assert all(length == 0 for _, _, length in heard(clip))
    with open_source(clip) as source:
        result = save("a.mp4", count=50, sound=source.sound())
    assert [data for _, data, _ in heard(result)] == [data for _, data, _ in heard(clip)]


@pytest.mark.parametrize(
    ("codec", "name"),
    [("aac", "a.webm"), ("mp3", "a.webm"), ("flac", "a.mov")],
)
def test_sound_that_has_to_be_made_anew_stays_in_step_and_is_told(
    save: Save, tmp_path: Path, codec: str, name: str
) -> None:
    clip = clicking(tmp_path / "click.mkv", codec, 1.25)
    said: list[str] = []
    with open_source(clip) as source:
        sound = source.sound()
    result = save(name, count=50, sound=sound, warn=said.append)
    assert any(f" {codec} " in line for line in said)
    assert abs(loudest(result) - loudest(clip)) < 0.01
    with av.open(str(result)) as written:
        assert written.streams.audio[0].codec_context.layout.name == "mono"


def test_sound_that_an_mp4_holds_only_as_an_experiment_is_made_anew(
    save: Save, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "c.mkv", sound="aac")
    film = ffmpeg.input(str(clip)).output(str(tmp_path / "t.mkv"), acodec="truehd", strict=-2)
    film.run(cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True)  # PyAV has no such encoder
    said: list[str] = []
    with open_source(tmp_path / "t.mkv") as source:
        save("a.mp4", sound=source.sound(), warn=said.append)
    assert said == ["A .mp4 file does not hold truehd sound, so it is encoded anew as aac."]


def test_sound_made_anew_for_a_later_start_stays_in_step(tmp_path: Path) -> None:
    clip = clicking(tmp_path / "click.mkv", "aac", 1.25)
    result = tmp_path / "a.webm"
    with (
        open_source(clip, SourceSettings(start=0.5)) as source,
        open_sink(result, info=source.info, sound=source.sound()) as sink,
    ):
        for frame in source.frames():
            sink.write(FinishedFrame(frame=frame))
    first = min(at for at in times(clip) if at >= Fraction(1, 2))
    assert abs(loudest(result) - (loudest(clip) - float(first))) < 0.01


def test_sound_is_read_no_further_than_the_pictures_have_come(tmp_path: Path) -> None:
    taken: list[Fraction] = []
    with open_source(make_clip(tmp_path / "c.mp4", count=200, sound="aac")) as source:
        sound = source.sound()
        assert sound is not None

        class Watched:
            def __init__(self, opened) -> None:  # type: ignore[no-untyped-def]
                self.opened, self.stream = opened, opened.stream

            def packets(self):  # type: ignore[no-untyped-def]
                for at, packet in self.opened.packets():
                    taken.append(at)
                    yield at, packet

        @contextmanager
        def watched():  # type: ignore[no-untyped-def]
            with sound.open() as opened:
                yield Watched(opened)

        with open_sink(
            tmp_path / "a.mp4", info=source.info, sound=replace(sound, open=watched)
        ) as sink:
            for frame in source.frames():
                sink.write(FinishedFrame(frame=frame))
                assert taken[-1] <= frame.at.exact + 1
    assert taken[-1] > 7


def test_sound_can_be_left_out(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mp4", sound="aac")
    target = tmp_path / "a.mp4"
    with (
        open_source(clip) as source,
        open_sink(
            target, SinkSettings(sound=False), info=source.info, sound=source.sound()
        ) as sink,
    ):
        for frame in source.frames():
            sink.write(FinishedFrame(frame=frame))
    with av.open(str(target)) as container:
        assert not container.streams.audio


def test_frames_of_another_size_or_out_of_order_are_a_mistake(tmp_path: Path) -> None:
    for second in (finished(1, picture=lambda i: numbered(i, (64, 64))), finished(0)):
        target = tmp_path / "a.mp4"
        with pytest.raises(ValueError), open_sink(target, info=info_for()) as sink:
            sink.write(finished(0))
            sink.write(second)
        assert list(tmp_path.iterdir()) == []


def test_frames_pass_unbuffered_however_long_the_video(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        shown: list[FinishedFrame] = [
            finished(0, picture=lambda i: np.zeros((240, 320, 3), np.uint8))
        ]
        with open_sink(tmp_path / f"{count}.mp4", info=info_for()) as sink:
            tracemalloc.start()
            for index in range(count):
                shown[0] = finished(index, picture=lambda i: np.zeros((240, 320, 3), np.uint8))
                sink.write(shown[0])
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return most

    assert peak(300) < peak(60) + 240 * 320 * 3
