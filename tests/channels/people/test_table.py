"""Files of every kind and encoding become rows; hostile ones are refused in plain words."""

from datetime import date, datetime, time, timedelta
from io import BytesIO
from zipfile import ZipFile

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904, to_excel

from channels.people import dates, table, text, workbook
from channels.people.table import encoding_of, preview, refuse_unusable, rows_of
from channels.people.unusable import UnusableFile
from tests.channels.people import workbooks

KOREAN = "주소,이름,지역\nU1,김민준,서울특별시\nU2,이서연,부산광역시\n"
TAIWANESE = "地址,姓名,地區\nU1,陳怡君,臺北市信義區\nU2,林志明,臺南市中西區\n"


def read(data: bytes, encoding: str = "utf-8-sig") -> list[tuple[int, list[str]]]:
    return list(rows_of(BytesIO(data), size=len(data), encoding=encoding))


def refusal(data: bytes, encoding: str = "utf-8-sig") -> str:
    with pytest.raises(UnusableFile) as caught:
        refuse_unusable(BytesIO(data), len(data))
        encoding_of(BytesIO(data))
        read(data, encoding)
    return str(caught.value)


# Texts


@pytest.mark.parametrize(
    ("words", "encoding", "guessed"),
    [
        (KOREAN, "utf-8", "utf-8-sig"),
        (KOREAN, "utf-8-sig", "utf-8-sig"),
        (KOREAN, "utf-16", "utf-16"),
        (KOREAN, "cp949", "cp949"),
        (TAIWANESE, "utf-8", "utf-8-sig"),
        (TAIWANESE, "utf-16", "utf-16"),
        (TAIWANESE, "cp950", "cp950"),
        ("id,name\nU1,Ann\n", "ascii", "utf-8-sig"),
    ],
)
def test_the_encoding_is_recognised(words, encoding, guessed):
    data = words.encode(encoding)
    assert encoding_of(BytesIO(data)) == guessed
    heading, first, *_rest = read(data, guessed)
    assert heading == (1, words.splitlines()[0].split(","))
    assert first == (2, words.splitlines()[1].split(","))


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_letter_cut_in_two_by_the_look_does_not_matter(monkeypatch, cut):
    monkeypatch.setattr(text, "LOOKED_AT", len("주소,이름".encode()) + cut)
    assert encoding_of(BytesIO(KOREAN.encode())) == "utf-8-sig"


def test_where_nobody_can_tell_a_person_is_asked():
    assert encoding_of(BytesIO("id,ñandú\n".encode("latin-1"))) == ""


def test_the_wrong_encoding_says_so_with_its_line():
    assert "CP949" in refusal("id\n한\n".encode(), "cp949")
    assert refusal("a\nb\n\xff\n".encode("latin-1"), "utf-8-sig").startswith("After line ")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_commas_semicolons_and_tabs_divide_columns(delimiter):
    data = f'id{delimiter}name\nU1{delimiter}"a{delimiter}b"\n'.encode()
    assert read(data) == [(1, ["id", "name"]), (2, ["U1", f"a{delimiter}b"])]


def test_lines_are_counted_as_an_editor_counts_them():
    assert read(b'id,name\r\n\r\nU1,"two\nlines"\r\nU2,b\r\n') == [
        (1, ["id", "name"]), (4, ["U1", "two\nlines"]), (5, ["U2", "b"]),
    ]  # fmt: skip


def test_a_quotation_that_never_ends_is_refused():
    assert "quotation mark" in refusal(b'id,name\nU1,"a\n')
    assert "quotation mark" in refusal(b'id,name\nU1,"' + b"a" * 200_000 + b'"\n')


# Workbooks


def test_cells_are_read_as_excel_shows_them():
    shared = (
        '<si><t>U1</t></si><si><r><t>김</t></r><r><t xml:space="preserve"> 민준</t></r>'
        "<rPh><t>reading</t></rPh></si>"
    )
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row><row r="2"/>'
        '<row r="3"><c r="A3" t="s"><v>0</v></c><c r="C3" t="s"><v>1</v></c>'
        '<c r="D3"><v>8.21012345678E11</v></c><c r="E3"><v>1.5</v></c>'
        '<c r="F3" t="str"><f>1+1</f><v>2</v></c><c r="G3" t="s"><v>99</v></c></row>'
    )
    assert read(workbooks.workbook(rows, shared)) == [
        (1, ["id"]), (3, ["U1", "", "김 민준", "821012345678", "1.5", "=1+1", ""]),
    ]  # fmt: skip


def test_rows_without_numbers_are_counted():
    data = workbooks.table(["id", "name"], ["U1", "A & B"])
    assert read(data) == [(1, ["id", "name"]), (2, ["U1", "A & B"])]


@pytest.mark.parametrize("target", ["worksheets/people.xml", "/xl/worksheets/people.xml"])
def test_the_sheet_that_stands_first_is_read(target):
    relations = workbooks.RELATIONS.replace("worksheets/people.xml", target)
    rows = '<row><c t="inlineStr"><is><t>id</t></is></c></row>'
    data = workbooks.workbook(rows, **{"xl/_rels/workbook.xml.rels": relations})
    assert read(data) == [(1, ["id"])]


