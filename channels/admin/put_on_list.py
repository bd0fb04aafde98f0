"""Some people of the list of recipients are put on a fixed list, one that is there or a new one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels.actions.audience import add_audience, change_audience
from channels.models import Account, Audience, Recipient
from config.scoped.choices import OneRow
from orgs.models import Unit
from orgs.reach import Act, member_of, within
from orgs.refusal import Refused

MOST = 500  # at once: a form may have no more fields


class ListForm(forms.Form):
    """Onto which list."""

    audience = OneRow(
        queryset=Audience.objects.none(), required=False, label=gettext_lazy("Fixed list")
    )
    name = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Or a new list"),
        help_text=gettext_lazy("Its name."),
    )

    def __init__(self, lists: QuerySet, *args: Any) -> None:
        super().__init__(*args)
        field: Any = self.fields["audience"]
        field.queryset = lists
        for each in self.fields.values():
            each.widget.attrs["class"] = "tj-input"

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if not self.errors and bool(said.get("audience")) == bool(said.get("name")):
            raise forms.ValidationError(_("Choose a list, or name a new one."))
        return said


def answer(page: Any, request: HttpRequest, people: QuerySet) -> HttpResponse | None:
    """Ask onto which list, or put them on it. None: back to the list, which says why."""
    chosen = list(people.select_related("account")[: MOST + 1])
    accounts = {person.account_id for person in chosen}
    if len(chosen) > MOST or len(accounts) != 1:
        too_many = _("At most %(most)d people at once. Import a file for more.") % {"most": MOST}
        apart = _("Choose people of one account: a list has one.")
        messages.error(request, too_many if len(chosen) > MOST else apart)
        return None
    is_answered = "sure" in request.POST
    lists = within(
        request.user,
        Audience.objects.filter(kind=Audience.Kind.LIST, account__in=accounts),
        Act.CHANGE,
    )
    form = ListForm(lists, request.POST) if is_answered else ListForm(lists)
    if is_answered and form.is_valid() and (audience := _put(request, form, chosen)):
        return redirect("admin:channels_audience_change", audience.pk)
    context = {
        **page.admin_site.each_context(request),
        "title": _("Put on a fixed list"),
        "opts": page.opts,
        "form": form,
        "people": chosen,
        "box": ACTION_CHECKBOX_NAME,
    }
    return render(request, "channels/put_on_list.html", context)


def _put(request: HttpRequest, form: ListForm, people: list[Recipient]) -> Audience | None:
    """The list, with them on it; None, with the reason in the form."""
    addresses = [person.address for person in people]
    audience: Audience | None = form.cleaned_data["audience"]
    try:
        if audience is not None:
            audience = change_audience(audience, {}, by=request.user, put_on=addresses)
        else:
            fresh = _fresh(request.user, people, form.cleaned_data["name"])
            audience = add_audience(fresh, by=request.user, put_on=addresses)
    except Refused as refusal:
        reasons = [words for found in refusal.problems.values() for words in found]
        form.add_error(None, reasons or str(refusal))
        return None
    count = len(people)
    said = ngettext("%(count)d person is on the list.", "%(count)d people are on the list.", count)
    messages.success(request, said % {"count": count})
    return audience


def _fresh(user: Any, people: list[Recipient], name: str) -> dict[str, Any]:
    """A new list of one's own unit; who has none makes it for the first person's."""
    member = member_of(user)
    unit: Unit = member.unit if member else people[0].unit
    account: Account = people[0].account
    return {"unit": unit, "account": account, "name": name, "kind": Audience.Kind.LIST}
