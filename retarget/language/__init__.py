"""Say an expression in words.

in:   text ("0.6*joy + 0.4*surprise", "AU1+AU2+AU5B+AU26", "neutral 0.5s > fear:0.2 ...")
out:  Said: weights, action units and head; or a Timeline of them
start reading at say.py, then timeline.py
"""
