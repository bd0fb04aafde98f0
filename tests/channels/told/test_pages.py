"""The bell, the list behind it, and the page on which one chooses how one is told."""

import pytest

from channels.models import FactKind, NoticeChoice, OwnNotice
from orgs.clock import database_now
from orgs.models import Member
from tests.channels.told.test_told import end
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/my-notices/"
CHOICE = {"bell": "failures", "outside": "nothing", "rhythm": "daily", "place": "mail", "url": ""}


@pytest.fixture
def xinyi(client, world):
    client.force_login(world.people["xinyi"])
    return client


def test_the_bell_counts_what_is_new_on_every_page(xinyi, world):
    assert 'aria-label="My notices"' in xinyi.get("/admin/").text
    for run in (1, 2):
        end(world.people["xinyi"], database_now(), run=run)
    assert "My notices: 2 new" in xinyi.get("/admin/schedules/run/").text


def test_who_opens_one_has_read_it_and_stands_at_its_run(xinyi, world):
    end(world.people["xinyi"], database_now(), FactKind.FAILED, run=77)
    page = xinyi.get(PAGE).text
    assert "Morning notice" in page
    assert "failed" in page
    notice = OwnNotice.objects.get()
    assert xinyi.get(f"{PAGE}{notice.pk}/open/").status_code == 405
    answer = xinyi.post(f"{PAGE}{notice.pk}/open/")
    assert answer.headers["Location"] == "/admin/schedules/run/77/change/"
    assert not xinyi.get(PAGE).context["has_new"]
    assert OwnNotice.objects.get().read_at is not None


def test_all_are_read_but_those_that_came_after_the_page(xinyi, world):
    end(world.people["xinyi"], database_now(), run=1)
    shown = xinyi.get(PAGE).context["newest"]
    end(world.people["xinyi"], database_now(), run=2)
    xinyi.post(f"{PAGE}read/", {"until": shown})
    assert [row.run_id for row in OwnNotice.objects.filter(read_at=None)] == [2]


def test_nobody_sees_or_reads_anothers(client, world):
    end(world.people["xinyi"], database_now(), title="Of Xinyi")
    client.force_login(world.people["hq"])
    assert "Of Xinyi" not in client.get(PAGE).text
    notice = OwnNotice.objects.get()
    assert client.post(f"{PAGE}{notice.pk}/open/").status_code == 404
    client.post(f"{PAGE}read/", {"until": notice.pk})
    assert OwnNotice.objects.get().read_at is None


def test_what_is_out_of_reach_by_now_is_not_shown(xinyi, world):
    end(world.people["xinyi"], database_now())
    Member.objects.filter(user=world.people["xinyi"]).update(unit=world.tainan)
    page = xinyi.get(PAGE).text
    assert "Morning notice" not in page
    assert "1 new" not in page


def test_one_chooses_how_one_is_told(xinyi):
    page = xinyi.get(f"{PAGE}settings/").text
    assert "no mail address" in page or "No mail can be sent" in page
    answer = xinyi.post(f"{PAGE}settings/", CHOICE, follow=True)
    assert "from now on you are told like this" in answer.text
    choice = NoticeChoice.objects.get()
    assert (choice.bell, choice.outside, choice.rhythm) == ("failures", "nothing", "daily")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"outside": "everything"}, "You have no mail address"),
        ({"outside": "everything", "place": "apprise"}, "Give the URL of a place."),
        ({"place": "apprise", "url": "file:///etc/passwd"}, "not the URL of a service"),
        ({"bell": "loud"}, "loud"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(xinyi, values, words):
    answer = xinyi.post(f"{PAGE}settings/", CHOICE | values)
    assert words in answer.text
    assert not NoticeChoice.objects.exclude(bell="everything").exists()


def test_the_page_asks_as_much_for_many_as_for_one(xinyi, world):
    end(world.people["xinyi"], database_now(), run=1)
    one = queries_of(xinyi, PAGE)
    for run in range(2, 32):
        end(world.people["xinyi"], database_now(), run=run)
    assert queries_of(xinyi, PAGE) == one


def test_older_ones_follow_on_the_next_page(xinyi, world):
    for run in range(1, 53):
        end(world.people["xinyi"], database_now(), run=run)
    page = xinyi.get(PAGE)
    rest = xinyi.get(f"{PAGE}?before={page.context['older']}")
    assert (len(page.context["lines"]), len(rest.context["lines"])) == (50, 2)
