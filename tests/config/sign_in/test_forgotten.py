"""A forgotten password: a link by mail, once, for a while, and for nobody else."""

import re

import pytest
from django.test import Client

from config.sign_in.mail import deliver
from orgs.models import Member, User
from tests.config.sign_in.conftest import WRONG, is_inside, sign_in
from tests.fakes.smtp import SmtpFake, serving_mail

pytestmark = pytest.mark.django_db

NEW = "a new one, long enough"
FORM = {"password1": NEW, "password2": NEW}


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.TEIJI_ALERT_URLS = ["mailtos://me:secret@example.com"]
    settings.TEIJI_PUBLIC_URL = "https://teiji.example.com"


def ask(client, email="xinyi@example.com"):
    return client.post("/sign-in/forgotten/", {"email": email})


def path_in(mail) -> str:
    return re.search(r"https://teiji\.example\.com(/\S+)", mail.body)[1]


def open_link(client, path):
    """The form, at an address that has no key in it."""
    answer = client.get(path)
    assert answer.status_code == 302
    assert "set-password" in answer.url
    return answer.url


def test_the_link_in_the_mail_gives_a_new_password(client, hana, mailoutbox, verbs_of):
    elsewhere = Client()
    sign_in(elsewhere, "xinyi")
    assert ask(client).url == "/sign-in/forgotten/sent/"
    assert client.get("/sign-in/forgotten/sent/").status_code == 200
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["xinyi@example.com"], "Teiji: a new password")
    assert not mail.alternatives
    form = open_link(client, path_in(mail))
    assert client.get(form).status_code == 200
    assert client.post(form, FORM).url == "/sign-in/forgotten/done/"
    assert client.get("/sign-in/forgotten/done/").status_code == 200
    assert not is_inside(client)
    assert not is_inside(elsewhere)
    assert sign_in(client, "xinyi", NEW).status_code == 302
    assert verbs_of(hana) == ["signed_in", "password_reset", "signed_in"]
    assert mailoutbox[1].subject == "Teiji: your password was changed"


def test_the_time_in_the_mail_is_that_of_the_persons_own_zone(client, hana, mailoutbox, settings):
    ask(client)
    client.post(open_link(client, path_in(mailoutbox[0])), FORM)
    zone = Member.objects.get(user=hana).unit.zone
    assert zone != settings.TIME_ZONE
    said = rf"At \d{{4}}-\d\d-\d\d \(\w{{3}}\) \d\d:\d\d:\d\d {zone}, from"
    assert re.search(said, mailoutbox[1].body)


def test_a_link_works_once(client, hana, mailoutbox):
    ask(client)
    path = path_in(mailoutbox[0])
    client.post(open_link(client, path), FORM)
    again = Client().get(path)
    assert "This link was used before, or is too old." in again.content.decode()


def test_a_link_to_an_address_that_was_replaced_opens_nothing(client, hana, mailoutbox):
    ask(client)
    User.objects.filter(pk=hana.pk).update(email="new@example.com")
    assert Client().get(path_in(mailoutbox[0])).status_code == 200
    assert ask(client).status_code == 302
    assert len(mailoutbox) == 1


def test_the_link_leads_to_the_public_address_whatever_host_was_asked(hana, mailoutbox, settings):
    settings.ALLOWED_HOSTS = ["*"]
    ask(Client(SERVER_NAME="evil.example"))
    assert "evil.example" not in mailoutbox[0].body
    assert path_in(mailoutbox[0])


def test_a_known_and_an_unknown_address_are_answered_alike(client, hana, mailoutbox):
    known, unknown = ask(client), ask(client, "nobody@example.com")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert len(mailoutbox) == 1


def test_one_address_is_not_flooded_with_mail(client, hana, mailoutbox):
    answers = [ask(client).status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]
    assert len(mailoutbox) == 3


def test_a_weak_password_is_refused(client, hana, mailoutbox):
    ask(client)
    form = open_link(client, path_in(mailoutbox[0]))
    page = client.post(form, {"password1": "12345", "password2": "12345"})
    assert page.context["form"].errors
    assert sign_in(client, "xinyi", "12345").status_code == 200


def test_where_no_mail_can_be_sent_the_page_says_whom_to_ask(client, hana, settings, mailoutbox):
    settings.TEIJI_ALERT_URLS = []
    assert "sends no mail" in client.get("/sign-in/forgotten/").content.decode()
    ask(client)
    assert mailoutbox == []


def test_the_address_is_only_guessed_by_whoever_has_the_mail(client, hana):
    assert client.get("/sign-in/forgotten/1-abc-def/").status_code == 200
    assert sign_in(client, "xinyi", WRONG).status_code == 200


def test_a_mail_goes_to_its_person_through_the_operators_server(tmp_path, settings, monkeypatch):
    fake = SmtpFake()
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    with serving_mail(fake, tmp_path) as (port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setattr(
            "channels.alerts.places.read", with_port(port)
        )  # a free port is none of those that mail servers have
        settings.TEIJI_ALERT_URLS = [
            "json://x.example",
            "mailtos://me:s3cret@example.com/ops@example.com?smtp=localhost&mode=ssl",
        ]
        assert deliver("hana@example.com", "Teiji: a new password", "Here it is.")
    (mail,) = fake.log
    assert "To: hana@example.com" in mail
    assert "ops@example.com" not in mail


def with_port(port):
    from channels.apprise.allowed import read  # noqa: PLC0415  (the real one, before it is replaced)

    def changed(url):
        service, fields = read(url)
        return service, {**fields, "port": port}

    return changed
