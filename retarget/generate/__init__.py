"""Draw it.

in:   FaceRequest
out:  GeneratedFace
start reading at generator.py
"""
