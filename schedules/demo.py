"""The demonstration: an organisation to try everything with, in Korean and Chinese.

Loading it twice changes nothing. Everybody has the same known password, so it is refused in
production.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from channels.models import Account, Audience, Image, Room
from orgs.clock import database_now
from orgs.models import Member, Token, Unit, User
from orgs.reach import Role
from schedules import actions
from schedules.demo_people import STRANGERS, load_people
from schedules.demo_pictures import evening_lanterns, morning_cup
from schedules.demo_templates import load_templates
from schedules.models import Schedule, ScheduleImage
from schedules.recurrence import Kind
from schedules.recurrence.timing import LAST_DAY

PASSWORD = "teiji-demo-0900"  # noqa: S105 - printed for everybody, valid in the demonstration only
ADMIN = "admin"
NAMESPACE = UUID("5d1f0b7a-3c55-4e0b-9d3a-0f7c1c6b8e21")
BRANCH_MANAGER = "gangnam-manager"
TOKEN_NAME = "demo"  # noqa: S105 - its name
TOKEN_USER = "gangnam"  # noqa: S105 - whose it is

# code, parent, kind, name, zone; each after its parent
UNITS = [
    ("hq", "", "headquarters", "Teiji HQ", "Asia/Seoul"),
    ("seoul", "hq", "distributor", "서울총판", "Asia/Seoul"),
    ("taipei", "hq", "distributor", "臺北經銷", "Asia/Taipei"),
    ("busan-agency", "hq", "agency", "부산대리점", "Asia/Seoul"),  # a level is skipped
    ("gangnam-agency", "seoul", "agency", "강남대리점", "Asia/Seoul"),
    ("mapo-agency", "seoul", "agency", "마포대리점", "Asia/Seoul"),
    ("xinyi-agency", "taipei", "agency", "信義代理", "Asia/Taipei"),
    ("gangnam", "gangnam-agency", "branch", "강남역점", "Asia/Seoul"),
    ("seocho", "gangnam-agency", "branch", "서초점", "Asia/Seoul"),
    ("hongdae", "mapo-agency", "branch", "홍대점", "Asia/Seoul"),
    ("haeundae", "busan-agency", "branch", "해운대점", "Asia/Seoul"),
    ("xinyi", "xinyi-agency", "branch", "信義門市", "Asia/Taipei"),
    ("daan", "xinyi-agency", "branch", "大安門市", "Asia/Taipei"),
]
SPOKEN_IN = {"Asia/Seoul": "ko", "Asia/Taipei": "zh-hant"}
# One of each level has a person of every role beside the one who is named after the unit.
EVERY_ROLE = ("hq", "seoul", "gangnam-agency", "gangnam")
NAMES = {
    "hq": "한지우", "seoul": "김민서", "taipei": "陳怡君", "busan-agency": "박서준",
    "gangnam-agency": "이하은", "mapo-agency": "최도윤", "xinyi-agency": "林志明",
    "gangnam": "정수아", "seocho": "강현우", "hongdae": "윤지호", "haeundae": "오세영",
    "xinyi": "王淑芬", "daan": "張家豪",
}  # fmt: skip


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as. `unit` and `role` are words to show."""

    username: str
    unit: str
    role: str


@dataclass(frozen=True)
class DemoPeople:
    """The sign-ins. `token` is the API key of TOKEN_USER: only when it has just been made."""

    people: list[DemoPerson]
    password: str = PASSWORD
    token: str = ""


def facts(loaded: DemoPeople) -> dict[str, Any]:
    """The sign-ins, for a program."""
    return asdict(loaded) | {"token_of": TOKEN_USER}


FREE: dict[str, Any] = {"min_interval_seconds": 0, "daily_cap": 0, "never_quiet": True}
# All are quiet at night, but for a branch that never closes.
QUIET: dict[str, dict[str, Any]] = {
    "hq": {"quiet_from": time(22), "quiet_until": time(8)},
    "gangnam": {"never_quiet": True},
}


@dataclass(frozen=True)
class Example:
    """One schedule: `timing` are columns of the schedule, by the local time of its unit."""

    name: str
    branch: str
    title: str
    text: str = ""
    rooms: tuple[str, ...] = ("live",)  # or none and
    audience: str = ""
    pictures: tuple[str, ...] = ()
    is_paused: bool = False
    timing: dict[str, Any] = field(default_factory=dict)


def load(now: datetime) -> DemoPeople:
    """Add what is missing of the demonstration; what is there stays as it is."""
    loaded = load_places()
    load_schedules(now)
    return loaded


def missing() -> dict[str, int]:
    """How many units, people and schedules `load` would add."""
    codes = [(kind, code) for code, _above, kind, _name, _zone in UNITS]
    units = set(Unit.objects.values_list("kind", "code"))
    staffed = [
        username
        for code, _above, kind, name, zone in UNITS
        for username, _role, _name in _staff(code, Unit(kind=kind, code=code, name=name, zone=zone))
    ]
    people = set(User.objects.values_list("username", flat=True))
    uids = {uuid5(NAMESPACE, example.name) for example in examples(database_now())}
    there = Schedule.objects.filter(uid__in=uids).count()
    return {
        "units": sum(each not in units for each in codes),
        "people": sum(username not in people for username in [ADMIN, *staffed]),
        "schedules": len(uids) - there,
    }


