"""What products of this kind were broken by, row by row: each is held by a test here or elsewhere.

The tests here are those that concern the whole; `SHOWN` names where the others stand.
"""

from collections import Counter
from pathlib import Path

import celery
import django
import pytest
from django.apps import apps
from django.conf import settings as configured
from django.test import Client

from channels.models import Account
from config.lines import Console
from config.middleware import PERMISSIONS
from logs.models import History
from orgs.models import User
from orgs.sheets import neutral
from schedules.placeholders import fill
from tests.config.test_lines import record
from tests.tenants.canaries import make_canaries
from tests.tenants.routes import routes

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent
SIGN_IN = "config/sign_in"
SECRET = "an-access-token-that-nobody-may-read"

# Row of the table → the tests that show it, beside those of this file.
SHOWN: dict[str, list[str]] = {
    "tenant matrix": [
        "tenants/test_matrix.py::test_no_page_shows_a_word_of_another_branch",
        "tenants/test_matrix.py::test_nobody_changes_a_row_out_of_reach",
        "tenants/test_matrix.py::test_who_reaches_the_rows_does_see_them",
        "tenants/test_matrix.py::test_who_loses_the_membership_sees_nothing_at_once",
    ],
    "admin leaks": ["tenants/test_matrix.py::test_a_foreign_row_and_a_missing_one_answer_alike"],
    "API leaks": ["tenants/test_matrix.py::test_a_viewer_changes_nothing_anywhere"],
    "outgoing URLs": [
        "channels/test_outgoing.py::test_a_name_that_turned_private_since_it_was_saved_is_not_called",
        "channels/test_outgoing.py::test_the_connection_goes_to_the_address_that_was_checked",
        "channels/test_outgoing.py::test_loopback_by_other_names_is_not_called",
    ],
    "uploads": ["channels/test_media.py::test_a_refused_upload_leaves_nothing_behind"],
    "media for channels": [
        "channels/test_media.py::test_a_token_is_at_least_128_random_bits_and_safe_in_a_url",
        "channels/test_media.py::test_a_link_that_is_not_active_answers_as_one_that_never_was",
        "channels/test_media.py::test_stored_files_have_no_address_of_their_own",
    ],
    "tried passwords": [
        f"{SIGN_IN}/test_sign_in.py::test_after_some_wrong_passwords_the_right_one_is_refused_too",
        f"{SIGN_IN}/test_sign_in.py::test_who_tries_many_names_from_one_address_is_stopped",
        f"{SIGN_IN}/test_sign_in.py::test_behind_a_proxy_of_ours_it_is_the_callers_address_that_counts",
        f"{SIGN_IN}/test_forgotten.py::test_one_address_is_not_flooded_with_mail",
    ],
    "second factor": [
        f"{SIGN_IN}/test_required.py::test_everything_leads_to_the_set_up_page_until_there_is_one",
        f"{SIGN_IN}/test_required.py::test_the_session_of_the_admin_opens_the_api_no_further",
        f"{SIGN_IN}/test_second_factor.py::test_nobody_touches_the_passkey_of_another",
    ],
    "view as": [
        "config/test_view_as.py::test_only_a_manager_of_a_headquarters_sees_as_somebody_who_may_do_less",
        "config/test_view_as.py::test_nothing_can_be_changed_meanwhile_on_any_address",
        "config/test_view_as.py::test_a_token_does_not_help_to_write_from_such_a_session",
        "config/test_view_as.py::test_how_that_person_signs_in_is_not_shown",
        "config/test_view_as.py::test_it_ends_by_itself_and_what_was_asked_then_is_not_done",
        "config/test_view_as.py::test_who_loses_the_right_meanwhile_is_themselves_again_at_once",
    ],
    "inbound": [
        "channels/test_inbound.py::test_the_signature_is_of_the_raw_body",
        "channels/test_inbound.py::test_an_event_that_is_told_twice_is_stored_once",
        "channels/test_inbound.py::test_a_huge_body_is_refused",
        "channels/test_inbound.py::test_too_many_events_are_refused_as_a_whole",
    ],
}


@pytest.mark.parametrize(
    "place", [place for places in SHOWN.values() for place in places], ids=lambda p: p[-40:]
)
def test_what_is_said_to_be_shown_elsewhere_is(place: str) -> None:
    path, _, name = place.partition("::")
    assert f"def {name}(" in (HERE / path).read_text()


