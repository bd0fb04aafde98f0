"""People: a user, their unit and their role on one page. Users have no page of their own."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import (
    password_validators_help_text_html,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.scoped.admin import ScopedAdmin
from config.scoped.times import moment, read_by
from orgs.actions.members import change_member, join, remove
from orgs.grants import grantable_roles, is_above, is_last_manager
from orgs.models import Member, User
from orgs.reach import Role

USER_FIELDS = ("username", "first_name", "email")


class PersonForm(forms.ModelForm):
    """Fields of the user beside those of the membership."""

    username = forms.CharField(
        label=_("User name"), widget=UnfoldAdminTextInputWidget({"autocomplete": "off"})
    )
    first_name = forms.CharField(label=_("Name"), required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(label=_("E-mail"), required=False, widget=UnfoldAdminEmailInputWidget)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )
    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Somebody who is not active cannot sign in."),
    )

    class Meta:
        model = Member
        fields = ["unit", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = self.instance.user if self.instance.pk else User(is_staff=True)
        self.before = Member.objects.select_related("unit", "user").filter(pk=self.instance.pk)
        for name in self._own_names():
            if self.instance.pk:
                self.initial[name] = getattr(self.user, name)
        if "password" in self.fields:
            password = self.fields["password"]
            password.required = not self.instance.pk
            password.help_text = (
                _("Leave empty to keep the present one.")
                if self.instance.pk
                else password_validators_help_text_html()
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self._own_names():
            setattr(self.user, name, cleaned.get(name, getattr(self.user, name)))
        self._check_user(cleaned.get("password", ""))
        if self.instance.pk and self._stops_managing(cleaned):
            raise ValidationError(
                _("This is the last manager of a top unit. Name another manager first.")
            )
        return cleaned

    def _own_names(self) -> list[str]:
        return [name for name in (*USER_FIELDS, "is_active") if name in self.fields]

    def _check_user(self, password: str) -> None:
        others = {field.name for field in User._meta.fields} - set(USER_FIELDS)
        try:
            self.user.full_clean(exclude=others)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, messages)
        if password:
            try:
                validate_password(password, self.user)
            except ValidationError as error:
                self.add_error("password", error)

    def _stops_managing(self, cleaned: dict[str, Any]) -> bool:
        before = self.before.get()
        stays = (
            cleaned.get("role", before.role) == Role.MANAGER
            and cleaned.get("unit", before.unit) == before.unit
            and cleaned.get("is_active", before.user.is_active)
        )
        return not stays and is_last_manager(before)


@admin.register(Member)
class PersonAdmin(ScopedAdmin):
    """Nobody grants more than they have, and nobody edits themselves up."""

    form = PersonForm
    change_form_outer_before_template = "orgs/person_above.html"
    records_itself = True
    list_display = ["username", "first_name", "unit", "role", "is_active", "last_login"]
    list_display_links = ["username"]
    list_filter = ["role", "unit", "user__is_active"]
    list_select_related = ["user", "unit"]
    search_fields = ["user__username", "user__first_name", "user__email", "unit__name"]
    autocomplete_fields = ["unit"]
    ordering = ["unit__path", "user__username"]
    fields = ["username", "first_name", "email", "password", "unit", "role", "is_active"]

    # The columns, and what a person sees who may not edit: named as the form's fields.

    @admin.display(description=_("user name"), ordering="user__username")
    def username(self, member: Member) -> str:
        return member.user.username

    @admin.display(description=_("name"), ordering="user__first_name")
    def first_name(self, member: Member) -> str:
        return member.user.get_full_name() or "–"

    @admin.display(description=_("e-mail"))
    def email(self, member: Member) -> str:
        return member.user.email or "–"

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, member: Member) -> bool:
        return member.user.is_active

    @admin.display(description=_("last sign-in"), ordering="user__last_login")
    def last_login(self, member: Any) -> str:
        return moment(member.user.last_login, member.read_in)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("user", "unit")
        return read_by(request.user, rows)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj and not self.has_change_permission(request, obj):
            return [name for name in self.fields if name != "password"]
        return list(self.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        is_self = obj is not None and obj.user_id == request.user.pk
        return ["unit", "role", "is_active"] if is_self else []

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        if db_field.name == "role":
            kw["choices"] = [(role.value, role.label) for role in grantable_roles(request.user)]
        return super().formfield_for_choice_field(db_field, request, **kw)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and not (isinstance(obj, Member) and is_above(obj, request.user))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        if not may or not isinstance(obj, Member):
            return may
        is_self = obj.user_id == request.user.pk
        return not (is_self or is_above(obj, request.user) or is_last_manager(obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Several at once would pass by what is asked for each person above.
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = dict(form.cleaned_data)
        password = values.pop("password", "")
        if change:
            change_member(obj, values, by=request.user, password=password)
            return
        unit = values.pop("unit")
        member = join(values, by=request.user, unit=unit, password=password)
        obj.pk, obj.user = member.pk, member.user

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove(obj, by=request.user)
