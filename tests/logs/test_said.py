"""What channels and workers said is read in one's own language."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from logs.said import SAID, retell

ROOT = Path(__file__).resolve().parents[2]
SAYS = {"refused", "later", "unknown", "database_failures"}
# Only what a vendor or Python says, which nobody can translate.
NOT_OURS = {"HTTP ☐", "☐: ☐", "LINE: ☐"}


def test_a_sentence_is_told_in_the_readers_language():
    with override("ko"):
        assert (
            retell("The sandbox was told to refuse.") == "샌드박스가 거절하도록 설정되어 있습니다."
        )
        assert retell("LINE refused: Not found") == "LINE이 거절했습니다: Not found"
    assert retell("LINE refused: Not found") == "LINE refused: Not found"


def test_a_sentence_within_a_sentence_is_told_too():
    with override("zh-hant"):
        said = retell("Nothing was sent. Solapi could not be asked.")
    assert said == "未傳送任何內容。無法詢問 Solapi。"


def test_figures_stand_where_they_belong():
    with override("ko"):
        assert retell("needs 1,200; 30 left this month; 1,170 short").startswith("필요 1,200건")
        assert retell("LINE takes at most 5 images.") == "LINE 채널의 이미지는 최대 5개입니다."


@pytest.mark.parametrize("said", ["", "What a vendor wrote", "100 %", "%(odd)s"])
def test_what_is_not_known_stays_as_it_was_said(said):
    with override("ko"):
        assert retell(said) == said


def sentences():
    """What the adapters say, each gap as a box."""
    for path in sorted((ROOT / "channels").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name in SAYS and node.args:
                words = _written(node.args[0])
                if words:
                    yield words


def _written(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "☐" for part in node.values)
        return "".join(parts)
    return ""


def test_every_sentence_of_an_adapter_is_known():
    patterns = [re.compile(re.sub(r"%\\\(\w+\\\)[sd]", ".+", re.escape(text))) for text in SAID]
    said = set(sentences()) - NOT_OURS
    assert len(said) > 40
    assert [words for words in said if not any(one.fullmatch(words) for one in patterns)] == []
