"""Every job with the diffusion generator, through the command line, on tiny random weights.

Such weights paint the face with noise; around it, in time and in sound everything has to be right.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from retarget.cli.main import main

pytestmark = pytest.mark.usefixtures("read_once", "one_thread")
FRAMES, EMPTY = 8, range(3, 5)
TRAINED = "compositeWithTrainedAlgorithmicMedia"
Run = Callable[..., dict[str, object]]


@pytest.fixture(scope="module")
def one_thread(models: Path) -> Iterator[None]:
    """Tiny networks gain nothing from threads and lose much where others compute too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames with sound, nobody in two of them."""
    from .conftest import SAMPLES, cut_out

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    cut_out(SAMPLES / "drive.mp4", path, 60, 60 + FRAMES, empty=EMPTY)
    return path


@pytest.fixture
def run(clip: Path, photo: Path, all_models: Path, tmp_path: Path) -> Run:
    """Run the main job; returns its report."""

    def job(*options: str, ends: int = 0) -> dict[str, object]:
        words = [str(clip), "--identity", str(photo), "--generator", "diffusion"]
        words += ["--models", str(all_models), "--diffusion.device", "cpu"]
        words += ["-o", str(tmp_path / "out.mp4"), "--report", str(tmp_path / "run.json")]
        assert main([*words, *options]) == ends
        told: dict[str, object] = json.loads((tmp_path / "run.json").read_text("utf-8"))
        return told

    return job


def pictures(path: Path) -> tuple[list[npt.NDArray[np.uint8]], list[float]]:
    with av.open(str(path)) as clip:
        frames = list(clip.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in frames], [float(f.time or 0) for f in frames]


def sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as clip:
        return [bytes(p) for p in clip.demux(audio=0) if p.size]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ([], 3),
        (["--diffusion.quality", "draft"], 2),
        (["--diffusion.quality", "best", "--diffusion.steps", "6"], 6),
        (["--diffusion.no-guided"], 3),
        (["--diffusion.no-guided", "--diffusion.warm-start", "0.4"], 3),
    ],
)
def test_frames_times_and_sound_are_the_driving_videos_and_only_the_face_changes(
    run: Run, clip: Path, photo: Path, tmp_path: Path, options: list[str], steps: int
) -> None:
    told = run(*options)
    made, times = pictures(tmp_path / "out.mp4")
    assert times == pytest.approx(pictures(clip)[1], abs=1e-3)
    assert sound(tmp_path / "out.mp4") == sound(clip)
    assert told["frames"] == len(made) == FRAMES
    assert told["frames_without_face"] == list(EMPTY)
    assert told["drawn_with"]["steps"] == steps and told["drawn_with"]["device"] == "cpu"
    assert told["stages"]["generate"] > 0
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert result.metadata["comment"].endswith(TRAINED)
    before = cv2.imread(str(photo))[..., ::-1].astype(int)
    for frame in made:
        changed = np.abs(frame - before).mean(axis=2)
        assert np.median(changed) < 6  # what the codec makes of it
        assert changed[90:150, 200:245].mean() > 15  # the middle of the face
        assert changed[250:].mean() < 6


def test_more_photos_of_the_person_change_who_is_drawn(
    run: Run, photo: Path, tmp_path: Path
) -> None:
    run("--diffusion.quality", "draft")
    alone = pictures(tmp_path / "out.mp4")[0]
    turned = tmp_path / "turned.png"
    cv2.imwrite(str(turned), cv2.imread(str(photo))[::-1])
    run(
        "--diffusion.quality", "draft", "--overwrite", "--diffusion.photos", str(turned), str(photo)
    )
    assert not np.array_equal(alone[0], pictures(tmp_path / "out.mp4")[0][0])


def test_another_body_may_be_named_and_another_familys_is_refused(
    run: Run, all_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import load_file, save_file

    pipeline, lora = tmp_path / "pipeline", str(all_models / "lcm_lora")
    shutil.copytree(all_models / "arc2face", pipeline / "unet")
    weights = pipeline / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({name: 0.9 * tensor for name, tensor in load_file(weights).items()}, weights)
    drawn = []
    draft = ["--diffusion.quality", "draft", "--overwrite"]
    body = ["--diffusion.base", str(pipeline)]
    style = ["--diffusion.loras", f"{lora}/pytorch_lora_weights.safetensors"]
    for more in ([], body, [*body, *style, "--diffusion.lora-scale", "0.3"]):
        run(*draft, *more)
        drawn.append(pictures(tmp_path / "out.mp4")[0][0])
    assert not np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[1], drawn[2])
    of_another_family(pipeline / "unet" / "config.json")
    run(*draft, "--diffusion.base", str(pipeline / "unet"), ends=1)
    said = capsys.readouterr().err.splitlines()
    assert "another family" in said[-2] and "Stable Diffusion 1.5" in said[-1]


def test_what_is_said_is_drawn_too(photo: Path, all_models: Path, tmp_path: Path) -> None:
    """Pictures, clips and storyboards come without driving pixels: the map says what they do."""
    shutil.copy(photo, tmp_path / "face.jpg")
    board = tmp_path / "story.toml"
    board.write_text('[characters.eileen]\nphoto = "face.jpg"\n[[panel]]\nwho = "eileen"\n')
    by = ["--generator", "diffusion", "--models", str(all_models), "--diffusion.quality", "draft"]
    face = ["--identity", str(photo)]
    smile, flash, pages = (tmp_path / name for name in ("smile.png", "flash.mp4", "pages"))
    assert main(["still", *face, "--expression", "0.7*amusement", "-o", str(smile), *by]) == 0
    brief = ["--before-ms", "80", "--after-ms", "80", "--rate", "25"]
    assert main(["micro", *face, *brief, "-o", str(flash), *by]) == 0
    assert main(["story", str(board), "-o", str(pages), *by]) == 0
    before = cv2.imread(str(photo)).astype(int)
    drawn = np.abs(cv2.imread(str(smile)) - before).mean(axis=2)
    assert drawn[90:150, 200:245].mean() > 15
    assert (
        drawn[300:].max() == 0
    )  # her shoulders: the head is raised a little, its surroundings go along
    assert len(pictures(flash)[0]) == 14
    assert {"0001.png", "page.png", "page.pdf"} <= {p.name for p in pages.iterdir()}
    for file in (smile, flash, pages / "0001.png", pages / "page.png"):
        assert TRAINED.encode() in file.read_bytes()


def test_without_the_map_what_is_said_is_refused_in_a_sentence(
    photo: Path, all_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged(all_models, tmp_path, "flame-map", shutil.rmtree)
    words = [
        "still",
        "--identity",
        str(photo),
        "--expression",
        "joy",
        "-o",
        str(tmp_path / "x.png"),
    ]
    words += ["--generator", "diffusion", "--models", str(tmp_path / "models")]
    assert main(words) == 1
    said = capsys.readouterr().err.splitlines()
    assert "without pixels" in said[-2] and "retarget models pull flame-map" in said[-1]


def damaged(models: Path, folder: Path, name: str, damage: Callable[[Path], object]) -> Path:
    """A copy of the models in which one of them is not what it was."""
    shutil.copytree(models.parent, folder, copy_function=os.link, dirs_exist_ok=True)
    path = folder / "models" / name
    if path.is_file():  # a file of its own, lest the damage reach the original
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    damage(path)
    return folder / "models"


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def made_dangerous(path: Path) -> None:
    """A pickle that makes a folder beside itself when it is read without care."""
    trap = str(path.with_name("was_run")).encode()
    path.write_bytes(b"\x80\x02cos\nmkdir\nX" + len(trap).to_bytes(4, "little") + trap + b"\x85R.")


def of_another_family(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"addition_embed_type": "text_time"}))


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("arc2face", shutil.rmtree, "unet is missing"),
        ("arc2face/diffusion_pytorch_model.safetensors", halved, "damaged or cut short"),
        ("arc2face/config.json", of_another_family, "another family"),
        ("encoder/pytorch_model.bin", made_dangerous, "could run code"),
        ("exp_adapter/exp_adapter.bin", halved, "damaged or cut short"),
        ("antelopev2/arcface.onnx", halved, "damaged or not an ONNX network"),
    ],
)
def test_a_wrong_model_file_is_one_sentence_and_no_video(
    clip: Path,
    photo: Path,
    all_models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: Callable[[Path], object],
    said: str,
) -> None:
    models = damaged(all_models, tmp_path, name, damage)
    words = [str(clip), "--identity", str(photo), "--generator", "diffusion", "--models"]
    assert main([*words, str(models), "-o", str(tmp_path / "out.mp4")]) == 1
    told = capsys.readouterr().err.splitlines()
    assert said in told[-2] and told[-2].startswith("retarget: ")
    assert len(told) <= 3  # what is wrong, what to do, and a note on licences
    assert not list(tmp_path.glob("out*"))
    assert not list(tmp_path.rglob("was_run"))


def test_a_file_that_is_not_the_published_one_is_refused(
    clip: Path,
    photo: Path,
    all_models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from retarget.models import catalog

    monkeypatch.setattr(catalog, "FILES", (catalog.LCM_LORA,))
    models = damaged(all_models, tmp_path, "lcm_lora", lambda _: None)
    words = [str(clip), "--identity", str(photo), "--generator", "diffusion", "--models"]
    assert main([*words, str(models), "-o", str(tmp_path / "out.mp4")]) == 1
    assert "SHA-256 differs" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(
    clip: Path, photo: Path, all_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    words = [str(clip), "--identity", str(photo), "--generator", "diffusion"]
    assert main([*words, "--models", str(all_models), "--diffusion.device", "cuda"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "no CUDA device" in said[0]


def test_a_limit_that_leaves_no_room_for_the_libraries_is_told_before_they_are_loaded(
    clip: Path, photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from retarget.face import open as trackers
    from retarget.flow import free_memory
    from retarget.jobs import generators

    monkeypatch.setattr(trackers, "check_room", lambda **_: None)  # a face would just fit
    monkeypatch.setattr(free_memory, "free_address_space", lambda: 0.9e9)
    monkeypatch.setattr(generators, "extra", lambda *_, **__: pytest.fail("they were loaded"))
    assert main([str(clip), "--identity", str(photo), "--generator", "diffusion"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "0.90 GB more" in said[0] and "ulimit -v" in said[1]


def test_the_measurement_is_a_command(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from retarget.generate.diffusion import bench as module

    whole = module.bench
    monkeypatch.setattr(module, "bench", lambda *told, **how: whole(*told, small=True, **how))
    assert main(["bench", "--generator", "diffusion", "--runs", "1"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("published, 25 steps", "draft", "standard", "best"))
    assert main(["bench", "--sweep"]) == 1
    assert "--generator diffusion" in capsys.readouterr().err
