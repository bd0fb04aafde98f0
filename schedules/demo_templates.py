"""Templates of the demonstration: two distributors', with values that their branches inherit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from orgs.models import Unit, User
from schedules.actions.template import save_template
from schedules.models import MessageTemplate, PlaceholderValue

# unit: values of placeholders
VALUES = {
    "seoul": {"전화": "1588-0000", "영업시간": "09:00~21:00"},
    "gangnam": {"영업시간": "07:00~23:00"},
    "taipei": {"電話": "0800-000-000", "營業時間": "09:00–21:00"},
}


@dataclass(frozen=True)
class Sample:
    unit: str
    name: str
    text: str
    locked: str
    defaults: dict[str, str] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)


SAMPLES = [
    Sample("seoul", "주말 행사", "{지점}에서 알려 드립니다. {날짜} {혜택} 행사를 합니다. ☕",
           "영업시간 {영업시간} · 문의 {전화}", {"혜택": "아메리카노 1+1"},
           {"timing_kind": "weekly", "weekdays": [4], "time": time(17), "priority": 70}),
    Sample("taipei", "週末活動", "{單位}通知您：{日期}有{優惠}活動。☕",
           "營業時間 {營業時間} · 洽詢 {電話}", {"優惠": "美式咖啡買一送一"},
           {"timing_kind": "once", "time": time(10)}),
]  # fmt: skip


def load_templates(units: Mapping[str, Unit]) -> None:
    """Add what is missing of them."""
    for code, values in VALUES.items():
        for name, value in values.items():
            PlaceholderValue.objects.get_or_create(
                unit=units[code], name=name, defaults={"value": value}
            )
    for sample in SAMPLES:
        _template(units[sample.unit], sample)


def _template(unit: Unit, sample: Sample) -> None:
    if MessageTemplate.objects.filter(unit=unit, name=sample.name).exists():
        return
    blocks = [
        {"text": sample.text, "is_locked": False},
        {"text": sample.locked, "is_locked": True},
    ]
    values = {"unit": unit, "name": sample.name, "blocks": blocks, "defaults": sample.defaults}
    save_template(
        MessageTemplate(), values | sample.timing, by=User.objects.get(username=unit.code)
    )
