"""An installation of its own on SQLite, in which the commands of the documents are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet

from tests.documents.reading import ROOT


class Answer(NamedTuple):
    status: int
    said: str


class Installation:
    """Its folder, and the process that types into it (typist.py)."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEIJI_")}
        self.environment = own | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "TEIJI_DATA_DIR": str(folder),
            "TEIJI_PUBLIC_URL": "https://127.0.0.1:9",
            "TEIJI_BROKER_URL": "filesystem://",
            "TEIJI_SECRET_KEY": "x1" * 40,
            "TEIJI_SECRET_KEYS": Fernet.generate_key().decode(),
            "DJANGO_SUPERUSER_PASSWORD": "of-a-person-0900",
            **environment,
        }
        self._typist = subprocess.Popen(
            [sys.executable, "-m", "tests.documents.typist"], cwd=ROOT, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._read() == {"ready": True}

    def manage(self, *words: object) -> Answer:
        """What `manage.py WORDS`, typed in the installation's folder, says and ends with."""
        assert self._typist.stdin
        order = {"words": [str(word) for word in words], "cwd": str(self.folder)}
        self._typist.stdin.write(json.dumps(order) + "\n")
        self._typist.stdin.flush()
        return Answer(**self._read())

    def furnish(self) -> None:
        """Let there be what the examples of the documents name."""
        for words in (["demo_data"], ["shell", "--command", FURNISH]):
            answer = self.manage(*words)
            assert answer.status == 0, answer.said

    def worker(self) -> "subprocess.Popen[str]":
        """`manage.py dispatch`, until it is stopped."""
        return subprocess.Popen(
            [sys.executable, "manage.py", "dispatch"], cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def close(self) -> None:
        assert self._typist.stdin and self._typist.stdout
        self._typist.stdin.close()
        self._typist.wait(20)
        self._typist.stdout.close()

    def _read(self) -> dict[str, object]:
        assert self._typist.stdout
        return dict(json.loads(self._typist.stdout.readline()))


FURNISH = """
from channels.models import Account, Audience
from orgs.models import Member, Token, Unit, User
from orgs.reach import Role
Unit.objects.update(quiet_from=None, quiet_until=None)  # the tests run at any hour
top, taipei = Unit.objects.get(code="hq"), Unit.objects.get(code="taipei")
Unit.objects.plant(top, kind="distributor", code="south", name="South", zone="Asia/Taipei")
for name in ("KakaoTalk bridge", "LINE"):
    Account.objects.create(unit=top, name=name, kind="sandbox", is_shared=True)
for name in ("anna", "kim"):
    user = User.objects.create(username=name, is_staff=True)
    Member.objects.create(user=user, unit=top, role=Role.MANAGER)
Token.issue(user=User.objects.get(username="kim"), name="till", scopes=["read"])
sandbox = Account.objects.get(name="Sandbox")
Audience.objects.create(unit=taipei, account=sandbox, name="VIP members")
"""
