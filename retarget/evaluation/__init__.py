"""How good is it.

in:   a result, its driving video, its identity
out:  measures, findings, a page
start reading at evaluate.py
"""
