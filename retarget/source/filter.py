"""FFmpeg filters that turn one picture into one picture."""

from __future__ import annotations

from fractions import Fraction

from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame as Decoded

_TIME_BASE = Fraction(1, 1000)  # required, but not used


class PictureFilter:
    """A chain of stateless filters, each of one picture to one picture.

    Args:
        chain: each filter's name as FFmpeg calls it, and its options as FFmpeg writes them,
            "file=a.cube:interp=tetrahedral".
    """

    def __init__(self, *chain: tuple[str, str]) -> None:
        self._chain = chain
        self._graph: Graph | None = None
        self._kind: tuple[int, int, str] | None = None

    def __call__(self, frame: Decoded) -> Decoded:
        """Filter one picture."""
        kind = (frame.width, frame.height, frame.format.name)
        if self._graph is None or kind != self._kind:
            self._graph, self._kind = self._made(*kind), kind
        self._graph.push(frame)
        return self._graph.pull()  # type: ignore[return-value]

    def _made(self, width: int, height: int, pixels: str) -> Graph:
        graph = Graph()
        graph.link_nodes(
            graph.add_buffer(
                width=width, height=height, format=VideoFormat(pixels), time_base=_TIME_BASE
            ),
            *(graph.add(name, options) for name, options in self._chain),
            graph.add("buffersink"),
        ).configure()
        return graph
