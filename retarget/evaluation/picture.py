"""The picture's quality: sharpness, seam, and difference from the ground truth if there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from retarget.evaluation import video
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.pairs import Pairs
from retarget.evaluation.values import Observed
from retarget.extras import extra
from retarget.flow.arrays import Bytes, Doubles, Floats, Picture
from retarget.flow.rigid import similarity
from retarget.models.folders import in_home

_TRUTHS = 60
"""About how many frames SSIM and LPIPS are measured on; PSNR, which is quick, on all."""
_STILL = 0.02
"""A held head moves by less than this, in widths of the face's surroundings (measured)."""
_EQUAL = 100.0
"""dB for equal pictures, whose PSNR is infinite."""
_SEAMS = 6
"""About how many frames the seam is measured on."""
_SIDE = 192
"""Pixels of the aligned face on which sharpness is measured."""
_SMOOTH = 2.0
"""Pixels (sigma) by which a difference is smoothed before its seam is sought."""
_CHANGED = 3.0
"""Grey levels of a smoothed difference above which a pixel counts as redrawn."""


def face_chip(rgb: Picture, points: Doubles) -> Bytes:
    """(192, 192) grey face, upright, its eyes' outer corners 96 pixels apart."""
    target = np.array([[48.0, 64.0], [144.0, 64.0]])
    matrix = similarity(points[[36, 45]], target)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.warpAffine(grey, matrix, (_SIDE, _SIDE), flags=cv2.INTER_AREA), np.uint8)


def sharpness(rgb: Picture, points: Doubles) -> float:
    """Fine detail of a face: the Laplacian's standard deviation over the picture's own.

    No unit; comparable between pictures of one person because the face is brought to one size
    first. The variance of the Laplacian is the usual focus measure (Pech-Pacheco et al., ICPR
    2000); dividing by the contrast keeps lighting out of it.

    Args:
        rgb: (height, width, 3) the picture.
        points: (68, 2) the face in it, in pixels.
    """
    chip = face_chip(rgb, points).astype(np.float64)
    detail = cv2.Laplacian(chip, cv2.CV_64F)
    return float(detail.std() / max(float(chip.std()), 1e-6))


def seam_step(rgb: Picture, photo: Picture) -> float | None:
    """The height of the edge around the redrawn part in grey levels, as its 90th percentile.

    Only edges that the photo does not have nearby count, so that a jaw that moved is no seam. The
    height is that of a step with the measured slope of the smoothed pictures. A part that fades
    into the photo gives about 0. None without an outline: where the pictures differ all over
    (another size, a moved head) or nothing is redrawn. Own definition.
    """
    made = unpadded(rgb, photo)
    if made is None:
        return None
    drawn, real = (_smoothed(p) for p in (made, photo))
    redrawn = (np.abs(drawn - real) > _CHANGED).astype(np.uint8)
    reach = max(9, round(0.03 * min(redrawn.shape)))
    joined = cv2.morphologyEx(redrawn, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    if not 0.001 < cv2.contourArea(outline) / redrawn.size < 0.7:
        return None
    ring = np.zeros_like(redrawn)
    cv2.drawContours(ring, [outline], -1, (1,), 1)
    nearby = round(1.5 * reach)  # how far the edge of a jaw or lip may move
    new = cv2.dilate(_slope(drawn), np.ones((5, 5), np.uint8))
    known = cv2.dilate(_slope(real), np.ones((nearby, nearby), np.uint8))
    excess = np.maximum(new - known, 0)[ring > 0]
    return float(np.percentile(excess, 90)) * _SMOOTH * float(np.sqrt(2 * np.pi))


def unpadded(made: Picture, like: Picture) -> Picture | None:
    """A picture less the row or column that codecs add to odd sides; None: of another size."""
    high, wide = like.shape[:2]
    if made.shape[0] - high not in (0, 1) or made.shape[1] - wide not in (0, 1):
        return None
    return made[:high, :wide]


def _smoothed(rgb: Picture) -> Floats:
    grey = np.asarray(rgb.mean(axis=2), np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _SMOOTH), np.float32)


def _slope(picture: Floats) -> Floats:
    """Grey levels per pixel."""
    right = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(np.hypot(right, down), np.float32)


