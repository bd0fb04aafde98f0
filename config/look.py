"""The admin's look: django-unfold's settings, and the sidebar as each person sees it."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

# title, icon, model; and the name of a page that is not that model's list
Place = tuple[Any, str, str] | tuple[Any, str, str, str]

# Each line is for those who may see the model; titles of groups, then their lines.
SIDEBAR: list[tuple[Any, list[Place]]] = [
    (
        _("Sending"),
        [
            (_("Schedules"), "schedule_send", "schedules.Schedule"),
            (_("Calendar"), "calendar_month", "schedules.Schedule", "calendar"),
            (_("Approvals"), "approval", "schedules.Approval"),
            (_("Templates"), "description", "schedules.MessageTemplate"),
            (_("Placeholder values"), "data_object", "schedules.PlaceholderValue"),
            (_("Runs"), "play_circle", "schedules.Run"),
            (_("Send log"), "outgoing_mail", "schedules.Delivery"),
            (_("Monitor"), "monitor_heart", "schedules.Run", "monitor"),
            (_("Not confirmed"), "help", "schedules.Delivery", "not-confirmed"),
            (_("Freezes"), "ac_unit", "schedules.Freeze"),
            (_("Holidays"), "event_busy", "schedules.HolidayException"),
        ],
    ),
    (
        _("Places"),
        [
            (_("Rooms"), "forum", "channels.Room"),
            (_("Audiences"), "groups", "channels.Audience"),
            (_("Recipients"), "person", "channels.Recipient"),
            (_("Imports of people"), "upload_file", "channels.RecipientImport"),
            (_("Accounts"), "key", "channels.Account"),
            (_("Alert targets"), "add_alert", "channels.AlertTarget"),
            (_("Webhooks"), "webhook", "channels.Webhook"),
            (_("Images"), "imagesmode", "channels.Image"),
        ],
    ),
    (
        _("Organisation"),
        [
            (_("Organisation chart"), "account_tree", "orgs.Unit", "organisation"),
            (_("Units"), "lan", "orgs.Unit"),
            (_("People"), "group", "orgs.Member"),
            (_("Deputies"), "supervisor_account", "orgs.Deputy"),
            (_("Tokens"), "vpn_key", "orgs.Token"),
        ],
    ),
    (
        _("Records"),
        [
            (_("History"), "history", "logs.History"),
            (_("Attempts"), "receipt_long", "logs.Attempt"),
            (_("Archive"), "inventory_2", "schedules.ArchivedRun"),
            (_("Alerts"), "notifications", "channels.Notice"),
            (_("Webhook log"), "outbox", "channels.WebhookDelivery"),
            (_("Punctuality"), "timer", "logs.Punctuality"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and lines that this person can open."""
    home = {"title": _("Start"), "icon": "home", "link": reverse("admin:index")}
    groups = [
        {"title": title, "items": [line for place in places if (line := _line(place, request))]}
        for title, places in SIDEBAR
    ]
    may_fence = import_string("schedules.actions.fence.may_fence")  # settings load this module
    if may_fence(request.user):
        groups[-1]["items"].append(
            {"title": _("Stop and go"), "icon": "front_hand", "link": reverse("fence")}
        )
    return [{"items": [home]}, *(group for group in groups if group["items"])]


def _line(place: Place, request: HttpRequest) -> dict[str, Any] | None:
    title, icon, name, *own = place
    page = admin.site._registry.get(apps.get_model(name))
    if page is None or not page.has_module_permission(request):
        return None
    address = own[0] if own else f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"
    return {"title": title, "icon": icon, "link": reverse(address)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Teiji 定時",
    "SITE_HEADER": "Teiji 定時",
    "SITE_SUBHEADER": _("Sent at the appointed time"),
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("teiji/icon.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("teiji/icon.svg"),
        }
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": False,  # the choice stands in the top bar: templates/language.html
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("teiji/teiji.css")],
    "SCRIPTS": [lambda request: static("teiji/teiji.js")],
    "DASHBOARD_CALLBACK": "config.start_page.start_page",
    "ACCOUNT": {
        "navigation": [
            {"title": _("My notices"), "link": lambda request: reverse("my-notices")},
            {"title": _("Sign-in and security"), "link": lambda request: reverse("mfa_index")},
        ],
    },
    "LOGIN": {"image": lambda request: static("teiji/sign-in.svg")},
    "SIDEBAR": {"navigation": "config.look.sidebar"},
    # A deep teal; 600 carries white text at a contrast of 5.6.
    "COLORS": {
        "primary": {
            "50": "oklch(97.8% .012 190)",
            "100": "oklch(94.8% .028 190)",
            "200": "oklch(89.5% .052 190)",
            "300": "oklch(82% .08 191)",
            "400": "oklch(76% .1 192)",
            "500": "oklch(68% .105 194)",
            "600": "oklch(48.5% .086 198)",
            "700": "oklch(42.5% .075 201)",
            "800": "oklch(36.5% .063 204)",
            "900": "oklch(31% .052 207)",
            "950": "oklch(22% .04 211)",
        },
    },
}
