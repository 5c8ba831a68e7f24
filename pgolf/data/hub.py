"""One dataset repository on the Hugging Face hub or a mirror of it: files, their checksums, errors in our words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

from pgolf.errors import PgolfError

ATTEMPTS = 4
RETRY_SECONDS = 2.0
SHA256 = re.compile(r"[0-9a-f]{64}")
# What the client raises for any failure to talk to a server: its HTTP library's base class (which one depends on the
# client's version) and, for broken downloads, OSError.
NETWORK_ERRORS: tuple[type[BaseException], ...] = (HfHubHTTPError.__bases__[0], HfHubHTTPError, OSError)
Result = TypeVar("Result")


class RemoteFile(NamedTuple):
    """What the server says about a file; `sha256` is "" for small files, whose entity tag is another hash."""

    name: str
    bytes: int
    sha256: str
    commit: str


class Hub:
    """Reads one repository at one commit, chosen by the first file asked for, so that files belong together.

    Args:
        repository: "owner/name" of a dataset.
        endpoint: URL of the hub or a mirror; None is the client's own default (HF_ENDPOINT, huggingface.co).
        staging: folder for downloads under way.
        note: receives a line for each retry.
    """

    def __init__(self, repository: str, endpoint: str | None, staging: Path, note: Callable[[str], object]):
        self.repository, self.endpoint, self.staging, self.note = repository, endpoint, staging, note
        self.commit = "main"

    def look_up(self, name: str) -> RemoteFile:
        """Size and checksum of a file, without downloading it.

        Raises:
            PgolfError: PG001 when the server cannot be reached or has no such file.
        """
        first = self.commit == "main"
        url = hf_hub_url(self.repository, name, repo_type="dataset", revision=self.commit, endpoint=self.endpoint)
        found = self.retried(name, 1 if first else ATTEMPTS, lambda: get_hf_file_metadata(url, token=False))
        self.commit = found.commit_hash or self.commit
        tag = found.etag or ""
        return RemoteFile(name, found.size or 0, tag if SHA256.fullmatch(tag) else "", self.commit)

    def download(self, name: str) -> Path:
        """The file in the staging folder; a connection that breaks is taken up again where it broke.

        Raises:
            PgolfError: PG001 when the file cannot be had.
        """
        return self.retried(
            name,
            ATTEMPTS,
            lambda: Path(
                hf_hub_download(
                    self.repository,
                    name,
                    repo_type="dataset",
                    revision=self.commit,
                    endpoint=self.endpoint,
                    local_dir=self.staging,
                    token=False,
                )
            ),
        )

    def retried(self, name: str, attempts: int, ask: Callable[[], Result]) -> Result:
        """Ask up to `attempts` times; what the server refuses for good is not asked again."""
        where = f"{self.endpoint or 'https://huggingface.co'}/datasets/{self.repository}/{name}"
        for attempt in range(1, attempts + 1):
            try:
                return ask()
            except (RepositoryNotFoundError, EntryNotFoundError) as error:
                if not is_offline(error):
                    raise PgolfError("PG001", "the server has no such file", where, "check --variant") from error
                failure: BaseException = error
            except NETWORK_ERRORS as error:
                failure = error
            if attempt < attempts:
                self.note(f"{name}: {one_line(failure)}; trying again")
                time.sleep(RETRY_SECONDS * attempt)
        hint = "check the network and --endpoint; `pgolf data sample` needs no network"
        raise PgolfError("PG001", f"cannot be downloaded: {one_line(failure)}", where, hint) from failure


def is_offline(error: BaseException) -> bool:
    """Does "not found" only mean that the server was not reached?"""
    return isinstance(error, FileNotFoundError)


def one_line(error: BaseException) -> str:
    """The first line of an error's text, which for HTTP errors runs over many."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
