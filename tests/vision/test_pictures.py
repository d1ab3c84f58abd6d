"""Opening picture files: upright, in RGB, and a clear refusal of everything else."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import vision
from tests.golden.waves import drawn
from vision.errors import PictureError


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_the_common_formats_are_read(tmp_path: Path, suffix: str) -> None:
    """Lossless ones give the pixels that were written, JPEG nearly so."""
    image, path = drawn("wide"), tmp_path / f"picture{suffix}"
    image.save(path, **({"lossless": True} if suffix == ".webp" else {}))
    opened = vision.open_picture(path)
    assert (opened.image.mode, opened.size) == ("RGB", image.size)
    off = np.abs(np.asarray(opened.image, dtype=int) - np.asarray(image, dtype=int))
    assert off.mean() < (20 if suffix == ".jpg" else 1e-9)


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    """EXIF orientation 6 means that the camera lay on its side."""
    image = drawn("wide")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "photo.png", exif=exif)
    opened = vision.open_picture(tmp_path / "photo.png")
    assert opened.size == (image.height, image.width)
    assert opened.image.tobytes() == image.transpose(Image.Transpose.ROTATE_270).tobytes()


def test_sixteen_bits_are_stretched_not_cut(tmp_path: Path) -> None:
    """Pillow would cut a 16-bit grey at 255; its range becomes 0..255 here, and the facts say so."""
    ramp = np.linspace(1000, 5000, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    opened = vision.open_picture(tmp_path / "deep.png")
    values = np.asarray(opened.image)[..., 0]
    assert (values.min(), values.max(), opened.facts["stretched"]) == (0, 255, True)
    assert len(np.unique(values)) == 256


def test_wrong_files_are_refused_in_words(tmp_path: Path) -> None:
    """Nothing there, a folder, text, an empty file: each says what it is."""
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    for name, words in (
        ("none.png", "no such picture file"),
        (".", "not a file"),
        ("text.png", "not a picture that can be read"),
        ("empty.png", "not a picture that can be read"),
    ):
        with pytest.raises(PictureError, match=words):
            vision.open_picture(tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "jpeg", "tiff", "bmp", "webp"])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str) -> None:
    """Half a file is damaged, not half a picture."""
    buffer = io.BytesIO()
    drawn("tall").save(buffer, suffix)
    (tmp_path / "cut").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(PictureError):
        vision.open_picture(tmp_path / "cut")


def huge_png(width: int, height: int) -> bytes:
    """A valid PNG of any size in few bytes: one grey row after another of nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(20_000, 15_000), (12_000, 9_000)])
def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, width: int, height: int) -> None:
    """300 megapixels in a 0.3 MB file: refused in numbers; Pillow's own limit and ours both hold."""
    (tmp_path / "huge.png").write_bytes(huge_png(width, height))
    with pytest.raises(PictureError, match="million"):
        vision.open_picture(tmp_path / "huge.png")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["png", "jpeg", "tiff", "bmp", "webp"]),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_damaged_bytes_never_escape_as_another_error(
    tmp_path: Path, kind: str, changes: list[tuple[int, int]]
) -> None:
    """Whatever bytes are changed: a picture, or PictureError."""
    buffer = io.BytesIO()
    drawn("square").save(buffer, kind)
    damaged = bytearray(buffer.getvalue())
    for place, value in changes:
        damaged[place % len(damaged)] = value
    (tmp_path / "damaged").write_bytes(damaged)
    try:
        opened = vision.open_picture(tmp_path / "damaged")
    except PictureError:
        return
    assert opened.image.mode == "RGB"
