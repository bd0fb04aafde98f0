"""What the fakes can be told to do wrong, and to whom."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """Each name says whether the message is accepted."""

    ACCEPT_THEN_DROP = "accept_then_drop"  # accepted, connection closed without an answer
    HANG_THEN_ACCEPT = "hang_then_accept"  # accepted after `seconds`, and only then answered
    HANG_NEVER_ACCEPT = "hang_never_accept"  # silence for `seconds`, then closed
    ERROR_BEFORE = "5xx_before"  # 500, not accepted
    ERROR_AFTER = "5xx_after"  # 500, accepted all the same
    RATE_LIMIT = "429_rate"  # not accepted
    MONTHLY_LIMIT = "429_monthly"  # not accepted
    RESET = "reset"  # connection reset, not accepted
    SLOW_DRIP = "slow_drip"  # accepted, answered byte by byte over `seconds`
    HUGE_BODY = "huge_body"  # accepted, answered with far more than anybody reads
    HTML_200 = "html_200"  # a page with status 200, as captive portals answer


@dataclass
class Fault:
    """One kind of misbehaviour for the next `times` requests, to one address only or to those
    that begin with `prefix`, if given."""

    kind: FaultKind
    times: int = 1
    to: str = ""
    seconds: float = 0.3
    prefix: str = ""

    def is_for(self, to: str) -> bool:
        return self.to in ("", to) and to.startswith(self.prefix)


class Faults:
    """The faults that wait for their requests."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(
        self, kind: str, times: int = 1, to: str = "", seconds: float = 0.3, prefix: str = ""
    ) -> None:
        self.waiting.append(Fault(FaultKind(kind), times, to, seconds, prefix))

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, to: str) -> Fault | None:
        """The fault for a request to this address; it is then used up by one."""
        for fault in self.waiting:
            if fault.is_for(to):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
