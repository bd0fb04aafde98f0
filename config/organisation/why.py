"""Why a person may do something somewhere, or may not, in words: what `orgs.reach` decided and by
which role and unit. Nothing is decided here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.models import Account, Audience, Image, Room
from config.organisation.refused import Subject
from orgs.models import Member, Token, Unit, User
from orgs.reach import (
    SCOPES,
    Act,
    Decision,
    Role,
    Why,
    acts_of,
    decide,
    decide_of,
    lineage,
)
from orgs.second_factor import lacks_second_factor
from schedules.actions.clearing import asked_in
from schedules.models import MessageTemplate, Schedule

# What people do in a unit, by the name that the command takes.
ASKED: dict[str, tuple[Any, Act, type[Model]]] = {
    "view": (gettext_lazy("See schedules, rooms and the log"), Act.VIEW, Schedule),
    "register": (gettext_lazy("Register and edit schedules"), Act.CREATE, Schedule),
    "approve": (gettext_lazy("Approve schedules"), Act.APPROVE, Schedule),
    "rooms": (gettext_lazy("Manage rooms and audiences"), Act.CHANGE, Room),
    "accounts": (gettext_lazy("Manage channel accounts"), Act.CHANGE, Account),
    "people": (gettext_lazy("Manage people"), Act.ORGANISE, Member),
    "units": (gettext_lazy("Add and change units"), Act.ORGANISE, Unit),
}

# What is done to one object. Only of what is shared can it be used without being seen.
OF_ONE: dict[str, tuple[Any, Act]] = {
    "view": (gettext_lazy("See it"), Act.VIEW),
    "use": (gettext_lazy("Use it"), Act.USE),
    "change": (gettext_lazy("Change it"), Act.CHANGE),
}
MODELS: dict[str, type[Model]] = {
    model._meta.model_name or "": model
    for model in (Schedule, Room, Account, Audience, MessageTemplate, Image)
}


@dataclass(frozen=True)
class Answer:
    """To one question: what is asked, whether they may, and because of what."""

    name: str
    asked: str
    may: bool
    because: str


@dataclass(frozen=True)
class Asked:
    """Who is asked about, where, about which object if any, and through which token."""

    user: User
    unit: Unit
    row: Any = None
    token: Token | None = None

    def answers(self) -> list[Answer]:
        """One for each act."""
        if self.row is not None:
            of_one = ((name, words, act) for name, (words, act) in OF_ONE.items())
            return [self._answer(*one, decide_of(self.user, one[2], self.row)) for one in of_one]
        return [
            self._answer(name, words, act, decide(self.user, act, model, self.unit.path))
            for name, (words, act, model) in ASKED.items()
        ]

    def of_page(self, subject: Subject) -> list[Answer]:
        """Whether they may open that page."""
        if self.row is not None:
            decision = decide_of(self.user, subject.act, self.row)
        else:
            decision = decide(self.user, subject.act, subject.model, self.unit.path)
        words = _("Open pages of this kind (%(kind)s)") % {
            "kind": subject.model._meta.verbose_name_plural
        }
        return [self._answer("page", words, subject.act, decision)]

    def notes(self) -> Iterator[str]:
        """What holds them up though they may."""
        if lacks_second_factor(self.user):
            yield _("A second factor must be set up before anything else.")
        register = decide(self.user, Act.CREATE, Schedule, self.unit.path)
        if register.may and (demands := asked_in(self.unit.path, self.user)):
            yield _("What they register here waits for approval: %(unit)s demands it.") % {
                "unit": demands
            }
        stopped = Unit.objects.filter(path__in=lineage(self.unit.path), is_active=False).first()
        if stopped:
            yield _("Nothing is sent here: %(unit)s is not active.") % {"unit": stopped}

    def _answer(self, name: str, words: Any, act: Act, decision: Decision) -> Answer:
        if decision.may and self.token and act not in acts_of(self.token.scopes):
            return Answer(name, str(words), False, _lacks_scope(self.token, act))
        return Answer(name, str(words), decision.may, self._because(decision))

    def _because(self, decision: Decision) -> str:
        member = self.user.member_or_none()
        facts = {"unit": self.unit, "role": "", "own": "", "least": "", "place": ""}
        if member:
            facts |= {"role": member.get_role_display(), "own": member.unit}
        if decision.least:
            facts["least"] = Role(decision.least).label
        if decision.why == Why.STOPPED and member:
            above = lineage(member.unit.path)
            facts["place"] = Unit.objects.filter(path__in=above, is_active=False).first()
        if decision.place:
            facts["place"] = Unit.objects.filter(path=decision.place).first()
        return _sentence(decision, self.unit) % facts


def _sentence(decision: Decision, unit: Unit) -> str:
    if decision.why == Why.ROLE and decision.place != unit.path:
        return _("%(role)s of %(place)s, above %(unit)s")
    return {
        Why.EVERYTHING: _("may do everything everywhere"),
        Why.ROLE: _("%(role)s of %(unit)s"),
        Why.DEPUTY: _("stands in for the approvers of %(place)s"),
        Why.SHARED: _("a unit above shares it"),
        Why.INACTIVE: _("is not active and cannot sign in"),
        Why.NO_UNIT: _("belongs to no unit"),
        Why.STOPPED: _("%(place)s is not active, and nobody in it or under it may do anything"),
        Why.GLOBAL: _("only who may do everything reaches this"),
        Why.NOT_TOP: _("only a headquarters does this; is %(role)s of %(own)s"),
        Why.TOO_LOW: _("needs the role %(least)s; is %(role)s of %(own)s"),
        Why.ELSEWHERE: _("is %(role)s of %(own)s, and %(unit)s does not stand under it"),
    }[decision.why]


def _lacks_scope(token: Token, act: Act) -> str:
    fitting = ", ".join(name for name, acts in SCOPES.items() if act in acts)
    return _("the token “%(token)s” has none of these scopes: %(scopes)s") % {
        "token": token.name,
        "scopes": fitting,
    }
