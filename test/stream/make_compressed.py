#!/usr/bin/python3
"""Compressed files for test/t/083_files_on_the_server.pl.

    make_compressed.py FOLDER MEGABYTES

Written with Python's own gzip and zlib and with python3-zstandard.
"""

import gzip
import io
import os
import sys
import zlib

import zstandard

folder, megabytes = sys.argv[1], int(sys.argv[2])


def write(name, *parts):
    with open(os.path.join(folder, name), "wb") as file:
        for part in parts:
            file.write(part)


def member(raw, level=6, **header):
    """A gzip member; with a file name in its header when one is given."""
    out = io.BytesIO()
    with gzip.GzipFile(mode="wb", fileobj=out, compresslevel=level,
                       mtime=0, **header) as file:
        file.write(raw)
    return out.getvalue()


def full_member(raw):
    """A gzip member whose header has all that RFC 1952 allows for."""
    header = (b"\x1f\x8b\x08\x1f" + bytes(4) + b"\x00\xff"
              + b"\x05\x00extra" + b"name\x00" + b"comment\x00")
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (header + deflate.compress(raw) + deflate.flush()
            + zlib.crc32(raw).to_bytes(4, "little")
            + len(raw).to_bytes(4, "little"))


def frame(raw, level=3, **parameters):
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=True,
                                          **parameters)
    return compressor.compress(raw)


def streamed_frame(raw):
    """A frame that does not say how long it is."""
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(raw) + compressor.flush()


def skippable(raw):
    return b"\x5a\x2a\x4d\x18" + len(raw).to_bytes(4, "little") + raw


def lines(first, last):
    return b"".join(b'[%d, "row %d, %s"]\n' % (i, i, b"x" * (i % 90))
                    for i in range(first, last + 1))


# 10,000 records in several shapes; some hundred kilobytes, so that they do
# not fit into one buffer.
LAST = 10000
plain = lines(1, LAST)
pieces = [plain[i:i + 7001] for i in range(0, len(plain), 7001)]
write("plain", plain)
write("gzip", member(plain))
write("gzip_stored", member(plain, level=0))
write("gzip_full", full_member(plain))
write("gzip_named", member(plain, filename="plain.csv"))
write("gzip_members", *[member(piece) for piece in pieces])
write("gzip_empty_members", member(b""), member(plain), member(b"") * 5000)
write("zstd", frame(plain))
write("zstd_19", frame(plain, level=19))
write("zstd_streamed", streamed_frame(plain))
write("zstd_frames", *[frame(piece) for piece in pieces])
write("zstd_skippable", skippable(b"first"), frame(plain[:5000]),
      skippable(b""), frame(b""), frame(plain[5000:]), skippable(b"x" * 70000))
write("empty")
write("gzip_nothing", member(b""))
write("zstd_nothing", frame(b""))
write("zstd_only_skippable", skippable(b"x"))

# Small ones, to be cut and changed everywhere.
write("small", lines(1, 6))
write("small_gzip", member(lines(1, 3)), member(lines(4, 6)))
write("small_zstd", frame(lines(1, 3)), frame(lines(4, 6)))

# Broken ones.
write("gzip_cut", member(plain)[:-9])
write("gzip_cut_checksum", member(plain)[:-3])
write("gzip_second_cut", member(plain), member(plain)[:100])
write("gzip_behind", member(plain), b"behind")
write("gzip_padded", member(plain), bytes(512))
write("gzip_then_zstd", member(plain), frame(plain))
write("gzip_wrong_checksum", member(plain)[:-8], b"\x01\x02\x03\x04",
      member(plain)[-4:])
write("gzip_wrong_length", member(plain)[:-4], b"\x01\x02\x03\x04")
write("gzip_method", b"\x1f\x8b\x07" + member(plain)[3:])
write("zstd_cut", frame(plain)[:-9])
write("zstd_behind", frame(plain), b"behind")
write("zstd_wrong_checksum", frame(plain)[:-4], b"\x01\x02\x03\x04")
write("zstd_wide", frame(lines(1, 3), compression_params=None)[:4],
      b"\x00\xa8")                  # a window of 2 GB
write("bad_record", gzip.compress(lines(1, 5000) + b"[5001, nothing]\n"))

# Other formats and encodings.
latin = "id;note\n1;gr\u00fcn\n".encode("latin-1")
write("latin_csv", member(latin))
for name in ("covid_days.avro", "covid_days.csv"):
    with open(os.path.join("test/data", name), "rb") as file:
        write(name, member(file.read()))

# Large ones: one part again and again.  Records of half a kilobyte, long
# records, and blank lines, which are none.
record = b'[1, "%s"]\n' % (b"abcdefghijklmnopqrstuvwxyz" * 20)
part = record * (16 * 1024 * 1024 // len(record))
count = megabytes // 16
write("large", *([part] * count))
write("large_gzip", *([member(part, level=1)] * count))
write("large_zstd", *([frame(part)] * count))
write("large_records", str(count * (len(part) // len(record))).encode())
long_part = (b'[1, "' + b"x" * (1024 * 1024 - 8) + b'"]\n') * 64
write("long_zstd", *([frame(long_part)] * 20))
blank = b"\n" * (64 * 1024 * 1024)
write("bomb_gzip", *([member(blank)] * 200))
write("bomb_zstd", *([frame(blank)] * 2000))
