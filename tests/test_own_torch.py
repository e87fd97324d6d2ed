"""Models of one's own on PyTorch and ONNX: tiny checkpoints with random weights, made here in each library's format.

What they say means nothing; that the real loading code opens them, and that each becomes a transform, is the point.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from transpose.cli import main
from transpose.media.image import Image
from transpose.session import Session
from transpose.testing.shapes import draw, random_shapes

os.environ.setdefault("HF_HUB_OFFLINE", "1")
WORDS = [
    "<pad>",
    "<unk>",
    "<s>",
    "</s>",
    "a",
    "red",
    "fox",
    "on",
    "hill",
    "the",
    "dog",
    "slept",
    "over",
    "jumped",
    "lazy",
    ".",
]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a working folder."""
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def torch() -> Any:
    """PyTorch, seeded; without it these tests have nothing to run."""
    pytest.importorskip("transformers")
    loaded = pytest.importorskip("torch")
    loaded.manual_seed(0)
    loaded.set_num_threads(1)
    return loaded


def save_tokenizer(folder: Path) -> Any:
    """A tokenizer of sixteen words, in the tokenizers library's own file."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=64,
    )
    fast.save_pretrained(folder)
    return fast


def llama(folder: Path) -> None:
    """A causal language model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    save_tokenizer(folder)
    config = LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def t5(folder: Path) -> None:
    """A sequence-to-sequence model."""
    from transformers import T5Config, T5ForConditionalGeneration

    save_tokenizer(folder)
    config = T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)


def small_bert() -> Any:
    """A configuration of BERT with one layer."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )


def bert(folder: Path) -> None:
    """A text encoder."""
    from transformers import BertModel

    save_tokenizer(folder)
    BertModel(small_bert()).save_pretrained(folder)


def mood(folder: Path) -> None:
    """A text classifier."""
    from transformers import BertForSequenceClassification

    save_tokenizer(folder)
    config = small_bert()
    config.id2label, config.label2id, config.num_labels = {0: "glad", 1: "sad"}, {"glad": 0, "sad": 1}, 2
    BertForSequenceClassification(config).save_pretrained(folder)


def sentences(folder: Path) -> None:
    """An encoder in the form of sentence-transformers."""
    library = pytest.importorskip("sentence_transformers")
    bert(folder.with_name("inner"))
    from sentence_transformers import models

    inner = models.Transformer(str(folder.with_name("inner")))
    pooling = models.Pooling(inner.get_embedding_dimension())
    library.SentenceTransformer(modules=[inner, pooling]).save(str(folder))


def wav2vec(folder: Path) -> None:
    """A speech recogniser with CTC."""
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir()
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", "a", "b", "c"]
    (folder / "vocab.json").write_text(json.dumps({letter: at for at, letter in enumerate(letters)}))
    front = Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), Wav2Vec2CTCTokenizer(str(folder / "vocab.json")))
    front.save_pretrained(folder)
    config = Wav2Vec2Config(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_stride=(20, 16),
        conv_kernel=(20, 16),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)


def vits(folder: Path) -> None:
    """A voice."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    folder.mkdir()
    letters = {letter: at for at, letter in enumerate("_ abcdefghijklmnopqrstuvwxyz'.")}
    (folder / "letters.json").write_text(json.dumps(letters))
    tokenizer = VitsTokenizer(
        str(folder / "letters.json"), pad_token="_", unk_token="_", is_uroman=False, phonemize=False
    )
    tokenizer.save_pretrained(folder)
    config = VitsConfig(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=32,
        flow_size=16,
        spectrogram_bins=9,
        upsample_initial_channel=16,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
        duration_predictor_num_flows=1,
        depth_separable_num_layers=1,
        prior_encoder_num_flows=1,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        duration_predictor_flow_bins=4,
    )
    VitsModel(config).save_pretrained(folder)


