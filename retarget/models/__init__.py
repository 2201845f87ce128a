"""Model files: what they are, where they lie, whether they are the right ones.

in:   a name from catalog.py
out:  a verified path
start reading at store.py
"""
