"""Draw how skin folds under an expression, and smooth the photo's own folds where they go.

in:   the photo, and the weights requested
out:  factors on the warped crop's pixels
start reading at creases.py
"""