def measure(result: Observed, photo: Picture, photo_sharpness: float, sheet: Sheet) -> None:
    """Note sharpness and seam; the seam on a few frames spread over the result."""
    if result.faces:
        sharp = float(np.median([s.sharpness for s in result.faces]))
        sheet.put("picture.sharpness", sharp / max(photo_sharpness, 1e-6))
    else:
        sheet.miss("dlib sees no face in the sampled frames", "picture.sharpness")
    if _moves(result):
        sheet.miss("the head moves, and with it its own outline", "picture.seam")
        return
    few = {s.index for s in result.faces[:: max(1, len(result.faces) // _SEAMS)]}
    steps = [seam_step(rgb, photo) for rgb in video.picked(result.path, few).values()]
    seen = [s for s in steps if s is not None]
    if seen:
        sheet.put("picture.seam", float(np.mean(seen)), f"{len(seen)} frames")
    else:
        why = "the result is not the photo with a redrawn face (size, head or background differ)"
        sheet.miss(why, "picture.seam")


def _moves(result: Observed) -> bool:
    """True where the face shifts sideways, up or down by more than `_STILL` of its size."""
    boxes = result.boxes[~np.isnan(result.boxes).any(axis=1)]
    if not len(boxes):
        return False
    left, top, right, _ = boxes.T
    width = float(np.median(right - left))
    return max(float(np.std(left + right)) / 2, float(np.std(top))) > _STILL * width


def against_truth(driving: Observed, result: Observed, pairs: Pairs, sheet: Sheet) -> None:
    """Note PSNR, SSIM and LPIPS against the driving frames: only where they are the truth.

    Both videos are read in step, so memory holds two frames.
    """
    keys = ("picture.psnr", "picture.ssim", "picture.lpips")
    peaks, likeness, distances = [], [], []
    network, why = Lpips.find()
    stride = max(1, len(pairs) // _TRUTHS)
    for i, (truth, padded) in enumerate(in_step(driving, result, pairs)):
        made = unpadded(padded, truth)
        if made is None:
            sheet.miss(f"result {result.size} and driving {driving.size} differ in size", *keys)
            return
        peaks.append(psnr(truth, made))
        if i % stride:
            continue
        likeness.append(ssim(truth, made))
        if network is not None:
            distances.append(network.distance(truth, made))
    sheet.put(keys[0], float(np.mean(peaks)))
    sheet.put(keys[1], float(np.mean(likeness)), f"{len(likeness)} frames")
    if network is None:
        sheet.miss(why, keys[2])
    else:
        sheet.put(keys[2], float(np.mean(distances)), f"{len(distances)} frames")


def in_step(driving: Observed, result: Observed, pairs: Pairs) -> Iterator[tuple[Picture, Picture]]:
    """The paired pictures, (driving, result), one pair at a time."""
    result_frames, driving_frames = video.frames(result.path), video.frames(driving.path)
    made, truth = next(result_frames), next(driving_frames)
    for d, r in zip(pairs.driving, pairs.result, strict=True):
        while made.index < r:
            made = next(result_frames)
        while truth.index < d:
            truth = next(driving_frames)
        yield truth.rgb, made.rgb


def psnr(truth: Picture, made: Picture) -> float:
    """Peak signal to noise in dB, at most 100 (equal pictures)."""
    with extra("evaluate", purpose="PSNR"):
        from skimage.metrics import peak_signal_noise_ratio
    if np.array_equal(truth, made):
        return _EQUAL
    return min(_EQUAL, float(peak_signal_noise_ratio(truth, made, data_range=255)))


def ssim(truth: Picture, made: Picture) -> float:
    """Structural similarity, 1 for equal pictures, with the windows of Wang et al. 2004."""
    with extra("evaluate", purpose="SSIM"):
        from skimage.metrics import structural_similarity
    return float(
        structural_similarity(
            truth,
            made,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


class Lpips:
    """LPIPS with AlexNet (Zhang et al., CVPR 2018), if package and weights are installed."""

    def __init__(self, network: Any, torch: Any) -> None:
        self._network, self._torch = network.eval(), torch

    @classmethod
    def find(cls) -> tuple[Lpips | None, str]:
        """The network from torch's own cache, or why there is none; nothing is fetched."""
        caches = Path(os.environ.get("XDG_CACHE_HOME") or in_home("~/.cache"))
        torch_home = Path(os.environ.get("TORCH_HOME") or caches / "torch")
        folder = torch_home / "hub" / "checkpoints"
        if not any(folder.glob("alexnet-owt-*.pth")):
            # looked for first: importing torch costs seconds and 400 MB
            return None, f"AlexNet's weights for LPIPS are not in {folder}, torchvision's own place"
        try:
            import torch
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

            network = LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True)
        except ModuleNotFoundError:
            return None, "its packages are absent (pip install 'retarget[lpips]')"
        return cls(network, torch), ""

    def distance(self, truth: Picture, made: Picture) -> float:
        """0 for equal pictures."""
        tensors = [
            self._torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 255
            for x in (truth, made)
        ]
        with self._torch.inference_mode():
            return float(self._network(*tensors))
