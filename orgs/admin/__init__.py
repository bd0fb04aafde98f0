"""The organisation's pages: units, people, deputies, tokens."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django_celery_beat import models as beat

from orgs.admin.deputies import DeputyAdmin
from orgs.admin.people import PersonAdmin
from orgs.admin.tokens import TokenAdmin
from orgs.admin.units import UnitAdmin

__all__ = ["DeputyAdmin", "PersonAdmin", "TokenAdmin", "UnitAdmin"]

# Rights hang on memberships: a group would give none.
admin.site.unregister(Group)
# Beat carries one internal tick. A schedule belongs into our own tables, where it is sent once;
# people who edited beat's rows would stop all sending or believe that they had scheduled it.
for model in (
    beat.PeriodicTask,
    beat.IntervalSchedule,
    beat.CrontabSchedule,
    beat.SolarSchedule,
    beat.ClockedSchedule,
):
    admin.site.unregister(model)
# How people sign in is theirs alone: see config/sign_in.
for model in (Authenticator, EmailAddress, UserSession):
    admin.site.unregister(model)
