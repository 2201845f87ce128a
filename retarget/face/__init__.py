"""Where the face is.

in:   VideoFrame
out:  TrackedFrame; its face is None while the face is away
start reading at track.py
"""