# Files that other programs wrote


def of_xlsxwriter(fill) -> bytes:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        fill(book)
    return buffer.getvalue()


def test_a_file_of_another_program_is_read_as_a_person_reads_it():
    def fill(book):
        sheet = book.add_worksheet("People")
        book.add_worksheet("Notes").write(0, 0, "another sheet")
        day, minute = (
            book.add_format({"num_format": "yyyy-mm-dd"}),
            book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        )
        sheet.write_row(0, 0, ["id", "name", "since", "seen", "sum", "is new"])
        sheet.write(1, 0, 821012345678)
        sheet.write_rich_string(1, 1, "김", book.add_format({"bold": True}), "민준")
        sheet.write_datetime(1, 2, date(2026, 11, 25), day)
        sheet.write_datetime(1, 3, datetime.fromisoformat("2026-11-25T09:30"), minute)
        sheet.write_formula(1, 4, "=A2+1", None, 7)
        sheet.write_boolean(1, 5, True)
        sheet.merge_range(4, 0, 4, 1, "merged")  # rows 3 and 4 are empty
        sheet.write_blank(6, 3, None, day)
        sheet.autofilter(0, 0, 4, 5)
        sheet.freeze_panes(1, 0)

    assert read(of_xlsxwriter(fill)) == [
        (1, ["id", "name", "since", "seen", "sum", "is new"]),
        (2, ["821012345678", "김민준", "2026-11-25", "2026-11-25 09:30:00", "=A2+1", "TRUE"]),
        (5, ["merged"]),
    ]  # fmt: skip


def test_a_file_that_openpyxl_wrote_is_read():
    book = openpyxl.Workbook()
    book.active.append(["id", "n"])
    book.active.append(["U1", 1.5])
    book.active["D7"] = timedelta(hours=30)  # a duration is no day
    buffer = BytesIO()
    book.save(buffer)
    assert read(buffer.getvalue()) == [
        (1, ["id", "n"]), (2, ["U1", "1.5"]), (7, ["", "", "", "1.25"]),
    ]  # fmt: skip


def test_characters_that_excel_escapes_are_read_as_they_were_typed():
    texts = ["a\x1fb", "_x000D_", "under_score_x"]
    for options in ({}, {"constant_memory": True}):  # shared texts, and texts in their cells
        buffer = BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
            book.add_worksheet().write_row(0, 0, texts)
        assert read(buffer.getvalue()) == [(1, texts)]
    cells = '<row><c t="inlineStr"><is><t>_xD83D__xDE00_ _xD83D_</t></is></c></row>'
    assert read(workbooks.workbook(cells)) == [(1, ["😀 \ufffd"])]


def test_a_hidden_sheet_is_passed_over():
    def fill(book):
        hidden, shown = book.add_worksheet("Lists"), book.add_worksheet("People")
        hidden.write(0, 0, "hidden")
        shown.write(0, 0, "id")
        shown.activate()
        hidden.hide()

    assert read(of_xlsxwriter(fill)) == [(1, ["id"])]


def test_a_sheet_that_is_a_chart_is_passed_over():
    def fill(book):
        front, sheet = book.add_chartsheet("Chart"), book.add_worksheet("People")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=People!$A$1:$A$2"})
        front.set_chart(chart)
        sheet.write(0, 0, "id")

    assert read(of_xlsxwriter(fill)) == [(1, ["id"])]


@pytest.mark.parametrize("cells", ["{=SUM(A1:A2)}", '=HYPERLINK("x")'])
def test_a_formula_is_never_what_it_comes_to(cells):
    def fill(book):
        sheet = book.add_worksheet()
        write = sheet.write_array_formula if cells.startswith("{") else sheet.write_formula
        write(*((0, 0, 0, 0) if cells.startswith("{") else (0, 0)), cells, None, "3")

    ((_line, (cell,)),) = read(of_xlsxwriter(fill))
    assert cell == cells.strip("{}")


FORMATS = [
    "General", "0", "0.00", "#,##0", "@", "0%", "yyyy-mm-dd", "yy/m/d h:mm", "h:mm AM/PM",
    "mm:ss.0",
    'yyyy"년" m"월" d"일"', "[$-404]e/m/d", "[Red]0", '#,##0" days"', "0\\d",
]  # fmt: skip


