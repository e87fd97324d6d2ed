"""Atomic outputs, the cache, and values that come back equal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transpose.core.context import Many
from transpose.core.errors import OutputError, OutputExists
from transpose.core.kind import Node
from transpose.core.store import Store, atomic, hash_file, load_value, save_value, sweep
from transpose.media.embedding import Embedding
from transpose.media.image import Image
from transpose.media.text import Cue, Text, Word

times = st.floats(0, 1e5, allow_nan=False)
words = st.builds(Word, times, times, st.text(max_size=9), st.floats(0, 1))
cues = st.builds(Cue, times, times, st.text(max_size=30), st.lists(words, max_size=3).map(tuple))
langs = st.sampled_from([None, "en", "de"])
markups = st.sampled_from(["plain", "markdown"])
texts = st.builds(Text, st.text(), markups, langs, st.lists(cues, max_size=3).map(tuple))
pixels = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3, 4])))
keys = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)
metas = st.dictionaries(keys, st.text(max_size=20) | st.binary(max_size=20))
images = st.builds(Image, pixels, metas)
vectors = st.builds(Embedding, arrays(np.float32, st.integers(1, 9)), st.text(max_size=9))
quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@quiet
@given(st.one_of(texts, images, vectors))
def test_what_is_stored_comes_back_equal(tmp_path: Path, value: Text | Image | Embedding) -> None:
    node = Node(type(value).__name__.lower())
    save_value(value, node, tmp_path)
    again = load_value(node, tmp_path)
    if isinstance(value, Embedding):
        assert again.space == value.space
        np.testing.assert_array_equal(again.vector, value.vector)
    else:
        assert again == value


@quiet
@given(st.lists(texts, max_size=4))
def test_many_come_back_in_order_and_lazily(tmp_path_factory: pytest.TempPathFactory, values: list[Text]) -> None:
    folder = tmp_path_factory.mktemp("many")
    save_value(Many(lambda: iter(values)), Node("text", True), folder)
    again = load_value(Node("text", True), folder)
    assert again.length == len(values)
    assert list(again) == values == list(again)


def test_atomic_leaves_the_old_file_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "ö ut.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_refuses_what_exists_even_when_it_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with pytest.raises(OutputExists), atomic(path, force=False) as temporary:
        temporary.write_text("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    with pytest.raises(OutputError, match="is a folder"), atomic(tmp_path):
        pass


def test_temporaries_of_the_dead_are_swept_and_of_the_living_kept(tmp_path: Path) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    dead, alive = tmp_path / f".transpose-{done.pid}-ab.wav", tmp_path / f".transpose-{os.getpid()}-ab.wav"
    for path in (dead, alive):
        path.write_text("x")
    (tmp_path / f".transpose-{done.pid}-cd").mkdir()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [alive.name]


def test_entries_are_private_whole_and_trimmed_by_use(tmp_path: Path) -> None:
    store = Store(tmp_path / "home", limit=2500)
    for number in range(4):
        with store.putting(f"{number:064x}", {"record": {}}) as folder:
            (folder / "value.txt").write_bytes(b"x" * 1000)
        os.utime(store.folder(f"{number:064x}") / "meta.json", (number, number))
    assert store.meta(f"{0:064x}") is not None  # used now, so it stays
    assert store.trim() > 0
    assert store.meta(f"{0:064x}") is not None
    assert store.meta(f"{1:064x}") is None
    assert stat.S_IMODE(store.folder(f"{0:064x}").stat().st_mode) == 0o700


def test_a_failed_entry_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.putting("ab" * 32, {}) as folder:
        (folder / "value.txt").write_text("half")
        raise RuntimeError
    assert store.meta("ab" * 32) is None
    assert not list(store.root.rglob("value.txt"))


def test_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert hash_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
