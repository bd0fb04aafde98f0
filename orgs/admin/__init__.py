"""The organisation's pages: units, people, tokens."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django_celery_beat import models as beat

from orgs.admin.people import PersonAdmin
from orgs.admin.tokens import TokenAdmin
from orgs.admin.units import UnitAdmin

__all__ = ["PersonAdmin", "TokenAdmin", "UnitAdmin"]

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
