"""Rooms joined for one product.

in:   what a person asked for
out:  the finished file
start reading at video.py
"""
