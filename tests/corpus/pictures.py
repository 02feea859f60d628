"""``python pictures.py FOLDER``: pictures and documents that Pillow writes.

It runs in an environment of its own and imports nothing else.
"""

import sys
from itertools import product
from pathlib import Path

from PIL import Image

SIZES = ((1, 1), (2, 3), (16, 16), (31, 7), (64, 48), (300, 200))
MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA")
FORMATS = {
    "bmp": ({},),
    "eps": ({},),
    "gif": ({}, {"interlace": 0}),
    "jpg": ({}, {"progressive": True}, {"quality": 5}, {"optimize": True}),
    "pdf": ({}, {"title": "A cue sheet"}),
    "png": ({}, {"optimize": True}, {"compress_level": 0}),
    "tiff": ({}, {"compression": "tiff_lzw"}, {"big_tiff": True}),
    "webp": ({}, {"lossless": True}, {"quality": 1}),
    "avif": ({},),
}


def main(folder: Path) -> None:
    """Write every picture that the format can hold."""
    for extension, options in FORMATS.items():
        for mode, size, (number, option) in product(MODES, SIZES, enumerate(options)):
            label = mode.replace(";", "")
            name = f"{extension}-{label}-{size[0]}x{size[1]}-{number}.{extension}"
            try:
                Image.new(mode, size).save(folder / name, **option)
            except (OSError, ValueError, KeyError):
                (folder / name).unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
