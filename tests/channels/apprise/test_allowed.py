"""Which Apprise URLs are allowed: a shape for each service, and nothing beside it."""

import pytest

from channels.apprise.allowed import SERVICES, NotAllowed, read
from channels.apprise.call import make
from tests.channels.apprise.examples import EXAMPLES, SECRET

DISCORD = EXAMPLES["discord"][0]
MAIL = "mailtos://user:word@example.com"
each_scheme = pytest.mark.parametrize("scheme", sorted(SERVICES))


def test_every_service_has_an_example() -> None:
    assert set(SERVICES) == set(EXAMPLES)


@each_scheme
def test_apprise_takes_what_a_shape_names_and_each_url_is_one_place(scheme: str) -> None:
    service, fields = read(EXAMPLES[scheme][0])
    plugin = make(fields)
    assert plugin is not None
    assert len(plugin) == 1
    assert service.text_length <= plugin.body_maxlen


@each_scheme
def test_certificates_are_checked_redirects_are_not_followed_and_files_are_not_read(
    scheme: str,
) -> None:
    plugin = make(read(EXAMPLES[scheme][0])[1])
    assert plugin is not None
    assert plugin.verify_certificate is True
    assert plugin.redirects is False
    assert not getattr(plugin, "template", None)
    assert plugin.service_retry == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "discord",
        "discord:/4174216298/token",
        "file:///etc/passwd",
        "syslog://",
        "rsyslog://10.0.0.1",
        "dbus://",
        "gnome://",
        "glib://",
        "macosx://",
        "windows://",
        "exec://id",
        "custom://",
        "include://http://10.0.0.1/config",
        "apprise://10.0.0.1/token",
        "http://169.254.169.254/",
        "https://discord.com/api/webhooks/1/2",
        "json://10.0.0.1/",
        "jsons://hooks.example/",
        "xml://hooks.example/",
        "form://hooks.example/",
        "matrixs://hooks.example/",
        "rockets://user:word@hooks.example/room",
        "mmosts://hooks.example/token",
        "gotifys://hooks.example/token",
        "ntfys://hooks.example/topic",
        "mqtt://10.0.0.1/topic",
        "smpp://user:word@10.0.0.1/1/2",
        "DISCORD://4174216298/token",
        " " + DISCORD,
        DISCORD + "\n",
    ],
)
def test_what_is_not_listed_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        read(url)


@pytest.mark.parametrize(
    "option",
    [
        "verify=no",
        "redirect=yes",
        "template=/etc/passwd",
        "template=http://10.0.0.1/",
        "retry=5",
        "store=yes",
        "rto=9999",
        "overflow=split",
        "format=markdown",
        "url=http://10.0.0.1",
        "avatar_url=http://10.0.0.1",
        "pgp=sign&pgpprv=/etc/passwd",
        "keyfile=/etc/passwd",
        "+X-Header=1",
        ":token=1",
        "-get=1",
        "%76erify=no",
        "Verify=no",
        "to=a@example.com,b@example.com",
        "cc=a@example.com",
        "?",
        "&",
        "smtp=10.0.0.1/",
        "mode=insecure",
        "host=10.0.0.1",
        "port=25",
        "user=x",
    ],
)
def test_no_option_reads_files_unsays_checks_or_adds_places(option: str) -> None:
    for url, _host in EXAMPLES.values():
        with pytest.raises(NotAllowed):
            read(f"{url}?{option}")


@pytest.mark.parametrize(
    "url",
    [
        "discord://4174216298/token/more",
        "discord://4174216298/to?en",
        "discord://4174216298@10.0.0.1/token",
        "discord://4174216298/../../token",
        "discord://4174216298/%2e%2e%2ftoken",
        "slack://xoxb-1-2/#one/#two",
        "slack://T1JJ3T3L2/A1BRTD4JD/token/#one",
        "tgram://123:token/1/2",
        "tgram://123:token",
        "ntfy://10.0.0.1/topic",
        "ntfy://user:word@topic",
        "workflows://10.0.0.1/flow/signature",
        "workflows://logic.azure.com.evil.example/flow/signature",
        "workflows://evil.example/x.logic.azure.com/flow/signature",
        "workflows://prod.logic.azure.com:8080/flow/signature",
        f"{MAIL}:22/to@example.com",
        f"{MAIL}/a@example.com/b@example.com",
        f"{MAIL}/a@example.com,b@example.com",
        "mailtos://user:wo%0d%0ard@example.com/to@example.com",
        "mailtos://user:word@[::1]/to@example.com",
        "discord://4174216298/" + "x" * 2000,
    ],
)
def test_what_does_not_have_its_services_shape_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        read(url)


def test_a_refusal_repeats_nothing_of_the_url() -> None:
    for url in (f"file://{SECRET}", f"discord://{SECRET}", f"{DISCORD}?{SECRET}=1"):
        with pytest.raises(NotAllowed) as caught:
            read(url)
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.args}"


def test_mail_is_never_sent_without_tls() -> None:
    for scheme in ("mailto", "mailtos"):
        for port in ("", ":25", ":587"):
            url = f"{scheme}://user:word@example.com{port}/to@example.com"
            plugin = make(read(url)[1])
            assert plugin is not None
            assert plugin.secure_mode == "starttls"
    plugin = make(read(f"{MAIL}/to@example.com?mode=ssl")[1])
    assert plugin is not None
    assert (plugin.secure_mode, plugin.port) == ("ssl", 465)


def test_a_mail_account_may_name_its_server_its_sender_and_a_user_that_is_an_address() -> None:
    url = (
        "mailtos://some%40example.com:w%3Ard@example.com?to=you%40example.org"
        "&from=me@example.com&smtp=mail.example.net"
    )
    plugin = make(read(url)[1])
    assert plugin is not None
    assert plugin.targets == [(False, "you@example.org")]
    assert plugin.from_addr[1] == "me@example.com"
    assert (plugin.smtp_host, plugin.user, plugin.password) == (
        "mail.example.net",
        "some@example.com",
        "w:rd",
    )


def test_a_slack_bot_names_one_channel() -> None:
    plugin = make(read("slack://xoxb-1234-1234-abc/#general")[1])
    assert plugin is not None
    assert plugin.channels == ["#general"]


def test_teams_may_be_reached_through_power_automate() -> None:
    url = "workflows://a.b.environment.api.powerplatform.com/flow/signature?pa=yes&route=06"
    plugin = make(read(url)[1])
    assert plugin is not None
    assert (plugin.power_automate, plugin.routing_id) == (True, "06")


def test_a_token_of_google_chat_ends_as_google_writes_it() -> None:
    assert read("gchat://space/key/token%3D")[1]["webhook_token"] == "token="
