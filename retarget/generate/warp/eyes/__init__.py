"""Draw eyes: a turning eyeball behind lids that close over it.

in:   the photo, and the openings of its eyes in the photo and now
out:  the eyes' pixels in the warped crop
start reading at eyes.py, then lids.py
"""
