"""What becomes of uploads, hostile ones above all."""

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageCms

from channels import renditions
from channels.renditions import UnusableImage, render

RED, BLUE = (220, 30, 30), (30, 30, 220)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options) -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return encoded(image.convert(mode), kind, **options)


def shown(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def is_like(pixel: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, wanted, strict=True))


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that declares these sides."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + png_chunk(b"IEND", b"")
    )


def webp_bomb() -> bytes:
    """A WebP whose canvas is declared as 16,384 on each side."""
    side = (16_383).to_bytes(3, "little")
    frame = encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + side + side + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def corrupted_png() -> bytes:
    data = bytearray(encoded(Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)), "PNG"))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"

REFUSED: list[tuple[str, Callable[[], bytes], object]] = [
    ("nothing.jpg", lambda: b"", renditions.EMPTY),
    ("vector.svg", lambda: SVG, renditions.NO_IMAGE),
    ("vector.png", lambda: SVG, renditions.NO_IMAGE),
    ("page.jpg", lambda: HTML, renditions.NO_IMAGE),
    ("print.jpg", lambda: EPS, renditions.NO_IMAGE),
    ("moving.gif", lambda: picture("GIF"), renditions.NO_IMAGE),
    ("gif.jpg", lambda: picture("GIF"), renditions.NO_IMAGE),
    ("scan.tiff", lambda: picture("TIFF"), renditions.NO_IMAGE),
    ("old.bmp", lambda: picture("BMP"), renditions.NO_IMAGE),
    ("script.jpg", lambda: b"\xff\xd8\xff\xe0 <?php echo 1; ?>", renditions.DAMAGED),
    ("heavy.jpg", lambda: picture("JPEG") + bytes(renditions.FILE_LIMIT), renditions.TOO_HEAVY),
    ("bomb.png", lambda: bomb(50_000, 50_000), renditions.TOO_LARGE),
    ("bomb2.png", lambda: bomb(12_000, 12_000), renditions.TOO_LARGE),
    ("bomb.webp", webp_bomb, renditions.TOO_LARGE),
    ("over25.png", lambda: bomb(5_001, 5_000), renditions.TOO_LARGE),
    ("long.png", lambda: bomb(8_001, 1), renditions.TOO_LARGE),
    ("moving.webp", lambda: animated("WEBP"), renditions.ANIMATED),
    ("moving.png", lambda: animated("PNG"), renditions.ANIMATED),
    ("half.jpg", lambda: picture("JPEG", (400, 400))[:-900], renditions.DAMAGED),
    ("half.png", lambda: corrupted_png()[:6000], renditions.DAMAGED),
    ("half.webp", lambda: picture("WEBP", (400, 400))[:-60], renditions.DAMAGED),
    ("bits.png", corrupted_png, renditions.DAMAGED),
    ("short.png", lambda: bomb(4_000, 4_000), renditions.DAMAGED),
]