@pytest.fixture
def addresses(world, make_schedule, settings, tmp_path) -> list[str]:
    """Every address of the project, of rows that the headquarters reaches."""
    settings.MEDIA_ROOT = tmp_path
    return [route.foreign for route in routes(make_canaries(world, make_schedule))]


def held() -> dict[str, int]:
    """How many rows each table has, but for those by which callers are counted."""
    counters = {"sessions.Session", "teiji.RequestCount"}
    models = [model for model in apps.get_models() if model._meta.label not in counters]
    return {model._meta.label: model._base_manager.count() for model in models}


def body_of(answer) -> bytes:
    """Read to its end: a file that is not, stays open."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_csrf_nothing_changes_without_a_token(world, addresses) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.people["hq"])
    before = held()
    for method in ("post", "put", "patch", "delete"):
        answers = {path: getattr(client, method)(path).status_code for path in addresses}
        wrong = {path: code for path, code in answers.items() if code not in {403, 404, 405}}
        assert wrong == {}, method
        assert Counter(answers.values())[403] > 20, "most would change something"
    assert held() == before


def test_csrf_reading_changes_nothing(world, addresses) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.people["hq"])
    before = held()
    answers: Counter[int] = Counter()
    for path in addresses:
        answer = client.get(path)
        body_of(answer)
        answers[answer.status_code] += 1
    assert answers[200] > 50 and held() == before


def test_headers_stand_on_every_answer(world, client, addresses) -> None:
    client.force_login(world.people["hq"])
    for path in [*addresses, "/sign-in/", "/nowhere/", "/healthz", "/m/x/"]:
        answer = client.get(path)
        body_of(answer)
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Permissions-Policy"] == PERMISSIONS, path
        assert "default-src '" in headers["Content-Security-Policy"], path


def test_sign_in_sessions_end_with_the_password(world, client) -> None:
    person = world.people["hq"]
    person.set_password("before-1234")
    person.save()
    client.force_login(person)
    assert client.get("/admin/").status_code == 200
    person.set_password("after-1234")
    person.save()
    assert client.get("/admin/").status_code == 302


def test_sign_in_answers_alike_for_known_and_unknown_people(world, client) -> None:
    person = User.objects.get(username="hq")
    person.set_password("right-1234")
    person.save()

    def said(username: str) -> str:
        form = {"login": username, "password": "wrong-1234"}
        answer = client.post("/sign-in/", form)
        assert answer.status_code == 200
        return str(answer.context["form"].errors)

    assert said("hq") == said("nobody-of-this-name") != ""


def test_secrets_are_on_no_page_and_in_no_answer(world, client, addresses) -> None:
    account = Account(unit=world.hq, name="LINE", kind="line", is_shared=True)
    account.secrets = {"access_token": SECRET}
    account.save()
    client.force_login(world.people["hq"])
    own = [f"/admin/channels/account/{account.pk}/change/", "/admin/channels/account/",
           f"/admin/channels/account/{account.pk}/history/"]  # fmt: skip
    for path in [*addresses, *own]:
        assert SECRET.encode() not in body_of(client.get(path)), path
    assert SECRET not in str(list(History.objects.values()))
    assert SECRET not in account.sealed


@pytest.mark.parametrize(
    "text",
    ["{room.__class__}", "{0}", "{room!r}", "{% debug %}", "{{ settings }}", "{room:>999999999}"],
)
def test_templates_replace_names_alone(text: str) -> None:
    assert "<class" not in fill(text, {"room": "Xinyi"})
    assert len(fill(text, {"room": "Xinyi"})) < 100


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_exports_begin_no_formula(cell: str) -> None:
    assert neutral(cell)[0] == "'"


def test_log_lines_cannot_be_forged() -> None:
    assert len(Console().format(record("%s", "x\n2027-01-01 INFO all is well")).splitlines()) == 1


def test_celery_takes_json_alone() -> None:
    app = celery.current_app
    assert list(app.conf.accept_content) == ["json"]
    assert (app.conf.task_serializer, app.conf.result_serializer) == ("json", "json")


def test_django_has_the_fixes_that_are_known() -> None:
    assert django.VERSION[:3] >= (5, 2, 19)


def test_bodies_are_bounded(world, client) -> None:
    client.force_login(world.people["hq"])
    body = b"x" * (configured.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    url = "/api/v1/schedules"
    assert client.post(url, body, content_type="application/json").status_code in {403, 413}
    form = Client().post("/sign-in/", {"login": body.decode(), "password": "x"})
    assert form.status_code in {400, 413}
