"""Which account people are written to from: the page names it, and says where there are people."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels.adapters import registry
from channels.models import Account, Recipient
from config.scoped.admin import ScopedAdmin
from config.scoped.choices import OneRow
from orgs.reach import Act, within

HAS_PEOPLE = _("has recipients")


def kinds_with_audiences() -> list[str]:
    """The channels that can write to many people in one request."""
    return [kind for kind, found in registry().items() if found.limits.members_per_request]


class AccountChoice(OneRow):
    """Accounts with their channel, those that know people of one's own marked."""

    def label_from_instance(self, account: Any) -> str:
        named = f"{account.name} · {account.adapter_class.label}"
        return f"{named} · {HAS_PEOPLE}" if account.has_people else named


class KeepsAccount(ScopedAdmin):
    """The page of something whose account stays, also where its unit may not choose it any more:
    one that is no longer shared."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kw)
        field = form.base_fields.get("account")
        if obj and field:
            field.queryset = field.queryset | Account.objects.filter(pk=obj.account_id)
        return form


class WithPeople(KeepsAccount):
    """The page of something whose account writes to people, not only to rooms."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "account":
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        field = super().formfield_for_foreignkey(
            db_field, request, form_class=AccountChoice, **kwargs
        )
        field.queryset = _accounts(request.user)
        field.help_text = _(
            "They are written to from it, and their addresses hold good there only."
        )
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The one account that knows people of one's own is taken unless another is chosen."""
        known = list(_accounts(request.user).filter(has_people=True)[:2])
        account = {"account": known[0].pk} if len(known) == 1 else {}
        return {**account, **super().get_changeform_initial_data(request)}


def _accounts(user: Any) -> QuerySet:
    people = within(user, Recipient.objects.filter(account=OuterRef("pk")))
    usable = within(user, Account.objects.filter(kind__in=kinds_with_audiences()), Act.USE)
    return usable.annotate(has_people=Exists(people)).order_by("-has_people", "name", "id")