@pytest.mark.parametrize("since_1904", [False, True])
def test_days_are_told_from_numbers_as_other_programs_do(since_1904):
    book = openpyxl.Workbook()
    if since_1904:
        book.epoch = CALENDAR_MAC_1904
    for line, code in enumerate(FORMATS, 1):
        book.active.cell(line, 1, 46351.5).number_format = code
    buffer = BytesIO()
    book.save(buffer)
    theirs = openpyxl.load_workbook(BytesIO(buffer.getvalue()), read_only=True).active.values
    ours = [cells[0] for _line, cells in read(buffer.getvalue())]
    assert ours == [str(value) for (value,) in theirs]


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.datetimes(datetime(1900, 3, 1), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_every_second_since_1900_is_read_as_it_was_written(at):
    at = at.replace(microsecond=0)
    said = dates.in_words(repr(to_excel(at)))
    assert said == (at.date().isoformat() if at.time() == time() else str(at))


# Hostile files


def zipped(**files: bytes) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no table"),
        (b"%PDF-1.7\n\x00\x01", "no table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (zipped(a=b"b"), "no Excel workbook"),
        (b"PK\x03\x04 and nothing of the kind", "damaged"),
        (workbooks.table(["id"])[:-30], "damaged"),
        (workbooks.workbook("<row>"), "damaged"),
        (workbooks.workbook("", **{"xl/workbook.xml": "<workbook/>"}), "no sheet"),
        (workbooks.workbook('<row r="x"/>'), "damaged"),
        (workbooks.workbook('<row><c t="s"><v>x</v></c></row>'), "damaged"),
        (workbooks.workbook("", **{"xl/workbook.xml": '<workbook><sheet name="a"/></workbook>'}),
         "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_plain_words(data, said):
    if data.startswith(b"PK"):
        with pytest.raises(UnusableFile, match=said):
            read(data)
    else:
        assert said in refusal(data)


def test_entities_that_multiply_are_refused():
    entities = '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">'
    bomb = f"<!DOCTYPE x [{entities}]><sst><si>&b;</si></sst>"
    data = workbooks.workbook("", **{"xl/sharedStrings.xml": bomb})
    with pytest.raises(UnusableFile, match="damaged"):
        read(data)


def test_what_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_OF_A_SHEET", 1_000_000)
    monkeypatch.setattr(workbook, "MOST_UNPACKED", {workbook.SHARED: 1_000_000})
    spaces = " " * 5_000_000
    for data in (workbooks.workbook(spaces), workbooks.workbook("", spaces)):
        assert len(data) < 50_000
        with pytest.raises(UnusableFile, match="far more"):
            read(data)


def test_more_texts_than_any_sheet_has_are_refused(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_TEXTS", 2)
    with pytest.raises(UnusableFile, match="far more"):
        read(workbooks.workbook("", "<si/>" * 3))


@pytest.mark.parametrize("cell", ["<is><t>{}</t></is>", "<v>{}</v>", "<f>{}</f>"])
def test_a_cell_longer_than_excel_lets_it_be_is_refused(cell):
    longest = workbook.LONGEST_TEXT
    sheet = "<row>" + '<c t="inlineStr">' + cell.format("a" * 8 * longest) + "</c></row>"
    for data in (
        workbooks.workbook(sheet),
        workbooks.workbook("", "<si>" + f"<t>{'a' * longest}</t>" * 2 + "</si>"),
    ):
        with pytest.raises(UnusableFile, match="far more"):
            read(data)


def test_a_tag_that_does_not_end_is_not_begun_anew_for_ever():
    data = workbooks.workbook(f'<row r="1" name="{"a" * 4 * workbook.LONGEST_TAG}"/>')
    with pytest.raises(UnusableFile, match="far more"):
        read(data)


def test_more_tags_than_any_table_has_are_refused(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_TAGS", 20_000)
    assert read(workbooks.workbook("<row/>" * 15_000)) == []
    with pytest.raises(UnusableFile, match="far more"):
        read(workbooks.workbook("<row/>" * 100_000))


def test_a_part_that_says_it_is_smaller_than_it_is_gives_out_no_more():
    data = workbooks.workbook(" " * 300_000)
    lied = data.replace(len_of(data, "xl/worksheets/people.xml"), (1_000).to_bytes(4, "little"))
    assert lied != data
    with pytest.raises(UnusableFile, match="damaged"):
        read(lied)


def len_of(data: bytes, part: str) -> bytes:
    """How long the part is, as the archive writes it."""
    with ZipFile(BytesIO(data)) as archive:
        return archive.getinfo(part).file_size.to_bytes(4, "little")


def test_a_cell_far_to_the_right_makes_no_long_row():
    data = workbooks.workbook('<row><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row>')
    assert read(data) == [(1, ["1"])]
    assert len(read(b"," * 5_000 + b"x\n" + b"1\n")[1][1]) == 1


def test_too_many_rows_and_too_many_bytes_are_refused_with_the_limit(monkeypatch):
    monkeypatch.setattr(table, "MOST_ROWS", 3)
    assert len(read(b"id\n1\n2\n3\n")) == 4
    assert "at most 3" in refusal(b"id\n1\n2\n3\n4\n")
    monkeypatch.setattr(table, "MOST_BYTES", 5)
    assert "too large" in refusal(b"id\n1\n2\n")


def test_a_look_reads_no_further_than_it_must():
    assert len(preview(BytesIO(b"id\n" * 100), size=300, encoding="utf-8-sig")) == 6
