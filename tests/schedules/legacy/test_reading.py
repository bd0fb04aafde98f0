"""Whatever a source is, its rows are read as they stand there, and what is wrong is named."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.legacy.reading import Unusable, dump, open_source
from tests.schedules.legacy import stage
from tests.schedules.legacy.conftest import OldDatabase

TRICKY = "It's \\ \"quoted\", (1),(2); -- no comment\n/* nor */ `this` 방 \\' \t☕"


def rows_of(*paths: Path, table: str = "kb_schedule") -> list[dict[str, str | None]]:
    return [record.values for record in open_source([str(path) for path in paths]).rows(table)]


@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), max_size=4))
def test_every_text_comes_out_of_a_dump_as_it_went_in_wherever_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("dump") / "dump.sql"
    rows = [stage.schedule(number, title=text) for number, text in enumerate(texts)]
    path.write_text(stage.dump(kb_schedule=rows or [stage.schedule(1)]), newline="")
    for piece in (3, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dump, "PIECE", piece)
            assert [row["title"] for row in rows_of(path)][: len(texts)] == texts


def test_what_mysqldump_writes_is_read_as_the_database_is(
    mariadb: OldDatabase, tmp_path: Path
) -> None:
    tool = shutil.which("mariadb-dump") or shutil.which("mysqldump")
    if tool is None:
        pytest.skip("no mysqldump here")
    rows = [stage.schedule(1, title=TRICKY), stage.schedule(2, valid_from=None)]
    mariadb.fill({"kb_schedule": rows, "kb_schedule_logs": [stage.log(1, 2)]})
    path = tmp_path / "old.sql"
    words = [tool, "--host=127.0.0.1", "--user=root", mariadb.name]
    path.write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
    source = open_source([mariadb.url])
    assert open_source([str(path)]).tables() == source.tables()
    for table in ("kb_schedule", "kb_schedule_logs"):
        found = [record.values for record in source.rows(table)]
        assert rows_of(path, table=table) == found
    assert found and source.count("kb_schedule") == 2


def test_names_of_columns_and_other_statements_and_gzip_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    text = (
        "# phpMyAdmin\nSET NAMES utf8mb4;\nINSERT INTO other VALUES ('; kb_schedule (');\n"
        "REPLACE INTO `old`.`kb_schedule` (`title`, `id`) VALUES\n"
        "(_utf8mb4'하나', 1),\n('둘''', -2);"
    )
    path.write_bytes(gzip.compress(text.encode()))
    assert rows_of(path) == [{"title": "하나", "id": "1"}, {"title": "둘'", "id": "-2"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.sql", b"INSERT INTO `kb_schedule` (`id`) VALUES\n(1),\n('x", "line 3: a text begins"),
        ("a.sql", b"INSERT INTO `kb_schedule` (`id`) VALUES (1", "middle of a row"),
        ("a.sql", b"\nINSERT INTO `kb_schedule` VALUES (1);", "line 2: .* CREATE TABLE"),
        ("a.sql", b"INSERT INTO `kb_schedule` (`id`) VALUES\n(1,2);", "line 2: .* 2 values for 1"),
        ("a.sql", b"INSERT INTO `kb_schedule` (`id`) VALUES\n(\xb9\xe6);", "not UTF-8"),
        ("kb_schedule.csv", b"title\nx", "line 1: .* name the columns"),
        ("kb_schedule.csv", b"id,title\n1,x\n2\n", "line 3: 1 values"),
        ("kb_schedule.csv", b'id,title\n1,"x\n', "unexpected end of data"),
        ("kb_schedule.csv", b"id,title\n1,\xb9\xe6\n", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Unusable, match=message):
        rows_of(path)


def test_a_csv_row_knows_its_line_and_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text('\ufeffid,title,description\n1,"two\nlines",\\N\n2,x,NULL\n')
    records = list(open_source([f"kb_schedule={path}"]).rows("kb_schedule"))
    assert [record.place for record in records] == ["line 2", "line 4"]
    assert records[0].values == {"id": "1", "title": "two\nlines", "description": None}
