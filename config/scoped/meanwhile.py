"""Whether a row was changed after its form was opened: then saving asks, and loses nothing."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.text import Truncator
from django.utils.translation import gettext as _

MARKS = "seen"  # the name under which a page posts what it showed
LONGEST = 200  # characters of a value that is told

Marks = dict[str, str]


def told_of_changes(form: Any, parts: Callable[[], dict[str, Any]]) -> Any:
    """This class of forms, made to refuse what would undo another's change unseen. `parts`: the
    rows that are saved with its own, by what they are called."""
    return type(form)(form.__name__, (_Told, form), {"parts": staticmethod(parts)})


class _Told(forms.BaseForm):
    """Whoever posts no marks, as a program does, is asked nothing."""

    parts: Callable[[], dict[str, Any]]

    @property
    def seen(self) -> str:
        """A digest of each value that the page shows, for the page to post."""
        return json.dumps(self._marks())

    def full_clean(self) -> None:
        super().full_clean()
        changed = self._changed() if MARKS in self.data else []
        for name in changed:
            if name in self.fields:
                value = self.get_initial_for_field(self.fields[name], name)
                words = _("Now it is: %(value)s") % {"value": in_words(self.fields[name], value)}
                self.add_error(name, words)
        if changed:
            self.add_error(None, self._words([name for name in changed if name in self.parts()]))

    def _changed(self) -> list[str]:
        """What is otherwise than it was shown, and would be again as it was."""
        shown, now = _marks_in(self.data[MARKS]), self._marks()
        changed = [name for name in now if shown.get(name, now[name]) != now[name]]
        return [name for name in changed if name not in self.fields or name in self.changed_data]

    def _marks(self) -> Marks:
        own = {
            name: field.prepare_value(self.get_initial_for_field(field, name))
            for name, field in self.fields.items()
        }
        return {name: _digest(value) for name, value in (own | self.parts()).items()}

    def _words(self, parts: list[str]) -> str:
        words = _(
            "This was changed after you opened it, in another window or by somebody else. Nothing "
            "was saved, and what you typed is still here. Save once more, and yours stands."
        )
        also = _("Also changed: %(parts)s.") % {"parts": ", ".join(parts)}
        return f"{words} {also}" if parts else words


def in_words(field: Any, value: Any) -> str:
    """A value of this field as people read it."""
    if isinstance(field, forms.BooleanField):
        return _("Yes") if value else _("No")
    if value in (None, "", []):
        return _("empty")
    if isinstance(field, forms.ModelChoiceField):
        rows: Any = field.queryset
        found = rows.filter(pk__in=value if isinstance(value, list) else [value])
        return ", ".join(map(field.label_from_instance, found))
    if isinstance(field, forms.ChoiceField | forms.MultipleChoiceField):
        choices: Any = field.choices
        labels = {str(code): str(label) for code, label in choices}
        codes = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(str(code), str(code)) for code in codes)
    return Truncator(str(value)).chars(LONGEST)


def _digest(value: Any) -> str:
    text = json.dumps(value, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _marks_in(posted: str) -> Marks:
    try:
        found = json.loads(posted)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
