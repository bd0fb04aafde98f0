"""What axe finds on the pages that people use all day, light and dark: nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from playwright.sync_api import Page

from channels.actions import webhooks
from channels.models import Account, Audience, FactKind, OwnNotice, Recipient, RecipientImport
from channels.people import importing
from orgs.clock import database_now
from orgs.models import User
from schedules import actions
from schedules.actions.freeze import freeze
from schedules.actions.template import save_template
from schedules.models import Delivery, MessageTemplate, PlaceholderValue, Schedule
from schedules.rules import STEPS
from tests.conftest import World
from tests.schedules.conftest import doubtful

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["doubtful"]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The theme's scroll bars make a region of the sidebar and one of a list, both of the same name.
OPTIONS = {
    "runOnly": {"type": "tag", "values": RULES},
    "rules": {"landmark-unique": {"enabled": False}},
}


@pytest.fixture
def pages(
    world: World, make_schedule: Callable[..., Schedule], doubtful: Callable[..., Delivery]
) -> list[str]:
    """With something on each: not confirmed, waiting, held by a freeze, half written."""
    unsure = doubtful("lost_answer", title="Did it arrive?").run_id
    by = world.people["xinyi"]
    going = actions.register(make_schedule(text="Good evening"), by=by).pk
    waiting = actions.execute(Schedule.objects.get(pk=going), by=by).pk
    draft = make_schedule(title="Half written").pk
    result = {"run_id": unsure, "kind": "run.unconfirmed", "title": "Did it arrive?"}
    result |= {"unit_path": world.xinyi.path, "due_at": database_now(), "at": database_now()}
    OwnNotice.objects.bulk_create(OwnNotice(user=user, **result) for user in User.objects.all())
    freeze(world.xinyi, by=world.people["north"], why="wrong prices")
    schedules, runs = "/admin/schedules/schedule/", "/admin/schedules/run/"
    return [
        "/admin/", schedules, f"{schedules}{going}/change/",
        *[f"{schedules}{draft}/register/{step}/" for step in STEPS],
        runs, f"{runs}{unsure}/change/", f"{runs}{waiting}/change/", "/admin/schedules/delivery/",
        "/admin/channels/room/", "/admin/monitor/", "/admin/not-confirmed/",
        "/admin/schedules/freeze/", "/admin/organisation/", "/admin/organisation/why/",
        "/sign-in/second-factor/", "/sign-in/sessions/", "/admin/calendar/feeds/",
        "/admin/my-notices/", "/admin/my-notices/settings/",
    ]  # fmt: skip


SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
PEOPLE = "이름,주소,지역\nAnn,a1,Seoul\nBob,=b2,Busan\n"


@pytest.mark.timeout(180)
@SCHEMES
def test_axe_finds_nothing(page: Page, pages: list[str], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {path: found_on(page, path) for path in pages}
    page.context.clear_cookies()
    found["outside"] = found_on(page, "/sign-in/")
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.fixture
def account(world: World, settings: Any, tmp_path: Any) -> Account:
    """That was stopped, and is metered."""
    settings.MEDIA_ROOT = tmp_path
    config = {"behaviour": "accept", "honours_key": "yes", "quota": "500"}
    facts = {"stopped_at": database_now(), "stopped_why": "You have reached your monthly limit."}
    return Account.objects.create(
        unit=world.xinyi, name="Metered", kind="sandbox", config=config, **facts
    )


@pytest.fixture
def managed(world: World, account: Account, make_schedule: Callable[..., Schedule]) -> list[str]:
    """What a manager keeps: people, files of people, audiences, templates, accounts, webhooks."""
    by, unit = world.people["xinyi"], world.xinyi
    person = Recipient.objects.create(unit=unit, account=account, address="a0", name="Zoe")
    person.retag(["vip"])
    rule = Audience.objects.create(unit=unit, account=account, name="VIP", tags=["vip"])
    blocks = [{"text": "From {unit}", "is_locked": True}, {"text": "{phone}", "is_locked": False}]
    values = {"unit": unit, "name": "Notice", "blocks": blocks, "defaults": {"phone": "119"}}
    template = save_template(MessageTemplate(), values, by=by)
    value = PlaceholderValue.objects.create(unit=unit, name="phone", value="02")
    given = {"unit": unit, "name": "CRM", "url": "https://crm.example", "events": [FactKind.SENT]}
    webhook = webhooks.add(given | {"is_active": True}, by=by, url_problem="")
    told = webhooks.send_test(webhook, by=by)
    imports = [_imported(account, by, PEOPLE), _imported(account, by, PEOPLE.replace("=", ""))]
    rows = [person, rule, template, value, account, world.room, webhook, told, *imports]
    lists = {f"/admin/{row._meta.app_label}/{row._meta.model_name}/": row for row in rows}
    new = [f"{at}add/" for at, row in lists.items() if row != told]
    own = [
        f"/admin/schedules/messagetemplate/{template.pk}/use/",
        f"/admin/channels/webhook/{webhook.pk}/secret/",
        "/admin/channels/account/add/?kind=line", f"/admin/orgs/unit/{unit.pk}/change/",
        "/admin/channels/alerttarget/add/",
    ]  # fmt: skip
    meta = [(row._meta.app_label, row._meta.model_name, row.pk) for row in rows]
    return [*lists, *new, *own, *(f"/admin/{app}/{name}/{pk}/change/" for app, name, pk in meta)]


def _imported(account: Account, by: User, text: str) -> RecipientImport:
    """Checked: with what is wrong, or in order."""
    file = ContentFile(text.encode(), "people.csv")
    started = importing.upload(by=by, unit=account.unit, account=account, file=file)
    steps = importing.check_rows(started, encoding="utf-8-sig", mapping=started.mapping)
    assert list(steps) == []
    return started


@pytest.mark.timeout(240)
@SCHEMES
def test_axe_finds_nothing_on_what_managers_keep(
    world: World, browse: Callable[..., Page], managed: list[str], scheme: str
) -> None:
    page = browse(world.people["xinyi"])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {path: found_on(page, path) for path in managed}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def found_on(page: Page, path: str) -> list[str]:
    page.goto(path)
    return violations(page)


def violations(page: Page) -> list[str]:
    """Each as: rule, place, what is wrong."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
