"""What the fake counts: the official SDK says whether it is told as LINE tells it."""

import json
from collections.abc import Iterator
from datetime import date

import pytest
from linebot.v3.insight import ApiClient as InsightClient
from linebot.v3.insight import Configuration as InsightConfiguration
from linebot.v3.insight import Insight
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    MessagingApi,
    MulticastRequest,
    PushMessageRequest,
    TextMessage,
)

from tests.fakes.line import ACCESS_TOKEN, LineFake
from tests.fakes.serving import in_thread

NOON = 1_767_236_400.0  # 12:00 of 2026-01-01 in Tokyo
DAY = 24 * 3600
GROUP = "C" + "0" * 32


@pytest.fixture
def clock() -> list[float]:
    return [NOON]


@pytest.fixture
def fake(clock) -> LineFake:
    return LineFake(now=lambda: clock[0])


@pytest.fixture
def apis(fake) -> Iterator[tuple[MessagingApi, Insight]]:
    with in_thread(fake) as url:
        client = ApiClient(Configuration(host=url, access_token=ACCESS_TOKEN))
        insight = InsightClient(InsightConfiguration(host=url, access_token=ACCESS_TOKEN))
        yield MessagingApi(client), Insight(insight)
        for one in (client, insight):
            one.rest_client.pool_manager.clear()


def multicast(api: MessagingApi, people: int, units: list[str] | None = None) -> None:
    to = [f"U{n:032x}" for n in range(people)]
    api.multicast(MulticastRequest(to=to, messages=[TextMessage(text="x")],
                                   customAggregationUnits=units))  # fmt: skip


def test_a_day_is_counted_on_the_next_and_by_endpoint(fake, apis, clock):
    api, _insight = apis
    fake.members[GROUP] = 7
    fake.counts.blocked = {f"U{0:032x}"}
    multicast(api, 30)
    api.push_message(PushMessageRequest(to=GROUP, messages=[TextMessage(text="x")]))
    assert api.get_number_of_sent_multicast_messages("20260101").status == "unready"
    clock[0] += DAY
    told = api.get_number_of_sent_multicast_messages("20260101")
    assert (told.status, told.success) == ("ready", 29)
    assert api.get_number_of_sent_push_messages("20260101").success == 7
    fake.counts.out_of_service.add(date(2026, 1, 1))
    assert api.get_number_of_sent_push_messages("20260101").status == "out_of_service"


def test_a_month_counts_1000_units_and_takes_messages_with_more(fake, apis, clock):
    api, insight = apis
    for number in range(1001):
        multicast(api, 40, [f"unit_{number}"])
        clock[0] += 0.01
    assert api.get_aggregation_unit_usage().num_of_custom_aggregation_units == 1000
    assert len(fake.log) == 1001
    counted, left_out = (
        insight.get_statistics_per_unit(name, "20260101", "20260131").overview
        for name in ("unit_0", "unit_1000")
    )
    assert (counted.unique_impression, counted.unique_click) == (20, None)
    assert left_out.unique_impression is None
    clock[0] += 31 * DAY
    assert api.get_aggregation_unit_usage().num_of_custom_aggregation_units == 0


@pytest.mark.parametrize("units", [["a", "b"], ["with-dash"], ["x" * 31], [""]])
def test_a_unit_that_is_none_is_refused_by_name(fake, apis, units):
    api, _insight = apis
    request = PushMessageRequest(
        to=GROUP, messages=[TextMessage(text="x")], customAggregationUnits=units
    )
    with pytest.raises(ApiException) as caught:
        api.push_message(request)
    details = json.loads(caught.value.body)["details"]
    assert [one["property"] for one in details] == ["customAggregationUnits"]


def test_a_period_has_at_most_31_days(apis):
    _api, insight = apis
    insight.get_statistics_per_unit("a", "20260101", "20260131")
    with pytest.raises(Exception, match="400"):
        insight.get_statistics_per_unit("a", "20260101", "20260201")
