"""To whom a fault happens, and how often."""

from tests.fakes.faults import FaultKind, Faults


def test_a_fault_is_for_the_addresses_that_begin_alike() -> None:
    faults = Faults()
    faults.add("reset", times=2, prefix="C1")
    assert [faults.take(to) for to in ("C01", "D1", "")] == [None, None, None]
    kinds = [fault and fault.kind for fault in map(faults.take, ("C10", "C11", "C12"))]
    assert kinds == [FaultKind.RESET, FaultKind.RESET, None]


def test_without_an_address_it_is_for_everybody() -> None:
    faults = Faults()
    faults.add("reset")
    assert faults.take("C01") is not None
    assert faults.take("C01") is None


def test_the_first_that_fits_is_taken() -> None:
    faults = Faults()
    faults.add("reset", prefix="C1")
    faults.add("html_200", to="C01")
    assert [fault and fault.kind for fault in map(faults.take, ("C01", "C11"))] == [
        FaultKind.HTML_200,
        FaultKind.RESET,
    ]
