"""What a column of a file can be, and which one seems to be what."""

from django.utils.translation import gettext_lazy as _

FIELDS = {
    "address": _("Address"),
    "name": _("Name"),
    "region": _("Region"),
    "language": _("Language"),
    "tags": _("Tags"),
    "opted_out": _("Opted out"),
}

# Headings as people write them, in lower case.
HEADINGS = {
    "address": {"address", "id", "user id", "userid", "line id", "주소", "아이디", "전화번호",
                "휴대폰", "휴대전화", "휴대전화번호", "핸드폰", "연락처", "地址",
                "帳號", "账号", "電話", "手機", "手机"},
    "name": {"name", "full name", "이름", "성명", "고객명", "姓名", "名字", "名稱", "名称"},
    "region": {"region", "area", "city", "지역", "도시", "地區", "地区", "區域", "城市", "縣市"},
    "language": {"language", "lang", "언어", "語言", "语言"},
    "tags": {"tags", "tag", "labels", "label", "태그", "라벨", "標籤", "标签"},
    "opted_out": {"opted out", "opted out at", "has opted out", "opt out", "unsubscribed",
                  "수신거부", "수신 거부", "거부", "拒收", "退訂", "退订"},
}  # fmt: skip


def guess(heading: list[str]) -> dict[str, int]:
    """The number of the column that seems to hold each field."""
    found: dict[str, int] = {}
    for place, title in enumerate(heading):
        word = " ".join(title.strip().lower().replace("_", " ").split())
        field = next((name for name, words in HEADINGS.items() if word in words), None)
        if field:
            found.setdefault(field, place)
    return found
