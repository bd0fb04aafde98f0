"""The phone's own script against the real endpoints, with all that may go wrong between them."""

from datetime import timedelta

import pytest
from django.db.models import F

from channels.models import Account, PulledMessage
from orgs.clock import database_now
from schedules.actions import cancel, resolve
from schedules.actions.fence import stop
from schedules.actions.resolve import Verdict
from schedules.models import Delivery, Run
from tests.fakes.messengerbot import twin_of
from tests.schedules.phone.conftest import TOKEN

pytestmark = pytest.mark.django_db(transaction=True)


def pass_time(seconds: float) -> None:
    """All that is in the queue happened earlier."""
    for row in PulledMessage.objects.all():
        for name in ("queued_at", "fetch_by", "fetched_at", "answer_by", "answered_at"):
            if moment := getattr(row, name):
                setattr(row, name, moment - timedelta(seconds=seconds))
        row.save()
    asked = Delivery.objects.exclude(confirm_at=None)
    earlier = F("completed_at") - timedelta(seconds=seconds)
    asked.update(confirm_at=database_now(), completed_at=earlier)


def test_what_the_phone_has_typed_is_sent_and_not_before(phone, send, settled):
    delivery = send("정각입니다 😀 \"'\n한 줄 더")
    assert settled(delivery) == "asked"
    phone.tick()
    assert phone.log == [("손님방", "정각입니다 😀 \"'\n한 줄 더")]
    assert settled(delivery) == "sent"
    phone.tick()
    assert len(phone.log) == 1


def test_what_the_app_could_not_type_has_failed_with_its_words(phone, send, settled):
    delivery = send()
    phone.knows.clear()
    phone.tick()
    assert settled(delivery) == "failed"
    assert "knows no such room" in delivery.error
    assert Run.objects.get().state == "failed"


def test_what_was_never_fetched_is_withdrawn_and_never_typed_later(phone, send, settled):
    delivery = send()
    pass_time(180)
    assert settled(delivery) == "failed"
    assert "withdrawn" in delivery.error
    phone.tick()
    assert phone.log == []


def test_a_phone_that_comes_back_too_late_types_nothing_though_nobody_has_looked_yet(phone, send):
    send()
    pass_time(180)
    phone.tick()
    assert phone.log == []


def test_a_lost_answer_to_the_fetch_costs_nothing_and_doubles_nothing(phone, send, settled):
    delivery = send()
    phone.loses = ["next", "next"]
    for _ in range(3):
        phone.tick()
    assert phone.log == [("손님방", "정각입니다")]
    assert settled(delivery) == "sent"


def test_a_lost_answer_to_the_acknowledgement_is_told_again_and_typed_once(phone, send, settled):
    delivery = send()
    phone.loses = ["ack", "ack"]
    for _ in range(4):
        phone.tick()
    assert len(phone.log) == 1
    assert settled(delivery) == "sent"


def test_teiji_away_loses_nothing(phone, send, settled):
    delivery = send()
    phone.cannot_reach = True
    phone.tick()
    phone.cannot_reach = False
    phone.tick()
    assert settled(delivery) == "sent"


def test_a_phone_that_dies_after_typing_leaves_it_to_a_person_and_never_types_it_again(
    phone, send, settled
):
    delivery = send()
    phone.dies_at = "typed"
    phone.tick()
    phone.start()
    for _ in range(3):
        phone.tick()
    assert settled(delivery) == "asked"
    pass_time(31)
    assert settled(delivery) == "unconfirmed"
    for _ in range(3):
        phone.tick()
        assert settled(delivery) == "unconfirmed"
    assert len(phone.log) == 1


def test_a_phone_that_dies_before_typing_leaves_it_to_a_person_too(phone, send, settled):
    delivery = send()
    phone.dies_at = "type"
    phone.tick()
    phone.start()
    pass_time(31)
    phone.tick()
    assert (settled(delivery), phone.log) == ("unconfirmed", [])


def test_a_phone_that_dies_before_it_could_say_so_says_it_when_it_is_back(phone, send, settled):
    delivery = send()
    phone.loses = ["ack"]
    phone.http, reach = lambda *_: (503, ""), phone.http

    def only_fetch(verb, *rest):
        return reach(verb, *rest) if verb == "GET" else (503, "")

    phone.http = only_fetch
    phone.tick()
    pass_time(31)
    assert settled(delivery) == "unconfirmed"
    phone.http = reach
    phone.start()
    phone.tick()
    assert settled(delivery) == "sent"
    assert len(phone.log) == 1


