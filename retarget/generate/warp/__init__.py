"""Draw by moving the photo's own pixels; no network, no download.

in:   FaceRequest
out:  GeneratedFace
start reading at warp.py, then portrait.py, which joins

    shape/     where the points go       mesh.py, flow.py: from points to a displacement field
    render.py  the pixels there          backdrop.py: what a moving person uncovers
    skin/      folds                     rims.py: the openings of eyes and mouth
    eyes/      eyeballs, lids, lashes    palette.py, tones.py, eye_white.py: a photo's colours
    mouth/     teeth, tongue, lips       paint.py: what all painters use
    glasses/   rigid before the face
"""
