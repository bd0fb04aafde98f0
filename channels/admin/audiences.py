"""Audiences: a fixed list or a rule, and how many are in it now."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from channels.actions.audience import MOST_TYPED, add_audience, change_audience, find_people
from channels.admin.account_choice import WithPeople
from channels.admin.known_words import OffersWords
from channels.admin.recipients import WordsField
from channels.models import Audience
from orgs.refusal import Refused

RULE = {"tags": "tag_words", "regions": "region_words", "languages": "language_codes"}
COUNTED_AT_ONCE = 20_000  # people: a page waits some 0.2 s for it


class AddressesField(forms.CharField):
    """Addresses, one a line."""

    widget = UnfoldAdminTextareaWidget

    def clean(self, value: Any) -> list[str]:
        found = list(dict.fromkeys(super().clean(value).split()))
        if len(found) > MOST_TYPED:
            raise forms.ValidationError(_("At most 1,000 addresses. Import a file for more."))
        return found


class AudienceForm(forms.ModelForm):
    """The rule is written in words; people come on a list and off it by their addresses."""

    tag_words = WordsField(
        label=_("Tags"), required=False, help_text=_("With commas between them: vip, new.")
    )
    region_words = WordsField(
        label=_("Regions"), required=False, help_text=_("Who lives in one of them: Seoul, Busan.")
    )
    language_codes = forms.MultipleChoiceField(
        label=_("Languages"),
        required=False,
        choices=settings.LANGUAGES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Who reads one of them."),
    )
    put_on = AddressesField(
        label=_("Put on the list"), required=False, help_text=_("Addresses, one a line.")
    )
    take_off = AddressesField(
        label=_("Take off the list"), required=False, help_text=_("Addresses, one a line.")
    )

    class Meta:
        model = Audience
        fields = ["unit", "account", "name", "kind", "tag_match", "most", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tag_words"] = ", ".join(self.instance.tags)
        self.initial["region_words"] = ", ".join(self.instance.regions)
        self.initial["language_codes"] = self.instance.languages

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        typed = [name for name in ("put_on", "take_off") if cleaned.get(name)]
        if typed and cleaned.get("kind") != Audience.Kind.LIST:
            self.add_error(typed[0], _("Nobody is put on a rule. Choose “a fixed list”."))
        elif cleaned.get("kind") == Audience.Kind.LIST and (words := self._words_written()):
            self.add_error(words[0], _("A fixed list asks for no tags. Choose “a rule”."))
        elif cleaned.get("unit") and cleaned.get("account"):
            for name in typed:
                self._look_up(name, cleaned)
        return cleaned

    def _words_written(self) -> list[str]:
        """Lines of a rule that were filled in just now."""
        return [n for n in RULE.values() if n in self.changed_data and self.cleaned_data.get(n)]

    def _look_up(self, name: str, cleaned: dict[str, Any]) -> None:
        try:
            find_people(cleaned["account"], cleaned["unit"], cleaned[name])
        except Refused as refusal:
            self.add_error(name, str(refusal))

    @property
    def values(self) -> dict[str, Any]:
        """What the form says, as the act takes it."""
        said = self.cleaned_data
        return said | {name: said[field] for name, field in RULE.items()}

    @property
    def people(self) -> dict[str, list[str]]:
        """Who comes on the list and off it."""
        return {name: self.cleaned_data[name] for name in ("put_on", "take_off")}


@admin.register(Audience)
class AudienceAdmin(WithPeople, OffersWords):
    when_empty = _(
        "An audience is many people who get one message: a fixed list, or a rule such as "
        "a tag or a region. The people come first."
    )
    change_form_outer_before_template = "organisation/why_above.html"
    form = AudienceForm
    list_display = ["name", "unit", "account", "kind", "most", "is_active"]
    list_filter = ["kind", "is_active", "unit", "account"]
    list_select_related = ["unit", "account"]
    search_fields = ["name", "unit__name"]
    autocomplete_fields = ["unit"]
    ordering = ["name", "id"]
    records_itself = True
    readonly_fields = ["in_it_now"]
    fields_of_tags = ("tag_words",)
    fields_of_regions = ("region_words",)

    class Media:
        css = {"all": ["teiji/schedules.css"]}
        js = [Script("teiji/words.js", defer=True), Script("teiji/audience.js", defer=True)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first = ["unit", "account", "name", "kind", "most", "is_active"]
        may_edit = obj is None or self.has_change_permission(request, obj)
        typed = {"fields": ["put_on", "take_off"], "classes": ["audience-list"]}
        on_list = typed if may_edit else {}
        rule = ["tag_words", "tag_match", "region_words", "language_codes"]
        return [
            (None, {"fields": ["in_it_now", *first] if obj else first}),
            (
                _("Rule"),
                {
                    "fields": rule,
                    "classes": ["audience-rule"],
                    "description": _(
                        "Who answers to each line that is filled in. Nothing filled in: everybody."
                    ),
                },
            ),
            *([(_("Fixed list"), on_list)] if on_list else []),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            change_audience(obj, form.values, by=request.user, **form.people)
        else:
            obj.pk = add_audience(form.values, by=request.user, **form.people).pk

    @admin.display(description=_("in it now"))
    def in_it_now(self, audience: Audience) -> SafeString | str:
        count = audience.count(up_to=COUNTED_AT_ONCE)
        people = format_html("<b>{}</b>", f"{count:,}")
        if count == COUNTED_AT_ONCE and audience.most != count:
            address = reverse("admin:channels_audience_count", args=[audience.pk])
            link = format_html('<a class="teiji-link" href="{}">{}</a>', address, _("Count all"))
            people = format_html("{} {} {}", people, _("or more."), link)
        if audience.kind == Audience.Kind.RULE:
            return people
        address = f"{reverse('admin:channels_recipient_changelist')}?list={audience.pk}"
        link = format_html('<a class="teiji-link" href="{}">{}</a>', address, _("Show the list"))
        return format_html("{} {}", people, link)

    # What a person sees who may not edit: named as the form's fields.

    @admin.display(description=_("tags"))
    def tag_words(self, audience: Audience) -> str:
        return ", ".join(audience.tags) or "–"

    @admin.display(description=_("regions"))
    def region_words(self, audience: Audience) -> str:
        return ", ".join(audience.regions) or "–"

    @admin.display(description=_("languages"))
    def language_codes(self, audience: Audience) -> str:
        names = dict(settings.LANGUAGES)
        return ", ".join(names.get(code, code) for code in audience.languages) or "–"

    def get_urls(self) -> list[URLPattern]:
        counted = self.admin_site.admin_view(self.count_view)
        own = path("<int:pk>/count/", counted, name="channels_audience_count")
        return [own, *super().get_urls()]

    def count_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Counts to the end, however long that takes, and says it on the audience's page."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        audience = self.get_object(request, str(pk))
        if audience is None:
            raise Http404
        count = audience.count()
        said = ngettext(
            "%(count)s person would get a message now.",
            "%(count)s people would get a message now.",
            count,
        )
        messages.info(request, said % {"count": f"{count:,}"})
        return redirect("admin:channels_audience_change", pk)
