"""Model files: their catalogue, where they are found, and their verification.

in:   a name from catalog.py
out:  a verified path
start reading at store.py
"""
