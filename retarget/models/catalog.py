"""Every model file that `retarget` can use, as data.

None is shipped or fetched automatically: `retarget models pull` fetches them. Known digests are
pinned; the others are recorded in the folder's lock file at the first pull, with the exact
revision, and checked from then on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from retarget.errors import UnknownWord
from retarget.flow.flame import MAP_FILES

_HUB = "https://huggingface.co"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One file: its purpose, its source, and its digest."""

    name: str
    """Its name in lists and on the command line."""
    serves: str
    """Its purpose in a few words."""
    group: str
    """The feature that needs it; `pull` can fetch a whole group."""
    path: str
    """Its path in the models folder, with forward slashes."""
    url: str
    """Its address; `{revision}` stands for the pinned or the newest revision."""
    megabytes: int
    """About its size; a download that becomes far larger is stopped."""
    licence: str
    commercial: bool
    """False: its licence or its publisher's terms forbid commercial use."""
    revision: str | None = None
    """A commit of the repository it comes from; None: the newest, recorded when it is fetched."""
    sha256: str | None = None
    """Hexadecimal; None: recorded when it is fetched."""
    elsewhere: tuple[str, ...] = ()
    """Other paths in the folder, from published instructions."""
    note: str = ""
    """Further information for its user."""


def _hub(repo: str, file: str) -> str:
    return f"{_HUB}/{repo}/resolve/{{revision}}/{file}"


_ARC2FACE = "FoivosPar/Arc2Face"
_SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
_SD15_REVISION = "451f4fe16113bff5a5d2269ed5ad43b0592e9a14"
_TAESD_REVISION = "614f76814bbe30edbe2e627ace1c2234c81a2c0e"
_LCM_REVISION = "cf2fced511dbe7e26c8d1d397e728fbab875db4b"
_MAP = "https://raw.githubusercontent.com/PeizhiYan/mediapipe-blendshapes-to-flame/{revision}/"
_MAP_REVISION = "bb3d2beb2d1818d5658726a4d0d069a70a3171b0"
_INSIGHTFACE = "non-commercial research (insightface)"
_WEBFACE = "Trained on WebFace42M, whose own terms are for research."


def _arc2face(name: str, serves: str, file: str, megabytes: int) -> ModelFile:
    return ModelFile(
        name=name, serves=serves, group="diffusion", path=file, url=_hub(_ARC2FACE, file),
        megabytes=megabytes, licence="MIT", commercial=True, note=_WEBFACE,
    )  # fmt: skip


def _sd15(
    name: str, serves: str, file: str, megabytes: int = 1, sha256: str | None = None
) -> ModelFile:
    return ModelFile(
        name=name, serves=serves, group="diffusion", path=f"stable-diffusion-v1-5/{file}",
        url=_hub(_SD15, file), revision=_SD15_REVISION, sha256=sha256, megabytes=megabytes,
        licence="CreativeML OpenRAIL-M", commercial=True,
    )  # fmt: skip


def _flame_map(part: str, serves: str, sha256: str) -> ModelFile:
    return ModelFile(
        name=f"flame-map-{part}", serves=serves, group="flame-map", path=f"flame-map/{part}.npy",
        url=f"{_MAP}mappings/{part}.npy", revision=_MAP_REVISION, sha256=sha256, megabytes=1,
        licence="research only (FLAME)", commercial=False, elsewhere=(f"{part}.npy",),
    )  # fmt: skip


LANDMARKER = ModelFile(
    name="face-landmarker", serves="tracking with 52 scores; Python 3.13 and later, Linux on ARM",
    group="tracker", path="face_landmarker.task", elsewhere=("smirk/face_landmarker.task",),
    url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker"
    "/float16/1/face_landmarker.task",
    revision="float16/1", megabytes=4, licence="Apache-2.0", commercial=True,
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)  # fmt: skip


