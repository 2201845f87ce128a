"""What the identity should do.

in:   ExpressedFrame and an Identity
out:  FaceRequest
start reading at transfer.py
"""
