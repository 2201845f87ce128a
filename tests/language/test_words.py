"""The shipped vocabulary: complete, distinct, and near in face where near in meaning."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from retarget.errors import RetargetError, UnreadableInput
from retarget.expression.measure import lip_gap
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.values import HeadPose
from retarget.language.say import say
from retarget.language.words import read_words, shipped_words

SHAVER = {"love": 16, "joy": 33, "surprise": 3, "anger": 29, "sadness": 37, "fear": 17}
"""Words of each basic emotion among the 135 labels."""

NEAR = [
    ("joy", "happiness"), ("fear", "fright"), ("rage", "fury"), ("terror", "panic"),
    ("sadness", "sorrow"), ("love", "affection"), ("anxiety", "apprehension"),
    ("agony", "torment"), ("elation", "exhilaration"), ("dejection", "remorse"),
    ("envy", "jealousy"), ("bliss", "pleasure"), ("surprise", "amazement"),
    ("hate", "loathing"), ("loneliness", "isolation"), ("desire", "lust"),
]  # fmt: skip
FAR = [
    ("joy", "sadness"), ("love", "hate"), ("hope", "despair"), ("pride", "shame"),
    ("triumph", "defeat"), ("relief", "panic"), ("contentment", "frustration"),
    ("adoration", "loathing"), ("excitement", "depression"), ("elation", "dejection"),
    ("pleasure", "agony"), ("cheerfulness", "gloom"), ("happiness", "misery"),
    ("fondness", "hostility"), ("optimism", "hopelessness"), ("bliss", "torment"),
]  # fmt: skip


@pytest.fixture(scope="module")
def faces() -> dict[str, npt.NDArray[np.float64]]:
    """Of the words of the rating study."""
    return {n: face(n) for n, w in shipped_words().labels.items() if w.head in SHAVER}


def face(name: str) -> npt.NDArray[np.float64]:
    return say(name).expression.weights.astype(np.float64)


def distance(faces: dict[str, npt.NDArray[np.float64]], one: str, two: str) -> float:
    return float(np.linalg.norm(faces[one] - faces[two]))


def all_distances(faces: dict[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    table = np.stack(list(faces.values()))
    return np.linalg.norm(table[:, None] - table[None], axis=-1)


def test_there_are_135_labels_in_the_clusters_of_the_rating_study() -> None:
    labels = shipped_words().labels.values()
    assert {head: sum(w.head == head for w in labels) for head in SHAVER} == SHAVER
    assert sum(SHAVER.values()) == 135
    assert len({(w.head, w.group) for w in labels if w.head in SHAVER}) == 25


def test_every_label_but_calm_moves_the_face() -> None:
    moved = {name: np.linalg.norm(face(name)) for name in shipped_words().labels}
    assert moved.pop("calm") == 0
    assert min(moved.values()) > 0.4


def test_no_two_labels_are_the_same_expression_save_other_names_of_one() -> None:
    labels = shipped_words().labels
    faces = {name: face(name) for name, word in labels.items() if word.text not in labels}
    assert len(faces) > 160
    between = all_distances(faces) + 10 * np.eye(len(faces))
    assert between.min() > 0.3


def test_no_two_labels_of_the_study_move_a_face_nearly_alike(
    faces: dict[str, npt.NDArray[np.float64]],
) -> None:
    """Two weights may differ and move the same points; a turned head tells words apart, too."""
    told = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith(("eyeLook", "eyeBlink"))]
    moved = np.array([face_model().said(w).ravel() for w in faces.values()], np.float64)
    lids = np.array([w[told] for w in faces.values()]) / 2
    heads = np.array([say(name).head for name in faces]) / 20
    size = np.sqrt(np.linalg.norm(moved, axis=1))[:, None]
    apart = np.linalg.norm(moved[:, None] - moved[None], axis=-1) / (size * size.T)
    apart = np.sqrt(apart**2 + all_distances(dict(zip(faces, lids, strict=True))) ** 2
                    + all_distances(dict(zip(faces, heads, strict=True))) ** 2)  # fmt: skip
    assert (apart + 10 * np.eye(len(faces))).min() > 0.18


def test_pulled_down_lip_corners_go_outward_too_and_do_not_look_pursed() -> None:
    corner = face_model().said(face("AU15"))[291]
    assert corner[1] > 0.05
    assert corner[0] > 0.5 * corner[1]


@pytest.mark.parametrize(
    ("asked", "moved"),
    [
        ("smile", "mouthSmileRight"), ("wink", "eyeBlinkLeft"), ("kiss", "mouthPucker"),
        ("frown", "browDownLeft"), ("yawn", "jawOpen"), ("tongue", "tongueOut"),
        ("eyes_closed", "eyeBlinkRight"), ("right_wink", "eyeBlinkRight"),
        ("eyebrows_raised", "browOuterUpLeft"),
    ],
)  # fmt: skip
def test_what_a_face_does_is_called_by_its_everyday_name(asked: str, moved: str) -> None:
    assert face(asked)[blendshapes.index(moved)] > 0.7


@pytest.mark.parametrize(
    ("adjective", "noun"), [("happy", "happiness"), ("scared", "fright"), ("angry", "anger")]
)
def test_a_mood_may_be_said_as_an_adjective(adjective: str, noun: str) -> None:
    np.testing.assert_array_equal(face(adjective), face(noun))


def test_words_of_one_emotion_are_nearer_than_words_of_different_ones(
    faces: dict[str, npt.NDArray[np.float64]],
) -> None:
    heads = np.array([shipped_words().labels[name].head for name in faces])
    between, same = all_distances(faces), heads[:, None] == heads[None]
    others = ~np.eye(len(heads), dtype=bool)
    assert between[same & others].mean() < 0.75 * between[~same].mean()
    nearest = np.where(others, between, np.inf).argmin(1)
    assert (heads[nearest] == heads).mean() > 0.75


def test_every_pair_of_close_words_is_nearer_than_every_pair_of_opposites(
    faces: dict[str, npt.NDArray[np.float64]],
) -> None:
    assert max(distance(faces, *pair) for pair in NEAR) < min(distance(faces, *p) for p in FAR)


@pytest.mark.parametrize(
    ("label", "units"),
    [
        ("happiness", {6, 12}),
        ("sadness", {1, 4, 15}),
        ("surprise", {1, 2, 5, 26}),
        ("fear", {1, 2, 4, 5, 7, 20, 26}),
        ("anger", {4, 5, 7, 23}),
        ("disgust", {9, 15, 16}),
    ],
)
def test_a_basic_emotion_holds_its_emfacs_units(label: str, units: set[int]) -> None:
    assert {f"AU{n}" for n in units} <= set(say(label).units)


def test_contempt_is_one_sided() -> None:
    assert set(say("contempt").units) == {"AU12R", "AU14R"}


@pytest.mark.parametrize("word", ["contempt", "smirk"])
def test_what_one_side_shows_has_a_word_for_the_other(word: str) -> None:
    mirror = [blendshapes.INDEX[blendshapes.mirrored(name)] for name in blendshapes.NAMES]
    np.testing.assert_array_equal(face(f"left_{word}")[mirror], face(word))


def test_every_action_unit_moves_something_and_names_its_source() -> None:
    for unit in shipped_words().units.values():
        side = "L" if unit.needs_side else ""
        assert unit.weights(side).any() or any(unit.head), unit.name
        assert unit.source


def test_the_two_sides_of_a_unit_mirror_each_other() -> None:
    mirror = [blendshapes.INDEX[blendshapes.mirrored(name)] for name in blendshapes.NAMES]
    for unit in shipped_words().units.values():
        np.testing.assert_array_equal(unit.left[mirror], unit.right, unit.name)


def test_the_two_halves_of_a_unit_are_the_whole_and_each_is_half_of_it() -> None:
    for unit in shipped_words().units.values():
        if unit.has_sides and not unit.needs_side:
            left, right, both = (unit.weights(side) for side in ("L", "R", ""))
            np.testing.assert_allclose(left + right, both, atol=1e-6, err_msg=unit.name)
            assert left.sum() == pytest.approx(both.sum() / 2), unit.name


@pytest.mark.parametrize(
    ("unit", "axis", "sign"),
    [("AU51", 0, 1), ("AU52", 0, -1), ("AU53", 1, -1), ("AU54", 1, 1)],
)
def test_a_head_unit_turns_the_nose_the_way_it_is_called(unit: str, axis: int, sign: int) -> None:
    """The person's left is on the right of the picture."""
    ahead = np.array([0.0, 0.0, -1.0])
    assert sign * (HeadPose.rotation_of(*say(unit).head) @ ahead)[axis] > 0.1


