"""Decide where a photo's points go: without folds, and brows, lips and lids keep their form.

in:   the photo's mesh points, and those that are requested
out:  moved mesh points
start reading at displace.py
"""
