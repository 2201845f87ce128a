"""Put it back.

in:   GeneratedFace
out:  FinishedFrame
start reading at paste.py
"""
