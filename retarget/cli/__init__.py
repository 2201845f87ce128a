"""The command line: one command per job.

in:   the words after `retarget`
out:  an exit code
start reading at main.py
"""