@pytest.mark.parametrize(("name", "make", "why"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_no_plain_still_image_is_refused_with_its_own_reason(name, make, why):
    with pytest.raises(UnusableImage) as refusal:
        render(make(), name)
    assert str(refusal.value) == str(why)


def test_each_reason_is_a_sentence_of_its_own():
    reasons = {str(why) for _name, _make, why in REFUSED}
    assert len(reasons) == 6
    assert all(reason.endswith(".") for reason in reasons)


def test_a_file_that_says_it_is_too_heavy_is_not_read():
    class Unreadable:
        size = renditions.FILE_LIMIT + 1

        def read(self, size):
            raise AssertionError("It was read.")

    with pytest.raises(UnusableImage, match="10 MB"):
        render(Unreadable(), "a.jpg")


def test_a_file_that_lies_about_its_weight_is_read_up_to_the_limit_only():
    class Endless:
        size = 1
        taken = 0

        def read(self, size):
            self.taken += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(UnusableImage, match="10 MB"):
        render(endless, "a.jpg")
    assert endless.taken == renditions.FILE_LIMIT + 1


def test_an_uploaded_file_is_taken_as_well_as_its_bytes():
    data = picture("JPEG")
    assert render(SimpleUploadedFile("a.jpg", data), "a.jpg") == render(data, "a.jpg")


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("JPEG", mode="L"), "image/jpeg"),
        (picture("JPEG", mode="CMYK"), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("PNG", mode="P"), "image/png"),
        (picture("PNG", mode="1"), "image/png"),
        (picture("PNG", mode="RGBA"), "image/png"),
        (picture("WEBP"), "image/jpeg"),
        (picture("WEBP", mode="RGBA"), "image/jpeg"),
        (picture("PNG", (1, 1)), "image/png"),
        (picture("JPEG", (1, 1)), "image/jpeg"),
    ],
)
def test_every_kind_of_pixel_becomes_a_plain_jpeg_or_png(data, content_type):
    rendered = render(data, "a")
    original, preview = shown(rendered.original), shown(rendered.preview)
    assert rendered.content_type == content_type == original.get_format_mimetype()
    assert (preview.format, preview.mode, original.mode) == ("JPEG", "RGB", "RGB")
    assert original.size == (rendered.width, rendered.height) == shown(data).size


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_the_colours_stay_as_they_were(mode):
    original = shown(render(picture("JPEG", mode=mode), "a").original)
    assert is_like(original.getpixel((5, 20)), RED)
    assert is_like(original.getpixel((55, 20)), BLUE)


