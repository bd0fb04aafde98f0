"""Bars and lines on standard error: for whoever looks on, and for nobody else."""

from io import StringIO

from schedules.management.progress import Bar, Status


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_fills_and_ends_its_line_when_all_is_done() -> None:
    out = Terminal()
    bar = Bar("files", 4, out)
    bar(1)
    bar(3)
    assert out.getvalue().split("\r")[1:] == [
        f"files [{'#' * 7}{' ' * 23}] 1 of 4", f"files [{'#' * 30}] 4 of 4\n",
    ]  # fmt: skip


def test_more_than_was_foreseen_overflows_no_bar() -> None:
    out = Terminal()
    Bar("files", 2, out)(5)
    assert out.getvalue() == f"\rfiles [{'#' * 30}] 5 of 2\n"


def test_without_an_end_only_the_number_is_told() -> None:
    out = Terminal()
    bar = Bar("rows", None, out)
    bar(500)
    bar(20)
    assert out.getvalue() == "\rrows 500\rrows 520"


def test_a_line_that_changes_is_written_over_and_taken_away() -> None:
    out = Terminal()
    status = Status(out)
    status("planned …")
    status("sent")
    status.end()
    assert out.getvalue() == "\r\033[Kplanned …\r\033[Ksent\r\033[K"


def test_a_file_or_a_pipe_gets_none_of_it() -> None:
    out = StringIO()
    Bar("files", 1, out)(1)
    status = Status(out)
    status("sent")
    status.end()
    assert out.getvalue() == ""
