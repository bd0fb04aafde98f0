"""Timings in short, for the tables."""

from datetime import time

from schedules.recurrence import Kind, ShortMonth, Timing

NEW_YORK, LONDON, SEOUL = "America/New_York", "Europe/London", "Asia/Seoul"
SAO_PAULO, LORD_HOWE, APIA = "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"


def daily(zone, hour, minute=0):
    return Timing(Kind.DAILY, zone, time=time(hour, minute))


def every(zone, minutes):
    return Timing(Kind.INTERVAL, zone, every_minutes=minutes)


def weekly(zone, weekdays, hour):
    return Timing(Kind.WEEKLY, zone, weekdays=frozenset(weekdays), time=time(hour))


def monthly(zone, day, short_month=ShortMonth.LAST_DAY):
    return Timing(Kind.MONTHLY, zone, day_of_month=day, short_month=short_month, time=time(9))


def cron(zone, expression):
    return Timing(Kind.CRON, zone, cron=expression)


def once(zone, day, clock):
    return Timing(Kind.ONCE, zone, date=day, time=clock)


def peak(zone, peak_hours=range(8, 20)):
    return Timing(
        Kind.PEAK, zone, every_minutes=30, peak_minutes=15, peak_hours=frozenset(peak_hours)
    )
