"""A sentence as a picture put together from icons: find, recolour, place, put on a background. Nothing is generated.

Only what has an icon can be drawn, and only as the icon shows it; what was not drawn is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, HugeInput, OptionError, OutputError, SilentInput
from transpose.media import icon_layout, icon_places
from transpose.media.icon_colour import COLOURS, Lch, Shade, basic, dominant, shade, to_lch
from transpose.media.icon_drawing import Box, Piece, outer, parse, piece, placed, render
from transpose.media.icon_wish import Thing, Wish, read_wish, singular, vocabulary
from transpose.media.image import Image
from transpose.models.icon_search import NEAR, Match, find, misspelt, near, synonyms
from transpose.models.icons import SETS, Entry, Icon, Icons, Names, plain_words

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST = 1000  # letters of a prompt
INSIDE = 0.08  # share of a colour that is enough where it is said of the contents: "a glass of red wine"
MOST = 8  # different things
BASIC = frozenset(each for _, each in COLOURS.values())
VIEW = (0.0, 0.0, float(icon_places.SIDE), float(icon_places.SIDE))
WORN = ("hat", "cap", "helmet", "crown")
TALL = frozenset({"deciduous tree", "evergreen tree", "palm tree", "umbrella", "umbrella on ground", "christmas tree"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """One thing that will be seen: what was asked, the icon found for it, and its drawing."""

    thing: Thing
    match: Match
    icon: Icon
    piece: Piece


@dataclass(frozen=True, slots=True)
class Picture:
    """A composed picture: elements in a square of 512 units, and the words that go with it."""

    elements: tuple[Element, ...]
    view: Box
    title: str
    credit: str
    things: tuple[tuple[str, Box], ...] = ()  # code point and box of each copy, in units of the view
    wish: Wish = field(default_factory=Wish)

    def svg(self, side: float = 0, history: str = "") -> str:
        """The whole as SVG text, `side` units large."""
        said = [("title", self.title), ("desc", self.credit)] + ([("metadata", history)] if history else [])
        return outer(self.elements, self.view, side, said)

    def image(self, side: int) -> Image:
        """RGBA, `side` pixels a side, with the credits."""
        return Image(render(self.svg(), side, side), {"xmp": _packet(self.title, self.credit)})

    def write(self, path: Path, side: int, history: str) -> None:
        """The SVG file, `side` units a side. Raises OutputError."""
        text = '<?xml version="1.0" encoding="UTF-8"?>\n' + self.svg(side, history) + "\n"
        try:
            path.write_text(text, encoding="utf-8")
        except UnicodeEncodeError as error:  # a lone surrogate in the prompt or the history
            raise OutputError(f"the drawing could not be written to {path.name!r} ({error})") from error


def _packet(title: str, credit: str) -> bytes:
    """An XMP packet (ISO 16684) with title and rights, which every picture format but BMP holds."""
    from xml.sax.saxutils import escape

    head = '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    fields = "".join(
        f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></dc:{name}>'
        for name, text in (("title", title), ("rights", credit))
    )
    body = f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">{fields}</rdf:Description>'
    whole = f'{head}{rdf}{body}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    return whole.encode("utf-8", "replace")


def compose(text: str, ctx: Context, style: str = "any", background: str = "", variation: int = 0) -> Picture:
    """Put the picture together; tells `ctx` what was used and what was not drawn.

    Raises EmptyInput (no words), HugeInput (too long), SilentInput (nothing of it has an icon), OptionError.
    """
    text = " ".join(text.split())
    if not text:
        raise EmptyInput("there are no words to draw", 'Say what to draw, as in: "a red apple"')
    if len(text) > LONGEST:
        raise HugeInput(f"{len(text):,} letters are too much for one picture", "Say in a sentence what to draw")
    names = _names(ctx)
    wish = read_wish(text, lambda phrase: phrase in names.phrases or phrase in synonyms())
    wish = _with_background(_scene_alone(wish, names), background)
    found = [(thing, _match(thing, names)) for thing in wish.things[:MOST]]
    matched, lost = _settled(found, names, ctx, wish)
    drawn = [_draw(thing, match, style, variation, ctx) for thing, match in matched]
    lost += [word for each in wish.things[MOST:] for word in each.words]
    _say(drawn, [*wish.ignored, *lost], ctx)
    credit = _credit(drawn)
    relations = _relations(wish, [thing for thing, _ in found], drawn)
    behind, ground = _behind(drawn, wish)
    places = _places(drawn, relations, wish, ground, bool(behind)) if drawn else []
    elements = _assemble(drawn, places, wish, behind, ground)
    things = tuple((drawn[place.group].icon.code, place.box) for place in places)
    return Picture(tuple(elements), VIEW, text, credit, things, wish)


def show(name: str, ctx: Context, style: str = "any") -> Picture:
    """The icon of that name alone, as emojibase has it; tells `ctx` which. Raises SilentInput where none has it."""
    names, label = _names(ctx), plain_words(name)
    if label not in names.phrases:
        raise SilentInput(f"no icon is called {name!r}", "Give another picture")
    thing = Thing(tuple(label.split()))
    match = Match(names.entries[names.phrases[label][0]], frozenset(thing.words), exact=True)
    drawn, wish = [_draw(thing, match, style, 0, ctx)], Wish((thing,))
    _say(drawn, [], ctx)
    places = _places(drawn, [], wish, None, False)
    return Picture(tuple(_assemble(drawn, places, wish, "", None)), VIEW, label, _credit(drawn), (), wish)


# -- finding -----------------------------------------------------------------------------------------------------------


def _names(ctx: Context) -> Names:
    folder = ctx.model("emoji-names")
    return ctx.load("emoji-names", lambda: Names(folder), 2)


def _match(thing: Thing, names: Names) -> Match | None:
    """The icon for a thing: for its name with the colour ("green apple") where that is a name, else without."""
    if thing.colour:
        whole = (*thing.colour.name.split(), *thing.words)
        match = find(whole, names, singular)
        if match and match.exact:
            return match
    return find(thing.words, names, singular)


def _scene_alone(wish: Wish, names: Names) -> Wish:
    """A place that is all that is asked for ("the night sky") is a background, unless there is an icon of it."""
    phrase = " ".join(wish.things[0].words) if wish.things else ""
    known = phrase in names.phrases or phrase in synonyms()
    if len(wish.things) != 1 or wish.ground or wish.plain or (known and not wish.sky):
        return wish
    for sort, places in (("grounds", vocabulary()["grounds"]), ("skies", vocabulary()["skies"])):
        for place, words in places.items():
            if phrase in words and not (sort == "skies" and wish.sky):
                tint = wish.things[0].colour
                alone = replace(wish, things=(), tint=tint)
                return replace(alone, ground=place) if sort == "grounds" else replace(alone, sky=place)
    return wish


def _settled(
    found: list[tuple[Thing, Match | None]], names: Names, ctx: Context, wish: Wish
) -> tuple[list[tuple[Thing, Match]], list[str]]:
    """Things with their icons, and words that are not drawn; looks for like meanings where no word is known."""
    settled: list[tuple[Thing, Match]] = []
    lost: list[str] = []
    nearest: list[str] = []
    for thing, match in found:
        phrase = " ".join(thing.words)
        if match is None:
            slip = misspelt(phrase, names)
            likely = [(1.0, slip)] if slip else _near(phrase, names, ctx)
            nearest += [entry.label for _, entry in likely[:3]]
            if likely[0][0] >= NEAR:
                match = Match(likely[0][1], frozenset(thing.words), likely[0][0])
                ctx.warn(f"no icon is called {phrase!r}: {match.entry.label!r} is drawn instead")
        if match is None:
            lost.append(phrase)
            continue
        settled.append((thing, match))
        lost += [word for word in thing.words if word not in match.used | {"of"}]
    if not settled and (lost or not (wish.ground or wish.sky)):
        about = " ".join(lost) or "the words"
        hint = f"Nearest are: {', '.join(nearest)}" if nearest else 'Name a thing, as in: "a red apple"'
        raise SilentInput(f"no icon shows {about!r}", hint)
    return settled, lost


def _near(phrase: str, names: Names, ctx: Context) -> list[tuple[float, Entry]]:
    from transpose.models.minilm import MEMORY_MB, MiniLM

    folder = ctx.model("minilm")
    model = ctx.load("minilm", lambda: MiniLM(folder, ctx.threads), MEMORY_MB)

    def told(done: int, total: int) -> None:
        ctx.progress(done, total, "names")

    return near(phrase, names, lambda texts: model.encode(texts, progress=told), folder.name)


def _draw(thing: Thing, match: Match, style: str, variation: int, ctx: Context) -> Drawn:
    """The drawing of a thing, in the colour that was asked for."""
    entries = [match.entry, *match.group]
    entry = entries[min(variation, len(entries) - 1)]
    if variation >= len(entries):
        ctx.warn(f"there are {len(entries)} icons for {' '.join(thing.words)!r}: -o variation goes from 0 on")
    icon = _read(entry.code, entry.label, style, ctx)
    colour = thing.colour
    if colour and match.exact and colour.name in match.used and colour.name not in BASIC:
        colour = None  # part of a name, as in "chocolate bar"
    return Drawn(
        thing,
        replace(match, entry=entry),
        icon,
        piece(icon.body, icon.box, icon.mirrored, colour, INSIDE if "of" in thing.words else 1.0),
    )


def _read(code: str, label: str, style: str, ctx: Context) -> Icon:
    """The icon from the first set that has it; the one set that asks for attribution comes last."""
    wanted = [style] if style != "any" else []
    for name in [*wanted, *(each for each in SETS if each not in wanted)]:
        card = SETS[name].card
        folder = ctx.model(card)
        icons = ctx.load(card, lambda folder=folder, card=card: Icons(folder, card), 4)  # type: ignore[misc]
        if name == "twemoji":
            ctx.once()  # its card is none of those that the cache knows of
        if code in icons:
            if wanted and name != style:
                ctx.warn(f"{SETS[style].title} has no {label!r}: {SETS[name].title} is used")
            return icons.read(code)
    raise SilentInput(f"no set of icons has {label!r}", "Name another thing")


# -- telling -----------------------------------------------------------------------------------------------------------


def _say(drawn: Iterable[Drawn], lost: Iterable[str], ctx: Context) -> None:
    """Tell the history which icons were used, and the user which words were not drawn."""
    ctx.note("method", "composed of icons, not generated")
    ctx.note("icons", "; ".join(dict.fromkeys(_named(each) for each in drawn)))
    missing = list(dict.fromkeys(lost))
    if missing:
        ctx.warn(f"not drawn: {', '.join(map(repr, missing))}")
    for each in drawn:
        colour = each.thing.colour
        if colour and each.piece.changed:
            ctx.note(f"recoloured {each.match.entry.label}", colour.name)


def _named(each: Drawn) -> str:
    found = next(known for known in SETS.values() if known.card == each.icon.set)
    points = " ".join(f"U+{part}" for part in each.icon.code.split("-"))
    return f"{each.match.entry.label}: {found.title} {points} ({found.licence})"


def _credit(drawn: Iterable[Drawn]) -> str:
    """A sentence on whose icons these are; for those under CC BY the attribution that it asks for."""
    parts = []
    changed = {each.icon.set for each in drawn if each.piece.changed}
    for known in SETS.values():
        labels = dict.fromkeys(each.match.entry.label for each in drawn if each.icon.set == known.card)
        if labels:
            altered = ", recoloured" if known.card in changed else ""
            parts.append(
                f"{', '.join(labels)}: {known.title} by {known.maker}, {known.licence}{altered} ({known.source})"
            )
    return "Composed of icons. " + "; ".join(parts) if parts else "Composed of shapes"


# -- putting together --------------------------------------------------------------------------------------------------


def _with_background(wish: Wish, background: str) -> Wish:
    """The wish with the background of the option, which wins over that in the words."""
    if not background:
        return wish
    clean = replace(wish, plain=None, ground="", sky="", tint=None, clear=False)
    words = background.lower().split()
    if background in ("none", "transparent"):
        return replace(clean, clear=True)
    if words[-1] in COLOURS and len(words) <= 2:
        try:
            return replace(clean, plain=shade(words[-1], words[0] if len(words) == 2 else ""))
        except KeyError:
            pass
    code = background.lower().removeprefix("#")
    if len(code) == 6 and all(letter in "0123456789abcdef" for letter in code):
        return replace(clean, plain=Shade(f"#{code}", f"#{code}", basic(to_lch(f"#{code}"))))
    if background in icon_places.GROUNDS:
        return replace(clean, ground=background)
    if background in icon_places.SKIES:
        return replace(clean, sky=background)
    places = ", ".join([*icon_places.GROUNDS, *icon_places.SKIES])
    raise OptionError(f"option background={background!r} is no background", f"A colour, #rrggbb, none, or: {places}")


def _relations(wish: Wish, asked: list[Thing], drawn: list[Drawn]) -> list[str]:
    """How each thing that is drawn stands to the next; where one between them is missing, beside it."""
    places = [next(n for n, thing in enumerate(asked) if thing is each.thing) for each in drawn]
    found = []
    for number, (one, other) in enumerate(zip(places, places[1:], strict=False)):
        relation = wish.relations[one] if other == one + 1 else "beside"
        who, what = drawn[number].match.entry, drawn[number + 1].match.entry
        if relation == "with":  # "a snowman with a hat" has it on
            worn = what.kind == "clothing" and what.label.endswith(WORN) and who.kind != "clothing"
            relation = "wearing" if worn and what.label not in who.label else "beside"
        found.append(relation)
    return found


def _behind(drawn: list[Drawn], wish: Wish) -> tuple[str, icon_places.Ground | None]:
    """The SVG of the background, and the ground where there is one."""
    if wish.plain:
        return icon_places.plain(wish.plain, _main(drawn)), None
    if wish.ground or wish.sky:
        return icon_places.background(wish.ground, wish.sky, wish.tint.hex if wish.tint else "")
    return "", None


def _places(
    drawn: list[Drawn], relations: list[str], wish: Wish, ground: icon_places.Ground | None, filled: bool
) -> list[icon_layout.Place]:
    """Where each copy of each thing goes, in units of the picture."""
    side = VIEW[2]
    places = icon_layout.lay_out(_groups(drawn, relations), relations, standing=bool(ground and not wish.aloft))
    if wish.aloft:
        return icon_layout.fit(places, (90, 36, side - 180, 230), foot=False, most=220)
    if _under_water(drawn, wish):
        return icon_layout.fit(places, (40, 318, side - 80, 176), foot=False, most=230)
    if wish.ground == "depth":
        return icon_layout.fit(places, (60, 70, side - 120, 360), foot=False, most=300)
    if ground:
        return icon_layout.fit(places, (46, 52, side - 92, ground.foot - 52), foot=True, most=250)
    margin = side * (0.2 if wish.sky else 0.13 if filled else 0.04)
    return icon_layout.fit(places, (margin, margin, side - 2 * margin, side - 2 * margin), foot=False)


def _assemble(
    drawn: list[Drawn], places: list[icon_layout.Place], wish: Wish, behind: str, ground: icon_places.Ground | None
) -> list[Element]:
    """Background, shadows, things and foreground, from the back to the front."""
    shadows = ""
    if ground and ground.shadows and not wish.aloft and places:
        foot = max(place.box[1] + place.box[3] for place in places) - 0.5 * min(place.box[3] for place in places)
        shadows = "".join(_shadow(place.box) for place in places if place.box[1] + place.box[3] > foot)
    things = [placed(drawn[place.group].piece, f"i{number}-", place.box) for number, place in enumerate(places)]
    before = ground.front if ground and not wish.aloft and not _under_water(drawn, wish) else ""
    return [*(parse(part) for part in (behind, shadows) if part), *things, *([parse(before)] if before else [])]


def _under_water(drawn: list[Drawn], wish: Wish) -> bool:
    """Whether all that is drawn are fish and the like, in the sea: below its surface then."""
    swims = [each.match.entry.kind == "animal-marine" and each.match.entry.label != "whale" for each in drawn]
    return wish.ground == "sea" and bool(swims) and all(swims)


def _main(drawn: list[Drawn]) -> Lch | None:
    """The colour that most of the first thing has."""
    if not drawn:
        return None
    main = dominant(render(outer([drawn[0].piece.root], drawn[0].icon.box), 48, 48))
    return main.colour if main else None


def _groups(drawn: list[Drawn], relations: list[str]) -> list[icon_layout.Group]:
    """The sizes of things as they go together: what is worn or lies inside is smaller."""
    groups = []
    for number, each in enumerate(drawn):
        entry = each.match.entry
        size = each.thing.size * (icon_layout.size_of(entry.kind, entry.label) if len(drawn) > 1 else 1.0)
        if number < len(relations) and relations[number] == "inside":
            size *= 0.5
        if number and relations[number - 1] == "wearing":
            size *= 0.7
        groups.append(
            icon_layout.Group(
                each.piece.aspect, each.thing.count, size, entry.label in TALL, icon_layout.seat_of(entry.label)
            )
        )
    return groups


def _shadow(box: Box) -> str:
    across, down = box[0] + box[2] / 2, box[1] + box[3] - 2
    return (
        f'<ellipse cx="{across:.1f}" cy="{down:.1f}" rx="{box[2] * 0.44:.1f}" ry="{max(5, box[2] * 0.055):.1f}" '
        f'fill="#000000" opacity="0.2"/>'
    )
