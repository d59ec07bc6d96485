"""Makes the sample videos of this folder from photographs that two PyPI packages carry.

    pip install --no-deps --target photos scikit-image==0.26.0 scikit-learn==1.9.1
    python samples/make.py photos samples

Each video moves slowly over one photograph; `tour.mp4` shows three of them in turn, so that
a search has a moment to find inside a video. Sources and licences: README.md beside this file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE_HZ = 25
WIDTH, HEIGHT = 432, 288
OVERSAMPLING = 4  # the view moves by whole pixels of the enlarged photograph: no visible steps
CODEC_OPTIONS = {"crf": "28", "preset": "veryslow"}


@dataclass(frozen=True, slots=True)
class Shot:
    """A slow zoom over one photograph: `zoom` is the last frame's width over the first's."""

    photo: str
    length_s: float = 7.0
    zoom: float = 0.8


CAT = "skimage/data/chelsea.png"
COFFEE = "skimage/data/coffee.png"
ROCKET = "skimage/data/rocket.jpg"
VIDEOS: dict[str, list[Shot]] = {
    "astronaut.mp4": [Shot("skimage/data/astronaut.png")],
    "cat.mp4": [Shot(CAT)],
    "coffee.mp4": [Shot(COFFEE)],
    "coins.mp4": [Shot("skimage/data/coins.png")],
    "flower.mp4": [Shot("sklearn/datasets/images/flower.jpg")],
    "galaxies.mp4": [Shot("skimage/data/hubble_deep_field.jpg", length_s=6.0)],
    "horse.mp4": [Shot("skimage/data/horse.png", zoom=0.9)],
    "photographer.mp4": [Shot("skimage/data/camera.png")],
    "rocket.mp4": [Shot(ROCKET)],
    "temple.mp4": [Shot("sklearn/datasets/images/china.jpg")],
    "tour.mp4": [Shot(CAT, 10.0, 0.7), Shot(ROCKET, 10.0, 0.7), Shot(COFFEE, 10.0, 0.7)],
}


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """Decode a picture and enlarge it to (height, width, 3) RGB, OVERSAMPLING times a view."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
    factor = OVERSAMPLING * max(WIDTH / picture.width, HEIGHT / picture.height)
    enlarged = picture.reformat(
        width=round(picture.width * factor),
        height=round(picture.height * factor),
        format="rgb24",
        interpolation="BICUBIC",
    )
    return np.asarray(enlarged.to_ndarray(), dtype=np.uint8)


def views(photo: npt.NDArray[np.uint8], shot: Shot) -> Iterator[av.VideoFrame]:
    """Yield the frames of one shot: the view shrinks from the whole photograph to its centre."""
    height, width = photo.shape[:2]
    n_frames = round(shot.length_s * RATE_HZ)
    for step in np.linspace(0.0, 1.0, n_frames):
        share = 1.0 + (shot.zoom - 1.0) * step
        view_width = int(WIDTH * OVERSAMPLING * share)
        view_height = int(HEIGHT * OVERSAMPLING * share)
        left = int((width - view_width) / 2)
        # Portraits and square pictures are taller than a view: look at their upper part.
        top = int((height - view_height) * (0.1 if height > width * 0.9 else 0.5))
        view = photo[top : top + view_height, left : left + view_width]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(view), format="rgb24")
        yield frame.reformat(width=WIDTH, height=HEIGHT, format="yuv420p", interpolation="AREA")


def write_video(path: Path, shots: list[Shot], photos: Path) -> None:
    """Encode the shots to one H.264 file."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE_HZ, options=CODEC_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        index = 0
        for shot in shots:
            for frame in views(read_photo(photos / shot.photo), shot):
                frame.pts, frame.time_base = index, Fraction(1, RATE_HZ)
                container.mux(stream.encode(frame))
                index += 1
        container.mux(stream.encode(None))


def main() -> None:
    """Write every video."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", type=Path, help="folder that holds skimage/ and sklearn/")
    parser.add_argument("out", type=Path, help="folder to write the videos to")
    arguments = parser.parse_args()
    for name, shots in VIDEOS.items():
        write_video(arguments.out / name, shots, arguments.photos)


if __name__ == "__main__":
    main()
