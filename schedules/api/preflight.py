"""What was found of a schedule's next run before its time."""

from rest_framework import serializers

from config.scoped.fields import Moment
from schedules.findings import What


class FindingSerializer(serializers.Serializer):
    """One thing that was found."""

    what = serializers.ChoiceField(choices=[what.value for what in What])
    is_trouble = serializers.BooleanField(
        help_text="False: it could not be looked at, or not all of it."
    )
    words = serializers.CharField()
    advice = serializers.CharField(help_text="What to do about it. Empty: nothing.")


class PreflightSerializer(serializers.Serializer):
    """The last look at the schedule as it is now."""

    is_waiting = serializers.BooleanField(help_text="A worker is about to look.")
    looked_at = Moment(allow_null=True, help_text="Null: nobody has looked at it as it is now.")
    due_at = Moment(allow_null=True, help_text="Of the run that was looked at.")
    findings = FindingSerializer(many=True)
