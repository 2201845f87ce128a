from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from clips import lay_tone, make_clip, numbered, read
from heic import make_heic
from PIL import EpsImagePlugin, Image, features

from retarget.errors import RetargetError, UnreadableInput
from retarget.source.open import open_source

Check = Callable[..., None]


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        lay_tone(out, out.add_stream("aac", rate=48_000, layout="mono"), 0.3)
    return path


def album(path: Path) -> Path:
    """Sound with a cover, as music players keep it (ID3v2.4, 4.14)."""
    with av.open(str(path), "w", format="mp3") as out:
        lay_tone(out, out.add_stream("libmp3lame", rate=48_000, layout="mono"), 0.5)
    cover = path.with_suffix(".jpg")
    Image.fromarray(numbered(3)).save(cover)
    body = b"\x00image/jpeg\x00\x03\x00" + cover.read_bytes()

    def size(n: int) -> bytes:
        return bytes(n >> shift & 0x7F for shift in (21, 14, 7, 0))

    frame = b"APIC" + size(len(body)) + b"\x00\x00" + body
    data = path.read_bytes()
    if data[:3] == b"ID3":
        length = sum(b << s for b, s in zip(data[6:10], (21, 14, 7, 0), strict=True))
        data = data[10 + length :]
    path.write_bytes(b"ID3\x04\x00\x00" + size(len(frame)) + frame + data)
    with av.open(str(path)) as check:
        assert check.streams.video, "the fixture has no cover"
    return path


def text(path: Path, words: str) -> Path:
    path.write_text(words)
    return path


def with_unknown_pictures(path: Path) -> Path:
    data = make_clip(path).read_bytes()
    path.write_bytes(data.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ"))
    return path


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * share)])
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    (path / "notes.txt").write_text("no picture")
    return path


BAD: dict[str, Callable[[Path], Path | str]] = {
    "missing": lambda t: t / "missing.mp4",
    "no name": lambda t: "",
    "a name too long": lambda t: t / f"{'x' * 300}.mp4",
    "in a file": lambda t: text(t / "file", "no folder") / "clip.mp4",
    "a link to itself": lambda t: link(t / "link.mp4"),
    "empty": lambda t: text(t / "empty.mp4", ""),
    "text": lambda t: text(t / "text.mp4", "I am not a video.\n" * 50),
    "cut short before its index": lambda t: cut(make_clip(t / "cut.mp4"), 0.5),
    "sound only": lambda t: sound_only(t / "sound.m4a"),
    "sound with a cover": lambda t: album(t / "album.mp3"),
    "pictures by an unknown codec": lambda t: with_unknown_pictures(t / "unknown.mkv"),
    "folder without pictures": lambda t: folder(t / "folder"),
    "empty picture": lambda t: text(t / "empty.png", ""),
    "text picture": lambda t: text(t / "text.png", "I am not a picture."),
    "picture cut short": lambda t: cut(saved(t / "cut.png"), 0.4),
    "picture with broken pixels": lambda t: without_pixels(saved(t / "damaged.avif")),
    "phone's photo cut short": lambda t: cut(phone(t / "cut.heic"), 0.7),
    "phone's photo without its tiles": lambda t: cut(phone(t / "head.heic"), 0.1),
    "phone's photo with broken tiles": lambda t: without_pixels(phone(t / "broken.heic")),
    "phone's photo over which its reader crashes": lambda t: with_a_nameless_item(t / "item.heic"),
    "a pipe": lambda t: pipe(t / "pipe.mp4"),
    "another kind of address": lambda t: "ftp://localhost/clip.mp4",
    "an address without a host": lambda t: "https:///clip.mp4",
    "a list of files": lambda t: f"concat:{make_clip(t / 'a.ts')}|{t / 'a.ts'}",
    "a file address": lambda t: f"file:{make_clip(t / 'b.mp4')}",
    "a made-up source": lambda t: "data:video/mp4;base64,AAAA",
}


