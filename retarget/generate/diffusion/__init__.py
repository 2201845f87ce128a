"""Draw it with Arc2Face, the ExpressionAdapter and the ReferenceAdapter.

in:   FaceRequest
out:  GeneratedFace
start reading at generator.py
"""
