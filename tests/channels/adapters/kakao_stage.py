"""KakaoTalk's adapter before a vendor: what its tests share."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from channels.adapters.base import Receipt, SendError, Target
from channels.adapters.kakao import KakaoAdapter, KakaoConfig
from channels.http import open_session
from channels.outgoing import networks
from tests.fakes import kakao
from tests.fakes.faults import Faults
from tests.fakes.kakao import FRIEND, TOKEN
from tests.fakes.serving import serving
from tests.fakes.wire import Answer, Fake, Request, json_answer

LINK = "https://ops.example/board"
CONFIG = KakaoConfig(kakao.CLIENT_ID, "", kakao.REFRESH_TOKEN, LINK)
PAYLOAD = {
    "messages": [
        {
            "object_type": "text",
            "text": "정각입니다 😀",
            "link": {"web_url": LINK, "mobile_web_url": LINK},
        }
    ]
}
ME, A_FRIEND = Target("me"), Target(FRIEND)
OK_ME = '{"result_code": 0}'
TOLD = {"access_token": "t1", "expires_in": 21_599, "token_type": "bearer"}
LOOPBACK = networks(["127.0.0.0/8"])


class Script:
    """A vendor that gives tokens, and one answer to every message."""

    def __init__(
        self,
        status: int,
        body: str,
        headers: dict[str, str] | None = None,
        token: Answer | None = None,
    ) -> None:
        self.status, self.body, self.headers = status, body, headers or {}
        self.token = token or json_answer(TOLD)
        self.latency = 0.0
        self.faults = Faults()
        self.log: list[Request] = []
        self.requests: Counter[str] = Counter()

    def handle(self, request: Request) -> Answer:
        self.requests[request.path] += 1
        if request.path == TOKEN:
            return self.token
        self.log.append(request)
        return Answer(self.status, self.body.encode(), self.headers)


def error(code: int) -> str:
    """How Kakao says no."""
    return json.dumps({"msg": "no", "code": code})


def outcome_of(
    fake: Fake, target: Target = ME, *, config: KakaoConfig = CONFIG, timeout: float = 5.0
) -> Receipt | SendError:
    """What one message to this vendor comes to."""

    async def scenario(adapter: KakaoAdapter) -> None:
        adapter.timeout = timeout
        try:
            outcomes.append(await adapter.send(target, PAYLOAD, uuid4()))
        except SendError as error:
            outcomes.append(error)

    outcomes: list[Receipt | SendError] = []
    with_adapter(fake, scenario, config=config)
    return outcomes[0]


def with_adapter(
    fake: Fake,
    scenario: Callable[[KakaoAdapter], Awaitable[Any]],
    *,
    config: KakaoConfig = CONFIG,
    clock: list[float] | None = None,
) -> None:
    """Run the scenario with an adapter before this fake. `clock`: seconds to put its loop on."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        if clock is not None:
            started = loop.time
            loop.time = lambda: started() + clock[0]  # type: ignore[method-assign]
        session = open_session(guarded=KakaoAdapter.guarded, allowed=LOOPBACK)
        async with serving(fake) as url, session as http:
            adapter = KakaoAdapter(config, http, account_id=7)
            adapter.host = url
            await scenario(adapter)

    asyncio.run(run())


async def send_to_me(adapter: KakaoAdapter) -> Receipt:
    return await adapter.send(ME, PAYLOAD, uuid4())
