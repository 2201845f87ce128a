"""Draw by moving the photo's own pixels; no network, no download.

in:   FaceRequest
out:  GeneratedFace
start reading at warp.py, then portrait.py: points → displace → flow → pixels, eyes, mouth
"""
