"""Sealed files: what goes in comes out, in small memory, and nothing else ever does."""

from __future__ import annotations

import errno
import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.adapters.copy_error import CopyError
from console.adapters.sealed_file import PIECE, SealedReader, SealKey, digest_of, sealed_whole

KEY = SealKey(b"k" * 32)


def sealed(folder, content, *, key=KEY, name="one.backup", pack=True):
    target = folder / name
    target.unlink(missing_ok=True)
    with sealed_whole(target, key, {"name": name}, pack=pack) as writer:
        for place in range(0, len(content), 70_001):
            writer.write(content[place : place + 70_001])
    assert (writer.size, writer.sha256) == (target.stat().st_size, digest_of(target))
    return target


def read(path, key=KEY, content=None):
    return SealedReader(io.BytesIO(path.read_bytes() if content is None else content), key).read()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
@pytest.mark.parametrize("pack", [True, False])
def test_what_goes_in_comes_out(tmp_path, size, pack):
    content = os.urandom(size // 2) + bytes(size - size // 2)
    assert read(sealed(tmp_path, content, pack=pack)) == content


def test_the_same_content_never_looks_the_same_twice(tmp_path):
    first = sealed(tmp_path, b"content").read_bytes()
    assert first != sealed(tmp_path, b"content").read_bytes()
    assert b"content" not in first


@settings(max_examples=40)
@given(place=st.floats(0, 0.999999), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_found(tmp_path_factory, place, bit):
    folder = tmp_path_factory.mktemp("sealed")
    content = bytearray(sealed(folder, b"x" * 10_000, pack=False).read_bytes())
    content[int(len(content) * place)] ^= 1 << bit
    with pytest.raises(CopyError):
        read(None, content=bytes(content))


@settings(max_examples=40)
@given(part=st.floats(0, 0.99999))
def test_a_cut_anywhere_is_found(tmp_path_factory, part):
    content = sealed(tmp_path_factory.mktemp("sealed"), b"x" * 10_000, pack=False).read_bytes()
    with pytest.raises(CopyError) as caught:
        read(None, content=content[: int(len(content) * part)])
    assert caught.value.code == "truncated"


def _pieces(content):
    head = 8 + 4 + int.from_bytes(content[8:12], "big")
    found, at = [], head
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "big")
        found.append(content[at:end])
        at = end
    return content[:head], found


def test_pieces_cannot_be_moved_left_out_or_taken_from_another_file(tmp_path):
    head, pieces = _pieces(sealed(tmp_path, os.urandom(3 * PIECE)).read_bytes())
    _head, others = _pieces(sealed(tmp_path, os.urandom(3 * PIECE)).read_bytes())
    for forged in (
        [pieces[1], pieces[0], *pieces[2:]],
        pieces[1:],
        [pieces[0], others[1], *pieces[2:]],
        [*pieces, pieces[-1]],
    ):
        with pytest.raises(CopyError) as caught:
            read(None, content=head + b"".join(forged))
        assert caught.value.code == "changed"
    with pytest.raises(CopyError) as caught:
        read(None, content=head + b"".join(pieces[:-1]))
    assert caught.value.code == "truncated"


def test_a_name_in_the_head_cannot_be_changed(tmp_path):
    content = sealed(tmp_path, b"content").read_bytes().replace(b"one.backup", b"two.backup")
    with pytest.raises(CopyError) as caught:
        read(None, content=content)
    assert caught.value.code == "changed"


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" * 20, b"KAFOSB1\n" + b"\xff" * 100])
def test_other_files_are_no_backups(content):
    with pytest.raises(CopyError) as caught:
        read(None, content=content)
    assert caught.value.code in ("no_backup", "truncated")


def test_the_key_is_not_told_by_its_name():
    assert SealKey(b"k" * 32).id != SealKey(b"l" * 32).id
    assert "kkkk" not in repr(KEY)


def _begin(target, error=None):
    with sealed_whole(target, KEY, {}) as writer:
        writer.write(b"half")
        if error is not None:
            raise error


def test_what_breaks_off_leaves_no_file_and_nothing_is_replaced(tmp_path):
    target = tmp_path / "one.backup"
    with pytest.raises(OSError, match="full"):
        _begin(target, OSError(errno.ENOSPC, "full"))
    assert list(tmp_path.iterdir()) == []
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        _begin(target)
    assert (target.read_bytes(), len(list(tmp_path.iterdir()))) == (b"mine", 1)
