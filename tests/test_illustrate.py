"""Illustrated talks: parts at turns of topic, pictures where they fit, cards, and a timeline that can be edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from transpose.core.context import Context, Many
from transpose.core.errors import (
    DamagedInput,
    EmptyInput,
    InputError,
    MislabelledInput,
    MissingInput,
    OptionError,
    SilentInput,
    TransposeError,
)
from transpose.formats.timeline_files import read_timeline
from transpose.formats.video_files import write_video
from transpose.media.audio import Audio, save
from transpose.media.embedding import Embedding
from transpose.media.image import Image
from transpose.media.text import Cue, Text, Word
from transpose.media.timeline import Shown, Timeline, dumps, load_file, render
from transpose.media.video import Video
from transpose.transforms.embed import embed
from transpose.transforms.illustrate import (
    SHORTEST,
    Sentence,
    divide,
    illustrate,
    key_phrases,
    named,
    phrases,
    sentences_of,
    storyboard,
)
from transpose.transforms.transcribe import transcribe

EXAMPLES = Path(__file__).parent.parent / "examples"
TALK = (
    "The bees leave the hive at dawn. They fly to the lavender field. ",
    "In the evening we cook soup. The pot stands on the stove.",
)


def talk(seconds: float = 20.0) -> Audio:
    """A sound of so many seconds."""
    return Audio.from_array(np.full(round(seconds * 8000), 0.1, np.float32), 8000)


def heard() -> Text:
    """Four sentences of five seconds each, with the times of their words."""
    words = " ".join(TALK).split()
    step = 20.0 / len(words)
    timed = tuple(Word(n * step, (n + 0.9) * step, word) for n, word in enumerate(words))
    return Text(" ".join(words), lang="en", cues=(Cue(0.0, 20.0, " ".join(words), timed),))


def bagged() -> Context:
    """A context whose embedding counts letters' pairs: like texts have like vectors; no model is needed."""

    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        assert name == "embed"
        rows = []
        for text in values[0]:
            vector = np.zeros(384, np.float32)
            for word in text.text.lower().replace(".", " ").split():
                vector[sum(map(ord, word[:4])) % 384] += len(word) > 3
            rows.append(Embedding(vector / max(1e-6, float(np.linalg.norm(vector))), "bag"))
        return rows

    return Context(runner=call)


def files(folder: Path, *names: str) -> Path:
    """Pictures of one colour each under these names."""
    folder.mkdir()
    for number, name in enumerate(names):
        Pillow.new("RGB", (64, 36), (40 * number + 40, 90, 120)).save(folder / name)
    return folder


# -- what is said ------------------------------------------------------------------------------------------------------


def test_sentences_run_from_full_stop_to_full_stop() -> None:
    found = sentences_of(heard().cues)
    assert [each.text for each in found] == [
        part for text in TALK for part in text.strip().replace(". ", ".|").split("|")
    ]
    assert found[0].start == 0
    assert all(one.end <= two.start for one, two in zip(found, found[1:], strict=False))
    pause = (Cue(0, 1, "no stop here"), Cue(5, 6, "after a pause"))
    assert [each.text for each in sentences_of(pause)] == ["no stop here", "after a pause"]
    split = (Cue(0, 2, "cold-hearted", (Word(0, 1, "cold"), Word(1, 2, "-hearted"))),)
    assert sentences_of(split)[0].text == "cold-hearted"


@given(
    lengths=st.lists(st.floats(0.5, 12.0), min_size=1, max_size=30), pace=st.floats(3.0, 20.0), seed=st.integers(0, 99)
)
def test_parts_are_no_shorter_than_three_seconds(lengths: list[float], pace: float, seed: int) -> None:
    ends = np.cumsum(lengths)
    said = [Sentence(float(end - length), float(end), "x") for end, length in zip(ends, lengths, strict=True)]
    vectors = np.random.default_rng(seed).normal(size=(len(said), 8)).astype(np.float32)
    cuts = divide(said, vectors, float(ends[-1]), pace)
    assert cuts[0] == 0
    assert cuts == sorted(set(cuts))
    starts = [said[cut].start for cut in cuts] + [float(ends[-1])]
    if float(ends[-1]) >= SHORTEST:
        assert min(b - a for a, b in zip(starts, starts[1:], strict=False)) >= SHORTEST - 1e-6


def test_a_part_begins_where_the_topic_turns() -> None:
    said = [Sentence(4.0 * n, 4.0 * n + 4, "x") for n in range(6)]
    one, other = np.eye(2, 8, dtype=np.float32)
    assert divide(said, np.stack([one, one, one, one, other, other]), 24.0, 12.0) == [0, 4]
    assert divide(said, np.stack([one, one, other, other, other, other]), 24.0, 12.0) == [0, 2]