def vit(folder: Path) -> None:
    """A picture classifier."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    config = ViTConfig(
        image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    config.id2label, config.label2id, config.num_labels = {0: "cat", 1: "cup"}, {"cat": 0, "cup": 1}, 2
    ViTForImageClassification(config).save_pretrained(folder)
    processor = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    assert ViTImageProcessor is not None


def clip_parts() -> tuple[Any, Any]:
    """A text encoder for pipelines of diffusers, and its tokenizer."""
    import tempfile

    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = Path(tempfile.mkdtemp())
    letters = [f"{letter}{end}" for letter in "abcdefghijklmnopqrstuvwxyz." for end in ("", "</w>")]
    vocabulary = {token: at for at, token in enumerate([*letters, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16)
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=vocabulary["<|startoftext|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
    )
    return CLIPTextModel(config), tokenizer


def stable_diffusion(folder: Path) -> None:
    """Stable Diffusion with a few thousand weights."""
    library = pytest.importorskip("diffusers")
    encoder, tokenizer = clip_parts()
    unet = library.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=2,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = library.AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    library.StableDiffusionPipeline(
        vae, encoder, tokenizer, unet, library.DDIMScheduler(clip_sample=False), None, None, None, False
    ).save_pretrained(folder)


def text_to_video(folder: Path) -> None:
    """ModelScope's text-to-video with a few thousand weights."""
    library = pytest.importorskip("diffusers")
    encoder, tokenizer = clip_parts()
    unet = library.UNet3DConditionModel(
        sample_size=8,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=2,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
    )
    vae = library.AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    library.TextToVideoSDPipeline(
        vae, encoder, tokenizer, unet, library.DDIMScheduler(clip_sample=False)
    ).save_pretrained(folder)


def audio_ldm(folder: Path) -> None:
    """AudioLDM with a few thousand weights."""
    library = pytest.importorskip("diffusers")
    import tempfile

    from transformers import ClapTextConfig, ClapTextModelWithProjection, SpeechT5HifiGan, SpeechT5HifiGanConfig

    tokenizer = save_tokenizer(Path(tempfile.mkdtemp()))
    encoder = ClapTextModelWithProjection(
        ClapTextConfig(
            vocab_size=len(WORDS),
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=1,
            projection_dim=8,
            pad_token_id=0,
            max_position_embeddings=80,
        )
    )
    unet = library.UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=(8, 16),
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=8,
        class_embeddings_concat=True,
    )
    vae = library.AutoencoderKL(
        in_channels=1,
        out_channels=1,
        block_out_channels=(8, 8),
        norm_num_groups=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=8,
            sampling_rate=16_000,
            upsample_initial_channel=16,
            upsample_rates=[2, 2],
            upsample_kernel_sizes=[4, 4],
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1]],
            normalize_before=False,
        )
    )
    library.AudioLDMPipeline(
        vae, encoder, tokenizer, unet, library.DDIMScheduler(clip_sample=False), vocoder
    ).save_pretrained(folder)


def llava(folder: Path) -> None:
    """A model that sees and writes."""
    from tokenizers import AddedToken
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    folder.mkdir()
    tokenizer = save_tokenizer(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<image>")]})
    form = (
        "{% for m in messages %}{% if m['content'] is string %}{{ m['content'] }}{% else %}"
        "{% for p in m['content'] %}{% if p['type'] == 'image' %}<image>{% else %}{{ p['text'] }}{% endif %}"
        "{% endfor %}{% endif %}{% endfor %}"
    )
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=form,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=32, patch_size=16, projection_dim=16, **sizes),
        text_config=LlamaConfig(vocab_size=len(tokenizer), **sizes),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)


def qwen_audio(folder: Path) -> None:
    """A model that hears and writes."""
    from tokenizers import AddedToken
    from transformers import (
        Qwen2AudioConfig,
        Qwen2AudioEncoderConfig,
        Qwen2AudioForConditionalGeneration,
        Qwen2AudioProcessor,
        Qwen2Config,
        WhisperFeatureExtractor,
    )

    folder.mkdir()
    tokenizer = save_tokenizer(folder)
    marks = ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken(mark) for mark in marks]})
    form = (
        "{% for m in messages %}{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
        "{% if p['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>{% else %}{{ p['text'] }}{% endif %}"
        "{% endfor %}{% endif %}{% endfor %}"
    )
    front = WhisperFeatureExtractor(feature_size=8, return_attention_mask=True)
    Qwen2AudioProcessor(front, tokenizer, chat_template=form).save_pretrained(folder)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Qwen2AudioConfig(
        audio_config=Qwen2AudioEncoderConfig(
            num_mel_bins=8, d_model=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=32
        ),
        text_config=Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=2, **sizes),
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    Qwen2AudioForConditionalGeneration(config).save_pretrained(folder)


