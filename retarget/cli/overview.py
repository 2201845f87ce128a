"""What `retarget --help` says: examples first.

Written out instead of asked of the parser, so that it answers at once; a test holds every option
named here against the parser.
"""

from __future__ import annotations

from retarget import __version__
from retarget.cli.commands import COMMANDS, VIDEO

_EXAMPLES = """\
  retarget drive.mp4 --identity face.jpg
      The person of the photo does what the driving face does, with the sound.
  retarget drive.mp4 --identity face.jpg -o out.mp4 --preview --report run.json
      Say where to; also write driving | identity | result, and what happened.
  retarget drive.mp4 --identity face.jpg --motion full --gain.mouth 1.2 --lost hold
      The head follows too, a livelier mouth, and the last expression where the face is away.
  retarget drive.mp4 --identity face.jpg --start 12.5 --end 20 --neutral 3.2s
      A piece of the driving video; the driving face is at rest at 3.2 s.
  retarget drive.mp4 --identity face.jpg -o out.gif
      The name decides: .mp4 .mov .mkv .webm .gif, or frames/ for numbered pictures.
  retarget fit drive.mp4 && retarget drive.npz --identity face.jpg
      Save the performance once, use it often; .csv is Live Link Face's layout.
  retarget still --identity face.jpg --expression "0.7*amusement" -o smile.png
  retarget micro --identity face.jpg --expression contempt -o clip.mp4"""


def overview() -> str:
    """The page, ready to print."""
    width = max(len(name) for name in COMMANDS)
    commands = "\n".join(f"  {name:<{width}}  {c.does}" for name, c in COMMANDS.items())
    return (
        f"retarget {__version__}: make the person in one photo perform what a video performs.\n\n"
        f"{_EXAMPLES}\n\ncommands\n{commands}\n\n"
        f"Every option of a command: retarget COMMAND --help (retarget {VIDEO} --help for the "
        "first examples).\n"
    )
