"""The pictures of the demonstration, drawn here: nobody's rights, nothing to download."""

import random
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1080, 810)
TWICE = (2160, 1620)  # drawn at twice the size and reduced: smooth edges
Colour = tuple[int, int, int]


def morning_cup() -> bytes:
    """A steaming cup before a rising sun, as PNG."""
    picture = _gradient((255, 214, 165), (255, 150, 113))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((1320, 240, 1860, 780), fill=(255, 236, 190))
    draw.polygon([(0, 1180), (620, 860), (1240, 1180)], fill=(233, 120, 100))
    draw.polygon([(760, 1180), (1560, 800), (2160, 1120), (2160, 1180)], fill=(214, 98, 92))
    draw.rectangle((0, 1170, 2160, 1620), fill=(92, 60, 62))
    for x in (880, 1010, 1140):
        _steam(draw, x)
    draw.ellipse((1240, 930, 1520, 1230), outline=(250, 246, 240), width=52)
    draw.rounded_rectangle((640, 860, 1380, 1400), radius=190, fill=(250, 246, 240))
    draw.rectangle((640, 860, 1380, 1010), fill=(250, 246, 240))
    draw.ellipse((640, 800, 1380, 930), fill=(238, 228, 216))
    draw.ellipse((690, 822, 1330, 912), fill=(96, 58, 44))
    draw.ellipse((480, 1370, 1540, 1470), fill=(222, 210, 200))
    return _png(picture)


def evening_lanterns() -> bytes:
    """A street of lanterns under the moon, as PNG."""
    picture = _gradient((24, 30, 66), (94, 52, 104))
    draw = ImageDraw.Draw(picture)
    stars = random.Random(2026)  # noqa: S311 - the same sky each time, no secret
    for _star in range(140):
        x, y, size = stars.randrange(2160), stars.randrange(900), stars.randrange(3, 9)
        draw.ellipse((x, y, x + size, y + size), fill=(236, 232, 255))
    draw.ellipse((1560, 160, 1880, 480), fill=(255, 243, 205))
    for x, top in ((0, 980), (330, 1100), (700, 900), (1150, 1060), (1560, 960), (1900, 1120)):
        draw.rectangle((x, top, x + 420, 1620), fill=(30, 22, 48))
        for window in range(3):
            left = x + 60 + window * 110
            draw.rectangle((left, top + 90, left + 60, top + 180), fill=(255, 206, 120))
    glow = Image.new("RGB", TWICE)
    for place, x in enumerate(range(180, 2160, 360)):
        _lantern(ImageDraw.Draw(glow), x, 560 + 70 * (place % 2), (150, 46, 30))
    picture = Image.blend(
        picture, _lighter(picture, glow.filter(ImageFilter.GaussianBlur(60))), 0.8
    )
    draw = ImageDraw.Draw(picture)
    draw.line([(0, 440), (1080, 520), (2160, 440)], fill=(20, 14, 34), width=10)
    for place, x in enumerate(range(180, 2160, 360)):
        _lantern(draw, x, 560 + 70 * (place % 2), (232, 72, 52))
    return _png(picture)


def _lantern(draw: ImageDraw.ImageDraw, x: int, y: int, colour: Colour) -> None:
    draw.line((x, 470, x, y), fill=(20, 14, 34), width=8)
    draw.ellipse((x - 120, y, x + 120, y + 210), fill=colour)
    draw.ellipse((x - 50, y + 14, x + 50, y + 196), fill=(255, 170, 90))
    for edge in (y - 12, y + 196):
        draw.rectangle((x - 56, edge, x + 56, edge + 24), fill=(250, 196, 84))
    draw.line((x, y + 220, x, y + 300), fill=(250, 196, 84), width=10)


def _steam(draw: ImageDraw.ImageDraw, x: int) -> None:
    for step in range(4):
        top = 720 - step * 90
        start = 90 if step % 2 else 270
        draw.arc(
            (x - 45, top, x + 45, top + 92), start, start + 180, fill=(255, 250, 240), width=16
        )


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, 2))
    column.putpixel((0, 0), top)
    column.putpixel((0, 1), bottom)
    return column.resize(TWICE, Image.Resampling.BILINEAR)


def _lighter(picture: Image.Image, glow: Image.Image) -> Image.Image:
    mask = glow.convert("L")
    return Image.composite(Image.new("RGB", TWICE, (255, 150, 90)), picture, mask)


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.resize(SIZE, Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()
