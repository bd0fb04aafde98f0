"""Tokens for the API: everybody issues their own, managers see and revoke those below them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from config.scoped.admin import ScopedAdmin
from config.scoped.times import moment, read_by
from orgs.clock import database_now
from orgs.models import Token
from orgs.reach import SCOPES, member_of, within

SCOPE_CHOICES = [
    ("read", _("read: see what you may see")),
    ("write", _("write: register, edit and run what you may")),
    ("approve", _("approve: say yes or no for you")),
    ("organisation", _("organisation: change units and people that you manage")),
]
assert {name for name, _label in SCOPE_CHOICES} == set(SCOPES)
LIFETIMES = [
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("one year")),
    ("", _("until it is revoked")),
]


class TokenForm(forms.ModelForm):
    """What a new token may do, and for how long."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=SCOPE_CHOICES,
        initial=["read"],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("A token never may more than you may at that moment."),
    )
    lifetime = forms.ChoiceField(
        label=_("Valid for"),
        choices=LIFETIMES,
        initial="90",
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Token
        fields = ["name"]


@admin.register(Token)
class TokenAdmin(ScopedAdmin):
    """A key is shown once, on the page that answers its making, and is stored nowhere."""

    form = TokenForm
    told_fields = ("scopes", "lifetime")
    list_display = ["name", "user", "scope_list", "ending", "expiry", "last_use"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    ordering = ["-id"]
    unit_field = ""

    @admin.display(description=_("scopes"))
    def scope_list(self, token: Token) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=_("ends with"))
    def ending(self, token: Token) -> str:
        return f"…{token.hint}"

    @admin.display(description=_("expires"), ordering="expires_at")
    def expiry(self, token: Any) -> Any:
        return moment(token.expires_at, token.read_in) if token.expires_at else _("never")

    @admin.display(description=_("last used"), ordering="last_used_at")
    def last_use(self, token: Any) -> Any:
        return moment(token.last_used_at, token.read_in) if token.last_used_at else _("not yet")

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> list[str]:
        if obj is None:
            return ["name", "scopes", "lifetime"]
        return ["name", "user", "scope_list", "ending", "expiry", "last_use"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        everyone = Token.objects.select_related("user")
        below = within(request.user, Token.objects.all()).values("pk")
        rows = everyone.filter(Q(user=request.user) | Q(pk__in=below))
        return read_by(request.user, rows).order_by("-id")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser or member_of(request.user) is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_delete_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting is revoking: for one's own token and for those of people below."""
        if obj is None:
            return self.has_module_permission(request)
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        days = form.cleaned_data["lifetime"]
        owner: Any = request.user
        token, obj.key = Token.issue(
            user=owner,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=database_now() + timedelta(days=int(days)) if days else None,
        )
        obj.pk, obj.user = token.pk, token.user

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # One button: whatever is pressed, the answer is the page with the key.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """The key in the answer itself: after a redirect it would have to be kept meanwhile."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new token"),
            "opts": self.opts,
            "token": obj,
            "key": obj.key,
        }
        return TemplateResponse(request, "orgs/token_issued.html", context)
