"""What must hold for code that is not written yet: no room for a page without a permission."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.urls import get_resolver
from rest_framework.viewsets import ViewSetMixin

from config.scoped.admin import ScopedAdmin
from config.scoped.api import ScopedViewSet
from orgs.reach import Act, OfAll

ROOT = Path(__file__).resolve().parents[1]
OURS = ("orgs", "logs", "channels", "schedules")

# Tables that belong to no unit: the same for everybody, shown to superusers alone.
GLOBAL = {
    "ArchivedMonth", "CachedValue", "Chain", "Counter", "Heartbeat",
    "Installation", "KeptAnswer", "LegacyRow", "Move", "QuartersCounted",
    "Recount", "RequestCount", "Seal", "Tally", "Turn",
}  # fmt: skip


def our_models():
    found = [model for app in (*OURS, "teiji") for model in apps.get_app_config(app).get_models()]
    return [model for model in found if not model._meta.auto_created]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_every_model_has_a_reach_or_is_known_to_be_global(model):
    assert hasattr(model, "reach") != (model.__name__ in GLOBAL)


@pytest.mark.parametrize(
    "model",
    [m for m in our_models() if not isinstance(getattr(m, "reach", OfAll()), OfAll)],
    ids=lambda model: model.__name__,
)
def test_every_reach_leads_to_a_path(model):
    place = model
    for step in model.reach.path.split("__"):
        try:
            field = place._meta.get_field(step)
        except FieldDoesNotExist:
            pytest.fail(f"{model.__name__}.reach: {place.__name__} has no {step}")
        place = field.related_model or field
    assert place.name in ("path", "unit_path", "place")


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_every_copy_of_a_path_is_moved_with_its_unit(model):
    """By the column that its reach names. History keeps another as it was sealed."""
    paths = {field.name for field in model._meta.concrete_fields} & {"path", "unit_path"}
    assert not paths or model.reach.is_copy
    if paths and model.__name__ != "History":
        assert paths <= {model.reach.path}


def test_every_admin_is_scoped():
    assert get_resolver().url_patterns  # the addresses load the pages
    pages = admin.site._registry.values()
    assert pages
    assert [page for page in pages if not isinstance(page, ScopedAdmin)] == []


def viewsets(patterns=None):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            yield from viewsets(pattern.url_patterns)
        elif issubclass(getattr(pattern.callback, "cls", object), ViewSetMixin):
            yield pattern.callback.cls, pattern.callback.actions


def test_every_endpoint_is_scoped_and_declares_its_act():
    found = list(viewsets())
    assert found
    for viewset, actions in found:
        assert issubclass(viewset, ScopedViewSet), viewset
        for action in actions.values():
            assert viewset.acts.get(action) in list(Act), (viewset, action)


def test_reach_is_decided_in_one_file():
    """Nobody else compares a role or a path."""
    suspicious = []
    for app in (*OURS, "config"):
        for path in (ROOT / app).rglob("*.py"):
            if path.name == "reach.py" or "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg and "path__startswith" in node.arg:
                    suspicious.append(f"{path.relative_to(ROOT)}:{node.value.lineno}")
    assert suspicious == []


@pytest.mark.parametrize("name", ["utils", "helpers", "services", "manager", "common", "misc"])
def test_no_module_is_named_after_nothing(name):
    found = [path for app in (*OURS, "config") for path in (ROOT / app).rglob(f"{name}.py")]
    assert found == []
