"""Models of one's own that read, see and hear, or see videos too: real architectures with random weights, made here.

torchvision is not installed, and both processors have a part for videos that exists for torchvision only.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from transpose.cli import main
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.session import Session

os.environ.setdefault("HF_HUB_OFFLINE", "1")
MARKS = "<|image|> <|boi|> <|eoi|> <|audio|> <|boa|> <|eoa|> <|video|>".split()
WORDS = ["<pad>", "<eos>", "<bos>", "<unk>", *MARKS, *"a red fox on the hill and dog slept over jumped lazy .".split()]
FORM = (
    "{% for m in messages %}{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
    "{% if p['type'] == 'image' %}IMAGE{% elif p['type'] == 'audio' %}<|audio|>{% else %}{{ p['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{% endfor %}"
)
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a working folder, with PyTorch seeded."""
    pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save_tokenizer(folder: Path, **marks: str) -> None:
    """Words and marks, in the tokenizers library's own file."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    named = dict(zip(("pad_token", "eos_token", "bos_token", "unk_token"), WORDS, strict=False))
    PreTrainedTokenizerFast(tokenizer_object=made, extra_special_tokens=marks, **named).save_pretrained(folder)


def gemma(folder: Path) -> None:
    """Gemma 4, which reads, sees and hears."""
    from transformers import (
        Gemma4AudioConfig,
        Gemma4Config,
        Gemma4ForConditionalGeneration,
        Gemma4TextConfig,
        Gemma4VisionConfig,
    )

    folder.mkdir()
    names = ("image_token", "boi_token", "eoi_token", "audio_token", "boa_token", "eoa_token")
    save_tokenizer(folder, **dict(zip(names, MARKS, strict=False)))
    numbers = {f"{name}_id": WORDS.index(mark) for name, mark in zip(names[:5], MARKS, strict=False)}
    heads = {**SIZES, "head_dim": 8}
    words = Gemma4TextConfig(
        vocab_size=len(WORDS), vocab_size_per_layer_input=len(WORDS), hidden_size_per_layer_input=8,
        num_hidden_layers=2, num_key_value_heads=1, global_head_dim=8, max_position_embeddings=2048, **heads,
    )  # fmt: skip
    eyes = Gemma4VisionConfig(
        num_hidden_layers=1, num_key_value_heads=2, patch_size=4, position_embedding_size=256, **heads
    )
    ears = Gemma4AudioConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, subsampling_conv_channels=[128, 4],
        output_proj_dims=16,
    )  # fmt: skip
    config = Gemma4Config(
        text_config=words, vision_config=eyes, audio_config=ears, eoa_token_index=WORDS.index("<|eoa|>"),
        video_token_id=WORDS.index("<|video|>"), **numbers,
    )  # fmt: skip
    Gemma4ForConditionalGeneration(config).save_pretrained(folder)
    parts = {
        "processor_class": "Gemma4Processor",
        "image_processor": {"image_processor_type": "Gemma4ImageProcessor", "patch_size": 4, "max_soft_tokens": 70},
        "feature_extractor": {"feature_extractor_type": "Gemma4AudioFeatureExtractor"},
        "video_processor": {"video_processor_type": "Gemma4VideoProcessor"},
    }
    (folder / "processor_config.json").write_text(json.dumps(parts))
    (folder / "chat_template.jinja").write_text(FORM.replace("IMAGE", "<|image|>"))


def qwen(folder: Path) -> None:
    """Qwen2-VL, which reads and sees, videos too."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    folder.mkdir()
    save_tokenizer(folder, image_token="<|image|>", video_token="<|video|>")
    text = {**SIZES, "vocab_size": len(WORDS), "num_hidden_layers": 1, "num_key_value_heads": 1}
    rope = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}}
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    config = Qwen2VLConfig(
        text_config={**text, **rope, "max_position_embeddings": 1024},
        vision_config=vision,
        image_token_id=WORDS.index("<|image|>"),
        video_token_id=WORDS.index("<|video|>"),
        vision_start_token_id=WORDS.index("<|boi|>"),
        vision_end_token_id=WORDS.index("<|eoi|>"),
    )
    Qwen2VLForConditionalGeneration(config).save_pretrained(folder)
    picture = {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 4}
    size = {"shortest_edge": 64, "longest_edge": 6400}
    front = {"processor_class": "Qwen2VLProcessor", **picture, "size": size}
    (folder / "preprocessor_config.json").write_text(json.dumps(front))
    (folder / "chat_template.jinja").write_text(FORM.replace("IMAGE", "<|boi|><|image|><|eoi|>"))


