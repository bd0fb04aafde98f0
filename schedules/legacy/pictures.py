"""The images of older systems, from a folder, by the names of their files."""

import unicodedata
from pathlib import Path

from channels.models import Image
from channels.renditions import UnusableImage, render
from orgs.models import Unit
from schedules.legacy.kb_schedule import Picture


class Missing(LookupError):  # noqa: N818  (it says what is not there, not that we failed)
    """An image that cannot be taken; its text says why."""


class Pictures:
    """The folder, and what of it was stored already. A trial stores no file."""

    def __init__(self, folder: Path | None, *, is_trial: bool) -> None:
        self._folder = folder
        self._is_trial = is_trial
        self._known: dict[tuple[int, str], Image] = {}

    @property
    def stored(self) -> int:
        return len(self._known)

    def image(self, picture: Picture, unit: Unit) -> Image:
        """The image for a schedule of this unit. Raises Missing."""
        key = unit.pk, picture.filename
        if key not in self._known:
            self._known[key] = self._stored(self._path(picture.filename), picture.name, unit)
        return self._known[key]

    def _path(self, filename: str) -> Path:
        if self._folder is None:
            raise Missing(f"“{filename}”: no folder was given; name it with --images")
        # Macs take Korean syllables apart in the names of files.
        for form in (filename, *(unicodedata.normalize(f, filename) for f in ("NFC", "NFD"))):
            if (self._folder / form).is_file():
                return self._folder / form
        raise Missing(f"“{filename}” is not in the folder")

    def _stored(self, path: Path, name: str, unit: Unit) -> Image:
        try:
            with path.open("rb") as file:
                if not self._is_trial:
                    return Image.objects.store(unit=unit, by=None, data=file, name=name)
                image = Image.objects.described(render(file, name), unit=unit, by=None)
        except (UnusableImage, OSError) as error:
            raise Missing(f"“{path.name}”: {error}".rstrip(".")) from error
        image.save(force_insert=True)
        return image
