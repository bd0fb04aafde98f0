"""The steps of an import: look at the file, check it, take it in. Each may be repeated.

Checking and taking in yield how far they are, never while a transaction is open: whoever hears of
it may be slow.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from channels.models import (
    Account,
    Audience,
    Membership,
    Recipient,
    RecipientImport,
    Tag,
    Tagging,
)
from channels.people.checking import Checked, Entry, read, recognise
from channels.people.columns import guess
from channels.people.table import Row, encoding_of, is_workbook, preview, refuse_unusable, rows_of
from channels.people.unusable import UnusableFile
from logs import history
from orgs.bulk import AT_ONCE, insert, insert_new, update_each
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can_in
from orgs.refusal import OutOfReach

LARGE = 5_000  # rows after which the database must count anew what its tables hold
WRITING = -1  # is yielded when all rows are read and are about to be written
COLUMNS = ("name", "region", "language")

NOTED = ("encoding", "mapping", "stage", "rows", "created", "updated", "problems", "problem_count")

Stage = RecipientImport.Stage


@dataclass(frozen=True)
class Look:
    """What a file seems to be."""

    is_workbook: bool
    encoding: str
    mapping: dict[str, int]


def look_at(file: IO[bytes], size: int) -> Look:
    """What can be told without asking. Raises UnusableFile for what is no table."""
    refuse_unusable(file, size)
    if is_workbook(file):
        return Look(True, "", _guessed(file, size, ""))
    encoding = encoding_of(file)
    return Look(False, encoding, _guessed(file, size, encoding) if encoding else {})


def upload(
    *, by: Any, unit: Unit, account: Account, file: Any, audience: Audience | None = None
) -> RecipientImport:
    """Look at a file and keep it. Raises OutOfReach, ValidationError by field, UnusableFile."""
    if not can_in(by, Act.CREATE, RecipientImport, unit):
        raise OutOfReach(_("You cannot import people for this unit."))
    started = RecipientImport(unit=unit, account=account, audience=audience)
    started.clean()
    look = look_at(file.file, file.size)
    started.file, started.file_name = file, file.name.rpartition("/")[2][-100:]
    with transaction.atomic():
        begin(started, look, by=by)
        now = started.created_at
        history.record("created", started, by=by, now=now, unit_path=unit.path)
    return started


@transaction.atomic
def discard(started: RecipientImport, *, by: Any) -> None:
    """Forget the import, with its file. Who was imported stays."""
    path = started.unit.path
    history.record("deleted", started, by=by, now=database_now(), unit_path=path)
    started.delete()


def begin(started: RecipientImport, look: Look, *, by: Any) -> None:
    """Keep the upload. The caller has asked reach."""
    now = database_now()
    RecipientImport.objects.all().forget(now)
    started.created_at, started.created_by = now, by
    started.is_workbook, started.encoding = look.is_workbook, look.encoding
    started.mapping = look.mapping
    started.save()


def first_rows(started: RecipientImport, encoding: str = "") -> list[Row]:
    """The heading and some rows to look at. Raises UnusableFile."""
    if started.needs_encoding and not encoding:
        return []
    with _open(started) as file:
        return preview(file, size=started.file.size, encoding=encoding or started.encoding)


def check_rows(
    started: RecipientImport, *, encoding: str, mapping: Mapping[str, int]
) -> Iterator[int]:
    """Read the file with these columns, and note what is wrong in which line. Yields how many
    rows were read so far. Raises UnusableFile, also for what is wrong with the choice."""
    if "address" not in mapping:
        raise UnusableFile(_("Say which column holds the addresses."))
    if len(set(mapping.values())) < len(mapping):
        raise UnusableFile(_("A column can be one thing only."))
    if not encoding and not started.is_workbook:
        raise UnusableFile(_("Choose the encoding first."))
    started.encoding, started.mapping = encoding, dict(mapping)
    checked = yield from _read(started)
    _note(started, checked)
    values = {name: getattr(started, name) for name in NOTED}
    # Unless it was taken in meanwhile, in another window.
    RecipientImport.objects.exclude(stage=Stage.IMPORTED).filter(pk=started.pk).update(**values)


def run(started: RecipientImport, *, by: Any) -> Generator[int, None, bool]:
    """Write all rows, or, where something is wrong with one, none; then tidy up. Returns whether
    they are in, also when they were before. Yields how many rows were read so far, then WRITING.
    Raises UnusableFile."""
    if started.stage == Stage.CHECKED:
        checked = yield from _read(started)
        yield WRITING
        try:
            _take_in(started, checked, by=by)
        except ValidationError as error:
            raise UnusableFile(" ".join(error.messages)) from error
        except IntegrityError as error:
            message = _("Another import changed the same people meanwhile. Check once more.")
            raise UnusableFile(message) from error
    started.refresh_from_db()
    if started.stage == Stage.IMPORTED:
        _tidy_up(started)
    return started.stage == Stage.IMPORTED


@transaction.atomic
def _take_in(started: RecipientImport, checked: Checked, *, by: Any) -> None:
    # Held, so that a second click waits for the first and finds it done.
    locked = RecipientImport.objects.select_for_update().get(pk=started.pk)
    if locked.stage != Stage.CHECKED or locked.mapping != started.mapping:
        return
    locked.clean()
    _note(locked, checked)
    if locked.stage == Stage.CHECKED:
        _write(locked, checked.entries)
        locked.stage, locked.imported_at = Stage.IMPORTED, database_now()
        _record(locked, by)
    locked.save()


def _record(done: RecipientImport, by: Any) -> None:
    facts = {name: getattr(done, name) for name in ("rows", "created", "updated")}
    now, path = database_now(), done.unit.path
    history.record("imported", done, by=by, now=now, unit_path=path, changes=facts)


def _tidy_up(started: RecipientImport) -> None:
    """Outside the transaction: the file goes, and after many rows the database is asked to count
    what its tables hold; it would read the whole of them for a few people."""
    if started.file:
        started.drop_file()
    if started.rows >= LARGE and connection.vendor == "postgresql":
        tables = [model._meta.db_table for model in (Recipient, Tagging, Membership)]
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(map(connection.ops.quote_name, tables))}")


def _guessed(file: IO[bytes], size: int, encoding: str) -> dict[str, int]:
    heading = preview(file, size=size, encoding=encoding, count=1)
    if not heading:
        raise UnusableFile(_("The file is empty."))
    return guess(heading[0][1])


def _read(started: RecipientImport) -> Generator[int, None, Checked]:
    with _open(started) as file:
        rows = rows_of(file, size=started.file.size, encoding=started.encoding)
        shifts = not started.is_workbook  # whose cells name their columns
        return (yield from read(rows, started.mapping, account=started.account, may_shift=shifts))


def _open(started: RecipientImport) -> Any:
    try:
        return started.file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        message = _("The file is not there any more. Upload it once more.")
        raise UnusableFile(message) from error


def _note(started: RecipientImport, checked: Checked) -> None:
    recognise(checked, account=started.account, unit=started.unit)
    started.problems, started.problem_count = checked.problems, checked.problem_count
    started.updated = checked.updated
    started.rows = len(checked.entries)
    started.created = started.rows - started.updated
    is_right = not checked.problem_count and checked.entries
    started.stage = Stage.CHECKED if is_right else Stage.REFUSED


def _write(started: RecipientImport, entries: list[Entry]) -> None:
    _update_known(started, [entry for entry in entries if entry.known is not None])
    _insert_new(started, [entry for entry in entries if entry.known is None])
    _tag(started, entries)
    if started.audience_id:
        members = [
            Membership(audience_id=started.audience_id, recipient_id=known)
            for entry in entries
            if (known := entry.known) is not None  # of all: the new ones were just given ids
        ]
        insert_new(members)


def _insert_new(started: RecipientImport, entries: list[Entry]) -> None:
    people = [
        Recipient(
            unit_id=started.unit_id,
            account_id=started.account_id,
            address=entry.address,
            opted_out_at=entry.opted_out_at,
            **{name: getattr(entry, name) for name in COLUMNS},
        )
        for entry in entries
    ]
    insert(people, ids=True)
    for entry, person in zip(entries, people, strict=True):
        entry.known = person.pk


def _update_known(started: RecipientImport, entries: list[Entry]) -> None:
    """What the file says of them; where it is silent, what is known stays."""
    for name in COLUMNS:
        rows = [(getattr(entry, name), entry.known) for entry in entries if getattr(entry, name)]
        update_each(Recipient, [name], rows)
    _opt_out([entry.known for entry in entries if entry.opted_out_at])


def _opt_out(known: list[Any]) -> None:
    """From now on, whatever day the file names: what is planned already must leave them out."""
    now = database_now()
    for start in range(0, len(known), AT_ONCE):
        some = Recipient.objects.filter(pk__in=known[start : start + AT_ONCE], opted_out_at=None)
        some.update(opted_out_at=now)


def _tag(started: RecipientImport, entries: list[Entry]) -> None:
    """The tags of the file beside those that are borne."""
    words = {name for entry in entries for name in entry.tags}
    tags = Tag.objects.named(started.unit, sorted(words))
    borne = ((tags[name], entry) for entry in entries for name in entry.tags)
    insert_new([Tagging(tag=tag, recipient_id=int(entry.known or 0)) for tag, entry in borne])
