"""Files as Slack writes them in JSON, and what it makes of their bytes."""

from __future__ import annotations

import mimetypes
import secrets
import time
from typing import NamedTuple

from omnibot_sandbox.slack.workspace import JSON, TEAM_DOMAIN, TEAM_ID, File, Workspace

#: What an image block takes from a `slack_file`.
_IMAGES = ("image/png", "image/jpeg", "image/gif")


class Kind(NamedTuple):
    """What a file is."""

    mimetype: str
    filetype: str
    pretty_type: str
    mode: str = "hosted"


#: By the first bytes, which count more than the name …
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": Kind("image/png", "png", "PNG"),
    b"\xff\xd8\xff": Kind("image/jpeg", "jpg", "JPEG"),
    b"GIF8": Kind("image/gif", "gif", "GIF"),
    b"%PDF-": Kind("application/pdf", "pdf", "PDF"),
}
#: … then by the end of the name.
_ENDINGS = {
    "csv": Kind("text/csv", "csv", "CSV", "snippet"),
    "txt": Kind("text/plain", "text", "Plain Text", "snippet"),
    "md": Kind("text/markdown", "markdown", "Markdown (raw)", "snippet"),
    "json": Kind("application/json", "json", "JSON", "snippet"),
}
_UNKNOWN = Kind("", "", "")


def kind_of(file: File) -> Kind:
    """What Slack finds out about a file; nothing as long as it is still looking."""
    return guess(file.name, file.data or b"") if is_ready(file) else _UNKNOWN


def guess(name: str, data: bytes) -> Kind:
    """What a file with this name and these bytes is."""
    for start, kind in _MAGIC.items():
        if data.startswith(start):
            return kind
    ending = name.rpartition(".")[2].lower()
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    mimetype = mimetypes.guess_type(name)[0]
    # A picture's name does not make it one.
    if mimetype is None or mimetype.startswith("image/"):
        return Kind("application/octet-stream", "binary", "Binary")
    return Kind(mimetype, ending, ending.upper())


def is_ready(file: File) -> bool:
    """Whether Slack has finished looking at it."""
    return file.ready_at is not None and file.ready_at <= time.monotonic() and not file.deleted


def new_id() -> str:
    """A fresh file id."""
    return "F" + secrets.token_hex(5).upper()


def url_private(workspace: Workspace, file: File) -> str:
    """Where a file is loaded from, with the bot's token."""
    return f"{workspace.origin}/files-pri/{TEAM_ID}-{file.id}/{file.name.lower().replace(' ', '_')}"


def permalink(file: File) -> str:
    """The address of a file's page."""
    return f"https://{TEAM_DOMAIN}.slack.com/files/{file.user}/{file.id}/{file.name.lower().replace(' ', '_')}"


def images(workspace: Workspace) -> set[str]:
    """The ids and addresses of all files that a block can show."""
    shown = (file for file in workspace.files.values() if kind_of(file).mimetype in _IMAGES)
    return {name for file in shown for name in (file.id, url_private(workspace, file), permalink(file))}


def file_json(workspace: Workspace, file: File) -> JSON:
    """A file object."""
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    kind, url = kind_of(file), url_private(workspace, file)
    out: JSON = {
        "id": file.id,
        "created": int(file.created),
        "timestamp": int(file.created),
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": kind.mimetype,
        "filetype": kind.filetype,
        "pretty_type": kind.pretty_type,
        "user": file.user,
        "user_team": workspace.users[file.user].team_id,
        "editable": kind.mode == "snippet",
        "size": len(file.data or b""),
        "mode": kind.mode,
        "is_external": False,
        "external_type": "",
        "is_public": any(workspace.channels[channel].kind == "public" for channel in file.channels),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": url,
        "url_private_download": f"{url}?download=1",
        "permalink": permalink(file),
        "channels": [c for c in file.channels if workspace.channels[c].kind == "public"],
        "groups": [c for c in file.channels if workspace.channels[c].kind == "private"],
        "ims": [c for c in file.channels if workspace.channels[c].kind == "im"],
        "comments_count": 0,
        "has_rich_preview": False,
        "file_access": "visible",
    }
    return out | ({"alt_txt": file.alt_txt} if file.alt_txt else {})
