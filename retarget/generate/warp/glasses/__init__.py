"""Keep glasses rigid in front of a face that moves.

in:   the photo
out:  the rims found in it, and their pixels in the warped crop
start reading at glasses.py
"""
