"""Make the README's picture: the photo, seven driving moments, and what the photo makes of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from retarget.jobs.video import VideoJob

HERE = Path(__file__).parent
SIDE = 200
MOMENTS = (26, 50, 70, 104, 118, 154, 192)
"""Frames: smile, wonder, two syllables, kiss, wink, smile again."""


def cut(rgb: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The face and its surroundings as a square."""
    middle, scale = points[:, :2].mean(axis=0), SIDE / (1.6 * np.ptp(points[:, 1]))
    matrix = np.hstack([scale * np.eye(2), (SIDE / 2 - scale * middle)[:, None]])
    border = cv2.BORDER_REPLICATE
    out = cv2.warpAffine(rgb, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=border)
    return np.asarray(out, np.uint8)


if __name__ == "__main__":
    job = VideoJob(driving=str(HERE / "drive.mp4"), identity=str(HERE / "face.jpg"))
    above, below, photo = [], [], np.full((2 * SIDE, SIDE + 12, 3), 255, np.uint8)
    for index, finished in enumerate(job.frames()):
        request = finished.request
        if index not in MOMENTS or request is None or request.driving is None:
            continue
        tracked, points = request.driving.tracked, request.identity.face.points
        if tracked is not None and tracked.face is not None:
            above.append(cut(tracked.frame.rgb, tracked.face.points))
            below.append(cut(finished.frame.rgb, points))
        photo[SIDE // 2 : SIDE // 2 + SIDE, :SIDE] = cut(request.identity.frame.rgb, points)
    page = np.hstack([photo, np.vstack([np.hstack(above), np.hstack(below)])])
    Image.fromarray(page).save(HERE / "readme.jpg", quality=88)
