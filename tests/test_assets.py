"""What the pages take from npm: fetched once, held against its checksums, and never half there."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import assets

SCRIPT = b"var Calendar = 1;"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """What the server has."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def address(shelf: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shelf)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path, shelf: Path) -> Path:
    """A project that takes one file of one package, which the registry has."""
    root = tmp_path / "project"
    root.mkdir()
    archive = packed({"package/index.js": SCRIPT, "package/../../evil.js": b"evil"})
    place = shelf / "@some" / "core" / "-"
    place.mkdir(parents=True)
    (place / "core-1.2.3.tgz").write_bytes(archive)
    write_lock(root, archive)
    return root


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            archive.addfile(facts, io.BytesIO(content))
    return buffer.getvalue()


def write_lock(root: Path, archive: bytes, script: bytes = SCRIPT) -> None:
    facts = {"as": "some/core.js", "sha256": hashlib.sha256(script).hexdigest()}
    taken = {"@some/core": {"index.js": facts}}
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    locked = {"node_modules/@some/core": {"version": "1.2.3", "integrity": f"sha512-{digest}"}}
    (root / "package.json").write_text(json.dumps({"teiji": {"taken": taken}}))
    (root / "package-lock.json").write_text(json.dumps({"packages": locked}))


def put_single_file(shelf: Path, content: bytes) -> None:
    (shelf / "@some" / "core@1.2.3").mkdir(parents=True)
    (shelf / "@some" / "core@1.2.3" / "index.js").write_bytes(content)


def taken(project: Path) -> list[str]:
    folder = project / "assets"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_package_comes_from_the_registry_that_npm_is_set_to(project, address):
    assert assets.bring(project, {"npm_config_registry": address}, files_url="http://nowhere.test")
    assert (project / "assets" / "some" / "core.js").read_bytes() == SCRIPT
    assert taken(project) == [".complete", "some/core.js"], "and nothing else of its archive"


def test_the_registry_stands_in_npmrc_too(project, address, tmp_path):
    (tmp_path / ".npmrc").write_text(f"fund=false\nregistry={address}/\n")
    assert assets.registry_of(project, {"HOME": str(tmp_path)}) == address


def test_what_is_there_is_not_fetched_again_until_the_lock_changes(project, address):
    settings = {"npm_config_registry": address}
    assert assets.bring(project, settings)
    assert not assets.bring(project, {"npm_config_registry": "http://127.0.0.1:1"})
    lock = project / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    assert assets.bring(project, settings)


def test_an_archive_that_differs_from_the_lock_is_refused(project, address, shelf):
    write_lock(project, b"another archive")
    put_single_file(shelf, SCRIPT)
    with pytest.raises(assets.AssetError, match="not what the lock file names"):
        assets.bring(project, {"npm_config_registry": address}, files_url=address)
    assert not (project / "assets").exists()


def test_without_a_registry_single_files_are_taken_and_checked(project, address, shelf):
    put_single_file(shelf, SCRIPT)
    assert assets.bring(project, {"PATH": ""}, files_url=address)
    assert (project / "assets" / "some" / "core.js").read_bytes() == SCRIPT


def test_a_single_file_that_was_changed_is_refused_and_what_was_there_stays(
    project, address, shelf
):
    assert assets.bring(project, {"npm_config_registry": address})
    put_single_file(shelf, b"evil")
    lock = project / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    with pytest.raises(assets.AssetError, match=r"not what package\.json names"):
        assets.bring(project, {"PATH": ""}, files_url=address)
    assert (project / "assets" / "some" / "core.js").read_bytes() == SCRIPT


def test_a_registry_that_is_away_is_said(project):
    with pytest.raises(assets.AssetError, match="127"):
        assets.bring(project, {"PATH": ""}, files_url="http://127.0.0.1:1")


def test_our_own_lock_names_no_registry_and_the_sum_of_each_file():
    locks = (assets.ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in locks
    for package in assets.packages(assets.ROOT):
        assert package.integrity.startswith("sha512-")
        assert package.files and all(len(facts["sha256"]) == 64 for facts in package.files.values())