@pytest.mark.parametrize(("unit", "sign"), [("AU55", 1), ("AU56", -1)])
def test_a_tilted_head_leans_to_the_side_it_is_called_after(unit: str, sign: int) -> None:
    crown = np.array([0.0, -1.0, 0.0])
    assert sign * (HeadPose.rotation_of(*say(unit).head) @ crown)[0] > 0.1


def test_words_of_ones_own_add_to_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[groups.mine]\nleer = "R12C + contempt:0.3"\n')
    words = shipped_words().with_file(tmp_path / "mine.toml")
    assert say("leer", words).expression.weights[blendshapes.INDEX["mouthSmileRight"]] > 0.5
    assert len(words.labels) == len(shipped_words().labels) + 1


def test_words_that_name_one_another_twice_are_understood_at_once(tmp_path: Path) -> None:
    """Read naively, forty such words are said a million million times."""
    lines = [f'w{i} = "0.5*w{i - 1} + 0.5*w{i - 1}"' for i in range(1, 41)]
    (tmp_path / "mine.toml").write_text("\n".join(["[groups.g]", 'w0 = "joy"', *lines]))
    words = shipped_words().with_file(tmp_path / "mine.toml")
    np.testing.assert_allclose(say("w40", words).weights, say("joy").weights, atol=1e-5)


