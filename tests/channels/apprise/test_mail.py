"""Mail through Apprise, to a server with TLS: what is accepted, and what is known of the rest."""

import email
from collections.abc import Callable
from email.policy import default
from pathlib import Path

import pytest

from channels.apprise.allowed import read
from channels.apprise.call import Answer, call
from channels.apprise.passage import Passage
from channels.outgoing import networks
from tests.fakes.smtp import SmtpFake, serving_mail

URL = "mailtos://me:s3cret@example.com/you@example.com?smtp=localhost&mode=ssl"
Mail = Callable[..., tuple[Answer, Passage]]


@pytest.fixture
def mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mail:
    """Send to a server like this; tells the answer and how the passage was used."""

    def send(fake: SmtpFake, *, is_trusted: bool = True) -> tuple[Answer, Passage]:
        passage = Passage(networks(["127.0.0.0/8"]))
        with serving_mail(fake, tmp_path) as (port, certificate):
            if is_trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            fields = {**read(URL)[1], "port": port}
            return call(fields, title="Lobby", body="1 < 2 時間", passage=passage), passage

    return send


def test_a_mail_arrives_with_its_subject_and_text(mail: Mail) -> None:
    fake = SmtpFake()
    answer, passage = mail(fake)
    assert answer.is_accepted
    assert passage.close()
    [arrived] = fake.log
    message = email.message_from_string(arrived, policy=default)
    assert (message["subject"], message["to"]) == ("Lobby", "you@example.com")
    body = message.get_body(("plain",))
    assert body is not None
    assert "1 < 2 時間" in body.get_content()


def test_a_recipient_that_is_refused_was_sent_nothing(mail: Mail) -> None:
    answer, passage = mail(SmtpFake(recipient=b"550 unknown"))
    assert not answer.is_accepted
    assert not passage.close()


@pytest.mark.parametrize("last_word", [b"", b"550 no", b"451 later"])
def test_after_the_mail_has_left_a_no_is_known_to_come_late(mail: Mail, last_word: bytes) -> None:
    fake = SmtpFake(mail=last_word)
    answer, passage = mail(fake)
    assert not answer.is_accepted
    assert passage.close()


def test_a_server_whose_certificate_is_not_trusted_gets_neither_mail_nor_password(
    mail: Mail,
) -> None:
    fake = SmtpFake()
    answer, passage = mail(fake, is_trusted=False)
    assert not answer.is_accepted
    assert not passage.close()
    assert fake.log == []