def test_an_app_that_fails_while_typing_leaves_it_to_a_person(phone, send, settled):
    delivery = send()
    phone.throws = True
    phone.tick()
    phone.throws = False
    phone.tick()
    pass_time(31)
    phone.tick()
    assert settled(delivery) == "unconfirmed"
    assert len(phone.log) == 1


def test_a_word_about_one_message_asks_about_no_other_of_its_room(phone, send):
    first, second = send("one"), send("two")
    later_on = database_now() + timedelta(hours=1)
    Delivery.objects.update(confirm_at=later_on)
    phone.tick()
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.confirm_at < later_on == second.confirm_at


def test_two_copies_of_the_script_type_it_once(phone, send, settled):
    twin = twin_of(phone)
    delivery = send()
    phone.during_fetch = twin.tick
    phone.tick()
    twin.tick()
    assert len(phone.log) == 1
    assert settled(delivery) == "sent"


def test_the_timer_that_fires_within_a_fetch_types_nothing_twice(phone, send, settled):
    delivery = send()
    phone.loses = ["next"]
    phone.tick()
    twin = twin_of(phone)  # compiled anew while the answer was lost
    twin.tick()
    phone.tick()
    assert len(phone.log) == 1
    assert settled(delivery) == "sent"


def test_messages_are_typed_in_order_with_a_pause_between(phone, send):
    for text in ("one", "two", "three"):
        send(text)
    for _ in range(2):
        phone.tick()
    assert [text for _room, text in phone.log] == ["one"]
    for _ in range(4):
        pass_time(1)
        phone.tick()
    assert [text for _room, text in phone.log] == ["one", "two", "three"]


def test_the_parts_of_one_delivery_follow_each_other(phone, send, settled, world, account):
    delivery = send()
    Delivery.objects.update(parts=2, own_payloads=[
        {"messages": [{"type": "text", "text": f"part {n}"}]} for n in range(2)
    ])  # fmt: skip
    phone.tick()
    assert settled(delivery) == "asked"  # its second part is in the queue by now
    assert delivery.part == 1
    pass_time(2)
    phone.tick()
    assert settled(delivery) == "sent"
    assert [text for _room, text in phone.log] == ["정각입니다", "part 1"]


def test_a_person_may_have_it_sent_again_and_it_is_typed_again(phone, send, settled, world):
    delivery = send()
    phone.dies_at = "type"
    phone.tick()
    phone.start()
    pass_time(31)
    assert settled(delivery) == "unconfirmed"
    resolve(delivery, Verdict.SEND_AGAIN, by=world.people["hq"])
    assert settled(delivery) == "asked"
    phone.tick()
    assert settled(delivery) == "sent"
    assert len(phone.log) == 1


def test_what_is_cancelled_while_it_waits_for_the_phone_is_taken_back(phone, send, settled, world):
    delivery = send()
    cancel(delivery.run.schedule, by=world.people["hq"])
    phone.tick()
    assert (settled(delivery), phone.log) == ("failed", [])


def test_while_all_sending_is_stopped_the_phone_gets_nothing(phone, send, world):
    send()
    stop(by=world.people["hq"], note="wrong text")
    phone.tick()
    assert phone.log == []


def test_an_inactive_account_gives_out_nothing_and_still_hears(phone, send, account, settled):
    delivery = send("one")
    phone.http, reach = (
        (lambda verb, *r: reach(verb, *r) if verb == "GET" else (503, "")),
        phone.http,
    )
    phone.tick()
    phone.http = reach
    send("two")
    Account.objects.filter(pk=account.pk).update(is_active=False)
    pass_time(2)
    for _ in range(3):
        phone.tick()
    assert [text for _room, text in phone.log] == ["one"]
    assert settled(delivery) == "sent"


def test_the_scripts_memory_holds_no_text_and_no_token(phone, send):
    send("private words")
    phone.tick()
    kept = "".join(phone.files.values())
    assert "private" not in kept and TOKEN not in kept
