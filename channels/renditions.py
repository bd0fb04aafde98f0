"""The two files that become of an uploaded image: what is sent, and its small preview.

Nothing of the upload but its colours survives: both are encoded anew from a fresh canvas.
"""

import hashlib
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageCms, UnidentifiedImageError

FILE_LIMIT = 10 * 1024 * 1024  # bytes of an upload
PIXEL_LIMIT = 25_000_000
SIDE_LIMIT = 8_000

# LINE takes 10 MB and 1 MB and does not say which MB; the smaller reading fits both.
ORIGINAL_LIMIT = 10_000_000
PREVIEW_LIMIT = 1_000_000
ORIGINAL_SIDE = 4_096  # more than any phone shows, and it bounds what each reader downloads
PREVIEW_SIDE = 480
# Tried in turn. Without subsampling, small red letters on white stay legible; the last
# brings noise, the worst there is, to half of what LINE takes.
QUALITIES = ((85, "4:4:4"), (75, "4:4:4"), (60, "4:2:0"), (40, "4:2:0"), (20, "4:2:0"))

NAME_LENGTH = 100
PROFILE_LIMIT = 1024 * 1024  # bytes of a colour profile; those of printers have about half

JPEG = "image/jpeg"
PNG = "image/png"
EXTENSIONS = {JPEG: "jpg", PNG: "png"}

EMPTY = _("The file is empty.")
TOO_HEAVY = _("The file is larger than 10 MB. Save the image smaller and upload it again.")
NO_IMAGE = _(
    "This is not a JPEG, PNG or WebP image. If it is a photo of another kind (HEIC, GIF), "
    "save it as JPEG and upload that."
)
TOO_LARGE = _(
    "The image is too large: at most 25 million pixels, and at most 8,000 on a side. "
    "Make it smaller and upload it again."
)
ANIMATED = _("The image is animated. Only still images can be sent.")
DAMAGED = _("The file is damaged or incomplete. Open the image, save it anew and upload that.")

# What Pillow raises, besides its own errors, where a file breaks its format's rules.
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112  # the EXIF tag

# A 25-million-pixel image takes up to 350 MB while it is rendered.
turns = BoundedSemaphore(2)


class UnusableImage(ValueError):  # noqa: N818  (it names what the person sent, not a fault of ours)
    """An upload that cannot become an image; its text tells the person why."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)


class Readable(Protocol):
    """An uploaded or opened file."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Rendered:
    """An upload made harmless. `content_type`, sizes and `sha256` are of `original`; the
    preview is always a JPEG."""

    original: bytes
    preview: bytes
    content_type: str
    width: int
    height: int
    sha256: str
    name: str

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.content_type]


def render(data: bytes | Readable, name: str) -> Rendered:
    """Both renditions of an upload. Raises UnusableImage, whose text is for the person.

    A PNG stays a PNG and transparency is kept, as long as that fits; all else is a JPEG.
    """
    upload = _read(data)
    with turns:
        canvas, lossless = _drawn(upload)
        original, content_type = _encoded(canvas, lossless)
        preview = _preview(canvas)
    return Rendered(
        original=original,
        preview=preview,
        content_type=content_type,
        width=canvas.width,
        height=canvas.height,
        sha256=hashlib.sha256(original).hexdigest(),
        name=clean_name(name),
    )


def clean_name(name: str) -> str:
    """A file's name as it may be shown: no folders, nothing invisible, 100 characters."""
    # Macs take Korean syllables apart; NFC puts them together again.
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    visible = "".join(" " if unicodedata.category(c) in hidden else c for c in last)
    return " ".join(visible.split())[:NAME_LENGTH].strip() or "image"


def _read(data: bytes | Readable) -> bytes:
    if not isinstance(data, bytes):
        if (getattr(data, "size", None) or 0) > FILE_LIMIT:
            raise UnusableImage(TOO_HEAVY)
        data = data.read(FILE_LIMIT + 1)
    if not data:
        raise UnusableImage(EMPTY)
    if len(data) > FILE_LIMIT:
        raise UnusableImage(TOO_HEAVY)
    return data


def _drawn(upload: bytes) -> tuple[Image.Image, bool]:
    """The fresh canvas, and whether the upload had lost nothing. What was decoded is let go."""
    with _opened(upload) as image:
        return _canvas(image), image.format == "PNG"


@contextmanager
def _opened(upload: bytes) -> Iterator[Image.Image]:
    """The decoded image; its claims are checked before a pixel is decoded."""
    with _open(upload) as image:
        if max(image.size) > SIDE_LIMIT or image.width * image.height > PIXEL_LIMIT:
            raise UnusableImage(TOO_LARGE)
        # A JPEG of many phones holds a second image (its depth, its other eye) and is still.
        if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
            raise UnusableImage(ANIMATED)
        try:
            image.load()
        except BROKEN as error:
            raise UnusableImage(DAMAGED) from error
        yield image


def _open(upload: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(upload), formats=("JPEG", "PNG", "WEBP"))
    except UnidentifiedImageError as error:
        raise UnusableImage(NO_IMAGE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Where the warning is only a warning, the caller's own limit is lower still.
        raise UnusableImage(TOO_LARGE) from error
    except BROKEN as error:
        raise UnusableImage(DAMAGED) from error


def _canvas(image: Image.Image) -> Image.Image:
    """The upright image on a fresh canvas, RGB, or RGBA where something shines through."""
    profile = image.info.get("icc_profile", b"")
    turn = UPRIGHT.get(_orientation(image))
    picture = _in_srgb(_in_eight_bits(image), profile)
    picture.thumbnail((ORIGINAL_SIDE, ORIGINAL_SIDE), Image.Resampling.LANCZOS)
    if turn is not None:
        picture = picture.transpose(turn)
    is_opaque = picture.mode == "RGB" or picture.getchannel("A").getextrema() == (255, 255)
    canvas = Image.new("RGB" if is_opaque else "RGBA", picture.size)
    canvas.paste(picture)
    return canvas


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except BROKEN:
        return 1  # unreadable metadata is no reason to refuse a readable image


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """The image as RGB, RGBA or CMYK with eight bits a channel; itself where it is one."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode in (wanted, "CMYK") else image.convert(wanted)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The colours as a screen without profiles shows them, since the profile is dropped."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and len(profile) <= PROFILE_LIMIT:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            screen = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, source, screen, outputMode=mode) or image
        except (ImageCms.PyCMSError, *BROKEN):
            pass  # a profile that does not fit its image is ignored, as browsers do
    return image if image.mode == mode else image.convert(mode)


def _encoded(canvas: Image.Image, lossless: bool) -> tuple[bytes, str]:
    if lossless or canvas.mode == "RGBA":
        buffer = BytesIO()
        canvas.save(buffer, "PNG")
        if buffer.tell() <= ORIGINAL_LIMIT:
            return buffer.getvalue(), PNG
    return _jpeg(_on_white(canvas), ORIGINAL_LIMIT), JPEG


def _preview(canvas: Image.Image) -> bytes:
    small = canvas.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return _jpeg(_on_white(small), PREVIEW_LIMIT)


def _on_white(canvas: Image.Image) -> Image.Image:
    if canvas.mode == "RGB":
        return canvas
    white = Image.new("RGB", canvas.size, "white")
    white.paste(canvas, mask=canvas.getchannel("A"))
    return white


def _jpeg(canvas: Image.Image, limit: int) -> bytes:
    for quality, subsampling in QUALITIES:
        buffer = BytesIO()
        canvas.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    raise UnusableImage(TOO_HEAVY)
