"""Who gets an image's files: people by reach, channels by links that open and close."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import resolve
from PIL import Image as Pillow

from channels import media
from channels.models import Image, MediaLink
from channels.renditions import UnusableImage
from orgs.clock import database_now
from orgs.models import Member, Unit, User
from orgs.reach import Act, Role, within

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def upload(kind: str = "PNG", colour: str = "red") -> bytes:
    buffer = BytesIO()
    Pillow.new("RGB", (600, 300), colour).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def headquarters(db):
    return Unit.objects.add_root({"kind": "headquarters", "code": "images-hq", "name": "HQ"})


def branch(parent: Unit, name: str) -> Unit:
    return Unit.objects.add_child(parent, {"kind": "branch", "code": name, "name": name})


@pytest.fixture
def shop(headquarters):
    return branch(headquarters, "Shop")


@pytest.fixture
def rival(headquarters):
    return branch(headquarters, "Rival")


def person(name: str, unit: Unit | None, role: Role = Role.VIEWER) -> User:
    user = User.objects.create_user(name)
    if unit is not None:
        Member.objects.create(user=user, unit=unit, role=role)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def image(shop):
    return Image.objects.store(
        unit=shop, by=person("clerk", shop, Role.OPERATOR), data=upload(), name="Poster.png"
    )


@pytest.fixture
def link(image):
    """An active link to the original."""
    now = database_now()
    links = MediaLink.objects.links_for([image], active_from=now - HOUR, active_until=now + HOUR)
    return MediaLink.objects.bulk_create(links)[0]


def answer(client: Client, address: str) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer but its request id, which is never the same."""
    response = client.get(address)
    body = response.getvalue()
    headers = {name: value for name, value in response.items() if name != "X-Request-ID"}
    return response.status_code, body, headers


def status(client: Client, address: str) -> int:
    return answer(client, address)[0]


@pytest.fixture
def nothing(client):
    """The answer to a link that never was."""
    response = answer(client, f"/m/{'A' * 32}.png")
    assert response[0] == 404
    return response


# Storing


def test_an_upload_is_kept_in_two_renditions_under_generated_names(image, media_root):
    assert (image.name, image.content_type) == ("Poster.png", "image/png")
    assert (image.width, image.height) == (600, 300)
    original, preview = Path(image.file.name), Path(image.preview.name)
    assert original.parent == preview.parent == Path(f"images/{image.created_at:%Y/%m}")
    assert (original.suffix, preview.suffix) == (".png", ".jpg")
    assert len(original.stem) == len(preview.stem) == 32
    assert original.stem != preview.stem
    assert (media_root / original).stat().st_size == image.file_bytes
    assert (media_root / preview).stat().st_size == image.preview_bytes


def test_what_the_database_shows_is_what_was_stored(image):
    stored = Image.objects.get(pk=image.pk)
    assert stored.created_by.username == "clerk"
    assert stored.created_at == image.created_at
    assert len(stored.sha256) == 64


def test_a_refused_upload_leaves_nothing_behind(shop, media_root):
    with pytest.raises(UnusableImage):
        Image.objects.store(unit=shop, by=None, data=b"<svg/>", name="a.png")
    assert not Image.objects.exists()
    assert not files_under(media_root)


def test_files_of_a_row_that_could_not_be_written_are_removed(media_root):
    with pytest.raises(ValueError, match="unsaved related object"):
        Image.objects.store(unit=Unit(name="not stored"), by=None, data=upload(), name="a.png")
    assert not files_under(media_root)


def test_an_image_outlives_the_person_who_uploaded_it(image):
    image.created_by.delete()
    image.refresh_from_db()
    assert image.created_by is None


def test_the_same_picture_twice_has_one_identity(image, shop):
    again = Image.objects.store(unit=shop, by=None, data=upload(), name="other name.png")
    other = Image.objects.store(unit=shop, by=None, data=upload(colour="blue"), name="Poster.png")
    assert again.sha256 == image.sha256 != other.sha256
    assert again.file.name != image.file.name


# For people


