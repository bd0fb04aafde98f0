"""Managers keep webhooks in the admin, read their secret, try them, and send again."""

import pytest

from channels.models import Webhook, WebhookDelivery
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from tests.channels.webhooks.conftest import call_all, happen
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGES = "/admin/channels/webhook/"
LOG = "/admin/channels/webhookdelivery/"


@pytest.fixture
def manager(client, world):
    client.force_login(world.people["north"])
    return client


def form(unit, **values):
    return {
        "unit": unit.pk,
        "name": "CRM",
        "url": "https://93.184.215.14/hook",
        "events": ["run.sent", "run.failed"],
        "is_active": "on",
    } | values


def test_one_is_added_and_its_secret_shown(manager, world):
    answer = manager.post(f"{PAGES}add/", form(world.xinyi))
    webhook = Webhook.objects.get()
    assert answer.headers["Location"] == f"{PAGES}{webhook.pk}/secret/"
    page = manager.get(answer.headers["Location"])
    assert webhook.secrets["secret"] in page.text
    assert page.headers["Cache-Control"].startswith("no-store")
    assert webhook.secrets["secret"] not in manager.get(f"{PAGES}{webhook.pk}/change/").text
    entry = History.objects.get(kind="webhook")
    assert (entry.verb, entry.unit_path) == ("created", world.xinyi.path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "http://93.184.215.14/"}, "must begin with https://"),
        ({"url": "https://127.0.0.1/"}, "does not lead to a public address"),
        ({"url": "https://10.0.0.8/"}, "does not lead to a public address"),
        ({"url": "https://user:pass@93.184.215.14/"}, "may not contain a user name"),
        ({"url": "gopher"}, "not a complete URL"),
        ({"events": []}, "This field is required."),
        ({"events": ["run.secrets"]}, "run.secrets"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_made_and_when_it_is_changed(
    manager, world, values, words
):
    made = manager.post(f"{PAGES}add/", form(world.xinyi, **values))
    assert words in str(made.context["adminform"].form.errors)
    manager.post(f"{PAGES}add/", form(world.xinyi))
    webhook = Webhook.objects.get()
    changed = manager.post(f"{PAGES}{webhook.pk}/change/", form(world.xinyi, **values))
    assert words in str(changed.context["adminform"].form.errors)


def test_the_same_name_in_a_unit_is_refused_in_words(manager, world):
    manager.post(f"{PAGES}add/", form(world.xinyi))
    again = manager.post(f"{PAGES}add/", form(world.xinyi))
    assert again.status_code == 200
    assert Webhook.objects.count() == 1


def test_it_is_changed_and_its_unit_stays(manager, world):
    manager.post(f"{PAGES}add/", form(world.xinyi))
    webhook = Webhook.objects.get()
    values = form(world.taipei, name="New name", events=["run.missed"])
    assert manager.post(f"{PAGES}{webhook.pk}/change/", values).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.events, webhook.unit) == ("New name", ["run.missed"], world.xinyi)


def test_the_secret_is_made_anew_by_a_post_alone(manager, world, add):
    webhook = add(world.xinyi)
    old = webhook.secrets["secret"]
    assert manager.get(f"{PAGES}{webhook.pk}/renew/").status_code == 405
    assert manager.post(f"{PAGES}{webhook.pk}/renew/").status_code == 302
    webhook.refresh_from_db()
    assert webhook.secrets["previous"] == old
    assert "is signed" not in manager.get(f"{PAGES}{webhook.pk}/secret/").text
    assert "Until" in manager.get(f"{PAGES}{webhook.pk}/secret/").text


def test_a_test_is_sent_and_stands_in_the_log(manager, world, add, receiver):
    webhook = add(world.xinyi)
    answer = manager.post(f"{PAGES}{webhook.pk}/test/", follow=True)
    assert "A test is on its way" in answer.text
    receiver.status = 418
    call_all(database_now())
    page = manager.get(f"{LOG}?webhook__id__exact={webhook.pk}").text
    assert "HTTP 418" in page
    assert "a test" in page


def test_what_was_told_is_sent_again_from_its_page_and_from_the_list(manager, world, add, receiver):
    add(world.xinyi)
    happen(world.xinyi, database_now(), title="Notice")
    call_all(database_now())
    row = WebhookDelivery.objects.get()
    page = manager.get(f"{LOG}{row.pk}/change/").text
    assert "HTTP 204" in page
    assert "Notice" in page
    manager.post(f"{LOG}{row.pk}/resend/")
    call_all(database_now())
    chosen = {"action": "send_again", "_selected_action": [row.pk]}
    assert "1 is sent again" in manager.post(LOG, chosen, follow=True).text
    call_all(database_now())
    assert len(receiver.log) == 3
    assert History.objects.filter(verb="resent").count() == 2


def test_an_operator_sees_none(client, world, add):
    webhook = add(world.xinyi)
    client.force_login(world.person(world.xinyi, Role.OPERATOR))
    for address in (PAGES, LOG, f"{PAGES}{webhook.pk}/secret/"):
        assert client.get(address).status_code in (302, 403, 404)


def test_the_lists_ask_as_much_for_many_rows_as_for_one(manager, world, add, receiver):
    add(world.xinyi)
    happen(world.xinyi, database_now())
    call_all(database_now())
    few = [queries_of(manager, page) for page in (PAGES, LOG)]
    for _ in range(4):
        add(world.xinyi)
        happen(world.xinyi, database_now())
        call_all(database_now())
    assert [queries_of(manager, page) for page in (PAGES, LOG)] == few
