"""A backup as one sealed file: the folder that `backup.make` writes, packed, encrypted and signed piece by piece."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from console.adapters.copy_error import CopyError
from console.adapters.sealed_file import SealedReader, SealKey, sealed_whole
from console.domain.text import T
from console.services.backup import backup as copies
from console.services.backup.backup import Backup

# What is read at once; the memory of a drill does not grow with the database.
BLOCK = 1 << 20
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Sealed:
    """A sealed backup: its file, size in bytes and SHA-256 of the whole file."""

    path: Path
    size: int
    sha256: str


def pack(folder: Path, target: Path, key: SealKey, made_at: datetime, told: Told) -> Sealed:
    """Write a whole backup as one sealed file; raises OSError, and then there is no such file.

    `told(done, total)` is called with bytes and may raise to stop the work.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    total, done = sum(file.stat().st_size for file in files), 0
    facts = {"format": 1, "name": target.name, "made_at": made_at.isoformat()}
    with (
        sealed_whole(target, key, facts) as writer,
        tarfile.open(fileobj=cast("IO[bytes]", writer), mode="w|", bufsize=BLOCK) as tar,
    ):
        for file in files:
            told(done, total)
            info = tarfile.TarInfo(str(file.relative_to(folder)))
            info.size, info.mode = file.stat().st_size, 0o600
            with file.open("rb") as content:
                tar.addfile(info, content)
            done += info.size
    return Sealed(target, writer.size, writer.sha256)


def unpack(file: Path, folder: Path, key: SealKey, *, sha256: str | None = None) -> Backup:
    """Open a sealed backup into an empty folder and return what it holds; raises CopyError and OSError.

    Raises CopyError as well when it was made under another name, or, with `sha256`, when it is not the very file that
    was recorded: a genuine backup of another day is found so, and one that somebody with the key made anew.
    """
    digests: dict[str, str] = {}
    with file.open("rb") as content:
        reader = SealedReader(content, key)
        _named(file, reader)
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r|", bufsize=BLOCK) as tar:
                for member in tar:
                    digests[member.name] = _take(tar, member, folder)
        except tarfile.TarError as error:
            raise CopyError(T("The content of the backup cannot be read."), "changed") from error
        while reader.read(BLOCK):
            pass
        _recorded(file, reader, sha256)
    return copies.check(folder, digests)


def verify(file: Path, key: SealKey, *, sha256: str | None = None) -> dict[str, Any]:
    """Read a sealed backup to its end without keeping anything; returns its head. Raises as `unpack` does."""
    with file.open("rb") as content:
        reader = SealedReader(content, key)
        _named(file, reader)
        while reader.read(BLOCK):
            pass
        _recorded(file, reader, sha256)
    return reader.facts


def _named(file: Path, reader: SealedReader) -> None:
    other = str(reader.facts.get("name"))[:200]
    if other != file.name:
        said = T("The file %(name)s is the backup %(other)s under another name.", name=file.name, other=other)
        raise CopyError(said, "swapped")


def _recorded(file: Path, reader: SealedReader, sha256: str | None) -> None:
    if sha256 is not None and reader.sha256 != sha256:
        raise CopyError(T("The file %(name)s is not the one that was recorded.", name=file.name), "not_recorded")


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> str:
    parts = PurePosixPath(member.name).parts
    if not member.isfile() or member.name.startswith("/") or ".." in parts:
        raise CopyError(T("The backup holds something that is no file of a backup."), "changed")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    source, digest = tar.extractfile(member), hashlib.sha256()
    assert source is not None
    with target.open("xb") as file:
        while piece := source.read(BLOCK):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()
