"""The corridor: the values that pass between rooms, and how they pass.

start reading at values.py, then lanes.py
"""
