"""Workbooks as Excel writes them, as small as they can be."""

from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="People" sheetId="1" r:id="rId9"/><sheet name="Other" sheetId="2" r:id="rId2"/>'
    "</sheets></workbook>"
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId2" Type="t" Target="worksheets/other.xml"/>'
    '<Relationship Id="rId9" Type="t" Target="worksheets/people.xml"/></Relationships>'
)


def workbook(rows: str, shared: str = "", **files: str | bytes) -> bytes:
    """A workbook of which the first sheet holds this XML of rows."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        "xl/worksheets/other.xml": f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>',
        "xl/worksheets/people.xml": (
            f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        ),
        **files,
    }
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def table(*rows: list[str]) -> bytes:
    """A workbook of these texts."""
    lines = (
        "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        for row in rows
    )
    return workbook("".join(f"<row>{cells}</row>" for cells in lines))