ARCFACE = ModelFile(
    name="arcface", serves="identity vector", group="diffusion", path="antelopev2/arcface.onnx",
    url=_hub(_ARC2FACE, "arcface.onnx"), megabytes=261, licence=_INSIGHTFACE, commercial=False,
    note="Its card says MIT; insightface's terms for trained recognisers are narrower. " + _WEBFACE,
)  # fmt: skip
SMIRK = ModelFile(
    name="smirk", serves="FLAME expression from the driving pixels", group="diffusion",
    path="smirk/SMIRK_em1.pt",
    url="https://drive.usercontent.google.com/download"
    "?id=1T65uEd9dVLHgVw5KiUYL66NUee-MCzoE&export=download&confirm=t",
    megabytes=200, licence="MIT", commercial=True,
    note="Published on a file host; if that refuses, fetch it as SMIRK's README says.",
)  # fmt: skip
VAE = _sd15(
    "vae", "pixels from latents", "vae/diffusion_pytorch_model.safetensors", 335,
    "a2b5134f4dbc140d9c11f11cba3233099e00af40f262f136c691fb7d38d2194c",
)  # fmt: skip
TAESD = ModelFile(
    name="taesd", serves="pixels from latents, twenty times faster", group="diffusion",
    path="taesd/diffusion_pytorch_model.safetensors",
    url=_hub("madebyollin/taesd", "diffusion_pytorch_model.safetensors"),
    revision=_TAESD_REVISION, megabytes=10, licence="MIT", commercial=True,
    sha256="db169d69145ec4ff064e49d99c95fa05d3eb04ee453de35824a6d0f325513549",
)  # fmt: skip
TAESD_CONFIG = ModelFile(
    name="taesd-config", serves="shape of taesd", group="diffusion", path="taesd/config.json",
    url=_hub("madebyollin/taesd", "config.json"), revision=_TAESD_REVISION, megabytes=1,
    licence="MIT", commercial=True,
)  # fmt: skip
LCM_LORA = ModelFile(
    name="lcm-lora", serves="two to four steps instead of 25", group="diffusion",
    path="lcm-lora-sdv1-5/pytorch_lora_weights.safetensors",
    url=_hub("latent-consistency/lcm-lora-sdv1-5", "pytorch_lora_weights.safetensors"),
    revision=_LCM_REVISION, megabytes=135, licence="OpenRAIL++", commercial=True,
    sha256="8f90d840e075ff588a58e22c6586e2ae9a6f7922996ee6649a7f01072333afe4",
)  # fmt: skip

FILES: tuple[ModelFile, ...] = (
    LANDMARKER,
    _arc2face("arc2face-config", "shape of the generator", "arc2face/config.json", 1),
    _arc2face(
        "arc2face", "generator (UNet)", "arc2face/diffusion_pytorch_model.safetensors", 3439
    ),
    _arc2face("encoder-config", "shape of the identity encoder", "encoder/config.json", 1),
    _arc2face("encoder", "identity encoder", "encoder/pytorch_model.bin", 493),
    _arc2face("expression-adapter", "expression control", "exp_adapter/exp_adapter.bin", 100),
    _arc2face(
        "reference-adapter", "appearance of the photo",
        "ref_adapter/pytorch_lora_weights.safetensors", 100,
    ),
    ARCFACE,
    ModelFile(
        name="scrfd", serves="face detection as the identity encoder expects it", group="diffusion",
        path="antelopev2/scrfd_10g_bnkps.onnx", url=_hub("fal/AuraFace-v1", "scrfd_10g_bnkps.onnx"),
        megabytes=17, licence=_INSIGHTFACE, commercial=False,
        sha256="5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
        note="The detector of insightface's pack antelopev2.",
    ),
    SMIRK,
    _sd15("vae-config", "shape of the VAE", "vae/config.json"),
    VAE,
    _sd15("tokenizer-vocabulary", "prompt tokens", "tokenizer/vocab.json", 2),
    _sd15("tokenizer-merges", "prompt tokens", "tokenizer/merges.txt", 1),
    _sd15("tokenizer-config", "prompt tokens", "tokenizer/tokenizer_config.json"),
    _sd15("tokenizer-special", "prompt tokens", "tokenizer/special_tokens_map.json"),
    _sd15("scheduler", "noise schedule", "scheduler/scheduler_config.json"),
    TAESD_CONFIG,
    TAESD,
    LCM_LORA,
    ModelFile(
        name="tcd-lora", serves="four to eight steps instead of 25, for the scheduler tcd",
        group="tcd", path="TCD-SD15-LoRA/pytorch_lora_weights.safetensors",
        url=_hub("h1t/TCD-SD15-LoRA", "pytorch_lora_weights.safetensors"),
        megabytes=135, licence="MIT", commercial=True,
    ),
    _flame_map("bs2exp", "FLAME expression from blendshapes", MAP_FILES["bs2exp.npy"]),
    _flame_map("bs2jaw", "FLAME jaw from blendshapes", MAP_FILES["bs2jaw.npy"]),
)  # fmt: skip


def groups() -> tuple[str, ...]:
    """The names of all groups, in the order of the catalogue."""
    return tuple(dict.fromkeys(file.group for file in FILES))


def named(words: Iterable[str]) -> list[ModelFile]:
    """The files with these names or in these groups, each once.

    Raises:
        UnknownWord: there is no such name.
    """
    wanted: dict[str, ModelFile] = {}
    for word in words:
        found = [file for file in FILES if word in (file.name, file.group)]
        if not found:
            raise UnknownWord("model", word, [*groups(), *(file.name for file in FILES)])
        wanted.update((file.name, file) for file in found)
    return list(wanted.values())
