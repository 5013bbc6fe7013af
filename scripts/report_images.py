"""The images of scripts/report_accuracy.py: sets of them, what is blank, canvases around tissue, tiles, and what
scanners do to colour and sharpness. Images are arrays of bytes [height, width, 3], points [n, 2] as x, y; pixel (0, 0)
has its centre at 0, 0."""
import csv
import dataclasses
import io
import math
import pathlib

import numpy as np
from PIL import Image, ImageFilter

# The rule for a blank tile: after a mean over 5 x 5 pixels every pixel is at least this bright in its darkest channel,
# and its channels differ by at most this much. Faint dust passes; nuclei, fibres, ink do not (see blank.png).
BLANK_DARKEST, BLANK_COLOUR = 200, 20

# Ruifrok and Johnston 2001: the optical densities of haematoxylin and eosin in red, green, blue.
HAEMATOXYLIN, EOSIN = (0.650, 0.704, 0.286), (0.072, 0.990, 0.105)


def read(path):
    """Of a slide, the first page."""
    return np.asarray(Image.open(path).convert("RGB"))


def write(path, image):
    Image.fromarray(image).save(path)


@dataclasses.dataclass
class Field:
    """An image, what is in it, and the scale that takes it to reference pixels."""
    name: str
    image: np.ndarray
    points: np.ndarray
    organ: str = ""
    scale: float = 1


def read_points(path):
    with open(path, newline="", encoding="utf-8") as file:
        return np.array([(float(r["x"]), float(r["y"])) for r in csv.DictReader(file)]).reshape(-1, 2)


def write_points(path, points):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x,y\n" + "".join(f"{x:.4f},{y:.4f}\n" for x, y in points), encoding="utf-8")


def read_set(folder, split):
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split]
    return [Field(pathlib.Path(r["image"]).stem, read(folder / r["image"]), read_points(folder / r["annotations"]),
                  r["organ"], float(r["scale"])) for r in rows]


def write_set(folder, fields, split="test"):
    """As the data sets are: images, annotations, manifest.csv; the manifest's path."""
    (folder / "images").mkdir(parents=True)
    with open(folder / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("image", "annotations", "organ", "split", "scale"))
        for f in fields:
            write(folder / "images" / f"{f.name}.png", f.image)
            write_points(folder / "annotations" / f"{f.name}.csv", f.points)
            table.writerow((f"images/{f.name}.png", f"annotations/{f.name}.csv", f.organ, split, f.scale))
    return folder / "manifest.csv"


def resized(image, scale):
    """By `scale`, exactly, and cut to whole pixels; an antialiased triangle, as nucdet's own."""
    height, width = image.shape[:2]
    size = (int(width * scale), int(height * scale))
    box = (0, 0, size[0] / scale, size[1] / scale)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, box))


def to_reference(points, scale):
    return (points + 0.5) * scale - 0.5


def blank(image):
    smooth = np.asarray(Image.fromarray(image).filter(ImageFilter.BoxBlur(2))).astype(int)
    darkest = smooth.min(axis=2)
    return darkest.min() >= BLANK_DARKEST and (smooth.max(axis=2) - darkest).max() <= BLANK_COLOUR


def tiles(image, size):
    """{(x, y): tile}: the whole tiles of the grid that starts at the top left pixel."""
    height, width = image.shape[:2]
    return {(x, y): image[y:y + size, x:x + size]
            for y in range(0, height - size + 1, size) for x in range(0, width - size + 1, size)}


def contact_sheet(images, columns=8, gap=4):
    """Beside each other, in full contrast below them: what is hidden in white is to be seen."""
    size = max(max(i.shape[:2]) for i in images) + gap
    sheet = np.zeros((size * 2 * math.ceil(len(images) / columns), size * columns, 3), np.uint8)
    for n, image in enumerate(images):
        height, width = image.shape[:2]
        y, x = n // columns * 2 * size, n % columns * size
        stretched = np.clip((image.astype(float) - BLANK_DARKEST) * 255 / (255 - BLANK_DARKEST), 0, 255)
        sheet[y:y + height, x:x + width] = image
        sheet[y + size:y + size + height, x:x + width] = stretched
    return sheet


def padded(image, fill, share, step=64):
    """In a canvas whose one grey value takes `share` of the area, at an offset that is a multiple of `step`, so that a
    network's strides fall on the same pixels as before. The canvas, the offset."""
    height, width = image.shape[:2]
    growth = math.sqrt(1 / (1 - share))
    size = np.array([round(height * growth), round(width * growth)])
    y, x = (size - (height, width)) // 2 // step * step
    canvas = np.full((*size, 3), fill, np.uint8)
    canvas[y:y + height, x:x + width] = image
    return canvas, np.array([x, y])


def inside(points, width, height, margin):
    """Which are at least `margin` pixels from the border of an image of that size."""
    last = np.array([width, height]) - 0.5
    return np.all((points + 0.5 >= margin) & (last - points >= margin), axis=1)


def to_bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def gaussian(image, sigma):
    """In floats, mirrored at the border, cut at four sigma."""
    reach = math.ceil(4 * sigma)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    bell /= bell.sum()
    values = image.astype(float)
    for axis in (0, 1):
        wide = np.pad(values, [(reach, reach) if a == axis else (0, 0) for a in range(3)], "symmetric")
        length = values.shape[axis]
        values = sum(w * np.take(wide, range(k, k + length), axis) for k, w in enumerate(bell))
    return values


def blurred(image):
    return to_bytes(gaussian(image, 1.5))


def sharpened(image):
    """Unsharp mask of radius 1.5 (sigma) and amount 1."""
    return to_bytes(2.0 * image - gaussian(image, 1.5))


def jpeg(image):
    """Quality 30, colours at half resolution, as libjpeg does by default."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=30)
    return read(file)


def darker(image):
    return to_bytes(0.75 * image)


def more_eosin(image):
    """The density of eosin times 1.5, also where it is negative; the third stain is the cross product of the two."""
    stains = np.array([HAEMATOXYLIN, EOSIN, np.cross(HAEMATOXYLIN, EOSIN)])
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    density = -np.log(np.maximum(image, 1) / 255)
    eosin = (density @ np.linalg.inv(stains))[..., 1:2]
    return to_bytes(255 * np.exp(-(density + 0.5 * eosin * stains[1])))


PERTURBATIONS = {"blur": blurred, "unsharp": sharpened, "jpeg": jpeg, "dark": darker, "eosin": more_eosin}


def shrunk(image, factor):
    """Means of factor x factor pixels."""
    return np.asarray(Image.fromarray(image).reduce(factor))
