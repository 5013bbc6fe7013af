#!/usr/bin/env python3
"""Makes tests/golden/images: small pictures in the forms that read_image must know (needs Pillow).

Pixel (x, y), channel c of the 8-bit pictures is (13 x + 29 y + 71 c) mod 256, of the 16-bit ones
(1301 x + 2903 y + 7109 c) mod 65536; 19 x 13 pixels. JPEG pictures are constant, since JPEG is not exact.
"""
import os
import struct
import zlib

from PIL import Image

W, H = 19, 13
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "images")


def value8(x, y, c):
    return (13 * x + 29 * y + 71 * c) % 256


def value16(x, y, c):
    return (1301 * x + 2903 * y + 7109 * c) % 65536


def save(name, data):
    with open(os.path.join(FOLDER, name), "wb") as f:
        f.write(data)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, depth, kind, pixel, extra=b"", interlaced=False):
    """pixel(x, y) gives the bytes of a pixel (whole bytes only)."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b""
    for x0, y0, dx, dy in passes if interlaced else [(0, 0, 1, 1)]:
        for y in range(y0, H, dy):
            row = b"".join(pixel(x, y) for x in range(x0, W, dx))
            raw += b"\0" + row if row else b""
    header = struct.pack(">IIBBBBB", W, H, depth, kind, 0, 0, int(interlaced))
    save(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) +
         chunk(b"IEND", b""))


def tiff(name, bits, channels, photometric, rows, columns, tiled):
    """Little endian, uncompressed, in tiles of rows x columns or in strips of so many rows."""
    value = value16 if bits == 16 else value8
    pack = "<H" if bits == 16 else "<B"
    blocks = []
    for y0 in range(0, H, rows):
        for x0 in range(0, W, columns) if tiled else [0]:
            bottom = y0 + rows if tiled else min(H, y0 + rows)
            right = x0 + columns if tiled else W
            blocks.append(b"".join(struct.pack(pack, value(x, y, c) if x < W and y < H else 0)
                                   for y in range(y0, bottom) for x in range(x0, right) for c in range(channels)))
    n = len(blocks)
    tags = [(256, 4, [W]), (257, 4, [H]), (258, 3, [bits] * channels), (259, 3, [1]), (262, 3, [photometric])]
    offsets, counts = (324, 325) if tiled else (273, 279)
    tags += [(offsets, 4, [0] * n), (277, 3, [channels]), (counts, 4, [len(b) for b in blocks]), (284, 3, [1])]
    tags += [(322, 4, [columns]), (323, 4, [rows])] if tiled else [(278, 4, [rows])]
    tags.sort()
    end = 8 + 2 + 12 * len(tags) + 4
    size = {3: 2, 4: 4}
    outside = sum(size[t] * len(v) for _, t, v in tags if size[t] * len(v) > 4)
    at = end + outside
    places = []
    for b in blocks:
        places.append(at)
        at += len(b)
    head, tail = struct.pack("<2sHIH", b"II", 42, 8, len(tags)), b""
    for tag, kind, values in tags:
        values = places if tag == offsets else values
        data = struct.pack("<%d%s" % (len(values), "H" if kind == 3 else "I"), *values)
        head += struct.pack("<HHI", tag, kind, len(values))
        head += data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", end + len(tail))
        tail += data if len(data) > 4 else b""
    save(name, head + struct.pack("<I", 0) + tail + b"".join(blocks))


def rgb():
    image = Image.new("RGB", (W, H))
    image.putdata([tuple(value8(x, y, c) for c in range(3)) for y in range(H) for x in range(W)])
    return image


def rgba():
    image = rgb().convert("RGBA")
    image.putalpha(Image.frombytes("L", (W, H), bytes(value8(x, y, 3) for y in range(H) for x in range(W))))
    return image


def main():
    os.makedirs(FOLDER, exist_ok=True)
    png("rgb8.png", 8, 2, lambda x, y: bytes(value8(x, y, c) for c in range(3)))
    png("rgb8-interlaced.png", 8, 2, lambda x, y: bytes(value8(x, y, c) for c in range(3)), interlaced=True)
    png("rgb16.png", 16, 2, lambda x, y: b"".join(struct.pack(">H", value16(x, y, c)) for c in range(3)))
    png("grey8.png", 8, 0, lambda x, y: bytes([value8(x, y, 0)]))
    png("grey16.png", 16, 0, lambda x, y: struct.pack(">H", value16(x, y, 0)))
    png("rgba8.png", 8, 6, lambda x, y: bytes(value8(x, y, c) for c in range(4)))
    palette = bytes(value8(0, i, c) for i in range(H) for c in range(3))
    png("palette.png", 8, 3, lambda x, y: bytes([y]), extra=chunk(b"PLTE", palette))

    Image.new("RGB", (W, H), (200, 100, 50)).save(os.path.join(FOLDER, "rgb.jpg"), quality=95, progressive=True)
    Image.new("L", (W, H), 77).save(os.path.join(FOLDER, "grey.jpg"), quality=95)
    Image.new("CMYK", (W, H), (0, 128, 255, 51)).save(os.path.join(FOLDER, "cmyk.jpg"), quality=95)

    rgb().save(os.path.join(FOLDER, "rgb8-lzw.tif"), compression="tiff_lzw")
    rgb().save(os.path.join(FOLDER, "rgb8-deflate.tif"), compression="tiff_adobe_deflate")
    # JPEG loses least of slow changes: it is compared within some steps.
    rgb().save(os.path.join(FOLDER, "shades.jpg"), quality=100, subsampling=0)
    turned = Image.Exif()
    turned[274] = 6
    rgb().save(os.path.join(FOLDER, "exif6.webp"), lossless=True, exif=turned)
    rgb().save(os.path.join(FOLDER, "rgb8.webp"), lossless=True)
    rgba().save(os.path.join(FOLDER, "rgba8.webp"), lossless=True, exact=True)
    rgb().save(os.path.join(FOLDER, "rgb8.jp2"), irreversible=False)
    rgb().save(os.path.join(FOLDER, "rgb8.j2k"), irreversible=False)
    rgba().save(os.path.join(FOLDER, "rgba8.jp2"), irreversible=False)
    rgb().getchannel(0).save(os.path.join(FOLDER, "grey8.jp2"), irreversible=False)

    tiff("rgb8-tiles.tif", 8, 3, 2, 16, 16, True)
    tiff("rgb16-tiles.tif", 16, 3, 2, 16, 16, True)
    tiff("rgb16-strips.tif", 16, 3, 2, 4, W, False)
    tiff("grey16-white-zero.tif", 16, 1, 0, 5, W, False)


if __name__ == "__main__":
    main()
