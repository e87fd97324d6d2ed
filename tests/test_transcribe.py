"""Speech to text: where the sound is cut, where times end up, and what is heard."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, OptionError, SilentInput
from transpose.media.audio import Audio
from transpose.media.text import Cue, Text, Word
from transpose.models.whisper import RATE, best_cut, in_order, paragraphs, restore
from transpose.transforms.speak import speak
from transpose.transforms.transcribe import transcribe
from transpose.transforms.translate_speech import translate_speech


def test_times_return_to_where_the_speech_was() -> None:
    spans = ((RATE, 3 * RATE), (10 * RATE, 12 * RATE))  # 2 s of speech from 1 s, 2 s from 10 s
    assert restore(0.5, 1.0, spans) == (1.5, 2.0)
    assert restore(2.5, 3.0, spans) == (10.5, 11.0)
    assert restore(1.9, 2.4, spans) == (10.0, 10.4)  # its middle is in the second span
    assert restore(3.5, 9.0, spans) == (11.5, 12.0)  # never after the last


@given(
    st.lists(st.tuples(st.integers(1, 50_000), st.integers(1, 50_000)), min_size=1, max_size=8),
    st.lists(st.floats(0, 20), min_size=2, max_size=20),
)
def test_times_keep_their_order(gaps: list[tuple[int, int]], times: list[float]) -> None:
    spans, at = [], 0
    for silence, speech in gaps:
        spans.append((at + silence, at + silence + speech))
        at += silence + speech
    placed = [restore(a, b, tuple(spans)) for a, b in pairwise(sorted(times))]
    assert all(a <= b for a, b in placed)
    assert all(a[0] <= b[0] for a, b in pairwise(placed))


def test_cut_in_the_widest_pause() -> None:
    silence = np.zeros(100 * RATE, np.float32)
    spans = [(0, 20 * RATE), (30 * RATE, 60 * RATE), (61 * RATE, 80 * RATE), (84 * RATE, 100 * RATE)]
    assert best_cut(silence, spans) == 82 * RATE


def test_cut_where_it_is_quietest_without_pauses() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 60 * RATE).astype(np.float32)
    sound[50 * RATE : 51 * RATE] *= 0.01
    assert 50 * RATE <= best_cut(sound, [(0, len(sound))]) <= 51 * RATE


def test_cues_never_run_backwards() -> None:
    late = Cue(1.5, 1.8, "b", (Word(1.5, 1.8, "b"),))
    assert in_order([Cue(0, 2, "a"), late])[1] == Cue(2, 2, "b", (Word(2, 2, "b"),))


def test_paragraphs() -> None:
    cues = [Cue(0, 1, "One."), Cue(1.2, 2, "Two."), Cue(6, 7, "Three.")]
    assert paragraphs(cues, "en", 2.0) == "One. Two.\n\nThree."
    assert paragraphs([Cue(0, 1, "一。"), Cue(1, 2, "二。")], "ja", 2.0) == "一。二。"


def test_a_sound_of_no_length() -> None:
    with pytest.raises(EmptyInput):
        transcribe(Audio.from_array(np.zeros(0, np.float32), RATE), Context())


@pytest.mark.models
def test_nobody_speaks(models_ctx: Context) -> None:
    seconds = np.arange(5 * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.01, len(seconds))
    for sound in (np.zeros(len(seconds)), noise, 0.3 * np.sin(2 * np.pi * 440 * seconds)):
        with pytest.raises(SilentInput):
            transcribe(Audio.from_array(sound, RATE), models_ctx)


@pytest.mark.models
def test_unknown_language(models_ctx: Context) -> None:
    with pytest.raises(OptionError, match="'xx'"):
        transcribe(Audio.from_array(np.zeros(RATE, np.float32), RATE), models_ctx, lang="xx")


CHAPTERS = (
    "Chapter one. The morning train was late again, so everybody shared a taxi.",
    "Chapter two. A judge may change the verdict if new evidence is found.",
    "Chapter three. She joined the choir because she enjoys singing.",
    "Chapter four. It has been raining since Thursday, and the river is rising.",
    "Chapter five. The museum closes at five, but the shop stays open until eight.",
    "Chapter six. Thousands of birds fly south every autumn.",
    "Chapter seven. An honest answer is better than a clever excuse.",
    "Chapter eight. Put the chair by the window, where there is more light.",
)


@pytest.fixture
def counted(models_ctx: Context) -> tuple[Audio, list[float]]:
    """Eight chapters of speech, each after two seconds of silence, and where each one starts."""
    pieces, starts, at = [], [], 0
    for chapter in CHAPTERS:
        spoken = speak(Text(chapter), models_ctx).array()[:, 0]
        pieces += [np.zeros(48_000, np.float32), spoken]
        starts.append((at + 48_000) / 24_000)
        at += 48_000 + len(spoken)
    return Audio.from_array(np.concatenate(pieces), 24_000), starts


@pytest.mark.models
@pytest.mark.slow
def test_words_in_order_and_in_time_across_cuts(models_ctx: Context, counted: tuple[Audio, list[float]]) -> None:
    sound, starts = counted
    progress: list[float] = []
    models_ctx.report = lambda done, total, what: progress.append(done)
    written = transcribe(sound, models_ctx, block=30.0, beam=1)  # two cuts or more
    words = [word for cue in written.cues for word in cue.words]
    assert all(a.end <= b.start + 0.01 for a, b in pairwise(written.cues))
    assert all(a.start <= b.start for a, b in pairwise(words))
    chapters = [word for word in words if word.text.lower().startswith("chapter")]
    assert len(chapters) == len(CHAPTERS)
    assert max(abs(word.start - start) for word, start in zip(chapters, starts, strict=True)) < 0.4
    assert written.lang == "en"
    assert "".join(cue.text for cue in written.cues).replace(" ", "") == "".join(written.text.split())
    assert written.text.count("\n\n") >= len(CHAPTERS) - 1
    assert progress == sorted(progress)
    assert sound.duration - progress[-1] < 0.1


@pytest.mark.models
def test_translation_of_english_is_english(models_ctx: Context) -> None:
    sound = speak(Text("Please leave the key under the flower pot beside the back door."), models_ctx)
    said = translate_speech(sound, models_ctx)
    assert said.lang == "en"
    assert "under the flower pot" in said.text.lower()
    assert said.cues
    assert not said.cues[0].words
