"""How the OpenAPI document describes errors: on every operation, as problem details."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status

from config.scoped import sparse
from config.scoped.headers import described
from config.scoped.once import HEADER, LONGEST_KEY
from config.scoped.problems import MEDIA_TYPE
from orgs.reach import Act

BODIES = ("POST", "PUT", "PATCH")
SPARSE = "Some"
LISTS = (serializers.ListField, serializers.ListSerializer, serializers.ManyRelatedField)

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER, {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Sent again with the same key and body within 24 hours, the request is not "
    "carried out again: its first answer is repeated.",
)  # fmt: skip


class ProblemSerializer(serializers.Serializer):
    """An error, in the shape of RFC 9457."""

    type = serializers.CharField(help_text="about:blank: the status says it all.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong, for people, in their language.")
    errors: Any = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Messages by field; what concerns no single field stands under `__all__`.",
    )


class ProblemSchema(AutoSchema):
    """Adds to each operation the errors with which it may answer, the headers of each answer, and
    the key of a POST."""

    def get_override_parameters(self) -> list[Any]:
        given: list[Any] = list(super().get_override_parameters())
        view: Any = self.view
        if self.method == "GET" and sparse.is_sparse(view):
            given.append(sparse.parameter(view))
        return [*given, IDEMPOTENCY_KEY] if self.method == "POST" else given

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: bool = False
    ) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)
        return schema | _lengths(field) if schema and schema.get("type") == "array" else schema

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code in self._error_codes():
            bodies.setdefault(
                str(code),
                self._get_response_for_code(ProblemSerializer, str(code), [MEDIA_TYPE], direction),
            )
        for name, body in bodies.items():
            body["headers"] = described(self.view, self.method, int(name))
        return dict(sorted(bodies.items()))

    def _error_codes(self) -> list[int]:
        codes = [
            status.HTTP_400_BAD_REQUEST,  # an unknown name in the address
            status.HTTP_401_UNAUTHORIZED,
            status.HTTP_403_FORBIDDEN,
            status.HTTP_404_NOT_FOUND,
            status.HTTP_406_NOT_ACCEPTABLE,
            status.HTTP_429_TOO_MANY_REQUESTS,
        ]
        view: Any = self.view
        if self.method in BODIES:  # one where none is taken is refused
            codes.append(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
            codes.append(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE)
        if self.method == "POST":
            codes.append(status.HTTP_422_UNPROCESSABLE_ENTITY)
        if view.may_conflict and view.acts.get(view.action) != Act.VIEW:
            codes.append(status.HTTP_409_CONFLICT)
        return codes


def _lengths(field: Any) -> dict[str, int]:
    """How many items a list that is sent may have."""
    if field.read_only or not isinstance(field, LISTS):
        return {}
    least = getattr(field, "min_length", None) or int(not field.allow_empty)
    found = {"minItems": least, "maxItems": getattr(field, "max_length", None)}
    return {name: length for name, length in found.items() if length}


def sparse_answers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Says of answers to which `fields` may be given that no field need be there (the same hook).
    Other operations go on to answer with the whole."""
    schemas = result["components"]["schemas"]
    for path in result["paths"].values():
        operation = path.get("get", {})
        if any(given["name"] == sparse.NAME for given in operation.get("parameters", ())):
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            if "$ref" in answer:
                page = schemas[_name_of(answer)].get("properties", {})
                answer = page["results"] if "next" in page else answer
            one = answer.get("items", answer)
            one["$ref"] = _sparse(_name_of(one), schemas)
    return result


def _sparse(name: str, schemas: dict[str, Any]) -> str:
    """Where the form of this component stands in which no field need be there."""
    if not name.startswith(SPARSE):
        whole, name = schemas[name], SPARSE + name
        schemas[name] = {key: value for key, value in whole.items() if key != "required"}
    return f"#/components/schemas/{name}"


def _name_of(reference: dict[str, Any]) -> str:
    return str(reference["$ref"].rpartition("/")[2])


def closed_requests(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Says of each request's body that unknown names are refused (drf-spectacular's hook)."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return result
