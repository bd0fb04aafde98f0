"""The place that alerts are told, too."""

from tests.channels.alerts.conftest import discord  # noqa: F401 - a fixture
