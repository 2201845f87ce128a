"""The 478 points of MediaPipe's face mesh with irises, by name.

Left and right are the person's own, so the left eye lies on the right of an unmirrored picture.
"""

from __future__ import annotations

COUNT = 478
MESH_COUNT = 468
"""Points without the two irises."""

RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER = 33, 133, 362, 263
EYE_OUTER_CORNERS = (RIGHT_EYE_OUTER, LEFT_EYE_OUTER)
"""Their distance is the unit of the head frame ("IOD" in figures)."""

RIGHT_IRIS, LEFT_IRIS = (468, 469, 470, 471, 472), (473, 474, 475, 476, 477)
"""The centre first, then four points of the rim: image right, up, left, down."""

RIGHT_EYE_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_EYE_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_EYE_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_EYE_LOWER = (263, 249, 390, 373, 374, 380, 381, 382, 362)
"""Lid rims from the outer to the inner corner, both corners included."""

EYE_RIMS = ((LEFT_EYE_UPPER, LEFT_EYE_LOWER), (RIGHT_EYE_UPPER, RIGHT_EYE_LOWER))
"""Upper and lower lid of the left and the right eye."""

RIGHT_EYE_FOLD = (33, 247, 30, 29, 27, 28, 56, 190, 133)
LEFT_EYE_FOLD = (263, 467, 260, 259, 257, 258, 286, 414, 362)
"""The row of points above each upper lid, from the outer to the inner corner, both included."""

RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
"""The upper row from the outer end to the inner one, then the lower row back."""

LIPS_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIPS_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIPS_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIPS_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Lip rims from the person's right corner to the left one, corners included."""

UPPER_LIP_ROWS = (
    LIPS_OUTER_UPPER,
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    LIPS_INNER_UPPER,
)
LOWER_LIP_ROWS = (
    LIPS_OUTER_LOWER,
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    LIPS_INNER_LOWER,
)
"""Both rims of each lip and the two rows between, from the outer rim inwards."""
BELOW_LIP_ROWS = ((106, 182, 83, 18, 313, 406, 335), (204, 194, 201, 200, 421, 418, 424))
"""Rows of skin below the lower lip, downwards, without those beside it."""
CHIN_ROWS = ((208, 199, 428), (171, 175, 396), (148, 152, 377))
"""The rows below these, to the edge of the chin."""

MOUTH_CORNERS = (61, 291)
CHIN, NOSE_TIP, NOSE_BRIDGE, FOREHEAD = 152, 1, 168, 10

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The outline of the face, clockwise in the picture from the top of the forehead."""
SKULL_OVAL = FACE_OVAL[:9] + FACE_OVAL[-8:]
"""The part of the outline from ear to ear over the forehead. It lies on bone, which no expression
moves: movement there is pose or the tracker's error."""
SKULL_SHARE = 0.15
"""The share of an expression's movement that these points keep."""
