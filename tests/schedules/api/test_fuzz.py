"""Whatever JSON is sent: an answer below 500, and nothing half written."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedules.api.representation import ScheduleSerializer
from schedules.models import Schedule
from tests.schedules.api.calling import Caller

pytestmark = pytest.mark.django_db

NAMES = list(ScheduleSerializer.Meta.fields)

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 31, 32, 2**31, 2**63, -(2**63), 2**64])
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["", "once", "now", "cron", "* * * * *", "UTC", "KR", "draft", "active", "09:00", "24:00",
         "2030-02-30", "2030-02-28", "0001-01-01", "9999-12-31", "2030-01-01T00:00:00Z",
         "9999-12-31T23:59:59Z", "\ud800", "\0", "text_only", "Infinity"]
    )
)  # fmt: skip
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
bodies = st.dictionaries(st.sampled_from(NAMES) | st.text(), values, max_size=6)
relaxed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def send(api: Caller, method: str, path: str, body: Any) -> None:
    before = Schedule.objects.count()
    response = api(method, path, json.dumps(body).encode())
    assert response.status_code < 500
    json.loads(response.content)
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert Schedule.objects.count() == before


@relaxed
@given(extra=bodies)
def test_a_schedule_with_any_values_is_taken_or_refused(api, body, extra):
    send(api, "post", "/schedules", body(state="draft") | extra)


@relaxed
@given(anything=values)
def test_any_json_is_taken_or_refused(api, anything):
    send(api, "post", "/schedules", anything)


@relaxed
@given(extra=bodies)
def test_a_change_with_any_values_is_taken_or_refused(api, make_schedule, extra):
    draft = make_schedule()
    send(api, "patch", f"/schedules/{draft.pk}", extra)
    assert api.get(f"/schedules/{draft.pk}").status_code == 200
    assert api.get(f"/schedules/{draft.pk}/occurrences").status_code == 200
    assert api.post(f"/schedules/{draft.pk}/register").status_code < 500


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000,
        b'{"a": "\\ud800"}', b'{"\\udc00": 1}', b'{"a":' * 30 + b"1" + b"}" * 30, b"9" * 5000,
        b"null", b'"text"', b"[]",
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(api, raw):
    response = api("post", "/schedules", raw)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_a_name_that_stands_twice_is_refused(api, body):
    twice = json.dumps(body())[:-1] + ', "title": "Another"}'
    refused = api("post", "/schedules", twice.encode())
    assert refused.status_code == 400
    assert refused.json()["detail"] == "The body has a name twice in one object."


@pytest.mark.parametrize("charset", ["zlib", "hex", "utf-16", "undefined", "latin-1"])
def test_json_is_read_as_utf_8_whatever_the_header_says(api, body, charset):
    raw = json.dumps(body(title="定時"), ensure_ascii=False).encode()
    header = {"Content-Type": f"application/json; charset={charset}"}
    assert api("post", "/schedules", raw, **header).json()["title"] == "定時"
