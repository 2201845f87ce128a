"""The tracker whose models come with mediapipe's wheel: its own networks, one at a time.

MediaPipe's `face_mesh` solution chooses itself where to look next and what to accept. Here its two
networks run directly on a square crop: the region can be kept steady, the picture's size costs
little, and the network's presence score is available. The same crop gives the same points as
`face_mesh`, at about the same cost.

Attention Mesh: Grishchenko et al., arXiv 2006.10962.
BlazeFace: Bazarevsky et al., arXiv 1907.05047.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from retarget.face.mediapipe_core import import_light
from retarget.face.region import Detection, Reading, Region
from retarget.flow import landmarks
from retarget.flow.arrays import Floats, Picture
from retarget.flow.quiet import quiet
from retarget.flow.shutdown import unbroken

MESH_PIXELS = 192
"""Side of the mesh network's input. MediaPipe's usual ImageToTensorCalculator, which would resample
it to the same pixels in a tenth of the network's time, is left out."""
DETECT_PIXELS = 256
"""Side of the detectors' input, which they scale to 128 or 192 themselves."""

_MESH = """
input_stream: "image" output_stream: "landmarks" output_stream: "presence"
executor { type: "ApplicationThreadExecutor" }
node { calculator: "TensorConverterCalculator"
  input_stream: "IMAGE:image" output_stream: "TENSORS:input"
  options { [mediapipe.TensorConverterCalculatorOptions.ext] {
    output_tensor_float_range { min: 0.0 max: 1.0 } } } }
node { calculator: "TfLiteCustomOpResolverCalculator" output_side_packet: "OP_RESOLVER:ops" }
node { calculator: "InferenceCalculator" input_side_packet: "OP_RESOLVER:ops"
  input_stream: "TENSORS:input" output_stream: "TENSORS:tensors"
  options { [mediapipe.InferenceCalculatorOptions.ext] {
    model_path: "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite"
    delegate { xnnpack { num_threads: 1 } } } } }
node { calculator: "SplitTensorVectorCalculator"
  input_stream: "tensors" output_stream: "mesh" output_stream: "flag"
  options { [mediapipe.SplitVectorCalculatorOptions.ext] {
    ranges { begin: 0 end: 6 } ranges { begin: 6 end: 7 } } } }
node { calculator: "TensorsToFloatsCalculator"
  input_stream: "TENSORS:flag" output_stream: "FLOAT:presence"
  options { [mediapipe.TensorsToFloatsCalculatorOptions.ext] { activation: SIGMOID } } }
node { calculator: "TensorsToFaceLandmarksWithAttention"
  input_stream: "TENSORS:mesh" output_stream: "LANDMARKS:landmarks" }
"""

_DETECT = """
input_stream: "image" output_stream: "detections"
executor {{ type: "ApplicationThreadExecutor" }}
node {{ calculator: "{kind}" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections"
  options {{ [mediapipe.FaceDetectionOptions.ext] {{ min_score_thresh: 0.3 }} }} }}
"""
_LOOK_SCALE, _LOOK_TURN = 0.1, 0.08
"""Relative scale and rotation (radians) between the looks. The network's error depends on the pixel
grid, so the errors of two looks are partly independent. Two looks reduced the jitter of head-fixed
points by 29 % and their distance from the mean of twelve looks by 25 % (five clips); a steadier
crop alone did neither."""
_OPTIONS = (
    "calculators.tensor.tensor_converter_calculator_pb2",
    "calculators.tensor.inference_calculator_pb2",
    "calculators.tensor.tensors_to_floats_calculator_pb2",
    "calculators.core.split_vector_calculator_pb2",
    "framework.formats.landmark_pb2",
    "framework.formats.detection_pb2",
    "modules.face_detection.face_detection_pb2",
)


