"""Tags and regions that people of one's own bear already, offered where words are written."""

import json
from collections import Counter
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from channels.models import Recipient, Tag
from config.scoped.admin import ScopedAdmin
from orgs.reach import within

OFFERED = 30  # words
LOOKED_AT = 2_000  # people, the newest: enough to know their regions


class OffersWords(ScopedAdmin):
    """A page whose form takes words in `fields_of_tags` and `fields_of_regions`."""

    fields_of_tags: tuple[str, ...] = ()
    fields_of_regions: tuple[str, ...] = ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        plain = super().get_form(request, obj, change=change, **kwargs)
        if request.method != "GET" or not self._has_any(plain):
            return plain
        known = {name: _known_tags(request.user) for name in self.fields_of_tags}
        known |= {name: _known_regions(request.user) for name in self.fields_of_regions}

        class WithKnownWords(plain):  # type: ignore[valid-type, misc]  # made for each request
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                for name in known.keys() & self.fields.keys():
                    self.fields[name].widget.attrs |= _offer(known[name])

        return WithKnownWords

    def _has_any(self, form: Any) -> bool:
        return bool({*self.fields_of_tags, *self.fields_of_regions} & form.base_fields.keys())


def _offer(words: list[str]) -> dict[str, str]:
    """What static/teiji/words.js makes buttons of."""
    if not words:
        return {}
    return {"data-words": json.dumps(words, ensure_ascii=False), "data-words-label": _("In use:")}


def _known_tags(user: Any) -> list[str]:
    names = within(user, Tag.objects.order_by("name")).values_list("name", flat=True)
    return list(names.distinct()[:OFFERED])


def _known_regions(user: Any) -> list[str]:
    """Those of most people first."""
    people = within(user, Recipient.objects.order_by("-id"))
    regions = Counter(people.values_list("region", flat=True)[:LOOKED_AT])
    return [region for region, _count in regions.most_common(OFFERED + 1) if region][:OFFERED]
