"""Message templates: a text in blocks, images and how they follow, and what fills the text."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models import Image
from orgs.models import Unit
from orgs.reach import Belongs, lineage
from schedules.content import Order
from schedules.models.prefills import MOST_PRIORITY, Prefills, no_half_default
from schedules.models.repetition import OnQuiet
from schedules.placeholders import LONGEST_NAME, is_name, meaning
from schedules.placeholders import MEANINGS as BUILT_IN_NAMES

LONGEST_VALUE = 1000
LONGEST_BLOCK = 10_000
BETWEEN_BLOCKS = "\n"


def validate_placeholder(name: str) -> None:
    """Refuse what cannot stand in braces, and what every room has of itself."""
    if not is_name(name):
        raise ValidationError(
            _("“%(value)s” cannot be a placeholder: use letters, digits and underscores, and begin "
              "with a letter."),
            params={"value": name},
        )  # fmt: skip
    if meaning(name) in BUILT_IN_NAMES:
        raise ValidationError(
            _("{%(value)s} is there already: each room has its own."), params={"value": name}
        )


class MessageTemplate(Prefills):
    """A message to start schedules from. What was made from it does not change with it."""

    reach = Belongs("unit__path", shared="is_shared")

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=100)
    order = models.CharField(
        _("send order"), max_length=12, choices=Order.choices, default=Order.TEXT_FIRST
    )
    interval_seconds = models.PositiveSmallIntegerField(
        _("seconds between messages"),
        default=0,
        help_text=_("0: as few messages as the channel can pack them into."),
    )
    images = models.ManyToManyField(Image, through="TemplateImage", verbose_name=_("images"))
    is_shared = models.BooleanField(
        _("shared"), default=True, help_text=_("Units below may use it, but not change it.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("An inactive template is not offered.")
    )

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="one_template_per_name_and_unit"),
            models.CheckConstraint(condition=no_half_default(), name="no_half_default_timing"),
            models.CheckConstraint(
                condition=Q(priority=None) | Q(priority__lte=MOST_PRIORITY),
                name="default_priority_within_0_and_100",
            ),
            models.CheckConstraint(
                condition=Q(on_quiet__in=["", *OnQuiet.values]), name="default_on_quiet_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_system(self) -> bool:
        """Whether it comes from a headquarters."""
        return self.unit.kind == Unit.Kind.HEADQUARTERS

    @property
    def text(self) -> str:
        """Its blocks, one below the other."""
        return BETWEEN_BLOCKS.join(block.text for block in self.blocks.all())

    @property
    def terms(self) -> dict[str, Any]:
        """What a schedule that is made from it keeps, by value: the texts that may not be
        changed, the values where no unit has its own, and which columns were filled in."""
        return {
            "locked": [block.text for block in self.blocks.all() if block.is_locked],
            "defaults": {row.name: row.value for row in self.defaults.all()},
            "fills_in": sorted(self.prefills),
        }


class TemplateBlock(models.Model):
    """A passage of a template's text at its place."""

    reach = Belongs("template__unit__path")

    template: Any = models.ForeignKey(MessageTemplate, models.CASCADE, related_name="blocks")
    position = models.PositiveSmallIntegerField(_("place"), default=0)
    text = models.TextField(_("text"), max_length=LONGEST_BLOCK)
    is_locked = models.BooleanField(
        _("locked"), default=False, help_text=_("Who uses the template cannot change this passage.")
    )

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return str(self.text)[:50]

    def clean(self) -> None:
        # Browsers post line ends as two characters; a schedule's text has them as one.
        self.text = self.text.replace("\r\n", "\n").replace("\r", "\n")


class TemplateImage(models.Model):
    """An image of a template at its place."""

    reach = Belongs("template__unit__path")

    template: Any = models.ForeignKey(
        MessageTemplate, models.CASCADE, related_name="template_images"
    )
    image = models.ForeignKey(Image, models.PROTECT, verbose_name=_("image"))
    position = models.PositiveSmallIntegerField(_("place"), default=0)

    class Meta:
        verbose_name = _("image of a template")
        verbose_name_plural = _("images of templates")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.template_id} · {self.position}"


class TemplateDefault(models.Model):
    """The value of a placeholder where no unit has one of its own."""

    reach = Belongs("template__unit__path")

    template: Any = models.ForeignKey(MessageTemplate, models.CASCADE, related_name="defaults")
    name = models.CharField(
        _("placeholder"), max_length=LONGEST_NAME, validators=[validate_placeholder]
    )
    value = models.CharField(_("value"), max_length=LONGEST_VALUE, blank=True)

    class Meta:
        verbose_name = _("default value")
        verbose_name_plural = _("default values")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["template", "name"], name="one_default_per_name"),
        ]

    def __str__(self) -> str:
        return f"{{{self.name}}}"

    def clean(self) -> None:
        self.name = meaning(self.name)


class PlaceholderValueQuerySet(models.QuerySet["PlaceholderValue"]):
    def inherited(self, paths: Iterable[str]) -> dict[str, dict[str, str]]:
        """For each of these units, by its path, the values that hold there: its own, else those
        of the nearest unit above it. One query for all."""
        above = {path: lineage(path) for path in paths}
        wanted = {step for steps in above.values() for step in steps}
        own: dict[str, dict[str, str]] = {}
        rows = self.filter(unit__path__in=wanted).order_by()
        for path, name, value in rows.values_list("unit__path", "name", "value"):
            own.setdefault(path, {})[name] = value
        return {
            path: {name: value for step in steps for name, value in own.get(step, {}).items()}
            for path, steps in above.items()
        }


class PlaceholderValue(models.Model):
    """What a placeholder stands for in a unit, and in those under it that say nothing else."""

    reach = Belongs("unit__path")

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    name = models.CharField(
        _("placeholder"),
        max_length=LONGEST_NAME,
        validators=[validate_placeholder],
        help_text=_("Written in a text as {name}."),
    )
    value = models.CharField(
        _("value"),
        max_length=LONGEST_VALUE,
        blank=True,
        help_text=_("For this unit, and for those below that have no value of their own."),
    )

    objects = PlaceholderValueQuerySet.as_manager()

    class Meta:
        verbose_name = _("placeholder value")
        verbose_name_plural = _("placeholder values")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="one_value_per_name_and_unit"),
        ]

    def __str__(self) -> str:
        return f"{{{self.name}}}"

    def clean(self) -> None:
        self.name = meaning(self.name)
