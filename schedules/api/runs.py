"""Runs as the API shows them."""

from rest_framework import serializers

from config.scoped.fields import Moment
from schedules.models import Run


class RunSerializer(serializers.ModelSerializer):
    """A run: one sending to all rooms of a schedule. Its log: /logs?run={id}."""

    schedule = serializers.IntegerField(source="schedule_id", read_only=True)
    due_at = Moment(read_only=True)

    class Meta:
        model = Run
        fields = ["id", "schedule", "trigger", "state", "reason", "detail", "title", "due_at",
                  "total", "expected", "recipients"]  # fmt: skip
        read_only_fields = fields