def test_phrases_stay_inside_a_clause_and_end_on_words_of_weight() -> None:
    found = [words for words, _ in phrases("When it rains, the old bees stay at home.")]
    assert "Old bees stay at home" in found
    assert "When it rains" in found
    assert not any("rains the" in words.lower() for words in found)
    assert not any(words.lower().split()[0] in ("the", "at") for words in found if words.count(" ") < 3)
    assert phrases("Yes.") == [("Yes", 0.0)]
    assert phrases("...")[0][0]


def test_names_of_files_are_read_as_words() -> None:
    assert named("WaggleDance_in-the-hive02") == "Waggle Dance in the hive"
    assert named("IMG_2031") == ""


# -- pictures and cards ------------------------------------------------------------------------------------------------


def test_pictures_come_where_their_names_fit(tmp_path: Path) -> None:
    ctx = bagged()
    folder = files(tmp_path / "p", "soup_in_the_pot.png", "lavender-field.png")
    video = illustrate(talk(), heard(), None, ctx, pictures=str(folder), size="320x180", pace=10.0)
    centre = [(int(shot.pixels[90, 160, 0]), shot.frames) for shot in video.shots()]
    assert [colour for colour, _ in centre] == [80, 40]  # lavender, then soup, as it is said
    assert sum(frames for _, frames in centre) == video.length == 200
    assert video.cues
    assert ctx.facts["once"]


def test_given_pictures_are_matched_by_their_captions_else_shown_in_order() -> None:
    def flat(level: int, **meta: str) -> Image:
        return Image(np.full((36, 64, 3), level, np.uint8), {f"text:{key}": value for key, value in meta.items()})

    told = [flat(200, Title="soup pot stove"), flat(100, Description="bees and the lavender field")]
    ctx = bagged()
    video = illustrate(talk(), heard(), Many(lambda: iter(told), 2), ctx, size="320x180", pace=10.0)
    assert [int(shot.pixels[90, 160, 0]) for shot in video.shots()] == [100, 200]
    ctx = bagged()
    dumb = [flat(50), flat(150)]
    video = illustrate(talk(), heard(), Many(lambda: iter(dumb), 2), ctx, size="320x180", pace=10.0)
    assert [int(shot.pixels[90, 160, 0]) for shot in video.shots()] == [50, 150]
    assert any("neither name nor caption" in warning for warning in ctx.warnings)


def test_a_talk_without_pictures_gets_cards_as_long_as_the_sound() -> None:
    ctx = bagged()
    video = illustrate(talk(), heard(), None, ctx, size="320x180", captions="none", theme="light")
    shots = list(video.shots())
    assert 2 <= len(shots) <= 4
    assert ctx.facts["cards"] == len(shots)
    assert video.length == 200
    assert video.cues == ()
    assert shots[0].pixels[0, 0].min() > 230
    assert (shots[0].pixels != shots[1].pixels).any()


def test_what_cannot_be_illustrated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyInput):
        illustrate(talk(0), heard(), None, bagged())
    with pytest.raises(SilentInput):
        illustrate(talk(), Text("", cues=(Cue(0, 1, "  "),)), None, bagged())
    for options in ({"size": "big"}, {"pictures": str(tmp_path / "none")}):
        with pytest.raises(OptionError):
            illustrate(talk(), heard(), None, bagged(), **options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyInput):
        illustrate(talk(), heard(), None, bagged(), pictures=str(tmp_path / "empty"))
    with pytest.raises(InputError):  # the sound is in no file
        storyboard(talk(), heard(), None, tmp_path / "x.timeline", bagged())


# -- the file ----------------------------------------------------------------------------------------------------------


def written(tmp_path: Path) -> Path:
    """A timeline of a talk in a file."""
    sound = tmp_path / "talk.wav"
    save(talk(), sound)
    path = tmp_path / "talk.timeline"
    storyboard(Audio.from_file(sound), heard(), None, path, bagged(), size="320x180", pace=10.0)
    return path


def test_a_timeline_gives_the_video_that_illustrate_makes(tmp_path: Path) -> None:
    path = written(tmp_path)
    direct = illustrate(Audio.from_file(tmp_path / "talk.wav"), heard(), None, bagged(), size="320x180", pace=10.0)
    assert_same(read_timeline(path, Context()), direct)


def assert_same(one: Video, other: Video) -> None:
    """The same pictures, times to a hundredth of a second."""
    assert one.length == other.length
    for mine, theirs in zip(one.shots(), other.shots(), strict=True):
        assert mine.frames == theirs.frames
        assert (mine.pixels == theirs.pixels).all()
    assert [cue.text for cue in one.cues] == [cue.text for cue in other.cues]
    assert all(abs(a.start - b.start) <= 0.005 for a, b in zip(one.cues, other.cues, strict=True))


def test_an_edited_timeline_is_rendered_as_edited(tmp_path: Path) -> None:
    path = written(tmp_path)
    files(tmp_path / "p", "a.png")
    lines = path.read_text(encoding="utf-8").split("[[show]]")[0]
    lines += (
        '[[show]]\nstart = 2.5\nend = "0:10.00"\npicture = "p/a.png"\n[[show]]\nstart = "0:00:15"\ncard = "New words"\n'
    )
    path.write_text(lines, encoding="utf-8")
    video = read_timeline(path, Context())
    assert [shot.frames for shot in video.shots()] == [25, 75, 50, 50]  # nothing, the picture, nothing, the card
    assert [int(shot.pixels[90, 160, 0]) for shot in video.shots()][1] == 40
    out = tmp_path / "v.mp4"
    write_video(video, out, Context(threads=1))
    assert abs(Video.from_file(out).duration - 20) <= 0.1


