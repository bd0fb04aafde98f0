"""The addresses of the registration form, under those of the schedules' admin."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import path, register_converter

from schedules.wizard import images, posting, views


class StepName:
    regex = "target|content|timing|review"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(StepName, "step")


def _staff(view: Callable[..., Any]) -> Callable[..., Any]:
    return admin.site.admin_view(posting.for_registered(view))


urlpatterns = [
    path("add/", _staff(views.add), name="wizard-add"),
    path("add/<uuid:uid>/", _staff(views.begin), name="wizard-begin"),
    path("rooms/", _staff(views.rooms), name="wizard-rooms"),
    path("<int:pk>/register/", _staff(views.resume), name="wizard"),
    path("<int:pk>/register/<step:step>/", _staff(views.step), name="wizard-step"),
    path("<int:pk>/register/<step:step>/live/", _staff(views.live), name="wizard-live"),
    path("<int:pk>/register/confirm/", _staff(views.confirm), name="wizard-confirm"),
    path("<int:pk>/register/check/", _staff(views.check), name="wizard-check"),
    path("<int:pk>/register/check/state/", _staff(views.checked), name="wizard-checked"),
    path("<int:pk>/register/test/", _staff(views.test), name="wizard-test"),
    path("<int:pk>/register/discard/", _staff(views.discard), name="wizard-discard"),
    path("<int:pk>/register/images/", _staff(images.upload), name="wizard-images"),
    path("<int:pk>/register/images/order/", _staff(images.order), name="wizard-images-order"),
    path("<int:pk>/register/images/remove/", _staff(images.remove), name="wizard-images-remove"),
]
