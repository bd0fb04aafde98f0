"""A phone with MessengerBot R: runs the very script of ours, in a JavaScript engine, against the
real endpoints. `log` holds what its rooms saw. It can lose answers, die, and be in two minds.

The engine (Duktape) knows about as much JavaScript as the app's (Rhino) for certain does. What
the app brings along (jsoup, FileStream, Api, timers) is made here, as its script sees it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import dukpy

# What the script gets from the app. A dead phone does nothing any more.
APP = """
function Died() { this.message = 'died'; }
function ask(what, values) {
  var said = JSON.parse(call_python('app', what, JSON.stringify(values)));
  if (said.error) throw new Error(said.error);
  return said.value;
}
var org = { jsoup: { Connection: { Method: { GET: 'GET', POST: 'POST' } }, Jsoup: {
  connect: function (url) {
    var request = { url: url, headers: {}, body: null, verb: 'GET' };
    return {
      header: function (name, value) { request.headers[name] = value; return this; },
      requestBody: function (body) { request.body = body; return this; },
      method: function (verb) { request.verb = verb; return this; },
      ignoreContentType: function (on) { request.takesAnyType = on; return this; },
      ignoreHttpErrors: function (on) { request.takesErrors = on; return this; },
      followRedirects: function (on) { request.follows = on; return this; },
      timeout: function (ms) { request.ms = ms; return this; },
      execute: function () {
        var answer = ask('http', request);
        return {
          statusCode: function () { return answer.status; },
          body: function () { return answer.body; }
        };
      }
    };
  }
} } };
var FileStream = {
  read: function (path) { return ask('read', { path: path }); },
  write: function (path, text) { ask('write', { path: path, text: text }); }
};
var Api = { replyRoom: function (room, text) { return ask('type', { room: room, text: text }); } };
var __timers = [];
function setInterval(work, ms) { __timers.push(work); return __timers.length; }
function clearInterval(number) { __timers[number - 1] = null; }
function __tick() { __timers.forEach(function (work) { if (work) work(); }); }
"""

Http = Callable[[str, str, dict[str, str], str], tuple[int, str]]


@dataclass
class Phone:
    """One phone. `http` does a request (verb, url, headers, body) and gives status and body."""

    script: str
    http: Http
    knows: set[str] = field(default_factory=set)  # rooms from which it has seen a message
    log: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    loses: list[str] = field(default_factory=list)  # ends of URLs of which answers are lost
    cannot_reach: bool = False  # Teiji
    dies_at: str = ""  # "type" or "typed": before or after a room sees it
    throws: bool = False  # the app fails after it has typed
    during_fetch: Callable[[], None] | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)
    is_dead: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Switch it on, anew: what it had in memory is gone, its files are not."""
        self.is_dead, self.dies_at = False, ""
        self._engine = dukpy.JSInterpreter()
        self._engine.export_function("app", self._app)
        self._engine.evaljs(APP + self.script)

    def tick(self) -> None:
        """The script's timer."""
        if not self.is_dead:
            self._engine.evaljs("__tick()")

    def _app(self, what: str, values: str) -> str:
        try:
            if self.is_dead:
                raise InterruptedError("died")
            return json.dumps({"value": getattr(self, f"_{what}")(**json.loads(values))})
        except OSError as error:
            return json.dumps({"error": str(error)})

    def _http(
        self, url: str, headers: dict[str, str], body: str | None, verb: str, **options: Any
    ) -> dict[str, Any]:
        assert options == {"takesAnyType": True, "takesErrors": True, "follows": False, "ms": 10000}
        self.requests.append((verb, url))
        if self.cannot_reach:
            raise ConnectionError("no route")
        if verb == "GET" and self.during_fetch:
            work, self.during_fetch = self.during_fetch, None
            work()
        status, answer = self.http(verb, url, headers, body or "")
        if lost := next((end for end in self.loses if url.endswith(end)), ""):
            self.loses.remove(lost)
            raise TimeoutError("read timed out")
        return {"status": status, "body": answer}

    def _read(self, path: str) -> str | None:
        return self.files.get(path)

    def _write(self, path: str, text: str) -> None:
        self.files[path] = text

    def _type(self, room: str, text: str) -> bool:
        if self.dies_at == "type":
            self.is_dead = True
            raise InterruptedError("died")
        if room not in self.knows:
            return False
        self.log.append((room, text))
        self.is_dead = self.dies_at == "typed"
        if self.is_dead or self.throws:
            raise InterruptedError("died")
        return True


def twin_of(phone: Phone) -> Phone:
    """A second copy of the script on the same phone, with the same files and rooms."""
    return Phone(phone.script, phone.http, knows=phone.knows, log=phone.log, files=phone.files)


def parsed(text: str) -> Any:
    """What a file of the script holds."""
    with suppress(ValueError):
        return json.loads(text)
    return None
