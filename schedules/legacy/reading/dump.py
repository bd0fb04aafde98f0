"""Rows from a dump as mysqldump, mariadb-dump and phpMyAdmin write it.

Read piece by piece: a dump may be larger than the memory.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from schedules.legacy.reading.record import Record, Unusable

PIECE = 1024 * 1024  # characters

# Possessive: a text that goes on in the next piece must not be tried in every way.
TOKEN = re.compile(
    r"""(?P<space>\s++)
      | (?P<comment>--[^\n]*+\n|\#[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/)
      | (?P<text>'(?:[^'\\]++|\\.|'')*+')
      | (?P<name>`(?:[^`]++|``)*+`)
      | (?P<word>[\w.+@-]++)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
OPENING = ("'", "`", "/", "#")  # what may be the first character of something longer
ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
MEANING = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "Z": "\x1a"}
PREFIXES = {"_binary", "_utf8", "_utf8mb3", "_utf8mb4", "_latin1", "n"}


class Token(NamedTuple):
    """A piece of SQL, the kind of it, and its line."""

    kind: str
    text: str
    line: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words

    @property
    def name(self) -> str:
        """As the name of a table or column; of `base`.`table` only the latter."""
        bare = self.text[1:-1].replace("``", "`") if self.kind == "name" else self.text
        return bare.rpartition(".")[2]


Tokens = Iterator[Token]


class Dump:
    """A dump, plain or gzip."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tables(self) -> set[str]:
        return {table for table, _columns, _rows in self._inserts(None)}

    def count(self, table: str) -> int | None:
        return None

    def rows(self, table: str) -> Iterator[Record]:
        for _table, columns, tokens in self._inserts(table):
            for values, line in self._tuples(tokens):
                if len(values) != len(columns):
                    words = f"{len(values)} values for {len(columns)} columns"
                    raise self._wrong(line, f"{table} has {words}")
                yield Record(dict(zip(columns, values, strict=True)), f"line {line}")

    def _inserts(self, wanted: str | None) -> Iterator[tuple[str, list[str], Tokens]]:
        """Each INSERT: the table, its columns, and the tokens that follow VALUES."""
        known: dict[str, list[str]] = {}
        tokens = self._tokens()
        for token in tokens:
            if token.is_word("CREATE"):
                known.update(_created(tokens))
            elif token.is_word("INSERT", "REPLACE"):
                table, columns, line = _target(tokens)
                columns = columns or known.get(table, [])
                if not table:
                    continue
                if table == wanted and not columns:
                    words = "does not say what its columns are: export with CREATE TABLE"
                    raise self._wrong(line, f"the dump of {table} {words}")
                if wanted in (None, table):
                    yield table, columns, tokens
                if table != wanted:
                    _skip(tokens)
            elif token.text != ";":
                _skip(tokens)

    def _tuples(self, tokens: Tokens) -> Iterator[tuple[list[str | None], int]]:
        for token in tokens:
            if token.text == ";":
                return
            if token.text == "(":
                yield self._tuple(tokens), token.line
            elif token.text != ",":
                raise self._wrong(token.line, f"“{token.text[:30]}” stands where a row should")

    def _tuple(self, tokens: Tokens) -> list[str | None]:
        values: list[str | None] = []
        for token in tokens:
            if token.text == ")":
                return values
            if token.kind == "text":
                values.append(ESCAPED.sub(_meant, token.text[1:-1]))
            elif token.is_word("NULL"):
                values.append(None)
            elif token.kind == "word" and token.text.lower() not in PREFIXES:
                values.append(token.text)
            elif token.kind != "word" and token.text != ",":
                raise self._wrong(token.line, f"“{token.text[:30]}” stands where a value should")
        raise Unusable(f"{self._path}: it ends in the middle of a row. Is it complete?")

    def _tokens(self) -> Tokens:
        """All but spaces and comments."""
        buffer, start, line, is_last = "", 0, 1, False
        with _open(self._path) as file:
            while True:
                found = TOKEN.match(buffer, start)
                if not is_last and (found is None or _may_go_on(found, buffer)):
                    piece = self._piece(file, line)
                    buffer, start, is_last = buffer[start:] + piece, 0, not piece
                    continue
                if found is None:
                    return
                kind, text = str(found.lastgroup), found[0]
                if kind == "mark" and text in ("'", "`"):
                    raise self._wrong(line, "a text begins that does not end. Is it complete?")
                if kind not in ("space", "comment"):
                    yield Token(kind, text, line)
                line += text.count("\n")
                start = found.end()

    def _piece(self, file: IO[str], line: int) -> str:
        try:
            return file.read(PIECE)
        except UnicodeDecodeError as error:
            raise self._wrong(line, "what follows is not UTF-8. Export it so") from error
        except (OSError, EOFError) as error:
            raise self._wrong(line, str(error)) from error

    def _wrong(self, line: int, words: str) -> Unusable:
        return Unusable(f"{self._path}, line {line}: {words}.")


def _may_go_on(found: "re.Match[str]", buffer: str) -> bool:
    """Whether more characters could make another token of it."""
    is_opening = found.lastgroup == "mark" and found[0] in OPENING
    return (
        found.end() == len(buffer)
        or is_opening
        or (found.lastgroup == "word" and found[0].startswith("--"))
    )


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _created(tokens: Tokens) -> dict[str, list[str]]:
    """The columns of a CREATE TABLE; nothing for any other CREATE."""
    columns: list[str] = []
    table, depth, begins = "", 0, False
    for token in tokens:
        if token.text == ";":
            break
        if token.text == "(":
            depth, begins = depth + 1, depth == 0
            continue
        if token.text == ")":
            depth -= 1
        if token.kind == "name" and not depth:
            table = token.name
        elif token.kind == "name" and depth == 1 and begins:
            columns.append(token.name)
        begins = depth == 1 and token.text == ","
    return {table: columns}


def _target(tokens: Tokens) -> tuple[str, list[str], int]:
    """The table of an INSERT, the columns if it names them, and its line. VALUES is passed; a
    statement that has none is at its end, and its table then is ""."""
    columns: list[str] = []
    table, line, is_inside = "", 0, False
    for token in tokens:
        if token.is_word("VALUES", "VALUE"):
            return table, columns, line
        if token.text == ";":
            break
        is_inside = is_inside or token.text == "("
        if token.kind not in ("name", "word"):
            continue
        if is_inside:
            columns.append(token.name)
        else:
            table, line = token.name, token.line
    return "", [], line


def _skip(tokens: Tokens) -> None:
    """To the end of the statement."""
    for token in tokens:
        if token.text == ";":
            return


def _meant(found: "re.Match[str]") -> str:
    return MEANING.get(found[1], found[1]) if found[1] else "'"
