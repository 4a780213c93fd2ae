"""Compressed twins: right, only where they help, and made once."""

import gzip
import os
from pathlib import Path

import brotli
import pytest

from windlass.core.blobs import BlobStore
from windlass.core.manifest import Entry, Manifest, checked, link_entry
from windlass.core.variants import variants

TEXT = b"<p>the same words again and again</p>\n" * 40


def entries(store: BlobStore, files: dict[str, bytes]) -> Manifest:
    return checked(
        Entry(path, store.put_bytes(content), len(content)) for path, content in files.items()
    )


def test_text_gets_both_twins_and_they_unpack_to_it(store: BlobStore, tmp_path: Path) -> None:
    manifest = entries(store, {"a/index.html": TEXT, "copy.js": TEXT})

    made = variants(store, manifest)

    small, smaller = made["a/index.html"]
    assert small is not None
    assert smaller is not None
    assert (small.path, smaller.path) == ("a/index.html.gz", "a/index.html.br")
    assert gzip.decompress(store.read_bytes(small.sha256)) == TEXT
    assert brotli.decompress(store.read_bytes(smaller.sha256)) == TEXT
    assert small.size == len(store.read_bytes(small.sha256))
    twins = [entry for pair in made.values() for entry in pair if entry]
    store.link_tree(checked([*manifest, *twins]), tmp_path / "tree")
    assert len(list((tmp_path / "tree").rglob("*.br"))) == 2


def test_what_compression_does_not_help_is_left_alone(store: BlobStore) -> None:
    files = {
        "tiny.html": b"<p>",
        "photo.jpg": TEXT,
        "noise.js": os.urandom(5000),
        "README": TEXT,
        "own.css": TEXT,
        "own.css.gz": b"already there",
    }
    manifest = [*entries(store, files), link_entry("link.html", "own.css")]

    made = variants(store, manifest)

    assert set(made) == {"noise.js", "own.css"}
    assert made["noise.js"] == (None, None)
    assert made["own.css"][0] is None
    assert made["own.css"][1] is not None


def test_a_file_too_large_for_brotli_still_gets_gzip(store: BlobStore) -> None:
    manifest = entries(store, {"large.json": TEXT * 6000})

    small, smaller = variants(store, manifest)["large.json"]

    assert small is not None
    assert smaller is None


def test_unchanged_content_is_not_compressed_again(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{number}.html": os.urandom(100).hex().encode() * 60 for number in range(100)}
    manifest = entries(store, files)
    first = variants(store, manifest)
    monkeypatch.delattr(gzip, "compress")

    assert variants(store, manifest) == first


def test_a_lost_or_damaged_record_and_a_lost_twin_are_made_again(store: BlobStore) -> None:
    manifest = entries(store, {"a.html": TEXT})
    first = variants(store, manifest)
    small, _ = first["a.html"]
    assert small is not None
    store.path(small.sha256).unlink()
    assert variants(store, manifest) == first
    assert store.has(small.sha256)
    for record in (store.root / "derived").glob("*/??/*"):
        record.write_bytes(b"{")

    assert variants(store, manifest) == first


def test_collection_keeps_the_twins_of_what_is_kept_and_drops_the_others(
    store: BlobStore, tmp_path: Path
) -> None:
    manifest = entries(store, {"a.html": TEXT, "b.html": TEXT + b"b", "c.html": TEXT + b"c"})
    made = variants(store, manifest)
    store.link_tree(manifest[2:], tmp_path / "tree")
    for path in store.root.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))

    store.collect([manifest[0].sha256])

    twins = [{entry.sha256 for entry in made[e.path] if entry} for e in manifest]
    assert store.missing(twins[0] | twins[2]) == []
    assert set(store.missing(twins[1])) == twins[1]
    assert len(list((store.root / "derived").glob("*/??/*"))) == 2
