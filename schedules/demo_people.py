"""The people of the demonstration: customers of two branches, and audiences of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from channels.models import Account, Audience, Membership, Recipient
from orgs.models import Unit

# An address that the sandbox refuses, as a channel does whose bot the person has blocked.
STRANGERS = "blocked-"

# To be imported by whoever tries it: two of its lines are wrong on purpose.
SAMPLE = settings.BASE_DIR / "docs" / "examples" / "people.csv"

# branch: (address, name, region, language, tags)
CUSTOMERS = {
    "gangnam": [
        ("gangnam-01", "김서연", "서울 강남구", "ko", ["단골", "생일쿠폰"]),
        ("gangnam-02", "이준호", "서울 강남구", "ko", ["단골"]),
        ("gangnam-03", "박지민", "서울 서초구", "ko", ["단골", "원두"]),
        ("gangnam-04", "최유나", "서울 송파구", "ko", ["신규"]),
        ("gangnam-05", "정하늘", "서울 강남구", "ko", ["신규", "생일쿠폰"]),
        ("gangnam-06", "한예린", "경기 성남시", "ko", ["원두"]),
        ("gangnam-07", "林佳穎", "서울 강남구", "zh-hant", ["단골"]),
        ("gangnam-08", "王小明", "서울 서초구", "zh-hans", ["신규"]),
        ("gangnam-09", "Emma Wilson", "서울 용산구", "en", ["단골", "원두"]),
        (f"{STRANGERS}10", "오세훈", "서울 강남구", "ko", ["단골"]),
    ],
    "xinyi": [
        ("xinyi-01", "陳雅婷", "臺北市信義區", "zh-hant", ["會員"]),
        ("xinyi-02", "林冠宇", "臺北市信義區", "zh-hant", ["會員", "咖啡豆"]),
        ("xinyi-03", "張詩涵", "臺北市大安區", "zh-hant", ["會員"]),
        ("xinyi-04", "李宗翰", "新北市板橋區", "zh-hant", ["新客"]),
        ("xinyi-05", "吳承恩", "臺北市松山區", "zh-hant", ["新客", "咖啡豆"]),
        ("xinyi-06", "刘洋", "臺北市信義區", "zh-hans", ["會員"]),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Members:
    """An audience: who bears the tag, or those of these addresses."""

    branch: str
    name: str
    tag: str = ""
    listed: tuple[str, ...] = ()


AUDIENCES = {
    "regulars": Members("gangnam", "단골 고객", tag="단골"),
    "tasting": Members("gangnam", "원두 시음회", listed=("gangnam-03", "gangnam-06", "gangnam-09")),
    "xinyi-members": Members("xinyi", "門市會員", tag="會員"),
}


def load_people(units: Mapping[str, Unit], account: Account) -> dict[str, Audience]:
    """Add who is missing of them; the audiences by their names here."""
    for code, rows in CUSTOMERS.items():
        for row in rows:
            _person(units[code], account, *row)
    return {
        key: _audience(units[wanted.branch], account, wanted) for key, wanted in AUDIENCES.items()
    }


def _person(unit: Unit, account: Account, address: str, *facts: Any) -> None:
    name, region, language, tags = facts
    values = {"unit": unit, "name": name, "region": region, "language": language}
    person, is_new = Recipient.objects.get_or_create(
        account=account, address=address, defaults=values
    )
    if is_new:
        person.retag(tags)


def _audience(unit: Unit, account: Account, wanted: Members) -> Audience:
    kind = Audience.Kind.RULE if wanted.tag else Audience.Kind.LIST
    values = {"account": account, "kind": kind, "tags": [wanted.tag] if wanted.tag else []}
    audience, is_new = Audience.objects.get_or_create(unit=unit, name=wanted.name, defaults=values)
    if is_new:
        people = Recipient.objects.filter(account=account, address__in=wanted.listed)
        Membership.objects.bulk_create(
            [Membership(audience=audience, recipient=person) for person in people]
        )
    return audience
