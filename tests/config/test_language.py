"""The language of the pages: chosen, kept, and asked for by programs."""

import re

import pytest
from django.conf import settings
from django.test import Client

from orgs.models import User


@pytest.fixture
def somebody(world):
    return world.people["xinyi"]


@pytest.fixture
def page(somebody):
    client = Client()
    client.force_login(somebody)
    return client


def speaks(client, **headers):
    return client.get("/admin/", headers=headers).headers["Content-Language"]


def test_a_choice_is_kept_with_the_person_wherever_they_sign_in(page, somebody):
    answer = page.post("/admin/language/", {"language": "ko", "next": "/admin/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert speaks(page) == "ko"
    elsewhere = Client()
    elsewhere.force_login(somebody)
    assert speaks(elsewhere, accept_language="en") == "ko"


def test_before_anybody_signed_in_the_choice_is_kept_by_the_browser(client, db):
    client.post("/admin/language/", {"language": "zh-hant", "next": "/sign-in/"})
    answer = client.get("/sign-in/", headers={"Accept-Language": "ko"})
    assert answer.headers["Content-Language"] == "zh-hant"
    assert not User.objects.filter(language="zh-hant").exists()


@pytest.mark.parametrize("unknown", ["fr", "", "xx"])
def test_a_language_that_is_not_spoken_changes_nothing(page, somebody, unknown):
    page.post("/admin/language/", {"language": unknown})
    somebody.refresh_from_db()
    assert (somebody.language, speaks(page)) == ("", "en")


def test_only_a_post_changes_the_language_and_it_leads_to_no_other_site(page, somebody):
    page.get("/admin/language/?language=ko")
    assert speaks(page) == "en"
    answer = page.post("/admin/language/", {"language": "ko", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"


def test_who_chose_nothing_is_answered_in_the_language_of_their_browser(page):
    assert speaks(page, accept_language="ko-KR,ko;q=0.9,en;q=0.5") == "ko"
    assert speaks(page, accept_language="zh-TW,zh;q=0.9") == "zh-hant"
    assert speaks(page, accept_language="zh-CN") == "zh-hans"
    assert speaks(page, accept_language="fr") == "en"


def test_every_language_is_offered_by_its_own_name(page, client, db):
    for text in (page.get("/admin/").text, client.get("/sign-in/").text):
        for code, name in settings.LANGUAGES:
            assert f'value="{code}" lang="{code}"' in text
            assert name in text


def test_the_api_answers_a_program_in_the_language_that_it_asks_for(client, db):
    answer = client.get("/api/v1/schedules/", headers={"Accept-Language": "ko"})
    assert answer.headers["Content-Language"] == "ko"
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "asked, missing, field",
    [
        ("ko", "여기에는 아무것도 없습니다.", "일부 필드가 올바르지 않습니다."),
        ("zh-TW", "這裡沒有內容。", "部分欄位不正確。"),
        ("zh-CN", "这里没有内容。", "部分字段不正确。"),
        ("en", "There is nothing here.", "Some fields are not right."),
    ],
)
def test_problem_details_are_in_the_language_that_is_asked_for(page, asked, missing, field):
    headers = {"Accept-Language": asked}
    assert page.get("/api/v1/schedules/999999", headers=headers).json()["detail"] == missing
    refused = page.post("/api/v1/schedules", {}, content_type="application/json", headers=headers)
    assert refused.json()["detail"] == field
    words = [text for texts in refused.json()["errors"].values() for text in texts]
    assert words
    assert asked == "en" or not any(re.search("[A-Za-z]{3}", text) for text in words)
