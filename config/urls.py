"""All addresses."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config.language import choose_language
from config.sign_in.pages import sign_out, to_sign_in

admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    # Before the admin, whose own addresses of schedules would catch these.
    path("admin/schedules/schedule/", include("schedules.wizard.urls")),
    path("admin/my-notices/", include("channels.admin.my_notices")),
    path("admin/fence/", include("schedules.admin.fence")),
    path("", include("schedules.admin.calendar_feeds")),
    path("admin/calendar/", include("schedules.admin.calendar")),
    path("admin/monitor/", include("schedules.admin.monitor")),
    path("admin/not-confirmed/", include("schedules.admin.not_confirmed")),
    path("admin/organisation/", include("config.organisation.chart")),
    path("admin/view-as/", include("config.view_as.pages")),
    path("admin/language/", choose_language, name="set_language"),
    # The theme's links lead to the admin's own addresses.
    path("admin/login/", to_sign_in),
    path("admin/logout/", sign_out, name="sign_out"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("sign-in/", include("config.sign_in.urls")),
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
