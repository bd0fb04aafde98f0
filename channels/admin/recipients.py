"""Recipients: who they are, what they bear, and the way into and out of files."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from channels.actions.recipient import OPTED_OUT, TAGS, add_person, change_person, forget_person
from channels.admin import put_on_list
from channels.admin.account_choice import WithPeople
from channels.admin.known_words import OffersWords
from channels.models import Audience, Membership, Recipient
from channels.models.recipient import NAME_LENGTH, words_in
from channels.people.exporting import csv_lines
from config.scoped.removing import RemovingAdmin
from config.scoped.times import moment, read_by
from logs import history
from orgs.clock import database_now
from orgs.reach import Act, can_anywhere, member_of, within


def refuse_long_words(words: list[str]) -> list[str]:
    """The words, if a column can hold each. Raises ValidationError."""
    if any(len(word) > NAME_LENGTH for word in words):
        raise forms.ValidationError(_("At most 50 characters each."))
    return words


class WordsField(forms.CharField):
    """Several words in one field, with commas between them."""

    widget = UnfoldAdminTextInputWidget

    def clean(self, value: Any) -> list[str]:
        return refuse_long_words(words_in(super().clean(value)))


class RecipientForm(forms.ModelForm):
    """A person stands at or below the unit of the account; their tags are written as words."""

    tag_words = WordsField(
        label=_("Tags"), required=False, help_text=_("With commas between them: vip, new.")
    )
    has_opted_out = forms.BooleanField(
        label=_("Opted out"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Nothing is sent to who has opted out."),
    )

    class Meta:
        model = Recipient
        fields = ["unit", "account", "address", "name", "region", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "region" in self.fields:
            self.fields["region"].widget.attrs["data-words-one"] = ""
        if self.instance.pk:
            self.initial["tag_words"] = ", ".join(tag.name for tag in self.instance.tags.all())
            self.initial["has_opted_out"] = self.instance.opted_out_at is not None

    @property
    def values(self) -> dict[str, Any]:
        """What the form says, as the act takes it."""
        values = dict(self.cleaned_data)
        if OPTED_OUT not in self.changed_data:  # to save a name says nothing of who opted out
            values.pop(OPTED_OUT, None)
        return values | {TAGS: values.pop("tag_words")}


class OptedOutFilter(admin.SimpleListFilter):
    title = _("opted out")
    parameter_name = "opted_out"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(opted_out_at__isnull=self.value() == "no")


class ListFilter(admin.SimpleListFilter):
    """Who is on a fixed list."""

    title = _("fixed list")
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        lists = within(request.user, Audience.objects.filter(kind=Audience.Kind.LIST))
        return [(str(pk), name) for pk, name in lists.values_list("pk", "name")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = str(self.value() or "")
        if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
            return queryset
        lists = within(request.user, Audience.objects.filter(pk=int(asked)))
        members = Membership.objects.filter(audience__in=lists)
        return queryset.filter(pk__in=members.values("recipient_id"))


@admin.register(Recipient)
class RecipientAdmin(WithPeople, OffersWords, RemovingAdmin):
    when_empty = _(
        "Recipients are people who are written to themselves. They are added one by one, "
        "or imported from a file."
    )
    form = RecipientForm
    list_display = ["who", "unit", "account", "region", "language", "tag_words", "opted_out"]
    list_filter = ["unit", "account", "language", "tags", ListFilter, OptedOutFilter]
    list_select_related = ["unit", "account"]
    search_fields = ["name", "address"]
    autocomplete_fields = ["unit"]
    ordering = ["-id"]
    fields = ["unit", "account", "address", "name", "region", "language", "tag_words",
              "has_opted_out", "reached"]  # fmt: skip
    readonly_fields = ["reached"]
    actions = ["put_on_list", "export"]
    fields_of_tags = ("tag_words",)
    fields_of_regions = ("region",)
    actions_list = ["bring_in"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).prefetch_related("tags")
        return read_by(request.user, rows)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            change_person(obj, form.values, by=request.user)
        else:
            obj.pk = add_person(form.values, by=request.user).pk

    def remove(self, row: Any, *, by: Any) -> None:
        forget_person(row, by=by)

    @admin.display(description=_("messages"))
    def reached(self, person: Recipient) -> SafeString | str:
        if person.pk is None:
            return "–"
        address = f"{reverse('admin:schedules_delivery_changelist')}?recipient={person.pk}"
        link = '<a class="teiji-link" href="{}">{}</a>'
        return format_html(link, address, _("What was sent to this person"))

    # The columns, and what a person sees who may not edit: named as the form's fields.

    @admin.display(description=_("recipient"), ordering="name")
    def who(self, person: Recipient) -> str:
        return str(person)

    @admin.display(description=_("tags"))
    def tag_words(self, person: Recipient) -> str:
        return ", ".join(tag.name for tag in person.tags.all()) or "–"

    @admin.display(description=_("opted out"), ordering="opted_out_at")
    def opted_out(self, person: Any) -> str:
        return moment(person.opted_out_at, person.read_in)

    @admin.display(description=_("opted out"), boolean=True)
    def has_opted_out(self, person: Recipient) -> bool:
        return person.opted_out_at is not None

    class Media:
        js = [Script("teiji/words.js", defer=True)]

    @admin.action(description=_("Put on a fixed list"), permissions=["change"])
    def put_on_list(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return put_on_list.answer(self, request, queryset)

    # Into and out of files.

    @action(description=_("Import people"), permissions=["bring_in"], icon="upload")
    def bring_in(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:channels_recipientimport_add"))

    def has_bring_in_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return can_anywhere(request.user, Act.CREATE, Recipient)

    @admin.action(description=_("Export as CSV"), permissions=["change"])
    def export(self, request: HttpRequest, queryset: QuerySet) -> StreamingHttpResponse:
        self._record_export(request, queryset)
        response = StreamingHttpResponse(csv_lines(queryset), content_type="text/csv")
        response["Content-Disposition"] = 'attachment; filename="recipients.csv"'
        response["Cache-Control"] = "private, no-store"
        return response

    def _record_export(self, request: HttpRequest, queryset: QuerySet) -> None:
        member = member_of(request.user)
        path = member.unit.path if member else ""
        facts = {"recipients": queryset.count()}
        row = Recipient(name=str(self.opts.verbose_name_plural))
        history.record(
            "exported", row, by=request.user, now=database_now(), unit_path=path, changes=facts
        )
