"""What the takers of all tables share: the import that is under way, and its batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Protocol, TypeVar

from logs import history
from schedules.actions.register import activate, summary
from schedules.legacy.known import digest_of, known
from schedules.legacy.pictures import Pictures
from schedules.legacy.places import Places
from schedules.legacy.reading import Record
from schedules.legacy.report import Finding, Report
from schedules.legacy.values import Unreadable, Values
from schedules.models import LegacyRow, Schedule
from schedules.recurrence import Kind
from schedules.states import ScheduleState, move

AT_ONCE = 500


class Identified(Protocol):
    """A row as it was read."""

    @property
    def legacy_id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)
Progress = Callable[[int], None]


@dataclass
class Import:
    """One import: from where, into what, by whom, at what time."""

    source: str
    now: datetime
    by: Any
    places: Places
    pictures: Pictures
    report: Report
    is_paused: bool = False

    def refuse(self, table: str, record: Record, error: Unreadable) -> None:
        """Report a row that cannot be taken."""
        row = record.values.get("id") or ""
        self.report.refuse(Finding(table, row, error.column, error.why, record.place))

    def note(self, table: str, record: Record, why: str, column: str = "") -> None:
        """Report something of a row that was taken."""
        row = record.values.get("id") or ""
        self.report.notes.append(Finding(table, row, column, why, record.place))

    def remember(self, table: str, row: Identified, object_id: int) -> None:
        """This row was taken, and became that."""
        LegacyRow.objects.create(
            source=self.source,
            table=table,
            legacy_id=row.legacy_id,
            object_id=object_id,
            digest=digest_of(row),
            imported_at=self.now,
        )

    def compare(self, table: str, record: Record, row: Identified, known: LegacyRow) -> None:
        """Count a row that was taken before; report it where it says something else by now."""
        if known.digest == digest_of(row):
            self.report.count(table, "known")
            return
        self.report.count(table, "changed")
        why = "it was changed there after it was imported; here it stays as it was"
        self.note(table, record, why)

    def batches(
        self,
        table: str,
        records: Iterable[Record],
        read: Callable[[Values], Row],
        progress: Progress,
    ) -> Iterator[tuple[list[tuple[Record, Row]], dict[str, LegacyRow]]]:
        """The rows that can be read, so many at a time, and those of them that were taken
        before. What cannot be read is reported."""
        remaining = iter(records)
        while batch := list(islice(remaining, AT_ONCE)):
            rows: dict[str, tuple[Record, Row]] = {}
            for record in batch:
                try:
                    row = read(record.values)
                    if rows.setdefault(row.legacy_id, (record, row))[0] is not record:
                        raise Unreadable("id", "another row has it too")
                except Unreadable as error:
                    self.refuse(table, record, error)
            yield list(rows.values()), known(self.source, table, rows.keys())
            progress(len(batch))


def enter(schedule: Schedule, to: ScheduleState, of: str, taking: Import) -> None:
    """From the draft as which it was stored to the state in which it comes; `of`: the table and
    the id there."""
    if to != ScheduleState.DRAFT:
        activate(schedule, taking.now, by=taking.by)
    if to not in (ScheduleState.DRAFT, ScheduleState.ACTIVE):
        move(Schedule.objects.filter(pk=schedule.pk), to, next_due_at=None)
    facts = summary(schedule) | {"from": f"{taking.source}: {of}", "state": to}
    history.record(
        "imported", schedule, by=taking.by, now=taking.now, unit_path=schedule.unit.path,
        changes=facts,
    )  # fmt: skip


def passed(schedule: Schedule) -> str:
    """Why a schedule with nothing to come is completed."""
    if schedule.timing_kind == Kind.ONCE:
        return "its time has passed; it came as completed, and is not sent"
    return "its validity has ended; it came as completed"


def to_look_at(problems: Mapping[str, Sequence[str]], *others: str) -> str:
    """Why a schedule that a person would have to mend comes as a draft."""
    listed = [f"{field}: {' '.join(texts)}" for field, texts in problems.items()]
    return f"it came as a draft, to be looked at: {'; '.join(listed or others)}".rstrip(".")
