"""Resume tokens, in the very form of OpenZFS: a packed nvlist, compressed and in hexadecimal (dsl_dataset.c). Pure."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

_HEADER = struct.Struct("<4sii")
_NATIVE = _HEADER.pack(b"\0\1\0\0", 0, 1)
"""Native encoding, little endian, version 0, unique names."""
_PAIR = struct.Struct("<ihhii")
_BOOLEAN, _NUMBER, _STRING = 1, 8, 9
_FORM = re.compile(r"(\d+)-([0-9a-f]+)-([0-9a-f]+)-(.*)", re.DOTALL)

Value = int | str | None
"""None stands for a boolean, which is there or is not."""


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """What a sender has to know to go on with a stream that was cut."""

    toguid: int
    toname: str
    """The full name that the snapshot had on the sender."""
    fromguid: int = 0
    """0 for a full stream."""
    bytes: int = 0
    """How much of the stream arrived."""
    large_blocks: bool = False
    embedded: bool = False
    compressed: bool = False
    raw: bool = False
    object: int = 1
    """The object that the next bytes belong to, and where in it they do."""
    offset: int = 0

    @property
    def pairs(self) -> dict[str, Value]:
        """Its contents by their names in the token, in order."""
        pairs: dict[str, Value] = {"fromguid": self.fromguid} if self.fromguid else {}
        pairs |= {
            "object": self.object,
            "offset": self.offset,
            "bytes": self.bytes,
            "toguid": self.toguid,
            "toname": self.toname,
        }
        flags = {
            "largeblockok": self.large_blocks,
            "embedok": self.embedded,
            "compressok": self.compressed,
            "rawok": self.raw,
        }
        return pairs | {name: None for name, is_set in flags.items() if is_set}

    def __str__(self) -> str:
        packed = _NATIVE + b"".join(_packed(name, value) for name, value in self.pairs.items()) + bytes(4)
        payload = zlib.compress(packed, 6)
        return f"1-{_checksum(payload):x}-{len(packed):x}-{payload.hex()}"

    def lines(self) -> list[str]:
        """Its contents as `zfs send -v -t` prints them (nvlist_print)."""
        shown = [
            f"\t{name} = {value if isinstance(value, str) else 1 if value is None else hex(value)}"
            for name, value in self.pairs.items()
        ]
        return ["resume token contents:", "nvlist version: 0", *shown]


def read_token(text: str) -> ResumeToken | str:
    """The token that a text stands for; else what is wrong with it, in libzfs's words."""
    form = _FORM.fullmatch(text)
    if form is None:
        return "resume token is corrupt (invalid format)"
    version, checksum, length, digits = form.groups()
    if version != "1":
        return f"resume token is corrupt (invalid version {version})"
    try:
        payload = bytes.fromhex(digits)
    except ValueError:
        return "resume token is corrupt (payload is not hex-encoded)"
    if _checksum(payload) != int(checksum, 16):
        return "resume token is corrupt (incorrect checksum)"
    try:
        packed = zlib.decompress(payload)
    except zlib.error:
        packed = b""
    if len(packed) != int(length, 16):
        return "resume token is corrupt (decompression failed)"
    try:
        return _token_of(_unpacked(packed))
    except (struct.error, ValueError, KeyError, UnicodeDecodeError):
        return "resume token is corrupt (nvlist_unpack failed)"


def _packed(name: str, value: Value) -> bytes:
    word = _padded(name.encode() + b"\0")
    match value:
        case None:
            kind, count, data = _BOOLEAN, 0, b""
        case str():
            kind, count, data = _STRING, 1, _padded(value.encode() + b"\0")
        case int():
            kind, count, data = _NUMBER, 1, struct.pack("<Q", value)
    size = _PAIR.size + len(word) + len(data)
    return _PAIR.pack(size, len(name) + 1, 0, count, kind) + word + data


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def _unpacked(packed: bytes) -> dict[str, Value]:
    pairs: dict[str, Value] = {}
    place = _HEADER.size
    while struct.unpack_from("<i", packed, place)[0]:
        size, length, _, _, kind = _PAIR.unpack_from(packed, place)
        begin = place + _PAIR.size
        name = packed[begin : begin + length - 1].decode()
        data = packed[begin + length + -length % 8 : place + size]
        if size < _PAIR.size or kind not in (_BOOLEAN, _NUMBER, _STRING):
            raise ValueError(name)
        if kind == _STRING:
            pairs[name] = data.partition(b"\0")[0].decode()
        else:
            pairs[name] = struct.unpack("<Q", data)[0] if kind == _NUMBER else None
        place += size
    return pairs


def _token_of(pairs: dict[str, Value]) -> ResumeToken:
    toname = pairs["toname"]
    if not isinstance(toname, str):
        raise ValueError(toname)
    return ResumeToken(
        _number(pairs, "toguid"),
        toname,
        _number(pairs, "fromguid") if "fromguid" in pairs else 0,
        _number(pairs, "bytes"),
        large_blocks="largeblockok" in pairs,
        embedded="embedok" in pairs,
        compressed="compressok" in pairs,
        raw="rawok" in pairs,
        object=_number(pairs, "object"),
        offset=_number(pairs, "offset"),
    )


def _number(pairs: dict[str, Value], name: str) -> int:
    value = pairs[name]
    if not isinstance(value, int):
        raise ValueError(name)
    return value


def _checksum(data: bytes) -> int:
    """The first word of fletcher-4."""
    words = (data[place : place + 4] for place in range(0, len(data) - 3, 4))
    return sum(int.from_bytes(word, "little") for word in words) & 0xFFFFFFFFFFFFFFFF
