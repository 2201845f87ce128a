from __future__ import annotations

import http.server
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from clips import heard, make_clip, number_in, numbered, read
from PIL import Image

from retarget.errors import UnreadableInput
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

SAMPLES = Path(__file__).parents[2] / "samples"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files, a redirection to a file of this machine, and one to wherever it is asked.

    Of `/streamed/NAME` the length is not told, and of `/broken/NAME` half is missing.
    """

    asked = 0

    def do_GET(self) -> None:
        Quiet.asked += 1
        way, _, name = self.path.strip("/").partition("/")
        if way in ("streamed", "broken"):
            data = Path(self.directory, name).read_bytes()
            self.send_response(200)
            if way == "broken":
                self.send_header("Content-Length", str(len(data)))
                data = data[: len(data) // 2]
            self.end_headers()
            self.wfile.write(data)
            return
        if self.path.startswith("/sent-away"):
            self.send_response(302)
            self.send_header("Location", Path(self.directory, "clip.mp4").as_uri())
            self.end_headers()
            return
        if self.path.startswith("/sent-on"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
            return
        super().do_GET()

    def guess_type(self, path: str | Path) -> str:
        return "image/png" if Path(path).name == "photo" else super().guess_type(path)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served at."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_address_may_begin_in_capitals(served: tuple[Path, str]) -> None:
    folder, address = served
    make_clip(folder / "clip.mp4", container={"movflags": "+faststart"})
    with open_source(f"{address.replace('http', 'HTTP')}/clip.mp4") as source:
        assert number_in(next(source.frames()).rgb) == 0


def test_a_remote_video_gives_the_frames_and_sound_of_the_file(served: tuple[Path, str]) -> None:
    folder, address = served
    clip = make_clip(folder / "clip.mp4", sound="aac", container={"movflags": "+faststart"})
    url = f"{address}/clip.mp4?take=1"
    assert [number_in(frame.rgb) for frame in read(url)] == list(range(30))
    assert heard(url) == heard(clip)


def test_an_address_may_be_longer_than_any_file_s_name(served: tuple[Path, str]) -> None:
    folder, address = served
    make_clip(folder / "clip.mp4", count=3)
    assert len(read(f"{address}/clip.mp4?key={'x' * 5000}")) == 3


def test_a_remote_piece_is_found(served: tuple[Path, str]) -> None:
    folder, address = served
    make_clip(folder / "c.mp4", count=60, container={"movflags": "+faststart"})
    assert [number_in(f.rgb) for f in read(f"{address}/c.mp4", start=1.0, end=1.2)] == [
        *range(25, 30)
    ]


def test_a_remote_picture_is_read(served: tuple[Path, str]) -> None:
    folder, address = served
    Image.fromarray(numbered(9)).save(folder / "p.png")
    assert number_in(read(f"{address}/p.png")[0].rgb) == 9


def test_a_remote_picture_is_known_by_what_its_server_says(served: tuple[Path, str]) -> None:
    folder, address = served
    Image.fromarray(numbered(9)).save(folder / "photo", format="PNG")
    assert number_in(read(f"{address}/photo?id=3")[0].rgb) == 9


def test_a_remote_picture_that_moves_moves(served: tuple[Path, str]) -> None:
    folder, address = served
    first, *others = (Image.fromarray(numbered(i)) for i in range(4))
    first.save(folder / "p.webp", save_all=True, append_images=others, duration=40)
    assert [number_in(f.rgb) for f in read(f"{address}/p.webp")] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "name", ["none.mp4", "none.png", "sent-away.mp4", "sent-away.png", "t.mp4", "a face.png"]
)
def test_what_cannot_be_fetched_is_one_sentence(
    served: tuple[Path, str], name: str, one_sentence: Callable[..., None]
) -> None:
    folder, address = served
    make_clip(folder / "clip.mp4")
    (folder / "t.mp4").write_text("no video")
    one_sentence(lambda: read(f"{address}/{name}", patience=5.0), UnreadableInput)


def test_a_video_of_untold_length_is_read_once_and_whole(served: tuple[Path, str]) -> None:
    folder, address = served
    make_clip(folder / "clip.mp4", container={"movflags": "+faststart"})
    Quiet.asked = 0
    frames = read(f"{address}/streamed/clip.mp4", patience=5.0)
    assert [number_in(frame.rgb) for frame in frames] == list(range(30))
    assert Quiet.asked < 10


def restless(index: int) -> npt.NDArray[np.uint8]:
    """A numbered picture that takes many bytes."""
    noise = np.random.default_rng(index).integers(0, 255, (64, 192, 3), np.uint8)
    return np.concatenate([numbered(index, (192, 128))[:64], noise])


@pytest.mark.parametrize("way", ["", "streamed/"])
def test_of_a_healthy_video_whose_server_lets_nobody_go_back_no_damage_is_told(
    served: tuple[Path, str], way: str
) -> None:
    folder, address = served
    make_clip(folder / "clip.mkv", count=60, picture=restless)
    told: list[str] = []
    with open_source(f"{address}/{way}clip.mkv", warn=told.append) as source:
        list(source.sample(8))
        assert len(list(source.frames())) == 60
    assert told == []


def test_a_piece_of_a_video_whose_server_lets_nobody_go_back_has_its_sound(
    served: tuple[Path, str],
) -> None:
    folder, address = served
    clip = make_clip(folder / "clip.mkv", count=60, sound="aac", picture=restless)
    told: list[str] = []
    with open_source(f"{address}/clip.mkv", SourceSettings(start=1.0), warn=told.append) as source:
        assert number_in(next(source.frames()).rgb) == 25
    assert heard(f"{address}/clip.mkv", start=1.0) == heard(clip, start=1.0) != []
    assert told == []


def test_of_a_video_that_breaks_off_the_beginning_is_kept(served: tuple[Path, str]) -> None:
    folder, address = served
    container = {"movflags": "+faststart"}
    make_clip(folder / "clip.mp4", count=60, container=container, picture=restless)
    Quiet.asked = 0
    told: list[str] = []
    with open_source(f"{address}/broken/clip.mp4", warn=told.append) as source:
        frames = list(source.frames())
    assert [number_in(frame.rgb) for frame in frames] == list(range(len(frames)))
    assert 10 < len(frames) < 50
    assert any("ends early" in line for line in told)
    assert Quiet.asked < 10


def test_a_video_that_has_to_be_gone_back_in_is_to_be_downloaded(served: tuple[Path, str]) -> None:
    folder, address = served
    shutil.copy(SAMPLES / "drive.mp4", folder)  # what it holds is told at its end
    with pytest.raises(UnreadableInput, match="Download the video first"):
        read(f"{address}/drive.mp4", patience=5.0)


def test_a_remote_picture_beyond_all_bounds_is_not_taken(served: tuple[Path, str]) -> None:
    folder, address = served
    Image.fromarray(numbered(9)).save(folder / "p.png")
    with (folder / "p.png").open("r+b") as file:
        file.truncate(64_000_001)
    with pytest.raises(UnreadableInput, match="larger than 64 MB"):
        read(f"{address}/p.png")


@pytest.mark.parametrize("name", ["sent-on", "sent-on.png", "sent-on.mp4"])
def test_a_redirection_is_followed_to_web_addresses_only(
    served: tuple[Path, str], name: str
) -> None:
    _, address = served
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        there = f"ftp://127.0.0.1:{elsewhere.getsockname()[1]}/p.png"
        with pytest.raises(UnreadableInput):
            read(f"{address}/{name}?{there}", patience=1.0)
        with pytest.raises(BlockingIOError):  # nobody came
            elsewhere.accept()


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/c.mp4", "http://127.0.0.1:9/c.png", "http://[::1", "http://"]
)
def test_nobody_answering_is_one_sentence(address: str, one_sentence: Callable[..., None]) -> None:
    one_sentence(lambda: read(address, patience=2.0), UnreadableInput)


def test_a_remote_playlist_may_not_name_files_of_this_machine(served: tuple[Path, str]) -> None:
    folder, address = served
    secret = make_clip(folder / "secret.ts")
    (folder / "list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\n{secret.as_uri()}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(UnreadableInput):
        read(f"{address}/list.m3u8", patience=5.0)


def test_a_remote_playlist_of_remote_parts_is_played(served: tuple[Path, str]) -> None:
    folder, address = served
    make_clip(folder / "part.ts")
    (folder / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\npart.ts\n#EXT-X-ENDLIST\n"
    )
    frames = read(f"{address}/list.m3u8", patience=5.0)
    assert [number_in(frame.rgb) for frame in frames] == list(range(30))