@pytest.mark.parametrize("rendition", ["original", "preview"])
def test_people_see_the_images_of_their_own_unit_and_those_under_it(
    image, shop, headquarters, rendition
):
    field, content_type = image.rendition(rendition)
    wanted = field.open("rb").read()
    field.close()
    for user in (person("viewer", shop), person("boss", headquarters)):
        code, body, headers = answer(signed_in(user), f"/media/{image.pk}/{rendition}")
        assert (code, body, headers["Content-Type"]) == (200, wanted, content_type)
        assert headers["Cache-Control"] == "private, no-store"


def test_a_foreign_image_answers_as_a_missing_one(image, headquarters, rival):
    own = Image.objects.store(unit=rival, by=None, data=upload(), name="a.png")
    outsiders = [person("rival", rival, Role.MANAGER), person("stranger", None)]
    for client in [Client(), *map(signed_in, outsiders)]:
        foreign = answer(client, f"/media/{image.pk}/original")
        missing = answer(client, "/media/999999999/original")
        assert foreign == missing
        assert (foreign[0], foreign[1]) == (404, b"")
    assert status(signed_in(outsiders[0]), f"/media/{own.pk}/original") == 200


def test_a_headquarters_image_is_not_seen_from_below(headquarters, shop):
    image = Image.objects.store(unit=headquarters, by=None, data=upload(), name="a.png")
    assert status(signed_in(person("viewer", shop)), f"/media/{image.pk}/original") == 404


def test_someone_who_lost_their_unit_sees_nothing_any_more(image, shop):
    client = signed_in(person("viewer", shop))
    address = f"/media/{image.pk}/preview"
    assert status(client, address) == 200
    Member.objects.filter(user__username="viewer").delete()
    assert status(client, address) == 404


@pytest.mark.parametrize(
    "tail", ["", "/", "/other", "/original/", "/original%0a", "/..%2foriginal", "/file"]
)
def test_an_image_has_no_other_files(image, shop, tail):
    client = signed_in(person("viewer", shop))
    assert status(client, f"/media/{image.pk}{tail}") == 404


@pytest.mark.parametrize("number", ["0", "-1", "9" * 18, "9" * 40, "٣", "1e3"])
def test_odd_numbers_of_images_are_just_missing(image, shop, number):
    client = signed_in(person("viewer", shop))
    assert status(client, f"/media/{number}/original") == 404


def test_stored_files_have_no_address_of_their_own(image, shop):
    client = signed_in(person("viewer", shop))
    for address in (f"/{image.file.name}", f"/media/{image.file.name}", f"/m/{image.file.name}"):
        assert status(client, address) == 404


# For channels


def test_anyone_with_an_active_link_gets_the_file(client, image, link, media_root):
    code, body, headers = answer(client, link.path)
    assert code == 200
    assert body == (media_root / image.file.name).read_bytes()
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Length"] == str(image.file_bytes)
    assert headers["Content-Disposition"] == "inline"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cache-Control"] == "private, max-age=300"
    assert "Set-Cookie" not in headers


def test_a_link_to_a_preview_gives_the_preview(client, image, link, media_root):
    preview = MediaLink.objects.get(rendition="preview")
    assert preview.path.endswith(".jpg")
    code, body, headers = answer(client, preview.path)
    assert (code, headers["Content-Type"]) == (200, "image/jpeg")
    assert body == (media_root / image.preview.name).read_bytes()


def test_a_link_can_be_asked_for_its_headers(client, link):
    response = client.head(link.path)
    response.close()
    assert response.status_code == 200
    assert response["Content-Length"] == str(link.image.file_bytes)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_links_and_images_can_only_be_read(client, link, method):
    for address in (link.path, f"/m/{'A' * 32}.png", f"/media/{link.image_id}/original"):
        assert getattr(client, method)(address).status_code == 405


def close_early(link, now):
    link.active_from, link.active_until = now + HOUR / 2, now + HOUR


def close_late(link, now):
    link.active_from, link.active_until = now - HOUR, now - HOUR / 2


