#!/usr/bin/env python3
"""Opens an AnnotationStore that `nucdet detect --store` wrote, with TIAToolbox: counts nuclei by class, lists those of a
rectangle.
    nucdet detect slide.svs --model models/nuclei-he-classes.safetensors --store --out found
    python3 look_at_store.py found/slide.db 1000,1000,2000,2000
The store can also be shown on the slide: tiatoolbox visualize --slides DIR --overlays found"""
import collections
import sys

from tiatoolbox.annotation.storage import SQLiteStore


def nuclei(store, rectangle, least=0.0):
    """x, y, type, score of the nuclei in (left, top, right, bottom), in slide pixels, that score at least `least`."""
    # [query]
    found = store.query(rectangle, where=f"props['score'] >= {float(least)}")
    return [(a.geometry.x, a.geometry.y, a.properties.get("type"), a.properties["score"]) for a in found.values()]
    # [query]


def main(path, text):
    rectangle = tuple(float(v) for v in text.split(","))
    store = SQLiteStore(path)
    print(f"{len(store)} nuclei of {store.metadata['nucdet']['image']}")
    inside = nuclei(store, rectangle)
    for kind, count in sorted(collections.Counter(n[2] for n in inside).items()):
        print(f"{kind}: {count} in {text}")
    for x, y, kind, score in sorted(inside)[:5]:
        print(f"  {kind} at ({x:.1f}, {y:.1f}), score {score:.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
