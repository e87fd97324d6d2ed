"""Text to speech: what is said, how it sounds, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, InputError, SilentInput, WeightsError
from transpose.media.text import Text
from transpose.models.english import spell
from transpose.models.kokoro import MOST, pieces, trim
from transpose.models.phonemes import phonemes, rewrite
from transpose.transforms.speak import speak
from transpose.transforms.transcribe import transcribe


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$1.5 million", "1.5 million dollars"),
        ("the 1990s", "the nineteen nineties"),
        ("5 km at 60 km/h", "5 kilometers at 60 kilometers per hour"),
        ("9 km²", "9 square kilometers"),
        ("20 °C", "20 degrees Celsius"),
        ("www.example.org/a", "example dot org slash a"),
        ("me@example.org", "me at example dot org"),
        ("a half — 1/2", "a half, one half"),
        ("see [12], e.g. this", "see , for example this"),
        ("1/2/2020 and 24/7", "1/2/2020 and 24/7"),
        ("Dr. No vs. 3.14", "Dr. No vs. 3.14"),
    ],
)
def test_spelling(written: str, said: str) -> None:
    assert spell(written) == said


@pytest.mark.parametrize(
    ("ipa", "symbols"),
    [
        ("bˈɚd", "bˈɜɹd"),
        ("bˈɛtɚ", "bˈɛTəɹ"),
        ("ətˈæk", "ətˈæk"),  # no flap before a stressed vowel
        ("d͡ʒˈʌd͡ʒ", "ʤˈʌʤ"),
        ("bˈɔɪ", "bˈY"),
        ("lˈɪtəl", "lˈɪTᵊl"),
        ("t͡ʃˈeɪn", "ʧˈAn"),
    ],
)
def test_symbols(ipa: str, symbols: str) -> None:
    assert rewrite(ipa) == symbols


def test_sentences_keep_their_punctuation() -> None:
    spoken = list(phonemes('He said, "The apple (red) is here!" Is it?'))
    assert [re.sub(r"[^,.!?()]", "", sentence) for sentence in spoken] == [",()!", "?"]
    assert spoken[0].startswith("hi sˈɛd, ði ˈæpᵊl")  # weak, and `the` before a vowel


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_phonemes_or_none(text: str) -> None:
    for sentence in phonemes(text):
        assert sentence.strip()


@given(st.text("ab ,.", max_size=1500), st.integers(4, MOST))
def test_pieces_lose_no_symbol(symbols: str, most: int) -> None:
    cut = list(pieces(symbols, most))
    assert "".join(cut).replace(" ", "") == symbols.replace(" ", "")
    assert all(len(piece) <= most for piece in cut)


def test_trim() -> None:
    sound = np.zeros(24_000, np.float32)
    sound[10_000:12_000] = 0.5
    assert 2000 < len(trim(sound)) <= 2000 + 1200
    assert len(trim(np.zeros(100, np.float32))) == 0


def test_refused() -> None:
    ctx = Context()
    with pytest.raises(EmptyInput):
        speak(Text(" \n"), ctx)
    with pytest.raises(InputError, match="'de'") as refused:
        speak(Text("Guten Tag", lang="de"), ctx)
    assert "en" in refused.value.hint
    with pytest.raises(InputError, match="'fr'"):
        speak(Text("Le temps était si mauvais que personne n'a quitté la maison."), ctx)


@pytest.mark.models
def test_symbols_are_in_the_vocabulary(models_ctx: Context) -> None:
    known = json.loads((models_ctx.model("kokoro") / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    text = "Judge the measure: which azure boy's beige church, though young, paid for thin air?"
    text += ' "Yes!" (We hope...) Oh; ugh.'
    assert not {symbol for sentence in phonemes(text) for symbol in sentence} - set(known)


@pytest.mark.models
def test_speech_says_the_words_and_sounds_like_a_voice(models_ctx: Context) -> None:
    text = Text("# A *test*\n\nThe children laughed when the puppy ran around the garden. It cost $20.", "markdown")
    sound = speak(text, models_ctx)
    samples = sound.array()[:, 0]
    assert (sound.rate, sound.channels) == (24_000, 1)
    assert 4 < sound.duration < 12
    assert 0.1 < np.abs(samples).max() < 1  # neither silent nor clipped
    assert models_ctx.facts["voice"] == "af_heart"
    heard = transcribe(sound, models_ctx).text.lower()
    assert "children laughed when the puppy ran around the garden" in heard
    assert "$20" in heard or "twenty" in heard
    again = speak(text, models_ctx)
    assert again == sound
    quick = speak(text, models_ctx, speed=1.5)
    assert quick.duration < sound.duration * 0.8


@pytest.mark.models
def test_without_words(models_ctx: Context) -> None:
    with pytest.raises(SilentInput):
        speak(Text("!!! … ???"), models_ctx)


@pytest.mark.models
def test_long_text_streams_to_a_file(models_ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    monkeypatch.setattr(import_module("transpose.transforms.speak"), "LONG", 5)
    short = speak(Text("One. Two."), models_ctx)
    monkeypatch.undo()
    assert isinstance(short.source, Path)
    assert short == speak(Text("One. Two."), models_ctx)


@pytest.mark.models
def test_another_voice_where_the_english_ones_cannot_be_had(models_ctx: Context) -> None:
    whole = models_ctx.weights

    def part(name: str) -> Path:
        if name == "kokoro-voices":
            raise WeightsError("npm is not installed")
        return whole(name)

    models_ctx.weights = part
    assert speak(Text("Hello there."), models_ctx).duration > 0.4
    assert models_ctx.facts["voice"] == "jf_alpha"
    assert "npm is not installed" in models_ctx.warnings[0]
    with pytest.raises(WeightsError):
        speak(Text("Hello there."), models_ctx, voice="af_bella")
