"""The engine: what runs, what comes from the cache, what a failure leaves behind. Fakes keep it exact and quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from transpose import Context, Many, Session, TransposeError, transform
from transpose.core.errors import AmbiguousError, MissingPackage, OptionError, OutputExists, TransformError, UsageError
from transpose.core.transform import Transform
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.testing import FAKES

CALLS: list[str] = []


@transform("text -> text", verb=True)
def count_calls(text: Text, ctx: Context) -> Text:
    """Counts, so that a test can ask: did it run?"""
    CALLS.append(text.text)
    return Text(text.text + "!")


@transform("text -> text", verb=True, deterministic=False)
def draw(text: Text, ctx: Context) -> Text:
    """Depends on the seed."""
    return Text(f"{text.text} {ctx.seed}")


@transform("text -> texts", verb=True)
def words(text: Text, ctx: Context) -> Many[Text]:
    """One to many."""
    return Many(lambda: (Text(word) for word in text.text.split()))


@transform("text -> text.label", verb=True)
def fails_on_b(text: Text, ctx: Context) -> Text:
    """Fails on one value."""
    CALLS.append(text.text)
    if text.text == "b":
        raise KeyError("no b here")
    return Text(text.text.upper())


@transform("text -> text", verb=True, needs=["no_such_module"], extra="local")
def lacks(text: Text) -> Text:
    """Needs a package that is not there."""
    return text


@transform("text -> text.summary", verb=True, uses=["count-calls"])
def twice(text: Text, ctx: Context) -> Text:
    """A recipe."""
    return Text(str(ctx.call("count-calls", ctx.call("count-calls", text)).text))


@transform("text -> text", verb=True)
def falls_back(text: Text, ctx: Context, *, font: Annotated[str, "a file"] = "") -> Text:
    """Depends on what lies beside it."""
    CALLS.append("fall back")
    if not font:
        ctx.once()
    return Text(f"{text.text} {len(CALLS)}")


@transform("text, text -> text.label", verb=True)
def compare(old: Text, new: Text) -> Text:
    """Two inputs of one kind."""
    return Text(f"{old.text} -> {new.text}")


@transform("text -> text", verb=True)
def slowly_grown(text: Text, ctx: Context) -> Text:
    """Shows itself in the making."""
    for end in range(1, 4):
        ctx.preview(Text(text.text[:end]))
    return text


OWN = (compare, falls_back, count_calls, draw, words, fails_on_b, lacks, twice, slowly_grown)


@pytest.fixture(autouse=True)
def _forget() -> None:
    CALLS.clear()


def session(home: Path, *, seed: int = 0, cache: bool = True, more: tuple[Transform, ...] = ()) -> Session:
    return Session(home=home, seed=seed, cache=cache, transforms=[*OWN, *FAKES, *more])


def test_a_second_run_computes_nothing(tmp_path: Path) -> None:
    for ran in (["count-calls", "write-text"], []):
        with session(tmp_path) as each:
            made = each.run("hello there", ".txt", verbs=["count-calls"])
            assert each.last is not None
            assert [name for name in each.last.ran if not name.startswith("read")] == ran
            assert made.value.read_text() == "hello there!\n"
            assert [step["transform"] for step in made.history["steps"]] == ["count-calls", "write-text"]
    assert CALLS == ["hello there"]


def test_values_in_the_making_are_shown(tmp_path: Path) -> None:
    seen: list[str] = []
    with Session(home=tmp_path, transforms=OWN, preview=lambda value: seen.append(value.text)) as each:
        each.run("hello there", "text", verbs=["slowly-grown"])
    assert seen == ["h", "he", "hel"]
    with session(tmp_path, cache=False) as each:
        each.run("hello there", "text", verbs=["slowly-grown"])  # nobody looks
    assert len(seen) == 3


def test_no_cache_computes_anew(tmp_path: Path) -> None:
    for _ in range(2):
        with session(tmp_path, cache=False) as each:
            each.run("hello there", "text", verbs=["count-calls"])
    assert CALLS == ["hello there"] * 2
    assert not (tmp_path / "steps").exists()


def test_seed_counts_only_where_it_matters(tmp_path: Path) -> None:
    values = []
    for seed in (1, 2, 1):
        with session(tmp_path, seed=seed) as each:
            values.append(each.run("a b", "text", verbs=["draw"]).value.text)
            each.run("a b", "text", verbs=["count-calls"])
    assert values == ["a b 1", "a b 2", "a b 1"]
    assert CALLS == ["a b"]


def test_history_tells_words_and_seed(tmp_path: Path) -> None:
    """Also the seed 0, and only where one was drawn from; a file is told by its name and not by its words."""
    with session(tmp_path, seed=0) as each:
        made = each.run("a red fox", tmp_path / "a.png").history
        assert made["inputs"][0]["words"] == "a red fox"
        assert [step.get("seed") for step in made["steps"]] == [0, None]
        (tmp_path / "b.txt").write_text("a fox", encoding="utf-8")
        assert "words" not in each.run(tmp_path / "b.txt", "text").history["inputs"][0]


def test_options_are_part_of_the_key_and_are_checked(tmp_path: Path) -> None:
    with session(tmp_path) as each:
        one = each.run("a b", "text", verbs=["fake-shout"], options={"marks": "2"})
        two = each.run("a b", "text", verbs=["fake-shout"], options={"marks": 3})
        assert (one.value.text, two.value.text) == ("A B!!", "A B!!!")
        for wrong, said in ((("mark", "2"), "marks"), (("marks", "99"), "0 to 9"), (("marks", "many"), "type int")):
            with pytest.raises(OptionError, match=said):
                each.run("a b", "text", verbs=["fake-shout"], options=dict([wrong]))


def test_many_are_mapped_one_by_one_and_a_failure_keeps_what_is_done(tmp_path: Path) -> None:
    with session(tmp_path) as each, pytest.raises(TransformError, match="no b here"):
        each.run("a b c", "text.labels", verbs=["words", "fails-on-b"])
    assert CALLS == ["a", "b"]
    with session(tmp_path) as each:
        assert each.run("a c d", "texts", verbs=["words"]).value.length == 3
        made = each.run("a c d", "text.labels", verbs=["words", "fails-on-b"])
        assert [text.text for text in made.value] == ["A", "C", "D"]


def test_a_batch_error_names_its_row(tmp_path: Path) -> None:
    with session(tmp_path) as each, pytest.raises(TransformError, match="nothing to shout"):
        each.run([Text("a"), Text("")], "texts", verbs=["fake-shout"])


def test_recipe_runs_its_parts(tmp_path: Path) -> None:
    with session(tmp_path) as each:
        assert each.run("a b", "text.summary", verbs=["twice"]).value.text == "a b!!"
        assert each.last is not None
        assert each.last.ran == ["twice", "count-calls", "count-calls"]


def test_missing_package_names_the_install_line(tmp_path: Path) -> None:
    with session(tmp_path) as each, pytest.raises(MissingPackage) as caught:
        each.run("a b", "text", verbs=["lacks"])
    assert "pip install 'transpose-ai[local]'" in str(caught.value)


def test_a_fallback_is_not_cached_nor_what_comes_after(tmp_path: Path) -> None:
    for count in (1, 2):
        with session(tmp_path) as each:
            assert each.run("a b", ".txt", verbs=["falls-back"]).value.read_text() == f"a b {count}\n"


def test_a_file_named_by_an_option_counts_by_its_bytes(tmp_path: Path) -> None:
    font = tmp_path / "font"
    counts = []
    for content in ("one", "one", "two"):
        font.write_text(content)
        with session(tmp_path / "home") as each:
            each.run("a b", "text", verbs=["falls-back"], options={"font": str(font)})
        counts.append(len(CALLS))
    assert counts == [1, 1, 2]


def test_two_inputs_that_fit_two_slots_are_a_question(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("first")
    two.write_text("second")
    with session(tmp_path / "home") as each:
        with pytest.raises(AmbiguousError, match="--with"):
            each.run([one, two], "text.label", verbs=["compare"])
        made = each.run([one], "text.label", verbs=["compare"], bind={"new": two})
        assert made.value.text == "first -> second"
        made = each.run([one], "text.label", verbs=["compare"], bind={"old": two})
        assert made.value.text == "second -> first"


def test_history_tells_steps_and_holds_no_paths_or_times(tmp_path: Path) -> None:
    source = tmp_path / "ünï.txt"
    source.write_text("a b")
    with session(tmp_path / "home") as each:
        made = each.run(source, tmp_path / "out.txt", verbs=["count-calls"])
    assert [step["transform"] for step in made.history["steps"]] == ["read-text", "count-calls", "write-text"]
    assert made.history["inputs"][0]["name"] == "ünï.txt"
    assert str(tmp_path) not in json.dumps(made.history)


def test_output_that_exists_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("precious")
    with session(tmp_path / "home") as each:
        with pytest.raises(OutputExists):
            each.run("a b", out)
        assert out.read_text() == "precious"
        each.run("a b", ".txt").save(out, force=True)
    assert out.read_text() == "a b\n"


def test_values_of_every_modality_can_be_given_and_saved(tmp_path: Path) -> None:
    picture = Image(np.zeros((4, 6, 3), np.uint8))
    sound = Audio.from_array(np.zeros(1600, np.float32), 16_000)
    with session(tmp_path / "home") as each:
        assert each.run(picture, ".png").save(tmp_path / "a.png").stat().st_size > 0
        assert each.run(sound, "audio").save(tmp_path / "a.wav").stat().st_size > 3200
        again = each.run(each.run(picture, "image"), ".png")
        assert again.value.read_bytes().startswith(b"\x89PNG")
        with pytest.raises(TransposeError, match="cannot be an input"):
            each.run(object(), ".png")


def test_fake_transcriber_answers_the_duration(tmp_path: Path) -> None:
    sound = Audio.from_array(np.zeros(40_000, np.float32), 16_000)
    with session(tmp_path) as each:
        made = each.run(sound, "text.transcript", source_kind="audio.speech", via=["fake-transcribe"])
        assert made.value.text == "2.50 seconds"


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from transpose import Session, transform, Context, Many
from transpose.media.text import Text

@transform("text -> texts", verb=True)
def words(text: Text) -> Many[Text]:
    "One to many."
    return Many(lambda: (Text(word) for word in text.text.split()))

@transform("text -> text.label", verb=True)
def slowly(text: Text, ctx: Context) -> Text:
    "Takes its time, and leaves a mark of each call."
    with open(sys.argv[2], "a") as log:
        log.write(text.text + "\\n")
    time.sleep(0.25)
    return Text(text.text.upper())

with Session(home=Path(sys.argv[1]), transforms=[words, slowly]) as session:
    made = session.run("a b c d e f g h", "text.labels", verbs=["words", "slowly"])
    print("".join(text.text for text in made.value))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_kill_loses_at_most_one_item(tmp_path: Path, how: signal.Signals) -> None:
    script, log = tmp_path / "slow.py", tmp_path / "log"
    script.write_text(SLOW)
    command = [sys.executable, str(script), str(tmp_path / "home"), str(log)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not log.exists() or log.read_text().count("\n") < 3:
        assert first.poll() is None
        time.sleep(0.02)
    os.kill(first.pid, how)
    first.wait(30)
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert second.stdout.strip() == "ABCDEFGH"
    calls = log.read_text().split()
    assert sorted(set(calls)) == list("abcdefgh")
    assert len(calls) <= 9  # only the item that was under way ran twice
    assert not list((tmp_path / "home").rglob(".transpose-*"))


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [("seed", "Session(seed=...)"), ("option", "'options'"), ("seconds", "options={'seconds': ...}")],
)
def test_a_keyword_that_no_run_has_is_refused(tmp_path: Path, keyword: str, hint: str) -> None:
    """It would else be passed over, and a seed that does nothing is worse than none."""
    with Session(home=tmp_path, transforms=[draw]) as session, pytest.raises(UsageError, match=keyword) as error:
        session.run("a", to="text", via=["draw"], **{keyword: 3})  # type: ignore[arg-type]
    assert hint in str(error.value.hint)