def close_by_hand(link, now):
    link.revoked_at = now


@pytest.mark.parametrize("close", [close_early, close_late, close_by_hand])
def test_a_link_that_is_not_active_answers_as_one_that_never_was(client, link, nothing, close):
    close(link, database_now())
    link.save()
    assert answer(client, link.path) == nothing


@pytest.mark.parametrize(
    "address",
    [
        "/m/{token}.jpg",
        "/m/{token}",
        "/m/{token}.PNG",
        "/m/{token}.png/",
        "/m/{token}.png%0a",
        "/m/{token}.png%00",
        "/m/{token}%00.png",
        "/m/../m/{token}.png",
        "/m/%2f{token}.png",
        "/m/{token}x.png",
        "/m/{short}.png",
        "/m/{short}%25.png",
        "/m/{other}.png",
        "/m/",
        "/m/%00.png",
        "/m/" + "A" * 5000 + ".png",
    ],
)
def test_a_link_that_was_changed_answers_as_one_that_never_was(client, link, nothing, address):
    last = "A" if link.token[-1] != "A" else "B"
    short = link.token[:-1]
    changed = address.format(token=link.token, short=short, other=short + last)
    assert answer(client, changed) == nothing
    assert status(client, link.path) == 200


def test_a_missing_file_answers_as_a_missing_link_and_is_logged_without_it(
    client, link, nothing, caplog
):
    link.image.file.storage.delete(link.image.file.name)
    assert answer(client, link.path) == nothing
    assert f"original of image {link.image_id}" in caplog.text
    assert link.token not in caplog.text


def test_a_link_opens_at_its_first_moment_and_closes_at_its_last(link):
    def is_open(moment):
        return MediaLink.objects.usable(link.token, moment).exists()

    instant = timedelta(microseconds=1)
    assert not is_open(link.active_from - instant)
    assert is_open(link.active_from)
    assert is_open(link.active_until - instant)
    assert not is_open(link.active_until)


def test_links_are_closed_for_good_once(link):
    now = database_now()
    assert MediaLink.objects.filter(image=link.image).revoke(now) == 2
    assert MediaLink.objects.filter(image=link.image).revoke(now + HOUR) == 0
    link.refresh_from_db()
    assert link.revoked_at == now


def test_each_message_has_links_of_its_own_in_the_order_of_its_images(image, shop):
    other = Image.objects.store(unit=shop, by=None, data=upload("JPEG"), name="b.jpg")
    now = database_now()
    links = MediaLink.objects.links_for(
        [other, image, other], active_from=now, active_until=now + HOUR
    )
    assert [(link.image, link.rendition) for link in links] == [
        (shown, rendition)
        for shown in (other, image, other)
        for rendition in ("original", "preview")
    ]
    assert len({link.token for link in links}) == 6
    assert {link.pk for link in links} == {None}


def test_a_token_is_at_least_128_random_bits_and_safe_in_a_url(link):
    assert len(link.token) == 32  # of 64 characters each: 192 bits
    assert media.LINK_NAME.fullmatch(f"{link.token}.png")


def test_the_public_address_is_the_public_host_and_the_links_path(link, settings):
    settings.TEIJI_PUBLIC_URL = "https://teiji.example"
    assert media.public_url(link) == f"https://teiji.example/m/{link.token}.png"
    assert resolve(link.path).func is media.linked_file


def test_a_link_costs_at_most_one_query_for_its_row(client, link, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):  # the clock, and the link with its image
        client.get(link.path).close()


def test_links_are_within_the_reach_of_their_images_unit(link, shop, rival):
    links = MediaLink.objects.all()
    assert within(person("viewer", shop), links, Act.VIEW).count() == 2
    assert within(person("rival", rival), links, Act.VIEW).count() == 0


def test_an_image_that_a_message_links_to_cannot_be_deleted(link):
    with pytest.raises(ProtectedError):
        link.image.delete()


def test_a_link_cannot_end_before_it_begins(link):
    link.active_until = link.active_from
    with pytest.raises(IntegrityError), transaction.atomic():
        link.save()
