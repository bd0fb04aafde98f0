"""Signing in with a passkey, on a phone: Chromium's virtual authenticator takes the finger."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from orgs.models import User
from tests.browser.seen import fits
from tests.config.sign_in.conftest import PASSWORD, with_password
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def hana(world: World) -> User:
    return with_password(world, "xinyi")


@pytest.fixture
def boss(world: World) -> User:
    return with_password(world, "hq")


@pytest.fixture
def phone(browse: Callable[..., Page], world: World) -> Page:
    """A phone on which nobody is signed in, with a finger on it."""
    page = browse(world.people["stranger"], **PHONE)
    page.context.clear_cookies()
    finger(page)
    return page


def finger(page: Page, *, is_right: bool = True) -> Any:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": is_right,
    }
    return session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_in(page: Page, name: str) -> None:
    page.goto("/admin/")
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Page) -> None:
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name of the passkey").fill("My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("They are shown only now.")).to_be_visible()


def test_a_passkey_is_set_up_where_it_is_required_and_then_signs_in_alone(
    phone: Page, boss: User, settings: Any
) -> None:
    settings.TEIJI_SECOND_FACTOR = ["headquarters"]
    sign_in(phone, "hq")
    expect(phone.get_by_text("Your unit needs a second factor.")).to_be_visible()
    assert fits(phone)
    phone.goto("/admin/schedules/schedule/")
    expect(phone).to_have_url("/sign-in/second-factor/")
    add_passkey(phone)
    assert fits(phone)
    phone.get_by_role("link", name="I have kept them").click()
    expect(phone).to_have_url("/admin/")
    assert Authenticator.objects.filter(user=boss, type="webauthn").count() == 1

    phone.context.clear_cookies()
    phone.goto("/admin/orgs/unit/")
    assert fits(phone)
    phone.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone).to_have_url("/admin/orgs/unit/")


def test_after_the_password_the_passkey_is_the_second_factor(phone: Page, hana: User) -> None:
    sign_in(phone, "xinyi")
    phone.goto("/sign-in/second-factor/")
    add_passkey(phone)
    phone.context.clear_cookies()
    sign_in(phone, "xinyi")
    expect(phone.get_by_role("button", name="Use the passkey")).to_be_visible()
    assert fits(phone)
    phone.get_by_role("button", name="Use the passkey").click()
    expect(phone).to_have_url("/admin/")


def test_a_device_without_a_passkey_says_so(phone: Page, hana: User) -> None:
    phone.goto("/sign-in/")
    phone.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone.get_by_text("this device has no passkey for here")).to_be_visible()


def test_under_a_bare_address_no_passkey_is_offered(phone: Page, hana: User) -> None:
    phone.goto("/sign-in/")
    address = phone.url.replace("localhost", "127.0.0.1")
    phone.goto(address)
    expect(phone.get_by_label("Password")).to_be_visible()
    expect(phone.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
