"""How the shipped data is made.

in:   driving clips
out:  retarget/data
start reading at face_model.py
"""
