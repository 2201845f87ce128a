"""Every measure by name: its label, unit, estimator and source.

"MediaPipe" here is the Tasks bundle: another network release than the tracker that drives a
result, but of the same family. Measures by dlib do not depend on that family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from retarget.evaluation.values import Better, Measure

TASKS = "MediaPipe"
DLIB = "dlib"
FILE = "file"
PIXELS = "pixels"


_ROWS: tuple[tuple[str, str, str, Better, str, str], ...] = (
    ("expression.l1", "52 scores, mean difference", "0..1", "lower", TASKS,
     "Exp in EmojiDiff, arXiv 2412.01254"),
    ("expression.l1_corrected", "52 scores, mean difference, rest removed", "0..1", "lower",
     TASKS, "the same, each face's own rest removed"),
    ("expression.correlation", "active scores, mean correlation", "r", "higher", TASKS,
     "CLS in PixelSmile: Pearson's r, asked against shown"),
    ("expression.correlation_median", "active scores, median correlation", "r", "higher",
     TASKS, "the same"),
    ("expression.attainable", "the most that reading noise leaves of it", "r", "neither", TASKS,
     "Spearman's attenuation (1904); noise: how far three looks at a frame are apart"),
    ("expression.recoded", "what the driving clip itself, encoded anew, reaches", "r",
     "neither", TASKS, "own: scaled to the result's face; an upper bound"),
    ("expression.recoded_l1", "mean difference of the driving clip itself, encoded anew",
     "0..1", "neither", TASKS, "the same, rest removed; a lower bound"),
    ("expression.gain", "active scores, median gain", "×", "one", TASKS,
     "least-squares slope of result on driving"),
    ("expression.ratio_error", "landmark ratios, mean difference, rest removed",
     "eye distances", "lower", DLIB, "LMS in EmojiDiff, on dlib's 68 points"),
    ("expression.ratio_correlation", "active landmark ratios, mean correlation", "r",
     "higher", DLIB, "as above"),
    ("expression.recoded_ratios", "what the driving clip itself, encoded anew, reaches", "r",
     "neither", DLIB, "own: scaled to the result's face; an upper bound"),
    ("expression.mouth_gain", "mouth opening, gain", "×", "one", DLIB,
     "least-squares slope of the lip gap"),
    ("expression.gaze", "gaze, mean angle, usual one removed", "°", "lower", TASKS,
     "eyeball direction (MAE) as in LivePortrait's tables, from the iris"),
    ("expression.pose", "head pose, mean angle, usual one removed", "°", "lower", TASKS,
     "geodesic angle of the two rotations"),
    ("expression.pose_gain", "head turning, gain", "×", "neither", TASKS,
     "spread of yaw, pitch and roll, result over driving; 0 is a head held still"),
    ("expression.aed", "AED: 3DMM expression, mean difference", "SMIRK units", "lower",
     "SMIRK", "AED in LivePortrait's tables: 50 of expression, 2 eyelids, 3 of the jaw"),
    ("expression.apd", "APD: 3DMM head pose, mean difference", "rad", "lower",
     "SMIRK", "APD in LivePortrait's tables: the rotation's three numbers"),
    ("expression.hes", "HES: expression and identity together", "0..1", "higher",
     "both", "HES in PixelSmile: harmonic mean"),
    ("identity.dlib_distance", "distance to the photo", "0..1", "lower", DLIB,
     "dlib's face recogniser; below 0.6 is the same person"),
    ("identity.dlib_same", "sampled frames called the same person", "%", "higher", DLIB,
     "share below dlib's own threshold of 0.6"),
    ("identity.arcface", "similarity to the photo (CSIM)", "cosine", "higher", "ArcFace",
     "CSIM / ID-SIM"),
    ("picture.sharpness", "sharpness of the face against the photo", "×", "one", PIXELS,
     "spread of the Laplacian over contrast, at equal face size"),
    ("picture.seam", "seam: a new edge where the redrawn part ends", "grey levels", "lower",
     PIXELS, "own: slopes along the outline that the photo does not have nearby"),
    ("picture.psnr", "PSNR against the driving frames", "dB", "higher", PIXELS,
     "scikit-image peak_signal_noise_ratio"),
    ("picture.ssim", "SSIM against the driving frames", "0..1", "higher", PIXELS,
     "Wang et al. 2004 and with its windows; scikit-image structural_similarity"),
    ("picture.lpips", "LPIPS against the driving frames", "distance", "lower", PIXELS,
     "Zhang et al. 2018, AlexNet; torchmetrics"),
    ("time.jitter_mesh", "landmark jitter against the driving clip's", "×", "lower", TASKS,
     "second difference of the mesh, result over driving"),
    ("time.jitter_dlib", "landmark jitter against the driving clip's", "×", "lower", DLIB,
     "second difference of 68 points, result over driving"),
    ("time.tremble", "jitter of the face itself against the driving clip's", "×", "lower",
     f"{TASKS}, else {DLIB}", "the same after laying every frame over the first one"),
    ("time.jitter", "landmark jitter of the result", "% of eye distance", "lower",
     f"{TASKS}, else {DLIB}", "mean size of the second difference"),
    ("time.flicker", "change outside the face, per frame", "grey levels", "lower", PIXELS,
     "mean difference of neighbouring frames"),
    ("time.warping", "change on the face that motion does not explain", "grey levels",
     "lower", PIXELS, "warping error of Lai et al., ECCV 2018"),
    ("time.warping_ratio", "the same against the driving clip's", "×", "lower", PIXELS,
     "result over driving"),
    ("time.delay", "result behind the driving face", "ms", "lower", f"{TASKS}, else {DLIB}",
     "best lag of the mean correlation, sign kept: + is late"),
    ("time.frames", "frames more (+) or fewer (-) than driven", "frames", "lower", FILE,
     "counted by decoding"),
    ("time.stamps", "largest difference of a time stamp", "ms", "lower", FILE,
     "since each one's first frame"),
    ("time.lost", "frames whose face is lost though the driving face is seen", "%", "lower",
     f"{TASKS}, else {DLIB}", "counted"),
    ("sound.packets", "sound packets equal to the driving clip's", "%", "higher", FILE,
     "compared byte by byte (hash)"),
    ("sound.offset", "sound later (+) or earlier (-) than in the driving clip", "ms",
     "lower", FILE, "packet times against the first picture; else cross-correlation"),
)  # fmt: skip
MEASURES = tuple(
    Measure(key=key, label=label, unit=unit, better=better, by=by, source=source)
    for key, label, unit, better, by, source in _ROWS
)
"""All measures, without values."""
BY_KEY = {d.key: d for d in MEASURES}


@dataclass
class Sheet:
    """Collects the figures of one evaluation."""

    found: dict[str, tuple[float | None, str]] = field(default_factory=dict)

    def put(self, key: str, value: float, note: str = "") -> None:
        """Note a figure; NaN and infinity count as not measured."""
        if key not in BY_KEY:
            raise KeyError(key)
        usable = math.isfinite(value)
        self.found[key] = (value, note) if usable else (None, note or "no frame to measure on")

    def miss(self, why: str, *keys: str) -> None:
        """Note that figures could not be taken, and why."""
        for key in keys:
            if key not in BY_KEY:
                raise KeyError(key)
            self.found[key] = (None, why)

    def measures(self) -> tuple[Measure, ...]:
        """All that was noted, in the order of the catalogue."""
        return tuple(
            replace(m, value=self.found[m.key][0], note=self.found[m.key][1])
            for m in MEASURES
            if m.key in self.found
        )
