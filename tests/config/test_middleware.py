"""Where an act came from, as the history shows it."""

import pytest
from django.test import RequestFactory

from config.middleware import address_of


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "9.9.9.9", "9.9.9.9"),
        (1, "6.6.6.6, 9.9.9.9", "9.9.9.9"),  # the first was written by the caller
        (2, "6.6.6.6, 9.9.9.9, 10.0.0.1", "9.9.9.9"),
        (2, "9.9.9.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(settings, proxies, header, address):
    settings.TEIJI_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})
    assert address_of(request) == address


def test_a_query_with_a_nul_is_refused(client):
    assert client.get("/sign-in/?next=%00").status_code == 400
    assert client.get("/healthz?x=%2500").status_code == 200
