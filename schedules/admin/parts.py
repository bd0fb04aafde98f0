"""The parts of a template, as forms below its own."""

import re
from typing import Any

from django.forms.formsets import INITIAL_FORM_COUNT
from django.forms.models import BaseInlineFormSet
from django.http import QueryDict


class Parts(BaseInlineFormSet):
    """A part that was deleted after the page was opened is one more new part: it can be saved."""

    model: Any
    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and (gone := self._gone()):
            self.data = self._as_new(gone)
            vars(self).pop("management_form", None)  # which was read from the old

    def _gone(self) -> list[int]:
        """The places of forms whose row is there no more."""
        here = {str(pk) for pk in self.get_queryset().values_list("pk", flat=True)}
        places = range(self.initial_form_count())
        return [place for place in places if self.data.get(self._id_at(place)) not in here]

    def _id_at(self, place: int) -> str:
        return f"{self.add_prefix(place)}-{self.model._meta.pk.name}"

    def _as_new(self, gone: list[int]) -> QueryDict:
        """What was posted, with these behind those that are there."""
        known, total = self.initial_form_count(), self.total_form_count()
        kept = [place for place in range(known) if place not in gone]
        moved = {old: new for new, old in enumerate([*kept, *gone, *range(known, total)])}
        posted = QueryDict(mutable=True)
        for name, values in self.data.lists():
            posted.setlist(self._moved(name, moved), values)
        for place in gone:
            posted[self._id_at(moved[place])] = ""
        posted[self.management_form.add_prefix(INITIAL_FORM_COUNT)] = str(len(kept))
        return posted

    def _moved(self, name: str, moved: dict[int, int]) -> str:
        """The name of a posted field at the new place of its form."""
        found = re.fullmatch(rf"{re.escape(str(self.prefix))}-(\d+)-(\w+)", name)
        place = moved.get(int(found[1])) if found else None
        return f"{self.add_prefix(place)}-{found[2]}" if found and place is not None else name


class AtTheEnd(Parts):
    """New parts stand behind those that are there, in the order in which they are added."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk is None and "position" in form.fields:
            last = max((row.position for row in self.get_queryset()), default=-1)
            form.fields["position"].initial = last + 1
            form.initial.pop("position", None)  # the column's own default

    def clean(self) -> None:
        """Several that are added at once each get a place of their own."""
        super().clean()
        following = None
        for form in self.extra_forms:
            first = form.fields["position"].initial
            if form.has_changed() and form.cleaned_data.get("position") == first:
                following = first if following is None else following + 1
                form.instance.position = following
