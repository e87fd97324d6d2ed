"""Lectures: slides from headings, nothing beyond the edge, captions timed by the speech, sound as long as picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError, SilentInput
from transpose.formats.video_files import write_video
from transpose.media.audio import Audio
from transpose.media.deck import Deck, Reader, read_deck
from transpose.media.document import Document
from transpose.media.easel import THEMES, Easel
from transpose.media.markdown_page import from_markdown
from transpose.media.slides import Layout, Piece, Run, Slide
from transpose.media.subtitle import LINES, WIDTH
from transpose.media.text import Text
from transpose.media.typeface import Style, Typeface
from transpose.media.video import Video
from transpose.transforms.lecture import clauses, lecture
from transpose.transforms.speak import speak

NOTES = """# Bees

Bees fly far. They come home again.

## The sun

- She knows where the *sun* stands
- She runs `dance(x)`

## Table and code

| Name | Age |
| --- | --- |
| Worker | 42 |
| Drone | 30 |

```python
print(1)
```

### Deeper

1. walk
2. fly

## Only words

One sentence. Another one.
"""


def document(source: str) -> Document:
    """Notes in Markdown."""
    return from_markdown(source, Context())


def deck(source: str, keep: Any = "lead") -> Deck:
    """Slides of notes; sentences end at full stops, and every picture is a grey square."""
    grey = np.full((30, 40, 3), 128, np.uint8)

    def sentences(words: str) -> list[str]:
        return [f"{each.strip()}." for each in words.rstrip(".").split(". ") if each.strip()]

    return read_deck(document(source), Reader(sentences, lambda name: grey if name else None, keep))


def murmur(calls: list[str] | None = None) -> Context:
    """A context whose voice murmurs for 40 ms a letter, and says nothing where there are no letters."""

    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        text: Text = values[0]
        assert name == "speak"
        assert options["lang"] == "en"
        if not any(map(str.isalpha, text.text)):
            raise SilentInput("no words")
        if calls is not None:
            calls.append(text.text)
        return Audio.from_array(np.full(len(text.text) * 960, 0.25, np.float32), 24_000)

    return Context(runner=call)


# -- what stands on a slide and what is said ---------------------------------------------------------------------------


def test_headings_become_slides_and_the_only_first_one_the_cover() -> None:
    made = deck(NOTES)
    assert made.title == "Bees"
    assert [(s.title, s.over, s.cover) for s in made.slides] == [
        ("Bees", "", True),
        ("The sun", "", False),
        ("Table and code", "", False),
        ("Deeper", "Table and code", False),
        ("Only words", "", False),
    ]
    assert [piece.kind for piece in made.slides[2].pieces] == ["table", "code"]


def test_everything_but_code_is_said_in_sentences() -> None:
    slides = deck(NOTES).slides
    said = [sentence for slide in slides for sentence in (*slide.spoken, *(w for p in slide.pieces for w in p.spoken))]
    assert said == [
        "Bees.", "Bees fly far.", "They come home again.",
        "The sun.", "She knows where the sun stands.", "She runs dance(x).",
        "Table and code.", "Here is a table with 2 rows: Name and Age.",
        "Deeper.", "First: walk.", "Second: fly.",
        "Only words.", "One sentence.", "Another one.",
    ]  # fmt: skip


def test_of_a_paragraph_its_first_sentence_stands_where_nothing_else_does() -> None:
    alone = deck("## A\n\nOne **two** three. Four.\n").slides[0]
    assert alone.pieces[0].runs == (Run("One "), Run("two", Style(bold=True)), Run(" three."))
    beside = deck("## A\n\nOne two. Three.\n\n- x\n").slides[0]
    assert [piece.kind for piece in beside.pieces] == ["hidden", "point"]
    full = deck("## A\n\nOne two. Three.\n\n- x\n", "full").slides[0]
    assert [piece.kind for piece in full.pieces] == ["text", "point"]
    assert full.pieces[0].runs == (Run("One two. Three."),)


def test_notes_without_headings_and_with_front_matter() -> None:
    loose = deck("First. More.\n\nSecond.\n\n- a\n- b\n")
    assert [[piece.kind for piece in slide.pieces] for slide in loose.slides] == [["text"], ["text"], ["point"] * 2]
    front = deck("---\ntitle: Named\nauthor: Me\n---\n\n# One\n\nA.\n\n# Two\n\nB.\n")
    assert (front.title, front.slides[0].cover, [s.title for s in front.slides]) == (
        "Named",
        True,
        ["Named", "One", "Two"],
    )
    assert front.slides[0].pieces[0].runs == (Run("Me"),)


def test_speaker_notes_are_said_instead_of_the_slide() -> None:
    html = '<section data-page="1"><h1>A</h1><ul><li>x</li></ul><aside><p>Said aloud.</p></aside></section>'
    html += '<section data-page="2"><h1>B</h1><p>Words.</p></section>'
    made = read_deck(Document(html, metadata={"slides": "2"}), Reader(lambda w: [w], lambda n: None, "lead"))
    said = [[*slide.spoken, *(w for p in slide.pieces for w in p.spoken)] for slide in made.slides]
    assert said == [["Said aloud."], ["B.", "Words."]]


# -- nothing beyond the edge -------------------------------------------------------------------------------------------

words = st.text(st.sampled_from("abcdefgh  ijkl,.ßé→日"), min_size=1, max_size=300)
points = st.builds(lambda w: Piece("point", (Run(w),), "•"), words)
texts = st.builds(lambda w: Piece("text", (Run(w),)), words)
codes = st.builds(lambda r: Piece("code", rows=tuple((line,) for line in r)), st.lists(words, min_size=1, max_size=40))
tables = st.integers(1, 6).flatmap(
    lambda n: st.builds(
        lambda r: Piece("table", rows=tuple(map(tuple, r))),
        st.lists(st.lists(st.text("abc de", max_size=60), min_size=n, max_size=n), min_size=2, max_size=25),
    )
)


@settings(max_examples=20, deadline=None)
@given(
    title=st.text("abc def", max_size=200),
    pieces=st.lists(st.one_of(points, texts, codes, tables), min_size=1, max_size=12),
    size=st.sampled_from([(1280, 720), (640, 360), (720, 1280)]),
)
def test_no_slide_overflows_and_nothing_is_lost(title: str, pieces: list[Piece], size: tuple[int, int]) -> None:
    layout = Layout(*size, Typeface([title]))
    easel = Easel(layout, "light")
    pages = layout.paged(Slide(title, tuple(pieces), spoken=("Title.",)))
    for page in pages:
        edge = round(layout.margin * 0.9)
        drawn = easel.draw(page)
        paper = drawn[0, 0]
        assert (drawn[:, -edge:] == paper).all()
        assert (drawn[:, :edge] == paper).all()
        assert (drawn[-round(70 * layout.unit) :] == paper).all()
    letters = "".join(run.words for page in pages for piece in page.pieces for run in piece.runs)
    assert letters.replace(" ", "") == "".join(run.words for piece in pieces for run in piece.runs).replace(" ", "")
    assert [page.spoken for page in pages] == [("Title.",), *((),) * (len(pages) - 1)]


def test_the_edge_test_can_fail() -> None:
    """Negative control: a line that is not wrapped stands in the margin."""
    layout = Layout(640, 360, Typeface([]))
    layout.wrap = lambda runs, across, size: Layout.wrap(layout, runs, 10_000, size)  # type: ignore[method-assign]
    drawn = Easel(layout, "light").draw(Slide("", (Piece("text", (Run("word " * 60),)),)))
    assert (drawn[:, -20:] != drawn[0, 0]).any()


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_letters_stand_out_from_the_paper(theme: str) -> None:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    look = THEMES[theme]
    for colour, least in ((look.ink, 7.0), (look.muted, 3.5), (look.accent, 4.5)):  # WCAG 2.2, contrast ratio
        high, low = sorted((light(colour), light(look.paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least


def test_letters_that_no_font_has_are_said() -> None:
    faces = Typeface(["plain — words, ½ price → here"])
    assert faces.lacking == ""
    assert Typeface(["\U0001f41d\uf8ff"]).lacking
    assert "".join(part for _, part in faces.parts("a→b", False)) in ("a→b", "a->b")


# -- the video ---------------------------------------------------------------------------------------------------------


def test_long_sentences_are_divided_at_punctuation() -> None:
    long = "Even when it hides behind clouds, she reads its place from the pattern of polarized light in the sky."
    assert clauses(long) == [long[:33], long[34:]]
    assert clauses("Short.") == ["Short."]
    assert clauses("word " * 40) == ["word " * 40]


@pytest.mark.parametrize("fps", [1, 7, 10, 25, 60])
def test_sound_picture_and_captions_agree(fps: int) -> None:
    ctx = murmur()
    video = lecture(document(NOTES), ctx, fps=fps, size="320x180")
    assert video.audio is not None
    assert video.fps == Fraction(fps)
    assert abs(video.audio.length / 24_000 - video.length / fps) <= 0.5 / 24_000
    assert sum(shot.frames for shot in video.shots()) == video.length
    samples = video.audio.array()[:, 0]
    for cue in video.cues:
        first, last = round(cue.start * 24_000), round(cue.end * 24_000)
        assert (samples[first:last] > 0.2).all()
        assert samples[last] == 0
        assert first == 0 or samples[first - 1] == 0
    spoken = sum(round((cue.end - cue.start) * 24_000) for cue in video.cues)
    assert spoken == (samples > 0).sum()  # every sound has its caption
    assert ctx.facts["slides"] == 5


def test_a_slide_stays_until_its_speech_is_over() -> None:
    video = lecture(
        document("# T\n\n## A\n\nOne two three four five.\n\n## B\n\n```\ncode\n```\n"), murmur(), size="320x180"
    )
    pages: list[tuple[int, int]] = []
    at = 0
    for shot in video.shots():
        pages.append((at, at + shot.frames))
        at += shot.frames
    starts = [cue.start * 10 for cue in video.cues]
    ends = [cue.end * 10 for cue in video.cues]
    assert [cue.text for cue in video.cues] == ["T.", "A.", "One two three four five.", "B."]
    assert any(first <= starts[1] + 1e-6 and ends[1] <= last for first, last in pages)
    assert pages[-1][1] - pages[-1][0] >= 25  # code is shown in silence


def test_options_and_bad_input() -> None:
    silent = lecture(document("# A\n\nWords.\n"), murmur(), captions="none", size="320x180", theme="dark")
    assert silent.cues == ()
    assert next(iter(silent.shots())).pixels[0, 0].max() < 60
    for size in ("", "1280", "1281x720", "10x10", "99999x99999", "axb"):
        with pytest.raises(OptionError):
            lecture(document("# A"), murmur(), size=size)
    for empty in ("", "   ", "<!-- nothing -->"):
        with pytest.raises(EmptyInput):
            lecture(Document(""), murmur()) if not empty.strip() else lecture(document(empty), murmur())
    with pytest.raises(OptionError):
        lecture(document("# A"), murmur(), face="no-such-font.ttf")


def test_damaged_pictures_are_left_out_with_a_word() -> None:
    ctx = murmur()
    made = Document('<h1>A</h1><p><img src="a.png" alt="x"/></p>', {"a.png": b"\x89PNG\r\n\x1a\nbroken"})
    video = lecture(made, ctx, size="320x180")
    assert video.length > 0
    assert any("a.png" in warning for warning in ctx.warnings)


@pytest.mark.models
def test_what_is_heard_is_what_the_caption_says(models_ctx: Context, tmp_path: Path) -> None:
    """Slides spoken by Kokoro, heard by Whisper, and read back from the file."""
    from transpose.transforms.transcribe import transcribe

    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return speak(values[0], models_ctx, **options)

    models_ctx.runner = call
    source = "# How bees find their way\n\n" + "Today we look at how she gets there, and how she comes home again.\n\n"
    source += "## The sun is her compass\n\n- On an overcast day she follows hedges, roads and rivers\n"
    path = tmp_path / "lecture.mp4"
    write_video(lecture(document(source), models_ctx), path, models_ctx)
    with av.open(str(path)) as container:
        lengths = [float((s.duration or 0) * (s.time_base or 0)) for s in container.streams if s.type != "subtitle"]
    assert abs(lengths[0] - lengths[1]) <= 0.1
    video = Video.from_file(path)
    assert video.audio is not None
    heard = transcribe(video.audio, models_ctx, lang="en")
    for word in (word for cue in heard.cues for word in cue.words):
        middle = (word.start + word.end) / 2
        near = " ".join(cue.text for cue in video.cues if cue.start - 0.5 <= middle <= cue.end + 0.5).lower()
        bare = word.text.strip(" .,").lower()
        assert bare[:4] in near.replace("honeybee", "honey bee"), (word, near)
    assert all(len(cue.text) <= WIDTH * (LINES + 1) for cue in video.cues)
    sound = video.audio.array(channels=1)[:, 0]
    loud = np.abs(sound) > 0.02
    for cue in video.cues:  # within a tenth of a second of the sound itself
        inside = np.flatnonzero(loud[round(cue.start * video.audio.rate) : round(cue.end * video.audio.rate)])
        assert inside[0] / video.audio.rate < 0.1
        assert inside[-1] / video.audio.rate > cue.end - cue.start - 0.15


def test_the_example_becomes_slides() -> None:
    made = deck((Path(__file__).parent.parent / "examples" / "lecture.md").read_text(encoding="utf-8"))
    assert made.title == "How honeybees find their way"
    assert [len(slide.pieces) for slide in made.slides] == [2, 4, 4, 2, 2, 4]