class _Graph:
    """One MediaPipe graph, run on the calling thread, a picture at a time."""

    @unbroken()
    def __init__(self, text: str, outputs: tuple[str, ...]) -> None:
        package = import_light()
        for name in _OPTIONS:  # register the options in the graph's text
            import_module(f"mediapipe.{name}")
        from google.protobuf import text_format
        from mediapipe.framework import calculator_pb2
        from mediapipe.python import packet_creator, packet_getter
        from mediapipe.python._framework_bindings import (
            calculator_graph,
            image_frame,
            resource_util,
            timestamp,
        )

        resource_util.set_resource_dir(str(Path(str(package.__file__)).parents[1]))
        self._stamp, self._rgb = timestamp.Timestamp, image_frame.ImageFormat.SRGB
        self._packet, self.get = packet_creator.create_image_frame, packet_getter
        config = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
        self._graph = calculator_graph.CalculatorGraph(graph_config=config)
        self._out: dict[str, Any] = {}
        for name in outputs:
            self._graph.observe_output_stream(name, self._out.__setitem__)
        self._graph.start_run({})
        self._time = 0
        self.whole = True
        """Whether its last run ended: after an error or Ctrl-C a picture may still be in it."""

    @unbroken()
    def run(self, picture: Picture) -> dict[str, Any]:
        """The graph's packets for one picture, by stream."""
        self.whole = False
        self._out.clear()
        self._time += 1
        packet = self._packet(image_format=self._rgb, data=np.ascontiguousarray(picture))
        self._graph.add_packet_to_input_stream("image", packet.at(self._stamp(self._time)))
        self._graph.wait_until_idle()
        self.whole = True
        return self._out

    @unbroken()
    def close(self) -> None:
        self._graph.close_all_packet_sources()
        self._graph.wait_until_done()


_left: list[tuple[_Graph, _Graph, _Graph]] = []
_MOST_LEFT = 2
"""Graphs of closed models kept for reuse: starting them takes as long as reading ten faces."""


def _started() -> tuple[_Graph, _Graph, _Graph]:
    """The mesh, and the detectors of near faces and of far ones."""
    with quiet():
        graphs = (
            _Graph(_MESH, ("landmarks", "presence")),
            _Graph(_DETECT.format(kind="FaceDetectionShortRangeCpu"), ("detections",)),
            _Graph(_DETECT.format(kind="FaceDetectionFullRangeCpu"), ("detections",)),
        )
        blank = np.zeros((MESH_PIXELS, MESH_PIXELS, 3), np.uint8)
        for graph in graphs:
            graph.run(blank)  # they log at their first picture
    return graphs


class MeshModel:
    """Detectors and mesh of mediapipe 0.10.21, run on regions of a frame.

    Args:
        looks: how many slightly different crops each mesh is averaged over, 1 or more.
    """

    def __init__(self, *, looks: int) -> None:
        self.looks = looks
        try:
            self._graphs = _left.pop()
        except IndexError:
            self._graphs = _started()
        self._mesh, self._near, self._far = self._graphs

    def detect(
        self, rgb: Picture, view: Region, *, near: bool = True, far: bool = True
    ) -> list[Detection]:
        """Faces in a square of the frame, by the detectors for large and for small ones."""
        crop = view.cut(rgb, DETECT_PIXELS, black=True)
        out = []
        for graph in [self._near] * near + [self._far] * far:
            packet = graph.run(crop).get("detections")
            found = [] if packet is None else graph.get.get_proto_list(packet)
            out += [_detection(raw, view) for raw in found]
        return out

    def read(self, rgb: Picture, region: Region) -> Reading:
        """The mesh in a region, averaged over the looks."""
        spread = np.linspace(-1, 1, self.looks) if self.looks > 1 else [0.0]
        several = [
            self._look(rgb, region.scaled(1 + _LOOK_SCALE * s, _LOOK_TURN * s)) for s in spread
        ]
        points = np.mean([points for points, _ in several], axis=0, dtype=np.float32)
        return Reading(points=points, presence=min(presence for _, presence in several))

    def _look(self, rgb: Picture, region: Region) -> tuple[Floats, float]:
        out = self._mesh.run(region.cut(rgb, MESH_PIXELS))
        get = self._mesh.get
        flat = _unpack(get.get_proto(out["landmarks"]).SerializeToString())
        return region.placed(flat), float(get.get_float(out["presence"]))

    def close(self) -> None:
        """Keep the graphs, which have no state, for the next model."""
        if len(_left) < _MOST_LEFT and all(graph.whole for graph in self._graphs):
            _left.append(self._graphs)
            return
        for graph in self._graphs:
            graph.close()


def _unpack(message: bytes) -> Floats:
    """(478, 3) of a serialized NormalizedLandmarkList, six times faster than by attributes.

    Each landmark is a tag and a length, then for x, y and z a tag and a 32-bit float.
    """
    rows = np.frombuffer(message, np.uint8).reshape(landmarks.COUNT, 17)
    floats = rows[:, [3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16]]
    return np.ascontiguousarray(floats).view(np.float32)


def _detection(raw: Any, view: Region) -> Detection:
    where = raw.location_data
    box = where.relative_bounding_box
    eyes = [(k.x, k.y) for k in where.relative_keypoints[:2]]
    place = (box.xmin, box.ymin, box.width, box.height)
    return Detection.seen(view, place, eyes, float(raw.score[0]))
