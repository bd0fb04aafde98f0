"""Public holidays of a country, from the `holidays` package."""

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from holidays import country_holidays
from holidays.registry import EntityLoader


@cache
def countries() -> frozenset[str]:
    """The country codes whose holidays are known."""
    return frozenset(EntityLoader.get_country_codes())


@lru_cache(maxsize=512)
def public_holidays(country: str, year: int) -> Mapping[date, str]:
    """The holidays of a year with their names in the country's own language."""
    # The package fills a year into a shared calendar bit by bit, so another thread could see it
    # half full; and without a language its names would depend on the machine's locale.
    language = country_holidays(country).default_language
    return dict(country_holidays(country, years=year, language=language))
