"""What a face is doing.

in:   TrackedFrame
out:  ExpressedFrame; its expression is None while the face is away
start reading at fit.py
"""