def whisper(folder: Path) -> None:
    """A speech recogniser with cross-attention."""
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    folder.mkdir()
    letters = {letter: at for at, letter in enumerate("abcdefghijklmnopqrstuvwxyzĠ.")}
    letters |= {
        "<|endoftext|>": 28,
        "<|startoftranscript|>": 29,
        "<|en|>": 30,
        "<|transcribe|>": 31,
        "<|notimestamps|>": 32,
    }
    (folder / "vocab.json").write_text(json.dumps(letters))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = WhisperTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    WhisperProcessor(WhisperFeatureExtractor(feature_size=8), tokenizer).save_pretrained(folder)
    config = WhisperConfig(
        vocab_size=len(letters),
        num_mel_bins=8,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_target_positions=32,
        pad_token_id=28,
        bos_token_id=28,
        eos_token_id=28,
        decoder_start_token_id=29,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    WhisperForConditionalGeneration(config).save_pretrained(folder)


def encoder_onnx(folder: Path) -> None:
    """A text encoder in ONNX: a table of vectors, and tokenizer.json beside it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir()
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(0).normal(size=(len(WORDS), 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["states"])],
        "encoder",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "t", 8])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(folder / "model.onnx"))


def classifier_onnx(folder: Path) -> None:
    """A picture classifier in ONNX: the mean of each colour, so that red pictures are red."""
    import onnx
    from onnx import TensorProto, helper

    folder.mkdir()
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["pixels"], ["logits"], axes=[2, 3], keepdims=0)],
        "classifier",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "config.json").write_text(json.dumps({"id2label": {"0": "red", "1": "green", "2": "blue"}}))
    prepare = {"size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.1] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(prepare))


def red() -> Any:
    """A red picture in memory."""
    from transpose.media.image import Image

    return Image(np.full((40, 60, 3), (220, 20, 20), np.uint8))


TORCH: dict[str, tuple[Callable[[Path], None], str]] = {
    "text-generation": (llama, "write"),
    "sequence-to-sequence": (t5, "summarize"),
    "feature-extraction": (bert, "embed"),
    "sentence-transformers": (sentences, "embed"),
    "text-classification": (mood, "classify"),
    "ctc": (wav2vec, "transcribe"),
    "text-to-speech": (vits, "speak"),
    "image-classification": (vit, "label"),
    "text-to-image": (stable_diffusion, "paint"),
    "text-to-video": (text_to_video, "film"),
    "text-to-audio": (audio_ldm, "compose"),
    "image-text-to-text": (llava, "describe"),
    "audio-text-to-text": (qwen_audio, "hear"),
    "speech-to-text": (whisper, "transcribe"),
}


@pytest.mark.parametrize("task", TORCH)
def test_a_checkpoint_becomes_a_transform(task: str, own: Path, torch: Any) -> None:
    make, verb = TORCH[task]
    make(own / "model")
    assert main(["models", "add", "mine", "model"]) == 0
    with Session() as session:
        assert f"mine-{verb}" in session.catalog
        assert session.card("mine").runtime is not None


def test_what_they_give_has_the_right_form(own: Path, torch: Any) -> None:
    for name, make in (("enc", bert), ("lm", llama), ("sd", stable_diffusion), ("tts", vits)):
        make(own / name)
        assert main(["models", "add", name, name]) == 0
    with Session() as session:
        vector = session.run("the red fox", do="enc-embed").value
        assert vector.vector.shape == (16,)
        assert vector.space == "enc"
        texts = [session.run("the fox", do="lm-write", options={"tokens": 6}).value.text for _ in range(2)]
        assert texts[0] == texts[1]
        told = {"steps": 2, "width": 32, "height": 16}
        pictures = [session.run("a red fox", do="sd-paint", options=told).value for _ in range(2)]
        assert pictures[0].pixels.shape == (16, 32, 3)
        assert pictures[0] == pictures[1]
        changed = session.run(red(), do="sd-repaint", prompt="a fox", options={"steps": 2}).value
        assert changed.pixels.shape[2] == 3
        sound = session.run("a red fox", do="tts-speak").value
        assert sound.rate == 16_000
        assert sound.duration > 0


SAMPLERS = ["dpm++", "unipc", "heun", "euler", "ddim", "ddpm"]


def test_samplers_by_name(own: Path, torch: Any) -> None:
    """Each name makes another picture of the same noise; the model's own sampler is there again afterwards."""
    stable_diffusion(own / "sd")
    text_to_video(own / "film")
    for name in ("sd", "film"):
        assert main(["models", "add", name, name]) == 0
    told = {"steps": 4, "width": 16, "height": 16}
    with Session() as session:
        made = {
            name: session.run("a red fox", do="sd-paint", options={**told, "sampler": name}).value.pixels
            for name in ["own", *SAMPLERS, "own"]
        }
        again = session.run("a red fox", do="sd-paint", options=told).value.pixels
        assert np.array_equal(made["own"], again)
        assert np.array_equal(made["own"], made["ddim"])  # which is the tiny model's own
        assert len({made[name].tobytes() for name in SAMPLERS}) >= 4
        changed = session.run(red(), do="sd-repaint", prompt="a fox", options={"steps": 4, "sampler": "dpm++"}).value
        assert changed.pixels.shape[2] == 3
        film: dict[str, str | int | float | bool] = {
            "steps": 2,
            "width": 16,
            "height": 16,
            "frames": 2,
            "sampler": "unipc",
            "negative": "a dog",
        }
        assert session.run("a red fox", do="film-film", options=film).value is not None


def test_between_prompts_and_noises(own: Path, torch: Any) -> None:
    """At the ends it is the one or the other, in between neither; another variant goes another way."""
    stable_diffusion(own / "sd")
    text_to_video(own / "film")
    audio_ldm(own / "ldm")
    for name in ("sd", "film", "ldm"):
        assert main(["models", "add", name, name]) == 0
    told: dict[str, str | int | float | bool] = {"steps": 2, "width": 16, "height": 16, "guidance": 4.0}

    with Session() as session:

        def made(prompt: str, do: str = "sd-paint", **options: str | float) -> NDArray[np.float64]:
            asked = {"steps": 2, "guidance": 4.0, "seconds": 0.3} if do == "ldm-compose" else told
            asked = {**asked, "frames": 2} if do == "film-film" else asked
            value = session.run(prompt, do=do, options={**asked, **options}).value
            if do == "film-film":
                return np.stack(list(value.frames())).astype(np.float64)
            return np.asarray(value.array() if do == "ldm-compose" else value.pixels, np.float64)

        for do in ("sd-paint", "film-film", "ldm-compose"):
            fox, dog = made("a fox", do), made("a dog", do)
            assert np.array_equal(made("a fox", do, toward="a dog", share=0.0), fox), do
            assert np.allclose(made("a fox", do, toward="a dog", share=1.0), dog, atol=1e-3), do
            half = made("a fox", do, toward="a dog", share=0.5)
            assert not np.array_equal(half, fox), do
            assert not np.array_equal(half, dog), do
            near, far, other = (
                made("a fox", do, variation=by, variant=number) for by, number in ((0.05, 1), (0.9, 1), (0.05, 2))
            )
            assert 0 < np.abs(near - fox).mean() < np.abs(far - fox).mean(), do
            assert not np.array_equal(near, other), do
            assert np.array_equal(made("a fox", do), fox), "afterwards it is as before"


def test_between_two_pictures(own: Path, torch: Any) -> None:
    """By the share from what one alone gives to what the other gives, under the same noise."""
    stable_diffusion(own / "sd")
    assert main(["models", "add", "sd", "sd"]) == 0
    one, two = (Image(np.full((16, 16, 3), level, np.uint8)) for level in (220, 30))
    told: dict[str, str | int | float | bool] = {"steps": 4, "strength": 0.5}

    with Session() as session:

        def made(picture: Image, other: Image | None = None, share: float = 0.5) -> NDArray[np.float64]:
            bind = {} if other is None else {"other": other}
            options = {**told, "share": share}
            found = session.run(picture, do="sd-repaint", prompt="a fox", options=options, bind=bind)
            return np.asarray(found.value.pixels, np.float64)

        assert np.array_equal(made(one, two, 0.0), made(one))
        assert np.array_equal(made(one, two, 1.0), made(two))
        half = made(one, two)
        assert not np.array_equal(half, made(one))
        assert not np.array_equal(half, made(two))


def test_a_style_is_learned_on_stable_diffusion(own: Path, torch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The same commands on a model of diffusers: the adapter is in diffusers' format, small, and changes pictures."""
    from safetensors import safe_open

    pytest.importorskip("peft")
    stable_diffusion(own / "sd")
    assert main(["models", "add", "sd", "sd"]) == 0
    folder = own / "cuts"
    folder.mkdir()
    for place, shape in enumerate(random_shapes(4, seed=31, style="outlined")):
        Pillow.fromarray(draw(shape)).save(folder / f"{place}.png")
    learn = ["learn", "style", str(folder), "--name", "papercut", "--base", "sd", "--steps", "6", "--rate", "0.1"]
    capsys.readouterr()
    assert main([*learn, "--rank", "2"]) == 0
    assert "base unchanged" in capsys.readouterr().out
    (adapter,) = (own / "home" / "learned" / "papercut").glob("*lora*.safetensors")
    with safe_open(adapter, "np") as file:
        assert any("to_q" in name and "lora" in name for name in file.keys())  # noqa: SIM118  # it is no mapping
    assert adapter.stat().st_size < 2e6
    told = {"steps": 2, "width": 16, "height": 16}
    with Session() as session:
        plain = session.run("a fox", do="sd-paint", options=told).value.pixels
        styled = [session.run("a fox", "image", via=["papercut"], options=told).value.pixels for _ in range(2)]
    assert np.array_equal(styled[0], styled[1])
    assert not np.array_equal(plain, styled[0])  # negative control: without it, the base is as before


def test_a_sampler_that_does_not_fit_is_refused(torch: Any) -> None:
    """Models of rectified flow keep to straight lines; what has a method of its own keeps that; servers have none."""
    library = pytest.importorskip("diffusers")
    from transpose.core.errors import OptionError
    from transpose.models.protocols import Steering, steered
    from transpose.models.runtimes.diffusers import Pipeline, _scheduler

    flow = library.FlowMatchEulerDiscreteScheduler(shift=3.0)
    for name in ("dpm++", "unipc", "heun", "euler", "ddim"):
        scheduler = _scheduler(flow, "mine", name)
        scheduler.set_timesteps(6)
        x = torch.ones(1, 4, 8, 8)
        for t in scheduler.timesteps:
            x = scheduler.step(torch.zeros_like(x), t, x).prev_sample  # where nothing moves, nothing changes
        assert torch.allclose(x, torch.ones_like(x), atol=1e-3), name
    for scheduler, name in ((flow, "ddpm"), (library.LCMScheduler(), "dpm++")):
        with pytest.raises(OptionError, match="cannot be sampled"):
            _scheduler(scheduler, "mine", name)  # type: ignore[arg-type]
    assert steered(Pipeline(None, "mine"), Steering("heun"), "mine").steering.sampler == "heun"
    server = object()
    assert steered(server, Steering(), "mine") is server
    for asked, name in ((Steering("heun"), "sampler"), (Steering(variation=0.1), "variation")):
        with pytest.raises(OptionError, match=f"does not take {name}"):
            steered(server, asked, "mine")


def test_pickled_weights_are_converted_once(own: Path, torch: Any) -> None:
    bert(own / "model")
    from safetensors.torch import load_file

    weights = load_file(own / "model" / "model.safetensors")
    torch.save(weights, own / "model" / "pytorch_model.bin")
    (own / "model" / "model.safetensors").unlink()
    assert main(["models", "add", "mine", "model"]) == 31
    assert main(["models", "add", "mine", "model", "--convert"]) == 0
    with Session() as session:
        assert session.run("the fox", do="mine-embed").value.vector.shape == (16,)


def test_a_pickle_with_code_is_not_run(own: Path, torch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bert(own / "model")
    (own / "model" / "model.safetensors").unlink()

    class Bomb:
        """Would make a file when it is opened."""

        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(own / "harm"),))

    torch.save({"w": Bomb()}, own / "model" / "pytorch_model.bin")
    assert main(["models", "add", "mine", "model", "--convert"]) == 31
    assert not (own / "harm").exists()
    assert "more than weights" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_one_line(own: Path, torch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bert(own / "model")
    weights = own / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert main(["models", "add", "mine", "model"]) == 31
    said = capsys.readouterr().err
    assert "cannot be loaded" in said
    assert "Traceback" not in said
    assert not (own / "home" / "cards" / "mine.toml").exists()


def test_onnx_models(own: Path) -> None:
    pytest.importorskip("onnx")
    encoder_onnx(own / "enc")
    classifier_onnx(own / "cls")
    assert main(["models", "add", "enc", "enc"]) == 0
    assert main(["models", "add", "cls", "cls"]) == 0
    with Session() as session:
        one, two, three = (
            session.run(words, do="enc-embed").value.vector for words in ("red fox", "fox red", "lazy dog")
        )
        assert np.allclose(one, two)
        assert not np.allclose(one, three)
        named = session.run(red(), do="cls-label", source_kind="image.photo").value.text
        assert named.splitlines()[0].startswith("red (")
