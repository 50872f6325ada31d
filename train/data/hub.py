"""A data set on the hub, as a directory on this disk at a known commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.errors import UserError
from train.fields import HUB_DATASET

FILES = ("*.parquet", "*.json*", "*.csv*", "*.arrow", "*.md", "*.yaml")
"""What is fetched: tables and what describes them. A loading script is not, so that none can ever run."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A data set's directory, the split that was asked for (empty for none), and warnings for a person to read."""

    directory: Path
    split: str
    warnings: tuple[str, ...]


def fetch(source: str) -> Fetched:
    """The data set that `hub:ORG/NAME`, optionally with `@REVISION` and `#SPLIT`, means; downloaded where needed.

    Without the hub, the copy in its cache is taken if it is of that very revision.

    Raises:
        UserError: it is misspelt, is not there, or cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    parts = HUB_DATASET.fullmatch(source)
    if parts is None:
        raise UserError(f"{source}: should be hub:ORG/NAME, then @REVISION and #SPLIT if they are wanted")
    name, revision = parts["name"], parts["revision"]
    try:
        found = snapshot_download(name, repo_type="dataset", revision=revision, allow_patterns=list(FILES))
    except RevisionNotFoundError as error:
        raise UserError(
            f"{source}: the data set has no revision {revision!r}; name a branch, a tag or a commit"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"{source}: the hub has no data set {name!r} that you may read; "
            "check the name, or log in with `hf auth login`"
        ) from error
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{source}: cannot be had from the hub ({reason[:160]}); "
            "check the name and the connection, or download it and give its directory"
        ) from error
    directory = Path(found)
    commit = directory.name
    newest = f"{source}: the newest revision is read, which is {commit} now; hub:{name}@{commit} is always the same"
    return Fetched(directory, parts["split"] or "", () if revision else (newest,))
