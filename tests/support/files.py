"""Small files of real formats, and some that lie."""

from __future__ import annotations

import io
import struct
import zlib
from zipfile import ZIP_DEFLATED, ZipFile

from PIL import Image

EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9"
)
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"


def png(width: int = 1, height: int = 1) -> bytes:
    """A PNG that claims this size; its pixels are those of one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!L", len(data)) + kind + data + struct.pack("!L", zlib.crc32(kind + data))

    head = struct.pack("!LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
        + chunk(b"IEND", b"")
    )


def zipped(entries: dict[str, bytes]) -> bytes:
    """A ZIP archive."""
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def multipart(
    content: bytes, name: str, content_type: str = "text/plain", fields: dict[str, str] | None = None
) -> tuple[bytes, str]:
    """The body of an upload as a browser sends it, and its content type."""
    line = "----of-the-form"
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in (fields or {}).items()
    ]
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n{kind}\r\n'
    return b"".join(
        [*parts, head.encode(), content, f"\r\n--{line}--\r\n".encode()]
    ), f"multipart/form-data; boundary={line}"


def exif(
    taken: str = "2026:03:01 10:12:33",
    offset: str = "+09:00",
    *,
    place: bool = True,
    order: str = ">",
    maker: str = "KA",
) -> bytes:
    """The block of a photo that tells when and where it was taken, as phones write it."""
    values = bytearray()
    tables = 8 + (2 + 12 * 3 + 4) + (2 + 12 * 2 + 4) + (2 + 12 * 4 + 4)

    def tag(number: int, kind: int, count: int, value: bytes) -> bytes:
        stored = value.ljust(4, b"\0")
        if len(value) > 4:
            stored = struct.pack(order + "L", tables + len(values))
            values.extend(value)
        return struct.pack(order + "HHL", number, kind, count) + stored

    def table(*tags: bytes) -> bytes:
        return struct.pack(order + "H", len(tags)) + b"".join(tags) + bytes(4)

    def text(number: int, value: str) -> bytes:
        return tag(number, 2, len(value) + 1, value.encode() + b"\0")

    def degrees(number: int, *parts: int) -> bytes:
        return tag(number, 5, 3, b"".join(struct.pack(order + "LL", part, 1) for part in parts))

    main = 8
    below = main + 2 + 12 * (3 if place else 2) + 4
    where = below + 2 + 12 * 2 + 4
    pointers = [tag(0x8769, 4, 1, struct.pack(order + "L", below))]
    if place:
        pointers.append(tag(0x8825, 4, 1, struct.pack(order + "L", where)))
    made = table(text(0x010F, "KA"), *pointers) + table(text(0x9003, taken), text(0x9011, offset))
    if place:
        north, east = degrees(0x0002, 37, 30, 59), degrees(0x0004, 126, 58, 41)
        made += table(tag(0x0001, 2, 2, b"N\0"), north, tag(0x0003, 2, 2, b"E\0"), east)
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return mark + struct.pack(order + "L", main) + made.ljust(tables - 8, b"\0") + bytes(values)


def jpeg_with(block: bytes) -> bytes:
    """A JPEG with such a block, and with the place as text beside it."""
    told = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    parts = [
        b"\xff\xe1" + struct.pack("!H", len(data) + 2) + data for data in (b"Exif\0\0" + block, told if block else b"")
    ]
    return JPEG[:2] + b"".join(parts) + JPEG[2:]


XMP = (
    b'<x:xmpmeta><rdf:Description exif:GPSLatitude="37,30.98N" drone-dji:GpsLongitude = \'126.97\' tiff:Make="KA">'
    b"<exif:GPSLongitude>126,58.68E</exif:GPSLongitude></rdf:Description></x:xmpmeta>"
)


def png_with(block: bytes) -> bytes:
    """A PNG with such a block, with the place as text, and with a packed profile."""
    plain = png()
    at = plain.index(b"IDAT") - 4
    packed = b"Raw profile type exif\0\0" + zlib.compress(b"exif of other programs")
    told = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP
    chunks = ((b"zTXt", packed), (b"iTXt", told), (b"eXIf", block))
    made = b"".join(struct.pack("!L", len(d)) + k + d + struct.pack("!L", zlib.crc32(k + d)) for k, d in chunks)
    return plain[:at] + made + plain[at:]


def webp_with(block: bytes) -> bytes:
    """A WebP with such a block."""
    body = WEBP[8:] + b"EXIF" + struct.pack("<L", len(block)) + block + bytes(len(block) % 2)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def heic_with(block: bytes) -> bytes:
    """What a HEIC of a phone begins like, with such a block where its pixels are."""
    data = b"\0\0\0\x06Exif\0\0" + block
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + struct.pack("!L", 8 + len(data)) + b"mdat" + data


def photo(width: int = 900, height: int = 600) -> bytes:
    """A real JPEG of this size, whose left half is lighter than the right one."""
    made = Image.new("RGB", (width, height), (180, 190, 185))
    made.paste((60, 90, 120), (width // 2, 0, width, height))
    kept = io.BytesIO()
    made.save(kept, "JPEG")
    return kept.getvalue()
