"""Files that only the holder of a key can read or change: a stream in pieces, each of them encrypted and signed.

Layout: the magic, the length of the header (4 bytes), the header as JSON, then pieces: length (4 bytes) and AES-256-GCM
of a flag and at most one mebibyte. The key of a file is made from the installation's key, a salt of its own and the
header; the number of a piece and whether it is the last are its nonce. So no piece can be changed, moved, left out,
added or taken from another file, and memory stays small whatever the size.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from console.adapters.copy_error import CopyError
from console.domain.text import T

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"KAFOSB1\n"
PIECE = 1 << 20
_LENGTH = struct.Struct(">I")
_LONGEST_HEADER = 1 << 16
# A flag before the content and the signature behind it.
_LONGEST_PIECE = PIECE + 1 + 16
_PLAIN, _PACKED = b"\0", b"\1"
# What does not become smaller than this part of itself is stored as it is.
_WORTH_PACKING = 0.95


@dataclass(frozen=True)
class SealKey:
    """A key with its short public name."""

    secret: bytes = field(repr=False)

    @cached_property
    def id(self) -> str:
        """Return eight hexadecimal digits by which the key is known; they say nothing of it."""
        return hashlib.sha256(b"ka-facility-os backup key" + self.secret).hexdigest()[:8]


def _cipher(key: SealKey, salt: bytes, header: bytes) -> AESGCM:
    # Loaded with the first backup: most processes never make one.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, salt, MAGIC + header).derive(key.secret))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


class SealedWriter:
    """Takes bytes and writes them sealed; `close` writes the last piece. `sha256` and `size` are those of the file."""

    def __init__(self, file: _Whole, key: SealKey, facts: Mapping[str, Any], *, pack: bool) -> None:
        salt = os.urandom(32)
        header = json.dumps({**facts, "key_id": key.id, "salt": salt.hex()}, ensure_ascii=False).encode()
        self._file, self._pack = file, pack
        self._cipher = _cipher(key, salt, header)
        self._waiting = bytearray()
        self._number = 0
        self._digest = hashlib.sha256()
        self.size = 0
        self._put(MAGIC + _LENGTH.pack(len(header)) + header)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of what was written so far, hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Take some bytes; raises OSError when the disk does not."""
        self._waiting += data
        while len(self._waiting) > PIECE:
            piece = bytes(self._waiting[:PIECE])
            del self._waiting[:PIECE]
            self._seal(piece, last=False)
        return len(data)

    def close(self) -> None:
        """Write the last piece; without it a file counts as cut off."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        content = _PLAIN + piece
        if self._pack and (packed := zlib.compress(piece, 1)) and len(packed) < len(piece) * _WORTH_PACKING:
            content = _PACKED + packed
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), content, None)
        self._number += 1
        self._put(_LENGTH.pack(len(sealed)) + sealed)

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)


class SealedReader:
    """Gives back what was sealed, piece by piece, and raises CopyError at the first byte that is not genuine."""

    def __init__(self, file: BinaryIO, key: SealKey) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        if self._take(len(MAGIC)) != MAGIC:
            raise CopyError(T("The file is no backup of this product."), "no_backup")
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        if length > _LONGEST_HEADER:
            raise CopyError(T("The file is no backup of this product."), "no_backup")
        header = self._take(length)
        try:
            self.facts: dict[str, Any] = json.loads(header)
            salt = bytes.fromhex(self.facts["salt"])
            known = self.facts["key_id"]
        except (ValueError, KeyError, TypeError) as error:
            raise CopyError(T("The head of the backup was changed."), "changed") from error
        if known != key.id:
            raise CopyError(
                T(
                    "The backup was sealed with the key %(theirs)s; here is the key %(ours)s.",
                    theirs=known,
                    ours=key.id,
                ),
                "wrong_key",
            )
        self._cipher = _cipher(key, salt, header)
        self._number = 0
        self._content = memoryview(b"")
        self._ended = False

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of what was read so far, hexadecimal; that of the file once all of it was read."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, nothing at the end; raises CopyError."""
        made = bytearray()
        while (size < 0 or len(made) < size) and self._more():
            part = self._content if size < 0 else self._content[: size - len(made)]
            made += part
            self._content = self._content[len(part) :]
        return bytes(made)

    def _more(self) -> bool:
        while not self._content and not self._ended:
            self._content = memoryview(self._open())
        return bool(self._content)

    def _open(self) -> bytes:
        from cryptography.exceptions import InvalidTag

        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        if length > _LONGEST_PIECE:
            raise self._changed()
        sealed = self._take(length)
        for last in (False, True):
            try:
                content = self._cipher.decrypt(_nonce(self._number, last=last), sealed, None)
            except InvalidTag:
                continue
            self._number += 1
            self._ended = last
            if last and self._file.read(1):
                raise CopyError(T("Something was added behind the end of the backup."), "changed")
            return zlib.decompress(content[1:]) if content[:1] == _PACKED else content[1:]
        raise self._changed()

    def _changed(self) -> CopyError:
        return CopyError(
            T("The backup was changed: piece %(number)s is not genuine.", number=self._number + 1), "changed"
        )

    def _take(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) != size:
            raise CopyError(T("The backup is cut off in the middle."), "truncated")
        self._digest.update(found)
        return found


@contextmanager
def sealed_whole(target: Path, key: SealKey, facts: Mapping[str, Any], *, pack: bool = True) -> Iterator[SealedWriter]:
    """Return a writer whose file appears under its name only when the block has ended well; raises OSError.

    Nothing that stands there already is replaced.
    """
    draft = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        # Unbuffered: closing must not try once more to write to a disk that is full.
        with draft.open("xb", buffering=0) as file:
            writer = SealedWriter(_Whole(file), key, facts, pack=pack)
            yield writer
            writer.close()
            os.fsync(file.fileno())
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)


class _Whole:
    """A file that takes all bytes or raises; what is not buffered may take a part of them."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        return len(data)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