def picture(shade: int) -> Image:
    ramp = np.linspace(0, shade, 60, dtype=np.uint8)
    return Image(np.stack([np.tile(ramp, (40, 1))] * 3, 2))


def tone(pitch: float) -> Audio:
    time = np.arange(16_000) / 16_000
    return Audio.from_array((0.4 * np.sin(2 * np.pi * pitch * time)).astype(np.float32), 16_000)


def said(session: Session, value: Any, verb: str) -> str:
    made = session.run(value, do=f"mine-{verb}", options={"tokens": 8}).value
    assert isinstance(made, Text)
    return made.text


def test_one_model_reads_sees_and_hears(own: Path) -> None:
    gemma(own / "model")
    assert main(["models", "add", "mine", "model"]) == 0
    assert "any-to-any" in (own / "home" / "cards" / "mine.toml").read_text()
    with Session() as session:
        for verb, value in (("write", "the red fox"), ("describe", picture(250)), ("hear", tone(440))):
            first = said(session, value, verb)
            assert first.strip()
            assert first == said(session, value, verb)
    Pictures.fromarray(picture(250).pixels).save(own / "ramp.png")
    assert main(["ramp.png", "out.txt", "--do", "mine-describe", "-o", "tokens=8"]) == 0
    assert (own / "out.txt").read_text().strip()


def test_what_it_sees_and_hears_reaches_the_model(own: Path) -> None:
    from transpose.core.context import Context
    from transpose.models.protocols import Message
    from transpose.models.runtimes.transformers import open_chat

    gemma(own / "model")
    assert main(["models", "add", "mine", "model"]) == 0
    with Session() as session:
        writer = open_chat(session.card("mine"), own / "model", Context())
        silent = writer._inputs([Message("user", "a fox")])
        seen = writer._inputs([Message("user", "a fox", images=(picture(250),))])
        both = writer._inputs([Message("user", "a fox", images=(picture(250),), sounds=(tone(440),))])
    mark, sign = WORDS.index("<|image|>"), WORDS.index("<|audio|>")
    assert not {mark, sign} & set(silent["input_ids"][0].tolist())
    assert seen["input_ids"][0].tolist().count(mark) > 10
    assert both["input_ids"][0].tolist().count(sign) == 25  # of 40 ms each
    other = writer._inputs([Message("user", "a fox", images=(picture(90),))])
    assert seen["pixel_values"].shape == other["pixel_values"].shape
    assert not np.allclose(seen["pixel_values"], other["pixel_values"])


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is here")
def test_a_model_that_also_sees_videos_needs_no_torchvision(own: Path) -> None:
    qwen(own / "model")
    assert main(["models", "add", "mine", "model"]) == 0
    with Session() as session:
        assert said(session, picture(250), "describe").strip()


def test_a_model_of_torchvision_only_says_what_it_needs(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gemma(own / "model")
    config = json.loads((own / "model" / "processor_config.json").read_text())
    del config["image_processor"], config["feature_extractor"]
    (own / "model" / "processor_config.json").write_text(json.dumps(config))
    assert main(["models", "add", "mine", "model"]) == 31
    assert "Traceback" not in capsys.readouterr().err
