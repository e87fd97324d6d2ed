"""Pictures put together from icons: what is read, found, recoloured and placed, and that an SVG stays a drawing."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput, OptionError, SilentInput
from transpose.media import icon_layout
from transpose.media.icon_colour import COLOURS, apart, basic, dominant, recolour, shade, to_hex, to_lch
from transpose.media.icon_drawing import SPACE, outer, parse, piece, prefixed, render
from transpose.media.icon_places import GROUNDS, SKIES, background
from transpose.media.icon_wish import read_wish, singular
from transpose.media.text import Text
from transpose.transforms.compose_icon import compose_icon, write_composed

NAMES = {"ice skating", "fish and chips", "rolling pin"}
APPLE = '<path fill="#e03020" d="M8 8h48v48h-48z"/><path fill="#3a9a40" d="M40 0h20v8h-20z"/>'
SQUARE = (0.0, 0.0, 64.0, 64.0)


def wish(text: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return read_wish(text, NAMES.__contains__)


def told(text: str) -> list[tuple[int, str, str]]:
    return [
        (thing.count, thing.colour.name if thing.colour else "", " ".join(thing.words)) for thing in wish(text).things
    ]


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("a red apple", [(1, "red", "apple")]),
        ("two red apples and 3 dogs", [(2, "red", "apples"), (3, "", "dogs")]),
        ("an orange", [(1, "", "orange")]),
        ("An orange CAT!", [(1, "orange", "cat")]),
        ("a light blue car", [(1, "light blue", "car")]),
        ("a cup of coffee", [(1, "", "cup of coffee")]),
        ("a picture of a cute fox", [(1, "", "fox")]),
        ("fish and chips and a cat", [(1, "", "fish and chips"), (1, "", "cat")]),
        ("", []),
    ],
)
def test_things_are_read(text: str, things: list[tuple[int, str, str]]) -> None:
    assert told(text) == things


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("a cat and a dog", "beside"),
        ("a cat to the left of a dog", "left"),
        ("a bird above a house", "above"),
        ("a cat under a tree", "under"),
        ("a cat wearing a hat", "wearing"),
        ("a mouse behind a cheese", "behind"),
        ("a cat sitting on a chair", "on"),
    ],
)
def test_relations_are_read(text: str, relation: str) -> None:
    assert wish(text).relations == (relation,)


@pytest.mark.parametrize(
    ("text", "ground", "sky", "plain"),
    [
        ("a fox on a hill", "hill", "", ""),
        ("a fox on a hill at night", "hill", "night", ""),
        ("a star in the night sky", "", "night", ""),
        ("a fish in the sea", "sea", "", ""),
        ("a fish under the sea", "depth", "", ""),
        ("an apple on a blue background", "", "", "blue"),
        ("a pale yellow background with an apple", "", "", "pale yellow"),
        ("an apple on green", "", "", "green"),
        ("a rocket above the moon", "", "", ""),  # the moon is a thing
        ("a cat under a mountain bike", "", "", ""),  # so is the bike
    ],
)
def test_backgrounds_are_read(text: str, ground: str, sky: str, plain: str) -> None:
    found = wish(text)
    assert (found.ground, found.sky, found.plain.name if found.plain else "") == (ground, sky, plain)


def test_lost_words_are_kept() -> None:
    assert wish("a cat juggling two apples").ignored == ("juggling",)
    assert wish("a photo of a cat").ignored == ("photo",)
    assert "12 (drawn: 9)" in wish("12 cats").ignored
    assert wish("a cat").ignored == ()


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    found = wish(text)
    assert all(1 <= thing.count <= 9 and thing.words for thing in found.things)
    assert len(found.relations) == max(0, len(found.things) - 1)


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("apples", "apple"),
        ("butterflies", "butterfly"),
        ("foxes", "fox"),
        ("mice", "mouse"),
        ("bus", "bus"),
        ("fish", "fish"),
    ],
)
def test_singular(many: str, one: str) -> None:
    assert singular(many) == one


# -- colours -----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 0xFFFFFF))
def test_oklch_goes_there_and_back(value: int) -> None:
    code = f"#{value:06x}"
    again = to_hex(to_lch(code))
    assert max(abs(int(code[at : at + 2], 16) - int(again[at : at + 2], 16)) for at in (1, 3, 5)) <= 1


def test_hues_wrap() -> None:
    assert apart(350, 10) == 20
    assert apart(10, 350) == -20


@pytest.mark.parametrize(
    "name", ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey"]
)
def test_named_colours_are_what_they_are_called(name: str) -> None:
    assert basic(to_lch(shade(name).hex)) == name


@pytest.mark.parametrize("name", ["blue", "green", "pink", "brown", "black", "white", "grey", "yellow", "purple"])
def test_a_fruit_is_recoloured_and_its_leaf_is_not(name: str) -> None:
    root = parse(APPLE)
    main = dominant(render(outer([root], SQUARE), 64, 64))
    assert main is not None
    assert recolour(root, main, shade(name))
    fruit, leaf = (each.get("fill", "") for each in root)
    assert basic(to_lch(fruit)) == name
    assert leaf == "#3a9a40"


def test_a_right_colour_stays() -> None:
    root = parse(APPLE)
    main = dominant(render(outer([root], SQUARE), 64, 64))
    assert main is not None
    assert not recolour(root, main, shade("red"))
    assert root[0].get("fill") == "#e03020"


def test_every_colour_has_a_basic_name() -> None:
    assert {kind for _, kind in COLOURS.values()} >= {"red", "black", "white"}


# -- drawings ----------------------------------------------------------------------------------------------------------

CLIPPED = (
    '<defs><linearGradient id="a"><stop stop-color="#f00"/></linearGradient><path id="b" d="M0 0h64v64z"/></defs>'
    '<clipPath id="c"><use href="#b"/></clipPath><g clip-path="url(#c)"><path fill="url(#a)" d="M0 0h64v64h-64z"/></g>'
)


def references(root: ElementTree.Element) -> tuple[list[str], set[str]]:
    """Ids, and what is referred to."""
    ids = [each.get("id", "") for each in root.iter() if each.get("id")]
    links = {value[1:] for each in root.iter() for key, value in each.attrib.items() if key.endswith("href")}
    links |= {
        name for each in root.iter() for value in each.attrib.values() for name in re.findall(r"url\(#([^)]+)\)", value)
    }
    return ids, links


def test_ids_are_prefixed_and_still_refer() -> None:
    ids, links = references(prefixed(parse(CLIPPED), "x-"))
    assert ids == ["x-a", "x-b", "x-c"]
    assert links == {"x-a", "x-b", "x-c"}
    ids, _ = references(parse(CLIPPED))  # negative control
    assert ids == ["a", "b", "c"]


def test_prefixes_change_no_pixel() -> None:
    before = render(outer([parse(CLIPPED)], SQUARE), 64, 64)
    assert np.array_equal(render(outer([prefixed(parse(CLIPPED), "y-")], SQUARE), 64, 64), before)
    assert before[..., 3].any()


def test_a_mirrored_piece_is_measured_mirrored() -> None:
    left = piece('<path d="M0 0h16v64h-16z"/>', SQUARE, False, None).box
    right = piece('<path d="M0 0h16v64h-16z"/>', SQUARE, True, None).box
    assert left[0] < 1
    assert right[0] > 47


@pytest.mark.parametrize("ground", ["", *GROUNDS])
@pytest.mark.parametrize("sky", ["", *SKIES])
def test_every_place_can_be_drawn(ground: str, sky: str) -> None:
    behind, stand = background(ground, sky, "")
    elements = [parse(behind), *([parse(stand.front)] if stand and stand.front else [])]
    ids, links = references(ElementTree.fromstring(outer(elements, SQUARE)))
    assert len(set(ids)) == len(ids)
    assert links <= set(ids)
    assert render(outer(elements, (0, 0, 512, 512)), 64, 64)[..., 3].min() == 255


# -- places ------------------------------------------------------------------------------------------------------------

CAT, DOG, TREE = icon_layout.Group(1.0), icon_layout.Group(1.2), icon_layout.Group(0.8, size=1.7, tall=True)


@pytest.mark.parametrize(
    ("relation", "axis", "sign"), [("left", 0, -1), ("right", 0, 1), ("above", 1, -1), ("below", 1, 1)]
)
def test_relations_place(relation: str, axis: int, sign: int) -> None:
    one, other = sorted(icon_layout.lay_out([CAT, DOG], [relation]), key=lambda place: place.group)
    middles = [each.box[axis] + each.box[axis + 2] / 2 for each in (one, other)]
    assert (middles[0] - middles[1]) * sign > 0


def test_under_a_tree_is_before_its_trunk() -> None:
    places = icon_layout.lay_out([CAT, TREE], ["under"])
    assert [place.group for place in places] == [1, 0]  # the tree is drawn first
    boxes = {place.group: place.box for place in places}
    assert boxes[0][0] > boxes[1][0]
    assert boxes[0][0] + boxes[0][2] < boxes[1][0] + boxes[1][2] + 0.5


@pytest.mark.parametrize("count", range(1, 10))
def test_copies_do_not_overlap_and_fit(count: int) -> None:
    places = icon_layout.lay_out([icon_layout.Group(1.0, count)], [])
    assert len(places) == count
    fitted = icon_layout.fit(places, (0, 0, 100, 100), foot=False)
    left, top, width, height = icon_layout.extent(fitted)
    assert left >= -1e-6
    assert top >= -1e-6
    assert max(left + width, top + height) <= 100 + 1e-6
    for number, one in enumerate(fitted):
        for other in fitted[number + 1 :]:
            apart_across = abs(one.box[0] - other.box[0]) >= one.box[2] - 1e-6
            assert apart_across or abs(one.box[1] - other.box[1]) >= one.box[3] - 1e-6


# -- the whole, with the real icons ------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_red_apple_on_blue(models_ctx: Context) -> None:
    image = compose_icon(Text("a red apple on a blue background"), models_ctx, size=128)
    assert image.pixels.shape == (128, 128, 4)
    rim, middle = image.pixels[2, 2, :3].tolist(), image.pixels[80, 60, :3].tolist()
    assert basic(to_lch("#{:02x}{:02x}{:02x}".format(*rim))) == "blue"
    assert basic(to_lch("#{:02x}{:02x}{:02x}".format(*middle))) == "red"
    assert models_ctx.facts["icons"] == "red apple: Noto Emoji U+1F34E (Apache-2.0)"
    assert models_ctx.warnings == []


@pytest.mark.models
def test_the_judge_of_the_scores_can_fail(models_ctx: Context) -> None:
    from benchmarks.scores.compose_icon import judged

    assert judged(("a red apple on a blue background", (("1F34E", "red"),), "blue"), models_ctx) == (True, True, True)
    assert judged(("a red apple on a blue background", (("1F34E", "green"),), "blue"), models_ctx)[1] is False
    assert judged(("a red apple on a blue background", (("1F34E", "red"),), "pink"), models_ctx)[1] is False
    assert judged(("a red apple on a blue background", (("1F350", "red"),), "blue"), models_ctx)[0] is False
    assert judged(("two red apples", (("1F34E", "red"),), ""), models_ctx)[0] is False


@pytest.mark.models
def test_the_same_words_give_the_same_bytes(models_ctx: Context) -> None:
    one, other = (compose_icon(Text("two cats under a tree at night"), models_ctx, size=96) for _ in range(2))
    assert one == other
    assert one != compose_icon(Text("two dogs under a tree at night"), models_ctx, size=96)


@pytest.mark.models
def test_an_svg_stays_a_drawing(models_ctx: Context, tmp_path: Path) -> None:
    from transpose.formats.svg import read_svg

    words = "a green butterfly next to a red guitar & <two> cherries"
    models_ctx.history = '{"made": "by <us>"}'
    write_composed(Text(words), tmp_path / "a.svg", models_ctx, size=300)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.get("width") == "300"
    assert root.findtext(f"{{{SPACE}}}title") == words
    assert root.findtext(f"{{{SPACE}}}metadata") == '{"made": "by <us>"}'
    assert not list(root.iter(f"{{{SPACE}}}image"))
    ids, links = references(root)
    assert len(ids) == len(set(ids)) >= 5
    assert links <= set(ids)
    drawn = read_svg(tmp_path / "a.svg", Context(), side=300)
    made = compose_icon(Text(words), models_ctx, size=300)
    assert np.abs(drawn.pixels.astype(int) - made.pixels).mean() < 0.5


@pytest.mark.models
def test_what_is_not_drawn_is_said(models_ctx: Context) -> None:
    compose_icon(Text("a happy cat juggling apples"), models_ctx, size=64)
    assert models_ctx.warnings == ["not drawn: 'juggling', 'happy'"]


@pytest.mark.models
def test_a_slip_is_corrected_and_said(models_ctx: Context) -> None:
    compose_icon(Text("an elefant"), models_ctx, size=64)
    assert models_ctx.warnings == ["no icon is called 'elefant': 'elephant' is drawn instead"]


@pytest.mark.models
def test_attribution_is_carried(models_ctx: Context, tmp_path: Path) -> None:
    image = compose_icon(Text("a blue dog"), models_ctx, size=64, style="twemoji")
    assert b"Twemoji" in bytes(image.meta["xmp"])
    assert b"CC-BY-4.0, recoloured" in bytes(image.meta["xmp"])
    assert "CC-BY-4.0" in str(models_ctx.facts["icons"])
    assert models_ctx.facts["once"]
    write_composed(Text("the flag of france"), tmp_path / "f.svg", models_ctx)  # only Twemoji has it
    assert "Twemoji by Twitter and contributors, CC-BY-4.0" in (tmp_path / "f.svg").read_text()
    plain = compose_icon(Text("a dog"), models_ctx, size=64)
    assert b"Twemoji" not in bytes(plain.meta["xmp"])


@pytest.mark.models
def test_sense_without_an_icon_is_refused_or_replaced(models_ctx: Context) -> None:
    with pytest.raises(SilentInput, match="no icon shows 'submarine'") as caught:
        compose_icon(Text("a submarine"), models_ctx)
    assert "Nearest are: " in caught.value.hint
    compose_icon(Text("a canine"), models_ctx, size=64)
    assert "'dog' is drawn instead" in models_ctx.warnings[-1]


@pytest.mark.models
@pytest.mark.parametrize(
    "words", ["", "  \n ", "the", "and with on", "12", "qwxzv", "\ud800", "\0\x01", "<svg>", "🦊", "()"]
)
def test_words_without_a_thing_are_refused(words: str, models_ctx: Context) -> None:
    with pytest.raises((EmptyInput, SilentInput)):
        compose_icon(Text(words), models_ctx, size=32)


@pytest.mark.models
def test_too_much_is_refused(models_ctx: Context) -> None:
    with pytest.raises(HugeInput):
        compose_icon(Text("cat and " * 200), models_ctx)
    with pytest.raises(OptionError, match="no background"):
        compose_icon(Text("a cat"), models_ctx, background="nowhere")


@pytest.mark.models
@pytest.mark.parametrize("behind", ["blue", "light green", "#f0e0d0", "hill", "night", "none"])
def test_the_option_gives_the_background(behind: str, models_ctx: Context) -> None:
    image = compose_icon(Text("a cat on a red background"), models_ctx, size=64, background=behind)
    assert (image.pixels[0, 0, 3] == 0) == (behind == "none")
    if behind == "#f0e0d0":
        assert image.pixels[0, 0].tolist() == [0xF0, 0xE0, 0xD0, 255]


@pytest.mark.models
@pytest.mark.parametrize("style", ["noto", "fluent", "twemoji"])
def test_every_icon_of_a_set_can_be_read_and_drawn(style: str, models_ctx: Context) -> None:
    from transpose.models.icons import SETS, Icons

    card = SETS[style].card
    icons = Icons(models_ctx.model(card), card)
    for number, code in enumerate(sorted(icons.index)):
        icon = icons.read(code)
        ids, links = references(parse(icon.body))
        assert links <= set(ids), code
        if number % 40 == 0:
            assert piece(icon.body, icon.box, icon.mirrored, shade("blue")).box[2] > 0
