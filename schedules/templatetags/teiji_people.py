"""How many people a run goes to."""

from django import template

from schedules.models import Run
from schedules.shown.drift import drift_of

register = template.Library()


@register.filter
def drift(run: Run) -> str:
    """“1,204 people; 1,180 when it was registered: +24, 2 %”."""
    return drift_of(run)
