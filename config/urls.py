"""All addresses."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config.language import choose_language

admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    # Before the admin, whose own addresses of schedules would catch these.
    path("admin/schedules/schedule/", include("schedules.wizard.urls")),
    path("admin/fence/", include("schedules.admin.fence")),
    path("admin/monitor/", include("schedules.admin.monitor")),
    path("admin/not-confirmed/", include("schedules.admin.not_confirmed")),
    path("admin/language/", choose_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/", include("config.api")),
    path("", include("channels.media")),
    path("", include("channels.inbound")),
    path("", include("schedules.phone")),
    path("", include("config.health")),
    path("", include("config.metrics")),
]

handler500 = "config.api.fault"
