"""Who is in an audience: by list, by rule, by lot."""

from collections import Counter

import pytest
from django.utils import timezone

from channels.models import Account, Audience, Membership, Recipient, Tag, selection
from channels.models.recipient import words_in
from orgs.bulk import insert
from orgs.models import Unit
from tests.channels.people.conftest import line_id

pytestmark = pytest.mark.django_db


def reached(audience: Audience, draw: str = "") -> list[str]:
    return [address for batch in audience.batches(2, draw) for address in batch]


@pytest.fixture
def people(add_person):
    """By name: what they bear, where they live, what they read."""
    rows = {
        "ann": (["vip", "new"], "Seoul", "ko"),
        "ben": (["vip"], "Busan", "ko"),
        "cho": (["new"], "Seoul", "zh-hant"),
        "dee": ([], "", ""),
    }
    return {
        name: add_person(*tags, name=name, region=region, language=language)
        for name, (tags, region, language) in rows.items()
    }


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ({}, "ann ben cho dee"),
        ({"tags": ["vip"]}, "ann ben"),
        ({"tags": ["vip", "new"]}, "ann ben cho"),
        ({"tags": ["vip", "new"], "tag_match": "all"}, "ann"),
        ({"tags": ["vip", "never given"], "tag_match": "all"}, ""),
        ({"regions": ["Seoul"]}, "ann cho"),
        ({"regions": ["Seoul", "Busan"]}, "ann cho ben"),
        ({"languages": ["ko"]}, "ann ben"),
        ({"regions": ["Seoul"], "languages": ["ko"]}, "ann"),
        ({"tags": ["new"], "languages": ["zh-hant", "ko"]}, "ann cho"),
        ({"tags": ["new"], "regions": ["Busan"]}, ""),
        ({"regions": ["seoul"]}, ""),
    ],
)
def test_a_rule_means_those_who_answer_to_each_kind_of_it(people, make_audience, rule, names):
    audience = make_audience(**rule)
    assert reached(audience) == [people[name].address for name in names.split()]
    assert audience.count() == len(names.split())


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"regions": ["Seoul"]},
        {"languages": ["ko"], "most": 3},
        {"tags": ["new"]},
        {"kind": "list"},
    ],
)
def test_counting_by_the_database_leaves_out_whom_reading_does(
    people, make_audience, add_person, world, rule
):
    values = {"region": "Seoul", "language": "ko"}
    other = Account.objects.create(unit=world.hq, name="Other", kind="line", is_shared=True)
    add_person("new", unit=world.tainan, **values)
    add_person("new", opted_out_at=timezone.now(), **values)
    add_person("new", account=other, **values)
    audience = make_audience(Recipient.objects.all() if "kind" in rule else None, **rule)
    assert audience.count() == len(reached(audience)) > 0
    Unit.objects.filter(pk=world.xinyi.pk).update(is_active=False)
    assert audience.count() == len(reached(audience)) == 0


def test_batches_are_as_large_as_asked(people, make_audience):
    assert [len(batch) for batch in make_audience().batches(3)] == [3, 1]


def test_a_list_means_those_on_it_and_no_rule(people, make_audience):
    audience = make_audience([people["dee"], people["ann"]], regions=["Busan"])
    assert reached(audience) == [people["ann"].address, people["dee"].address]


def test_who_has_opted_out_is_neither_reached_nor_counted(people, make_audience):
    Recipient.objects.filter(name="ann").update(opted_out_at=timezone.now())
    for audience in (make_audience(tags=["vip"]), make_audience(people.values(), name="All")):
        assert people["ann"].address not in reached(audience)
        assert audience.count() == len(reached(audience))


@pytest.mark.parametrize("rule", [{}, {"tags": ["vip"]}, {"regions": ["Seoul"]}])
def test_people_of_another_tree_are_never_meant(people, add_person, make_audience, world, rule):
    for unit in (world.tainan, world.south, world.hq, world.north):
        add_person("vip", unit=unit, region="Seoul")
    within = reached(make_audience(**rule))
    assert set(within) <= {person.address for person in people.values()}


def test_nor_are_they_when_they_were_put_on_its_list(people, add_person, make_audience, world):
    stranger = add_person(unit=world.tainan)
    assert reached(make_audience([people["ann"], stranger])) == [people["ann"].address]


def test_who_moved_to_another_unit_is_left_out_at_once(people, make_audience, world):
    audience = make_audience(people.values())
    Recipient.objects.filter(name="ann").update(unit=world.tainan)
    assert people["ann"].address not in reached(audience)


def test_people_of_another_account_are_left_out(people, make_audience, account):
    other = Account.objects.create(unit=account.unit, name="Other", kind="line", is_shared=True)
    Recipient.objects.filter(name="ann").update(account=other)
    for rule in ({}, {"tags": ["vip"]}, {"regions": ["Seoul"]}):
        assert people["ann"].address not in reached(make_audience(name=str(rule), **rule))