def test_a_chain_of_words_without_an_end_in_sight_is_refused(tmp_path: Path) -> None:
    lines = [f'w{i} = "w{i - 1}"' for i in range(1, 2000)]
    (tmp_path / "mine.toml").write_text("\n".join(["[groups.g]", 'w0 = "joy"', *lines]))
    words = shipped_words().with_file(tmp_path / "mine.toml")
    with pytest.raises(RetargetError, match="definitions in a row"):
        say("w1999", words)


def test_a_word_that_is_defined_by_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[groups.g]\nchicken = "egg"\negg = "0.5*chicken"\n')
    words = shipped_words().with_file(tmp_path / "mine.toml")
    with pytest.raises(RetargetError, match=r"mine\.toml, line 3: .*chicken → egg → chicken"):
        say("chicken", words)


@pytest.mark.parametrize(
    ("text", "line", "about"),
    [
        ("[groups.g]\nok = 'joy'\nbad = 3\n", 3, "not a text"),
        ("[groups.g]\n'two words' = 'joy'\n", 2, "cannot be a word"),
        ("[groups.g]\nneutral = 'joy'\n", 2, "cannot be a word"),
        ("[groups.g]\nau12 = 'joy'\n", 2, "cannot be a word"),
        ("[groups.g]\n_x = 'joy'\n", 2, "cannot be a word"),
        ("head = 'x'\ngroups = 3\n", 2, "group of words"),
        ("[groups]\nsmirk = 'joy'\n", 2, "group of words"),
        ("mine = 'joy'\n", 1, r"\[groups\.own\]"),
        ("head = 'x'\n[group.g]\nsmirk = 'joy'\n", 2, "groups"),
    ],
)
def test_a_wrong_word_file_names_the_line(tmp_path: Path, text: str, line: int, about: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UnreadableInput, match=rf"mine\.toml, line {line}: .*{about}"):
        shipped_words().with_file(path)


def test_a_mistake_within_a_definition_names_its_word_and_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[groups.g]\nbad = "AU99"\nworse = "0.5*bad"\n')
    words = shipped_words().with_file(tmp_path / "mine.toml")
    with pytest.raises(RetargetError, match=r"mine\.toml, line 2: The word 'bad': .*AU99"):
        say("0.3*worse", words)


def test_a_word_may_begin_with_any_letter(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[groups.g]\n"übel" = "AU9"\n', "utf-8")
    words = shipped_words().with_file(tmp_path / "mine.toml")
    assert say("0.5*übel + joy", words).units["AU9"] == 0.5


def test_an_action_unit_with_an_unknown_shape_names_the_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "action_units.toml").write_text(
        "[intensity]\nA=0.1\nB=0.2\nC=0.5\nD=0.8\nE=1\n"
        '[units.1]\nname="x"\nsource="y"\nboth={ browInerUp = 1.0 }\n'
    )
    with pytest.raises(RetargetError, match=r"action_units\.toml, line 10: .*browInnerUp"):
        read_words(tmp_path)


def parted(expression: str) -> float:
    """How much farther than at rest the lips of the average face stand apart, in head units."""
    model = face_model()
    moved = model.neutral + model.said(say(expression).expression.weights)
    return lip_gap(moved) - lip_gap(model.neutral)


CLOSED, OPEN = 0.01, 0.012
"""Head units below which lips that touched at rest still do, and from which on a gap is seen."""
TRACE = shipped_words().intensity["A"]
BARING = {"AU9", "AU10", "AU16", "AU19", "AU22"}


@pytest.mark.parametrize("unit", ["12E", "14E", "R14E", "15E", "17E", "23E", "24E", "29E", "L30E"])
def test_a_unit_that_leaves_the_lips_closed_shows_them_closed(unit: str) -> None:
    assert parted(unit) < CLOSED


@pytest.mark.parametrize("name", sorted(shipped_words().labels))
def test_a_word_parts_the_lips_where_its_units_do(name: str) -> None:
    """Parted by 25, 26 and 27, save a trace; 9, 10, 16, 19 and 22 may bare what lies between."""
    units = say(name).units
    by = max(units.get(unit, 0.0) for unit in ("AU25", "AU26", "AU27"))
    if by > TRACE:
        assert parted(name) > OPEN
    elif not by and not {unit.rstrip("LR") for unit in units} & BARING:
        assert parted(name) < CLOSED
