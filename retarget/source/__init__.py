"""Where pictures come from.

in:   a path, a folder, a URL
out:  VideoFrame, and the sound packets of the same file
start reading at open.py
"""