@transaction.atomic
def load_places() -> DemoPeople:
    """All but the schedules: who is there, and where they send to."""
    refuse_production()
    units = _units()
    people = _people(units)
    _rooms(units)
    load_people(units, _metered(units))
    load_templates(units)
    return DemoPeople(people=people, token=_token())


def refuse_production() -> None:
    """Raises ImproperlyConfigured where others rely on what is there."""
    if settings.PRODUCTION:
        raise ImproperlyConfigured("The demonstration has a known password: not in production.")


def load_schedules(now: datetime) -> None:
    """To be called when a worker is there: the last of them is due at once."""
    units = _units()
    rooms, audiences = _rooms(units), load_people(units, _metered(units))
    for example in examples(now):
        _register(example, units[example.branch], rooms, audiences)


def examples(now: datetime) -> list[Example]:
    """A schedule of every timing. `now` places those that are soon due."""
    soon, later, last = (_at(now, minutes=minutes) for minutes in (2, 3, 4))
    return [
        Example("each-minute", "gangnam", "매분 알림",
                "정시 알림입니다. 이 메시지는 매분 도착합니다.",
                rooms=("test",), timing={"timing_kind": Kind.INTERVAL, "every_minutes": 1}),
        Example("once", "gangnam", "오늘의 특가",
                "잠시 후 마감! 아메리카노 1+1 🎉",
                pictures=("morning-cup",), timing={"timing_kind": Kind.ONCE, **soon}),
        Example("lost", "gangnam", "훈련: 응답 없음",
                "이 메시지의 응답은 사라집니다. 어떻게 할지 정해 보세요.",
                rooms=("training",), timing={"timing_kind": Kind.ONCE, **later}),
        Example("regulars", "gangnam", "단골 고객 감사 쿠폰",
                "단골 고객님, 이번 주 아메리카노 한 잔을 선물로 드려요. 이 메시지를 보여 주세요 ☕",
                rooms=(), audience="regulars", timing={"timing_kind": Kind.ONCE, **last}),
        Example("metered", "gangnam", "매시간 소식 (유료)",
                "매시간 보내면 한 달 500건의 한도가 언제 끝나는지 계정 화면에서 볼 수 있습니다.",
                rooms=("metered",), timing={"timing_kind": Kind.INTERVAL, "every_minutes": 60}),
        Example("daily", "gangnam", "아침 인사",
                "좋은 아침입니다. 오늘의 원두는 에티오피아 예가체프입니다.",
                pictures=("morning-cup",), timing={"timing_kind": Kind.DAILY, "time": time(9)}),
        Example("weekly", "seocho", "월수금 점심 안내",
                "오늘의 점심: 된장찌개, 제육볶음, 계란말이.",
                timing={"timing_kind": Kind.WEEKLY, "weekdays": [0, 2, 4], "time": time(11, 30),
                        "holiday_country": "KR"}),
        Example("paused", "seocho", "저녁 할인",
                "저녁 8시 이후 케이크 30% 할인합니다.", is_paused=True,
                timing={"timing_kind": Kind.DAILY, "time": time(20)}),
        Example("peak", "hongdae", "공연 안내",
                "다음 공연이 곧 시작합니다. 입구에서 표를 보여 주세요. 🎸",
                timing={"timing_kind": Kind.PEAK, "peak_minutes": 15, "every_minutes": 30,
                        "peak_hours": [17, 18, 19, 20]}),
        Example("cron", "haeundae", "바다 소식",
                "오늘 해운대 수온은 22도, 파도는 잔잔합니다. 🌊",
                timing={"timing_kind": Kind.CRON, "cron": "0 10 * * 1-5"}),
        Example("half-hourly", "xinyi", "整點與半點提醒",
                "信義門市提醒您:本時段飲品第二杯半價。",
                timing={"timing_kind": Kind.INTERVAL, "every_minutes": 30}),
        Example("monthly", "xinyi", "月底結帳通知",
                "各位會員好,本月點數將於今晚結算,請記得兌換。",
                timing={"timing_kind": Kind.MONTHLY, "day_of_month": LAST_DAY, "time": time(18)}),
        Example("weekend", "daan", "週末夜市",
                "週末夜市開張!憑此訊息享九折優惠。🏮",
                pictures=("evening-lanterns", "morning-cup"),
                timing={"timing_kind": Kind.WEEKLY, "weekdays": [4, 5], "time": time(17)}),
        Example("now", "gangnam", "개점 인사",
                "강남역점이 문을 열었습니다. 오늘도 잘 부탁드립니다! ☕",
                timing={"timing_kind": Kind.NOW}),
    ]  # fmt: skip


def _at(now: datetime, *, minutes: int) -> dict[str, Any]:
    local = now.astimezone(ZoneInfo("Asia/Seoul")) + timedelta(minutes=minutes)
    return {"date": local.date(), "time": local.time().replace(microsecond=0)}


