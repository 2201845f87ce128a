"""Metadata that says that a picture is synthetic, and what made it.

It uses IPTC's digital source types
(https://cv.iptc.org/newscodes/digitalsourcetype/), which newsrooms and platforms read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retarget import __version__

COMPOSITE = "compositeSynthetic"
"""A real picture in which a part was made by a program without a trained generator."""
COMPOSITE_TRAINED = "compositeWithTrainedAlgorithmicMedia"
"""A real picture in which a part was made by a trained generator."""
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def source_type(*, trained: bool) -> str:
    """IPTC's term for a real picture with a part drawn by a generator, trained or not."""
    return COMPOSITE_TRAINED if trained else COMPOSITE


@dataclass(frozen=True, slots=True)
class Mark:
    """The metadata of a file."""

    source_type: str = COMPOSITE
    """IPTC's word."""

    @property
    def software(self) -> str:
        """The program and its version."""
        return f"retarget {__version__}"

    @property
    def sentence(self) -> str:
        """For people, and for tags that hold free text."""
        return (
            f"Synthetic picture, made by {self.software}. "
            f"Digital source type: {_SOURCE_TYPES}{self.source_type}"
        )

    @property
    def xmp(self) -> str:
        """The XMP packet that photo software reads."""
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" '
            'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
            'xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
            f'xmp:CreatorTool="{self.software}" '
            f'Iptc4xmpExt:DigitalSourceType="{_SOURCE_TYPES}{self.source_type}"/>'
            '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        )

    def for_pillow(self, kind: str) -> dict[str, Any]:
        """Pillow's arguments to save a picture with the metadata.

        Args:
            kind: PNG, JPEG, WEBP or PDF, as Pillow names them.
        """
        if kind == "PNG":
            from PIL.PngImagePlugin import PngInfo

            text = PngInfo()
            text.add_text("Software", self.software)
            text.add_text("Comment", self.sentence)
            text.add_itxt("XML:com.adobe.xmp", self.xmp)
            return {"pnginfo": text}
        if kind == "PDF":
            return {"creator": self.software, "subject": self.sentence}
        xmp = {"xmp": self.xmp.encode()}
        return xmp if kind == "WEBP" else {"comment": self.sentence.encode(), **xmp}
