"""Files of every kind and encoding become rows; hostile ones are refused in plain words."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from channels.people import table, text, workbook
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
