"""Avro container files as raw bytes.

For what a well-behaved writer refuses to write: other codecs, other
metadata, broken blocks.  Shares no code with python3-avro or pg_intake.
"""

import binascii
import bz2
import lzma
import struct
import zlib

MAGIC = b"Obj\x01"
SYNC = bytes(range(16))


def long(number):
    """A zig-zag varint."""
    bits = (number << 1) ^ (number >> 63)
    bits &= (1 << 64) - 1
    out = bytearray()
    while bits >= 0x80:
        out.append(bits & 0x7F | 0x80)
        bits >>= 7
    out.append(bits)
    return bytes(out)


def data(value):
    """A string or bytes: the length and the bytes."""
    if isinstance(value, str):
        value = value.encode()
    return long(len(value)) + value


def metadata(entries):
    """A map of bytes in one block."""
    out = long(len(entries)) if entries else b""
    for key, value in entries.items():
        out += data(key) + data(value)
    return out + long(0)


def header(schema, codec=None, sync=SYNC):
    entries = {"avro.schema": schema}
    if codec is not None:
        entries["avro.codec"] = codec
    return MAGIC + metadata(entries) + sync


def block(count, stored, sync=SYNC):
    return long(count) + long(len(stored)) + stored + sync


def deflate(raw):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(raw) + compressor.flush()


def snappy(raw):
    import snappy as library

    return library.compress(raw) + struct.pack(">I", binascii.crc32(raw))


def zstandard(raw):
    import zstandard as library

    return library.ZstdCompressor().compress(raw)


CODECS = {
    "null": bytes,
    "deflate": deflate,
    "snappy": snappy,
    "zstandard": zstandard,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


class Reader:
    """Takes a container file apart."""

    def __init__(self, content):
        self.content = content
        self.place = 0

    def take(self, count):
        part = self.content[self.place : self.place + count]
        assert len(part) == count
        self.place += count
        return part

    def long(self):
        bits = shift = 0
        while True:
            byte = self.take(1)[0]
            bits |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (bits >> 1) ^ -(bits & 1)

    def data(self):
        return self.take(self.long())

    def metadata(self):
        entries = {}
        while True:
            count = self.long()
            if count == 0:
                return entries
            if count < 0:
                count = -count
                self.long()
            for _ in range(count):
                key = self.data().decode()
                entries[key] = self.data()

    def file(self):
        """(metadata, sync marker, [(count, stored bytes)])"""
        assert self.take(4) == MAGIC
        entries = self.metadata()
        sync = self.take(16)
        blocks = []
        while self.place < len(self.content):
            count = self.long()
            blocks.append((count, self.data()))
            assert self.take(16) == sync
        return entries, sync, blocks


def rewrite(content, schema=None, codec=None):
    """The same file with another schema text, or from codec null to codec."""
    entries, sync, blocks = Reader(content).file()
    if schema is not None:
        entries["avro.schema"] = schema.encode()
    if codec is not None:
        assert entries.get("avro.codec", b"null") == b"null"
        entries["avro.codec"] = codec.encode()
        blocks = [(count, CODECS[codec](raw)) for count, raw in blocks]
    out = MAGIC + metadata(entries) + sync
    for count, stored in blocks:
        out += block(count, stored, sync)
    return out
