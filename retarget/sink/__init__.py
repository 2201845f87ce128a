"""Where pictures go.

in:   FinishedFrame
out:  a video, an animation or numbered pictures
start reading at open.py
"""
