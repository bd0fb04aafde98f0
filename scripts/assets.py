"""Fetches what package.json takes from npm for the pages, as package-lock.json has it: no Node.

    python scripts/assets.py            into assets/, unless it is there already

Each package comes from the registry that npm is set to (npm_config_registry, .npmrc, else
`npm config get registry`) and is held against the checksum of the lock file. Where there is no
registry, its single files come from jsDelivr. Each file must have the sha256 that package.json
names for it. Only Python's standard library is used.
"""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "assets"
STAMP = ".complete"  # collectstatic leaves out what begins with a dot
FILES_URL = "https://cdn.jsdelivr.net/npm"
TIMEOUT = 15  # seconds
LARGEST = 20 * 1024 * 1024  # bytes of a package


class AssetError(Exception):
    """Something could not be fetched, or is not what was locked."""


@dataclass(frozen=True)
class Package:
    """One that is taken: its checksum, and the sha256 and new name of each of its files."""

    name: str
    version: str
    integrity: str
    files: Mapping[str, Mapping[str, str]]


def main() -> int:
    """0 when all is there."""
    try:
        is_new = bring(ROOT, os.environ)
    except AssetError as error:
        say(f"the calendar’s script could not be fetched: {error}")
        say("the calendar is shown as a list. Try again: python scripts/assets.py")
        return 1
    if is_new:
        say(f"{FOLDER}/ is complete")
    return 0


def say(text: str) -> None:
    sys.stderr.write(f"teiji: {text}\n")


def bring(root: Path, environ: Mapping[str, str], files_url: str = FILES_URL) -> bool:
    """Fill root/assets. Returns whether anything was fetched. Raises AssetError; what was there
    stays then."""
    wanted = "".join((root / name).read_text() for name in ("package.json", "package-lock.json"))
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    folder = root / FOLDER
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text() == digest:
        return False
    fetched: dict[str, bytes] = {}
    registry = registry_of(root, environ)
    for package in packages(root):
        fetched |= taken_from(package, registry, files_url)
    _put(folder, fetched, digest)
    return True


def packages(root: Path) -> Iterator[Package]:
    """Those that package.json takes files from, as they are locked."""
    taken = json.loads((root / "package.json").read_text())["teiji"]["taken"]
    locked = json.loads((root / "package-lock.json").read_text())["packages"]
    for name, files in taken.items():
        entry = locked[f"node_modules/{name}"]
        yield Package(name, entry["version"], entry["integrity"], files)


def registry_of(root: Path, environ: Mapping[str, str]) -> str:
    """The address of the registry that npm is set to; "" where none is set."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if environ.get(name):
            return environ[name].rstrip("/")
    home = environ.get("HOME")
    for folder in (root, *([Path(home)] if home else [])):
        if found := _registry_in(folder / ".npmrc"):
            return found
    return _registry_of_npm(environ)


def taken_from(package: Package, registry: str, files_url: str) -> dict[str, bytes]:
    """The files of one package, by their new names, each checked. Raises AssetError."""
    trouble = "no registry is set"
    found: dict[str, bytes] = {}
    if registry:
        try:
            found = _unpacked(package, _archive(package, registry))
        except URLError as error:
            trouble = f"{registry}: {error.reason}"
        except OSError as error:
            trouble = f"{registry}: {error}"
    if not found:
        found = _single_files(package, files_url, trouble)
    for name, facts in package.files.items():
        if hashlib.sha256(found[name]).hexdigest() != facts["sha256"]:
            raise AssetError(f"{name} of {package.name} is not what package.json names")
    return {facts["as"]: found[name] for name, facts in package.files.items()}


def _archive(package: Package, registry: str) -> bytes:
    short = package.name.rpartition("/")[2]
    archive = _fetched(f"{registry}/{package.name}/-/{short}-{package.version}.tgz")
    kind, _, expected = package.integrity.partition("-")
    if kind != "sha512":
        raise AssetError(f"the lock file has no sha512 for {package.name}")
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != expected:
        raise AssetError(f"{package.name} {package.version} is not what the lock file names")
    return archive


def _unpacked(package: Package, archive: bytes) -> dict[str, bytes]:
    """What is wanted, read one by one: nothing is unpacked to where an archive says."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        for name in package.files:
            try:
                content = members.extractfile(f"package/{name}")
            except KeyError as error:
                raise AssetError(f"{package.name} has no {name}") from error
            found[name] = content.read() if content else b""
    return found


def _single_files(package: Package, files_url: str, trouble: str) -> dict[str, bytes]:
    try:
        return {
            name: _fetched(f"{files_url}/{package.name}@{package.version}/{name}")
            for name in package.files
        }
    except URLError as error:
        raise AssetError(f"{trouble}; {files_url}: {error.reason}") from error
    except OSError as error:
        raise AssetError(f"{trouble}; {files_url}: {error}") from error


def _fetched(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise AssetError(f"not an address of the web: {url}")
    with urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - the scheme was asked
        content: bytes = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise AssetError(f"{url} is larger than {LARGEST} bytes")
    return content


def _registry_in(path: Path) -> str:
    lines: Iterable[str] = path.read_text().splitlines() if path.is_file() else ()
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip() == "registry" and "${" not in value:
            return value.strip().strip("\"'").rstrip("/")
    return ""


def _registry_of_npm(environ: Mapping[str, str]) -> str:
    npm = shutil.which("npm", path=environ.get("PATH", ""))
    if npm is None:
        return ""
    command = [npm, "config", "get", "registry"]
    try:
        done = subprocess.run(  # noqa: S603 - npm itself, without a shell
            command, capture_output=True, text=True, timeout=TIMEOUT, check=True, env=dict(environ)
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = done.stdout.strip().rstrip("/")
    return found if found.startswith(("https://", "http://")) else ""


def _put(folder: Path, files: Mapping[str, bytes], digest: str) -> None:
    """All or nothing: a folder that was being filled is never served."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
        fresh, old = Path(work) / "new", Path(work) / "old"
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        (fresh / STAMP).write_text(digest)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)


if __name__ == "__main__":
    sys.exit(main())