def saved(path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


def phone(path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (64, 128, 3), np.uint8)
    return make_heic(path, noise, tile=64)


def with_a_nameless_item(path: Path) -> Path:
    data = phone(path).read_bytes()
    path.write_bytes(data.replace(b"Exif", b"\xccxif", 1))
    return path


def without_pixels(path: Path) -> Path:
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    path.write_bytes(data[:start] + bytes(len(data) - start))
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def link(path: Path) -> Path:
    path.symlink_to(path)
    return path


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_one_piece_of_advice(
    tmp_path: Path, case: str, one_sentence: Check
) -> None:
    if case == "picture with broken pixels" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    spec = BAD[case](tmp_path)
    one_sentence(lambda: read(spec), UnreadableInput)


def test_a_piece_before_the_first_picture_is_not_said_to_be_after_the_last(tmp_path: Path) -> None:
    late = make_clip(tmp_path / "late.mp4", stamps=range(250, 280), rate=25)
    for start in (0.0, 0.2):
        with pytest.raises(UnreadableInput, match=rf"no picture from {start:g} s to 0\.5 s"):
            read(late, start=start, end=0.5)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such permissions")
def test_a_folder_that_may_not_be_entered_is_told(tmp_path: Path, one_sentence: Check) -> None:
    path = make_clip(tmp_path / "c.mp4", count=2)
    with not_to_be_entered(tmp_path):
        one_sentence(lambda: read(path), UnreadableInput)


@contextmanager
def not_to_be_entered(folder: Path) -> Iterator[None]:
    """Neither by the folder's owner nor by one who otherwise may enter everything."""
    owner = os.geteuid()
    folder.chmod(0)
    try:
        if owner == 0:
            os.seteuid(65_534)
        yield
    finally:
        os.seteuid(owner)
        folder.chmod(0o700)


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.txt"])
@pytest.mark.parametrize("kind", ["ffconcat", "hls"])
def test_a_file_that_is_a_list_of_other_files_does_not_get_them_read(
    tmp_path: Path, kind: str, name: str
) -> None:
    make_clip(tmp_path / "other.ts")
    words = {
        "ffconcat": "ffconcat version 1.0\nfile other.ts\n",
        "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\nother.ts\n#EXT-X-ENDLIST\n",
    }[kind]
    with pytest.raises(UnreadableInput):
        read(text(tmp_path / name, words))


def test_no_picture_is_handed_to_a_program_that_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given, **_: ran.append(given))
    Image.fromarray(numbered(1)).save(tmp_path / "a.eps")
    path = (tmp_path / "a.eps").rename(tmp_path / "a.png")
    with pytest.raises(UnreadableInput):
        read(path)
    assert not ran


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        )

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    data = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(16_385, 4), (12_000, 12_000), (60_000, 60_000)])
def test_a_picture_that_would_fill_memory_is_refused_by_its_header(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    import tracemalloc

    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*size))
    tracemalloc.start()
    with pytest.raises(UnreadableInput, match="pixels"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("end", [float("inf"), float("nan"), 0.0])
def test_an_end_that_is_no_time_is_one_sentence(
    tmp_path: Path, end: float, one_sentence: Check
) -> None:
    clip = make_clip(tmp_path / "a.mp4")
    one_sentence(lambda: read(clip, end=end), RetargetError)


def test_a_name_that_looks_like_an_address_is_read_where_it_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip(tmp_path / "a.mp4").rename(tmp_path / "take:1.mp4")
    monkeypatch.chdir(tmp_path)
    with open_source("take:1.mp4") as source:
        assert source.info.count == 30


@pytest.mark.parametrize("name", ["%04d.png", "a.%d.png", "a.####.png", "*.png"])
def test_who_names_numbered_pictures_by_a_pattern_is_told_to_name_their_folder(
    tmp_path: Path, name: str
) -> None:
    for given, told in ((tmp_path / name, str(tmp_path)), (tmp_path / "none" / name, "the path")):
        with pytest.raises(UnreadableInput) as refused, open_source(str(given)):
            pass
        assert refused.value.what == f"There is no file {given}."
        assert told in refused.value.do


def test_a_stream_is_told_to_be_given_as_a_file() -> None:
    with pytest.raises(UnreadableInput, match="not from a stream"), open_source("-"):
        pass
