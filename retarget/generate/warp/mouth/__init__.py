"""Draw what lies between the lips: the photo's own, the driving mouth's, or a drawn one.

in:   the photo, the opening in the photo and now, and the driving frame where there is one
out:  the mouth's pixels in the warped crop
start reading at mouth.py
"""
