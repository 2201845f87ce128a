"""Make the face model that every room shares: `retarget/data/face_model.npz`.

    python -m retarget.training.face_model CLIPS... --scores face_landmarker.task -o OUT.npz

Clips should show one person each, with as many facial movements as possible. The bundle gives the
mesh topology (MediaPipe's canonical face, Apache-2.0) and the scores to learn from. Shapes that no
clip shows stay as sculpted.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retarget.flow.arrays import Floats
from retarget.training.face_model_learn import Clip, Strength, learn
from retarget.training.face_model_mesh import CanonicalFace


def track(path: Path, bundle: Path) -> list[Clip]:
    """Follow the face of a clip with both trackers, as their points differ and both are in use."""
    import av
    import mediapipe as mp

    meshes: list[Floats] = []
    tasks: list[Floats] = []
    scores: list[Floats] = []
    with (
        _landmarker(bundle) as landmarker,
        mp.solutions.face_mesh.FaceMesh(refine_landmarks=True) as face_mesh,
        av.open(str(path)) as container,
    ):
        for i, frame in enumerate(container.decode(video=0)):
            rgb = frame.to_ndarray(format="rgb24")
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
            seen = landmarker.detect_for_video(image, i * 33)
            also = face_mesh.process(rgb).multi_face_landmarks
            if not seen.face_landmarks or not also:
                continue
            size = (rgb.shape[1], rgb.shape[0], rgb.shape[1])
            tasks.append(_pixels(seen.face_landmarks[0], size))
            meshes.append(_pixels(also[0].landmark, size))
            values = [c.score for c in seen.face_blendshapes[0]]
            # Without _neutral, and with a tongueOut of 0, which the bundle lacks.
            scores.append(np.array([*values[1:], 0.0], np.float32))
    both = (meshes, tasks)
    return [Clip(points=np.array(points), scores=np.array(scores)) for points in both if points]


def _landmarker(bundle: Path) -> Any:
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
    )
    return vision.FaceLandmarker.create_from_options(options)


def _pixels(points: Sequence[Any], size: tuple[int, int, int]) -> Floats:
    found = [(p.x, p.y, p.z) for p in points]
    return np.array(found, np.float32) * np.array(size, np.float32)


def main(argv: Sequence[str] | None = None) -> int:
    """Learn from the clips and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--scores", type=Path, required=True, help="face_landmarker.task")
    parser.add_argument("-o", "--output", type=Path, required=True)
    said = parser.parse_args(argv)
    clips = [clip for path in said.clips for clip in track(path, said.scores)]
    model = learn(clips, CanonicalFace.read(said.scores), Strength())
    np.savez_compressed(said.output, **model)
    print(f"{said.output}: {len(clips)} tracks, {sum(len(c.points) for c in clips)} frames")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