def _units() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for code, parent, kind, name, zone in UNITS:
        known = Unit.objects.filter(kind=kind, code=code).first()
        above = found[parent] if parent else None
        values = {"kind": kind, "code": code, "name": name, "zone": zone}
        values["language"] = SPOKEN_IN[zone]
        values |= QUIET.get(code, {})
        found[code] = known or Unit.objects.plant(above, **values)
    return found


def _people(units: dict[str, Unit]) -> list[DemoPerson]:
    # Hashed once: each hash takes as long as a sign-in.
    sealed = make_password(PASSWORD)
    found = []
    if not User.objects.filter(username=ADMIN).exists():
        User.objects.create(username=ADMIN, password=sealed, is_staff=True, is_superuser=True)
    found.append(DemoPerson(ADMIN, "–", "superuser"))
    for code, unit in units.items():
        for username, role, name in _staff(code, unit):
            if not User.objects.filter(username=username).exists():
                user = User.objects.create(
                    username=username, first_name=name, password=sealed, is_staff=True
                )
                Member.objects.create(user=user, unit=unit, role=role)
            found.append(DemoPerson(username, unit.name, role.name.lower()))
    return found


def _staff(code: str, unit: Unit) -> Iterable[tuple[str, Role, str]]:
    own = Role.OPERATOR if unit.kind == Unit.Kind.BRANCH else Role.MANAGER
    yield code, own, NAMES[code]
    if code in EVERY_ROLE:
        for role in Role:
            if role != own:
                word = role.name.lower()
                yield f"{code}-{word}", role, f"{unit.name} {word}"


def _rooms(units: dict[str, Unit]) -> dict[tuple[str, str], Room]:
    sandbox = _sandbox(units)
    metered = _metered(units)
    training = _account(units["hq"], "Training", behaviour="lose", honours_key="no")
    found = {}
    for code, unit in units.items():
        if unit.kind != Unit.Kind.BRANCH:
            continue
        is_korean = unit.zone == "Asia/Seoul"
        live, test = ("단골방", "시험방") if is_korean else ("會員群組", "測試群組")
        found[code, "live"] = _room(sandbox, unit, f"{unit.name} {live}", "live")
        found[code, "test"] = _room(sandbox, unit, f"{unit.name} {test}", "test")
    gangnam = units["gangnam"]
    found["gangnam", "metered"] = _room(metered, gangnam, f"{gangnam.name} 유료방", "live")
    found["gangnam", "training"] = _room(training, gangnam, f"{gangnam.name} 훈련방", "test")
    return found


def _sandbox(units: dict[str, Unit]) -> Account:
    return _account(units["hq"], "Sandbox", behaviour="accept", honours_key="yes")


def _metered(units: dict[str, Unit]) -> Account:
    """Bills each message, as LINE does; so whoever writes to people sees what it costs."""
    kept = {"behaviour": "accept", "honours_key": "yes", "strangers": STRANGERS, "quota": "500"}
    return _account(units["hq"], "Metered", **kept)


def _account(unit: Unit, name: str, **config: str) -> Account:
    account, _made = Account.objects.get_or_create(
        unit=unit, name=name, defaults={"kind": "sandbox", "config": config, "is_shared": True}
    )
    return account


def _room(account: Account, unit: Unit, name: str, kind: str) -> Room:
    # What is tried in a test room shall come at once, each minute if need be.
    limits = FREE if kind == Room.Kind.TEST else {}
    room, _made = Room.objects.get_or_create(
        account=account,
        address=f"{unit.code}-{kind}",
        defaults={"unit": unit, "name": name, "kind": kind, **limits},
    )
    return room


@transaction.atomic
def _register(
    example: Example,
    unit: Unit,
    rooms: dict[tuple[str, str], Room],
    audiences: dict[str, Audience],
) -> None:
    uid = uuid5(NAMESPACE, example.name)
    if Schedule.objects.filter(uid=uid).exists():
        return
    by = User.objects.get(username=unit.code)
    draft = actions.create_draft(
        by=by,
        unit=unit,
        uid=uid,
        title=example.title,
        text=example.text,
        audience=audiences.get(example.audience),
        **example.timing,
    )
    draft.rooms.set([rooms[unit.code, which] for which in example.rooms])
    for position, name in enumerate(example.pictures):
        image = _picture(unit, by, name)
        ScheduleImage.objects.create(schedule=draft, image=image, position=position)
    registered = actions.register(draft, by=by)
    if example.is_paused:
        actions.pause(registered, by=by)


PICTURES: dict[str, Callable[[], bytes]] = {
    "morning-cup": morning_cup,
    "evening-lanterns": evening_lanterns,
}


def _picture(unit: Unit, by: User, name: str) -> Image:
    file_name = f"{name}.png"
    known = Image.objects.filter(unit=unit, name=file_name).first()
    return known or Image.objects.store(unit=unit, by=by, data=PICTURES[name](), name=file_name)


def _token() -> str:
    user = User.objects.get(username=TOKEN_USER)
    if user.tokens.filter(name=TOKEN_NAME).exists():
        return ""
    _row, key = Token.issue(user=user, name=TOKEN_NAME, scopes=["read", "write"])
    return key
