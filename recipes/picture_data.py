"""The icons that the picture models learn from: five sets of drawings of the same 1,600 concepts, 64 pixels a side.

`python recipes/picture_data.py ARCHIVES FOLDER` reads the npm archives that picture_data.sh fetches, and writes

- `concepts.json`: for each concept its code, name, tags, group, whether it is plain (a thing that can be drawn
  small) and of the core (what the diffusion model learns first), and whether it is seen in training at all;
- `SET.npy`: uint8 (n, 64, 64, 4), straight alpha, and `SET.json`: which concept each picture shows.

Licences: Noto and Noto v1 Apache-2.0, Fluent emoji and Fluent emoji flat MIT, Twemoji CC-BY 4.0 (only the judge learns
from it), names and tags of emojibase MIT. Which concepts are held out depends on their codes alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

SIDE = 64
ARCHIVES = {
    "flat": (
        "iconify-json-fluent-emoji-flat-1.2.6",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
    ),
    "noto": ("iconify-json-noto-1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    "noto1": ("iconify-json-noto-v1-1.2.5", "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
    "fluent": ("iconify-json-fluent-emoji-1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
    "twemoji": ("twemoji-svg-15.0.0", "1d2907557a422c7c4e3feca50ef915c39da1db3d76b4a4d7e73fb59bce4403c3"),
    "words": ("emojibase-data-17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a"),
}
SETS = ("flat", "noto", "noto1", "fluent", "twemoji")
DROPPED_GROUPS = (None, 2, 9)  # letters of regions, skin tones and hair, flags
HELD_OUT = 10  # one concept of so many is never seen in training

PLAIN = """
monkey face, gorilla, dog face, poodle, wolf, fox, raccoon, cat face, lion, tiger face, horse face, unicorn, zebra,
deer, cow face, pig face, pig, ram, ewe, camel, giraffe, elephant, mammoth, rhinoceros, hippopotamus, mouse face,
mouse, rabbit face, rabbit, chipmunk, hedgehog, bat, bear, polar bear, koala, panda, sloth, otter, kangaroo, turkey,
chicken, rooster, baby chick, bird, penguin, dove, eagle, duck, swan, owl, flamingo, peacock, parrot, frog, crocodile,
turtle, lizard, snake, dragon face, sauropod, T-Rex, spouting whale, whale, dolphin, seal, fish, tropical fish,
blowfish, shark, octopus, spiral shell, jellyfish, crab, lobster, shrimp, squid, snail, butterfly, ant, honeybee,
beetle, lady beetle, spider, scorpion, worm, feather, bouquet, cherry blossom, white flower, rose, hibiscus,
sunflower, blossom, tulip, seedling, potted plant, evergreen tree, deciduous tree, palm tree, cactus, shamrock, four
leaf clover, maple leaf, mushroom, nest with eggs, grapes, melon, watermelon, tangerine, lemon, lime, banana,
pineapple, mango, red apple, green apple, pear, peach, cherries, strawberry, blueberries, kiwi fruit, tomato, olive,
coconut, avocado, eggplant, potato, carrot, ear of corn, hot pepper, bell pepper, cucumber, broccoli, garlic, onion,
chestnut, bread, croissant, baguette bread, pretzel, bagel, pancakes, waffle, cheese wedge, meat on bone, hamburger,
french fries, pizza, hot dog, sandwich, taco, burrito, egg, cooking, green salad, popcorn, butter, salt, rice ball,
sushi, fried shrimp, dango, dumpling, soft ice cream, ice cream, doughnut, cookie, birthday cake, shortcake, cupcake,
pie, chocolate bar, candy, lollipop, honey pot, baby bottle, glass of milk, hot beverage, teapot, wine glass, cocktail
glass, tropical drink, beer mug, cup with straw, spoon, kitchen knife, jar, house, castle, tent, church, hospital,
school, ferris wheel, mountain, volcano, desert island, sun, crescent moon, full moon, ringed planet, star, glowing
star, cloud, rainbow, umbrella, high voltage, snowflake, snowman, comet, fire, droplet, tornado, sun behind cloud,
cloud with rain, alarm clock, watch, hourglass done, airplane, helicopter, rocket, flying saucer, parachute,
satellite, locomotive, bus, ambulance, fire engine, police car, taxi, automobile, delivery truck, tractor, racing car,
motorcycle, motor scooter, bicycle, kick scooter, skateboard, wheel, stop sign, anchor, sailboat, canoe, speedboat,
ship, jack-o-lantern, Christmas tree, balloon, wrapped gift, ribbon, party popper, soccer ball, baseball, basketball,
volleyball, american football, tennis, bowling, ping pong, boxing glove, ice skate, trophy, sports medal, bullseye,
kite, crystal ball, magic wand, video game, game die, puzzle piece, teddy bear, artist palette, yarn, glasses,
sunglasses, necktie, t-shirt, jeans, scarf, gloves, coat, socks, dress, shorts, bikini, handbag, backpack, running
shoe, high-heeled shoe, crown, top hat, graduation cap, billed cap, lipstick, ring, gem stone, battery, laptop,
desktop computer, printer, floppy disk, optical disk, door, mirror, window, bed, chair, toilet, bathtub, broom,
basket, bucket, soap, toothbrush, sponge, movie camera, television, camera, candle, light bulb, flashlight, locked,
key, envelope, package, postbox, syringe, pill, coin, money bag, treasure chest, dollar banknote, credit card, musical
note, microphone, headphone, radio, saxophone, trumpet, accordion, guitar, violin, banjo, drum, maracas, flute, harp,
briefcase, file folder, calendar, clipboard, pushpin, paperclip, straight ruler, scissors, wastebasket, mobile phone,
telephone, test tube, microscope, telescope, bell, megaphone, hammer, axe, dagger, bomb, boomerang, shield, carpentry
saw, wrench, screwdriver, gear, magnet, ladder, pencil, pen, paintbrush, crayon, open book, closed book, books,
scroll, newspaper, grinning face, smiling face with sunglasses, crying face, angry face, sleeping face, winking face,
face with tears of joy, kissing face, red heart, broken heart, skull, ghost, alien, robot, eye, ear, nose, tooth,
bone, hand with fingers splayed, thumbs up, footprints, red circle, red square
"""

CORE = """
cat face, dog face, fox, owl, penguin, frog, octopus, butterfly, sunflower, cactus, strawberry, banana, pizza,
hamburger, doughnut, birthday cake, rocket, sailboat, bicycle, house, snowman, guitar, umbrella, red heart, red apple,
pear, crab, tulip, crescent moon, fish, lion, monkey face, panda, pig face, cow face, elephant, giraffe, rabbit,
mouse, hedgehog, wolf, unicorn, chicken, baby chick, duck, eagle, parrot, flamingo, turtle, snake, spouting whale,
dolphin, shark, tropical fish, snail, honeybee, lady beetle, spider, rose, cherry blossom, deciduous tree, palm tree,
Christmas tree, mushroom, maple leaf, four leaf clover, grapes, watermelon, tangerine, lemon, mango, cherries, kiwi
fruit, tomato, avocado, eggplant, carrot, ear of corn, broccoli, bread, croissant, cheese wedge, french fries, hot
dog, egg, ice cream, cupcake, lollipop, candy, hot beverage, wine glass, beer mug, spoon, castle, tent, ferris wheel,
mountain, sun, full moon, ringed planet, cloud, rainbow, snowflake, fire, droplet, bus, taxi, police car, automobile,
fire engine, tractor, helicopter, flying saucer, locomotive, anchor, ship, balloon, wrapped gift, basketball, trophy,
kite, game die, t-shirt, dress, socks, crown, top hat, glasses, gem stone, ring, bell, trumpet, violin, drum, candle,
light bulb, closed book, envelope, laptop, camera, alarm clock, axe, magnet, ladder, skull, ghost, alien, grinning
face, smiling face with sunglasses, crying face, angry face, red circle, red square
"""


def main(archives: Path, folder: Path) -> None:
    """Check the archives, then write the list of concepts and each set of pictures."""
    for name, digest in ARCHIVES.values():
        if hashlib.sha256((archives / f"{name}.tgz").read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{name}.tgz is not the archive that this recipe was written for")
    concepts = read_concepts(archives)
    (folder / "concepts.json").write_text(json.dumps(concepts, indent=0, ensure_ascii=False))
    codes = {str(each["code"]): number for number, each in enumerate(concepts)}
    for name in SETS:
        shown, pictures = [], []
        for code, drawing in drawings(archives, name):
            if code in codes and codes[code] not in shown:
                shown.append(codes[code])
                pictures.append(render(drawing))
        np.save(folder / f"{name}.npy", np.stack(pictures))
        (folder / f"{name}.json").write_text(json.dumps(shown))
        print(name, len(shown), "of", len(concepts), flush=True)


def read_concepts(archives: Path) -> list[dict[str, object]]:
    """Names and tags of emojibase in its own order, flags and skin tones left out."""
    data = json.loads(_member(archives, "words", "package/en/data.json"))
    groups = json.loads(_member(archives, "words", "package/en/messages.json"))
    kinds = {each["order"]: each["key"] for each in groups["subgroups"]}
    plain, core = ({name.strip() for name in names.replace("\n", " ").split(",")} for names in (PLAIN, CORE))
    kept = [each for each in data if each.get("group") not in DROPPED_GROUPS]
    return [
        {
            "code": plain_code(each["hexcode"]),
            "name": each["label"],
            "tags": each.get("tags", []),
            "group": kinds[each["subgroup"]],
            "plain": each["label"] in plain,
            "core": each["label"] in core,
            "seen": chance(plain_code(each["hexcode"])) % HELD_OUT != 0,
        }
        for each in kept
    ]


def plain_code(code: str) -> str:
    """A code as all sets write it: small letters, hyphens, without the sign that asks for colour."""
    return "-".join(part for part in code.lower().replace("_", "-").split("-") if part != "fe0f")


def chance(text: str) -> int:
    """A number that depends on the text only: what decides who is held out."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def drawings(archives: Path, name: str) -> Iterator[tuple[str, str]]:
    """Code and SVG of each drawing of a set."""
    if name == "twemoji":
        with tarfile.open(archives / f"{ARCHIVES[name][0]}.tgz") as file:
            for member in sorted(file.getmembers(), key=lambda member: member.name):
                if member.name.endswith(".svg"):
                    found = file.extractfile(member)
                    assert found is not None
                    yield plain_code(Path(member.name).stem), found.read().decode()
        return
    icons = json.loads(_member(archives, name, "package/icons.json"))
    letters = {"noto1": "noto", "fluent": "flat"}.get(name, name)  # sets of one maker share their names
    for code, icon in json.loads(_member(archives, letters, "package/chars.json")).items():
        alias = icons.get("aliases", {}).get(icon, {}).get("parent", icon)
        if alias in icons["icons"]:
            found = icons["icons"][alias]
            width, height = found.get("width", icons["width"]), found.get("height", icons["height"])
            box = f"{found.get('left', 0)} {found.get('top', 0)} {width} {height}"
            yield plain_code(code), f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{found["body"]}</svg>'


def render(drawing: str) -> NDArray[np.uint8]:
    """An SVG as RGBA (64, 64, 4)."""
    data = bytes(resvg_py.svg_to_bytes(svg_string=drawing, width=SIDE, height=SIDE))
    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGBA")
    if small.size != (SIDE, SIDE):  # not a square drawing: in the middle
        canvas = Image.new("RGBA", (SIDE, SIDE))
        small.thumbnail((SIDE, SIDE))
        canvas.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
        small = canvas
    return np.asarray(small)


def _member(archives: Path, name: str, path: str) -> bytes:
    with tarfile.open(archives / f"{ARCHIVES[name][0]}.tgz") as file:
        found = file.extractfile(path)
        assert found is not None
        return found.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