@pytest.mark.parametrize("stopped", ["taipei", "xinyi"])
def test_people_of_a_unit_that_is_inactive_are_left_out(people, make_audience, world, stopped):
    Unit.objects.filter(code=stopped).update(is_active=False)
    assert reached(make_audience()) == []


def test_a_word_means_the_tags_of_every_unit_that_gave_it(add_person, make_audience, world):
    of_branch = add_person("vip", unit=world.xinyi)
    of_agency = add_person("vip", unit=world.taipei)
    from_above = add_person(unit=world.xinyi)
    from_above.tags.add(Tag.objects.create(unit=world.hq, name="vip"))
    assert Tag.objects.filter(name="vip").count() == 3
    found = {of_branch.address, of_agency.address, from_above.address}
    assert set(reached(make_audience(tags=["vip"]))) == found
    assert set(reached(make_audience(tags=["vip"], tag_match="all", name="All"))) == found


def test_somebody_with_the_same_word_twice_is_reached_once(add_person, make_audience, world):
    person = add_person("vip")
    person.tags.add(Tag.objects.create(unit=world.north, name="vip"))
    assert reached(make_audience(tags=["vip"])) == [person.address]
    assert reached(make_audience(tags=["vip", "new"], tag_match="all", name="All")) == []


# By lot


@pytest.fixture
def hundred(add_person):
    return [add_person("vip" if number % 2 else "new") for number in range(100)]


@pytest.mark.parametrize("most", [1, 7, 50, 99, 100, 1000])
def test_at_most_so_many_are_drawn(hundred, make_audience, most):
    audience = make_audience(most=most)
    found = reached(audience)
    assert len(found) == len(set(found)) == min(most, 100) == audience.count()


def test_the_same_lot_draws_the_same_people_each_time(hundred, make_audience):
    audience = make_audience(most=10)
    assert reached(audience) == reached(audience)
    assert reached(audience, "monday") == reached(audience, "monday")
    assert reached(audience, "monday") != reached(audience, "tuesday")


def test_everybody_has_the_same_chance(hundred, make_audience):
    audience = make_audience(most=10)
    times = Counter(address for day in range(100) for address in reached(audience, f"day {day}"))
    # 10 expected; that one of 100 people is outside of 1 to 25 happens once in 20,000 draws.
    assert len(times) == 100 and max(times.values()) <= 25


def test_who_leaves_gives_the_place_to_one_other_only(hundred, make_audience):
    audience = make_audience(most=10)
    before = set(reached(audience))
    Recipient.objects.filter(address=min(before)).update(opted_out_at=timezone.now())
    after = set(reached(audience))
    assert len(before & after) == 9 and len(after) == 10


def test_a_list_is_drawn_from_too(hundred, make_audience):
    assert len(reached(make_audience(hundred, most=3))) == 3


def test_counting_stops_where_it_may(hundred, make_audience, django_assert_max_num_queries):
    audience = make_audience()
    with django_assert_max_num_queries(4):
        assert audience.count(up_to=20) == 20
    audience.most = 5
    assert audience.count(up_to=20) == 5


# Reading


@pytest.mark.parametrize("rule", [{}, {"tags": ["vip", "new"]}, {"regions": ["Seoul"]}, None])
def test_pages_end_nowhere_in_particular(hundred, make_audience, monkeypatch, rule):
    """Whatever the size of a page is, everybody is read once, in the same order."""
    Recipient.objects.update(region="Seoul")
    audience = make_audience(hundred if rule is None else None, **rule or {})
    whole = reached(audience)
    assert len(whole) == len(set(whole)) == 100
    for size in (1, 33, 50, 100):
        monkeypatch.setattr(selection, "READ_AT_ONCE", size)
        assert reached(audience) == whole


@pytest.mark.parametrize("rule", [{}, {"tags": ["vip"]}, {"languages": ["ko"]}, None])
def test_the_number_of_questions_grows_by_the_page_only(
    world, account, make_audience, django_assert_max_num_queries, rule
):
    people = [
        Recipient(unit=world.xinyi, account=account, address=line_id(n), language="ko")
        for n in range(12_000)
    ]
    insert(people, ids=True)
    audience = make_audience([] if rule is None else None, **rule or {})
    if rule is None:
        insert([Membership(audience=audience, recipient=person) for person in people])
    tag = Tag.objects.create(unit=world.xinyi, name="vip")
    insert([Recipient.tags.through(tag=tag, recipient=person) for person in people])
    with django_assert_max_num_queries(24):
        assert sum(map(len, audience.batches(500))) == 12_000


def test_words_are_read_as_people_write_them():
    assert words_in(" vip ,new， a  b 、vip\n；x;") == ["vip", "new", "a b", "x"]


def test_a_person_keeps_the_tag_of_whoever_gave_it(add_person, world):
    person = add_person("vip", "new")
    given = Tag.objects.create(unit=world.hq, name="gold")
    person.tags.add(given)
    person.retag(["gold", "vip", "fresh"])
    assert set(person.tags.values_list("name", "unit__code")) == {
        ("gold", "hq"), ("vip", "xinyi"), ("fresh", "xinyi"),
    }  # fmt: skip