def test_sixteen_bits_become_eight_without_clipping():
    image = Image.new("I;16", (3, 1))
    for x, level in enumerate((0, 0x8000, 0xFFFF)):
        image.putpixel((x, 0), level)
    original = shown(render(encoded(image, "PNG"), "a").original)
    assert [original.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_transparency_that_shows_is_kept_and_white_in_the_preview():
    image = Image.new("RGBA", (40, 40), (*RED, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 40))
    for kind in ("PNG", "WEBP"):
        rendered = render(encoded(image, kind, lossless=True), "a")
        assert rendered.content_type == "image/png"
        assert shown(rendered.original).getchannel("A").getextrema() == (0, 255)
        assert is_like(shown(rendered.preview).getpixel((4, 20)), (255, 255, 255))


def test_a_transparent_colour_of_a_palette_is_kept():
    image = shown(picture("PNG")).quantize(2)
    red = image.getpixel((5, 20))
    original = shown(render(encoded(image, "PNG", transparency=red), "a").original)
    assert original.getpixel((5, 20))[3] == 0
    assert original.getpixel((55, 20))[3] == 255


def test_a_transparent_image_too_heavy_for_a_png_is_put_on_white(monkeypatch):
    monkeypatch.setattr(renditions, "ORIGINAL_LIMIT", 20_000)
    noise = Image.frombytes("RGBA", (100, 100), os.urandom(40_000))
    rendered = render(encoded(noise, "PNG"), "a")
    assert rendered.content_type == "image/jpeg"
    assert len(rendered.original) <= 20_000


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photo_stands_upright_and_forgets_that_it_was_turned(kind, orientation):
    exif = Image.Exif()
    exif[renditions.ORIENTATION] = orientation
    original = shown(render(picture(kind, exif=exif), "a").original)
    assert original.size == ((60, 40) if orientation < 5 else (40, 60))
    red_is_at = {1: (5, 20), 4: (5, 20), 2: (55, 20), 3: (55, 20)}
    red_is_at |= {5: (20, 5), 6: (20, 5), 7: (20, 55), 8: (20, 55)}
    assert is_like(original.getpixel(red_is_at[orientation]), RED)
    assert not original.getexif()


def test_place_author_comment_and_profile_are_gone():
    exif = Image.Exif()
    exif[0x013B] = "Author Kim"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (37.0, 33.0, 59.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = picture("JPEG", exif=exif, comment=b"Author Kim", icc_profile=profile, dpi=(71, 71))
    assert shown(data).getexif().get_ifd(0x8825)
    rendered = render(data, "a")
    for rendition in (rendered.original, rendered.preview):
        assert not shown(rendition).getexif()
        assert shown(rendition).info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"Author Kim" not in rendition


def test_texts_inside_a_png_are_gone():
    rendered = render(picture("PNG", exif=b"Exif\0\0MM\0*", dpi=(71, 71)), "a")
    assert shown(rendered.original).info == {}


def test_the_colours_of_a_profile_are_turned_into_those_of_screens():
    square = Image.new("RGB", (8, 8), RED)
    # A profile whose red and blue have changed places: an untouched copy would stay red.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    rendered = render(encoded(square, "PNG", icc_profile=bytes(profile)), "a")
    pixel = shown(rendered.original).getpixel((4, 4))
    assert pixel[2] > 200 > pixel[0]


def test_a_profile_that_is_nonsense_is_ignored():
    data = picture("PNG", icc_profile=b"nonsense")
    assert is_like(shown(render(data, "a").original).getpixel((5, 20)), RED, 0)


def test_an_archive_behind_the_image_is_gone():
    archive = BytesIO()
    with ZipFile(archive, "w") as zipped:
        zipped.writestr("evil.html", HTML)
    for kind in ("JPEG", "PNG", "WEBP"):
        rendered = render(picture(kind) + archive.getvalue(), "a")
        for rendition in (rendered.original, rendered.preview):
            assert b"PK\x03\x04" not in rendition
            assert b"evil.html" not in rendition


def test_a_jpeg_that_holds_a_second_image_is_still():
    second = Image.new("RGB", (10, 10), BLUE)
    data = encoded(Image.new("RGB", (20, 20), RED), "MPO", save_all=True, append_images=[second])
    assert Image.open(BytesIO(data)).n_frames == 2
    assert render(data, "a").width == 20


def test_the_original_is_at_most_4096_and_the_preview_480_on_a_side():
    rendered = render(encoded(Image.new("RGB", (8_000, 100), RED), "JPEG"), "a")
    assert (rendered.width, rendered.height) == (4_096, 51)
    assert shown(rendered.original).size == (4_096, 51)
    assert shown(rendered.preview).size == (480, 6)


def test_a_small_image_is_not_made_larger():
    rendered = render(picture("JPEG", (100, 80)), "a")
    assert shown(rendered.original).size == shown(rendered.preview).size == (100, 80)


def test_quality_goes_down_until_the_image_fits(monkeypatch):
    noise = encoded(Image.frombytes("RGB", (200, 200), os.urandom(120_000)), "PNG")
    best = len(render(noise, "a").original)
    monkeypatch.setattr(renditions, "ORIGINAL_LIMIT", best // 3)
    monkeypatch.setattr(renditions, "PREVIEW_LIMIT", best // 4)
    rendered = render(noise, "a")
    assert len(rendered.original) <= best // 3
    assert len(rendered.preview) <= best // 4


def test_what_fits_at_no_quality_is_refused(monkeypatch):
    monkeypatch.setattr(renditions, "PREVIEW_LIMIT", 100)
    with pytest.raises(UnusableImage, match="10 MB"):
        render(picture("JPEG"), "a")


def test_noise_of_the_largest_preview_fits_with_room_to_spare():
    noise = Image.frombytes("RGB", (480, 480), os.urandom(480 * 480 * 3))
    assert len(render(encoded(noise, "PNG"), "a").preview) <= renditions.PREVIEW_LIMIT


def test_the_same_image_has_the_same_identity_whatever_its_name_and_metadata():
    exif = Image.Exif()
    exif[0x013B] = "Author Kim"
    plain, described = render(picture("PNG"), "a"), render(picture("PNG", exif=exif), "b")
    assert plain.sha256 == described.sha256
    assert plain.sha256 != render(picture("PNG", (61, 40)), "a").sha256


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("poster.jpg", "poster.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\kim\\poster.jpg", "poster.jpg"),
        ("po\x00st\r\ner.jpg", "po st er.jpg"),
        ("gpj.\u202etxt", "gpj. txt"),
        ("\u1112\u1161\u11ab.png", "한.png"),
        ("정시 포스터.png", "정시 포스터.png"),
        ("\ud800.png", ".png"),
        ("x" * 300, "x" * 100),
        ("folder/", "image"),
        ("", "image"),
    ],
)
def test_a_name_keeps_what_people_can_read(name, cleaned):
    assert renditions.clean_name(name) == cleaned
    assert render(picture("PNG", (1, 1)), name).name == cleaned