def test_sound_and_pictures_are_found_beside_a_timeline_that_was_moved(tmp_path: Path) -> None:
    path = written(tmp_path)
    moved = tmp_path / "moved"
    moved.mkdir()
    path.rename(moved / path.name)
    (tmp_path / "talk.wav").rename(moved / "talk.wav")
    assert load_file(moved / path.name, Context()).sound.duration == 20
    (moved / "talk.wav").unlink()
    with pytest.raises(MissingInput):
        load_file(moved / path.name, Context())


@settings(max_examples=30, deadline=None)
@given(
    entries=st.lists(
        st.tuples(st.integers(0, 1999), st.text(min_size=1).filter(str.strip), st.booleans()), min_size=1, max_size=8
    )
)
def test_a_timeline_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, entries: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("t")
    save(talk(), folder / "talk.wav")
    made = tuple(Shown(at / 100, words, None, (at + 100) / 100 if ends else None, words) for at, words, ends in entries)
    ordered = tuple(sorted(made, key=lambda one: one.start))
    cues = tuple(Cue(one.start, one.start + 0.5, one.card) for one in ordered)
    (folder / "x.timeline").write_text(
        dumps(Timeline(Audio.from_file(folder / "talk.wav"), ordered, cues, 640, 360, "light")), encoding="utf-8"
    )
    back = load_file(folder / "x.timeline", Context())
    assert [(one.start, one.card, one.end) for one in back.shown] == [(one.start, one.card, one.end) for one in ordered]
    assert [cue.text for cue in back.cues] == [cue.text for cue in cues]
    assert (back.width, back.height, back.theme) == (640, 360, "light")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("schema", "other"), MislabelledInput),
        (('"0:00.00"', "nan"), DamagedInput),
        (('"0:00.00"', '"soon"'), DamagedInput),
        (('"0:00.00"', "-1"), DamagedInput),
        (("card = ", "card = [1] # "), DamagedInput),
        (("card = ", "words = "), DamagedInput),
        (("[[show]]", "[show]"), DamagedInput),
        (("320x180", "1x1"), DamagedInput),
        (('theme = "dark"', 'theme = "pink"'), DamagedInput),
        (("card = ", 'picture = "none.png" # '), MissingInput),
        (("card = ", 'picture = "talk.wav" # '), InputError),
        (('sound = "', 'sound = "http://x/'), MissingInput),
        (("sound = ", "# "), MissingInput),
    ],
)
def test_mistakes_in_a_timeline_are_named(change: tuple[str, str], error: type[TransposeError], tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "talk.wav").rename(tmp_path / "else.wav") if "http" in change[1] else None
    source = path.read_text(encoding="utf-8")
    assert change[0] in source
    path.write_text(source.replace(change[0], change[1], 1), encoding="utf-8")
    with pytest.raises(error) as raised:
        read_timeline(path, Context())
    assert raised.value.hint


def test_files_that_are_no_timelines(tmp_path: Path) -> None:
    path = tmp_path / "x.timeline"
    for content, error in ((b"", EmptyInput), (b"\x89PNG\r\n\x1a\n\0\0", InputError), (b"a = [", DamagedInput)):
        path.write_bytes(content)
        with pytest.raises(error):
            load_file(path, Context())
    with pytest.raises(EmptyInput):
        render(Timeline(talk(), ()), 10, Context())


# -- with the models ---------------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_real_talk_gets_cards_with_its_own_words(models_ctx: Context, tmp_path: Path) -> None:
    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return {"transcribe": transcribe, "embed": embed}[name](*values, models_ctx, **options)

    models_ctx.runner = call
    sound = Audio.from_file(EXAMPLES / "voice.wav")
    path = tmp_path / "voice.timeline"
    storyboard(sound, None, None, path, models_ctx)
    made = load_file(path, models_ctx)
    spoken = " ".join(cue.text for cue in made.cues).lower().replace("\n", " ")
    assert made.shown
    for one in made.shown:
        assert one.card.lower() in spoken
    gaps = [b.start - a.start for a, b in zip(made.shown, made.shown[1:], strict=False)]
    assert all(gap >= SHORTEST - 0.01 for gap in gaps)
    assert render(made, 10, models_ctx).length == round(sound.duration * 10)


@pytest.mark.models
def test_meaning_places_a_card(models_ctx: Context) -> None:
    models_ctx.runner = lambda name, values, options: embed(*values, models_ctx)
    chosen = key_phrases(["You know, in the end, well, photosynthesis turns light into sugar, and so on."], models_ctx)
    assert "photosynthesis" in chosen[0].lower()
