"""What a message costs, as a channel bills it: requests × people. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Of one run through one account. `messages` is what each person sees."""

    requests: int
    people: int
    messages: int
    is_estimate: bool = False  # how many people a room has, its channel did not tell
    is_least: bool = False  # there are more people than were counted

    @property
    def billed(self) -> int:
        return self.requests * self.people

    @property
    def saved(self) -> int:
        """What packing several messages into one request spares."""
        return (self.messages - self.requests) * self.people


def requests_for(messages: int, per_request: int, *, spaced: bool) -> int:
    """How many requests so many messages are: with seconds between them one each."""
    return messages if spaced else -(-messages // per_request)
