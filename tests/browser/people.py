"""The person in front of the browser."""

from orgs.models import User


def speaks(person: User, language: str) -> User:
    """The same person, fresh from the database, in this language."""
    User.objects.filter(pk=person.pk).update(language=language)
    return User.objects.get(pk=person.pk)
