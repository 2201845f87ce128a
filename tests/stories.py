"""A storyboard of two panels."""

STORY = """\
title = "A visit"
size = [240, 180]

[characters.eileen]
photo = "eileen.png"

[[panel]]
who = "eileen"
expression = "0.6*joy"
caption = "She smiled."

[[panel]]
who = "eileen"
expression = "surprise"
framing = "close-up"
background = "#406080"
"""
