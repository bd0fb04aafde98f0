"""The REST API's addresses, its OpenAPI document, and the page that shows it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import server_error
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.routers import SimpleRouter

from channels.api import (
    AccountViewSet,
    AlertTargetViewSet,
    AlertViewSet,
    AudienceViewSet,
    ImageViewSet,
    ImportViewSet,
    NoticeViewSet,
    PeopleBatchViewSet,
    RecipientViewSet,
    RoomViewSet,
    WebhookDeliveryViewSet,
    WebhookViewSet,
)
from config.scoped.document import DocumentView
from config.scoped.problems import MEDIA_TYPE, problem
from logs.api import HistoryViewSet, PunctualityViewSet
from orgs.api import DeputyViewSet, MemberViewSet, UnitViewSet
from schedules.api import (
    AccountFreezeViewSet,
    AccountLimitsViewSet,
    ApprovalQueueViewSet,
    ApprovalViewSet,
    ArchiveViewSet,
    BatchViewSet,
    BudgetViewSet,
    CalendarViewSet,
    DayCountViewSet,
    FeedViewSet,
    FenceViewSet,
    FiguresViewSet,
    FreezeViewSet,
    HolidayViewSet,
    LogViewSet,
    NotConfirmedViewSet,
    QuotaViewSet,
    ReachedViewSet,
    RoomLimitsViewSet,
    RunViewSet,
    SavedFilterViewSet,
    ScheduleActsViewSet,
    ScheduleViewSet,
    ShiftViewSet,
    SuggestTimeViewSet,
    TemplateViewSet,
    UnitFreezeViewSet,
    UnitMoveViewSet,
    UnitValuesViewSet,
    ValueViewSet,
)

app_name = "api"

router = SimpleRouter(trailing_slash=False)
router.register("schedules", ScheduleViewSet)
router.register("schedules", ScheduleActsViewSet, basename="schedule-act")
router.register("schedules", ApprovalViewSet, basename="schedule-approval")
router.register("approvals", ApprovalQueueViewSet, basename="approval")
router.register("calendar", CalendarViewSet, basename="calendar")
router.register("history", HistoryViewSet)
router.register("templates", TemplateViewSet)
router.register("runs", RunViewSet)
router.register("logs", LogViewSet, basename="log")
router.register("archive", ArchiveViewSet, basename="archive")
router.register("feeds", FeedViewSet, basename="feed")
router.register("filters", SavedFilterViewSet, basename="saved-filter")
router.register("notices", NoticeViewSet, basename="notice")
router.register("imports", ImportViewSet, basename="import")
router.register("not-confirmed", NotConfirmedViewSet, basename="not-confirmed")
router.register("quota", QuotaViewSet)
router.register("counts", DayCountViewSet)
router.register("rooms", RoomViewSet)
router.register("rooms", RoomLimitsViewSet, basename="room-limit")
router.register("images", ImageViewSet)
router.register("freezes", FreezeViewSet)
router.register("holidays", HolidayViewSet)
router.register("units", UnitViewSet)
router.register("members", MemberViewSet)
router.register("deputies", DeputyViewSet)
router.register("units", UnitFreezeViewSet, basename="unit-freeze")
router.register("units", UnitMoveViewSet, basename="unit-move")
router.register("units", UnitValuesViewSet, basename="unit-value")
router.register("units", BudgetViewSet, basename="unit-budget")
router.register("values", ValueViewSet)
router.register("accounts", AccountViewSet)
router.register("audiences", AudienceViewSet)
router.register("recipients", RecipientViewSet)
router.register("accounts", AccountFreezeViewSet, basename="account-freeze")
router.register("accounts", AccountLimitsViewSet, basename="account-limit")
router.register("webhooks", WebhookViewSet)
router.register("alert-targets", AlertTargetViewSet)
router.register("alerts", AlertViewSet, basename="alert")
router.register(
    r"webhooks/(?P<webhook>[0-9]{1,18})/deliveries",
    WebhookDeliveryViewSet,
    basename="webhook-delivery",
)
router.register("recipients", ReachedViewSet, basename="reached")

# The document says what the API can do, nothing of what is in it: anybody may read it.
PUBLIC: dict[str, Any] = {"permission_classes": [AllowAny], "authentication_classes": []}


@csrf_exempt
def nothing(request: HttpRequest) -> JsonResponse:
    """The answer at every address of the API that leads nowhere, whatever the method."""
    return JsonResponse(problem(404), status=404, content_type=MEDIA_TYPE)


def fault(request: HttpRequest) -> HttpResponse:
    """Our own fault, as a problem where the API was asked."""
    if request.path.startswith("/api/"):
        return JsonResponse(problem(500), status=500, content_type=MEDIA_TYPE)
    return server_error(request)


batch = BatchViewSet.as_view({"post": "create", "patch": "change", "delete": "cancel"})

people_batch = PeopleBatchViewSet.as_view({"post": "create"})

version_1 = [
    path("schedules/batch", batch, name="schedule-batch"),
    path("schedules/batch/shift", ShiftViewSet.as_view({"post": "shift"}), name="schedule-shift"),
    path("recipients/batch", people_batch, name="recipient-batch"),
    path("stats", FiguresViewSet.as_view({"get": "stats"}), name="stats"),
    path("analytics", FiguresViewSet.as_view({"get": "analytics"}), name="analytics"),
    path("suggest-time", SuggestTimeViewSet.as_view({"get": "suggest"}), name="suggest-time"),
    path("punctuality", PunctualityViewSet.as_view({"get": "report"}), name="punctuality"),
    path("fence", FenceViewSet.as_view({"get": "state", "post": "stop"}), name="fence"),
    path("fence/lift", FenceViewSet.as_view({"post": "lift"}), name="fence-lift"),
    path("openapi.json", DocumentView.as_view(**PUBLIC), name="openapi"),
    # The script has an address of its own: none may stand in a page.
    path(
        "docs", SpectacularSwaggerSplitView.as_view(url_name="api:openapi", **PUBLIC), name="docs"
    ),
    *router.urls,
]
urlpatterns = [path("v1/", include(version_1)), re_path(r"^[\s\S]*\Z", nothing)]
