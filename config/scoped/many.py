"""Requests about many rows: each stands for itself, or one that is refused stops all."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

ALL_OR_NOTHING = OpenApiParameter(
    "all_or_nothing", {"type": "boolean", "default": False},
    description="If one is refused, nothing is done, and the answer is 409. Otherwise each "
    "stands for itself.",
)  # fmt: skip


class ManySerializer(serializers.Serializer):
    """What the address says of the whole."""

    all_or_nothing = serializers.ChoiceField(choices=["true", "false"], default="false")


def is_all_or_nothing(request: Request) -> bool:
    """Whether one that is refused stops all."""
    options = ManySerializer(data=request.query_params)
    options.is_valid(raise_exception=True)
    return bool(options.validated_data["all_or_nothing"] == "true")
