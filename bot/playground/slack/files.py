"""Files that people upload: what Slack says of them, and who may fetch their content.

https://docs.slack.dev/reference/objects/file-object; docs/slack.md#files.
"""

from __future__ import annotations

import mimetypes
import uuid
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from aiohttp import web

from bot.playground.slack.records import TEAM, Json

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in | Playground</title></head>"
    '<body><form action="/signin">Sign in to your workspace</form></body></html>'
)


@dataclass
class Upload:
    """A file and its content. It is still being scanned for so many calls of `files.info`."""

    record: Json
    content: bytes
    scans: int = 0


class Files:
    """All files of a workspace."""

    def __init__(self) -> None:
        self._uploads: dict[str, Upload] = {}

    def add(
        self,
        origin: str,
        user: str,
        name: str,
        content: bytes,
        *,
        scans: int = 0,
        access: Literal["visible", "check_file_info"] = "visible",
    ) -> Json:
        """Keep a file; returns the object that messages carry: only a stub of a file that the app
        has to ask for, and no type while it is being scanned."""
        file = f"F{uuid.uuid4().hex[:10].upper()}"
        record: Json = {
            "id": file,
            "name": name,
            "title": name,
            "mimetype": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "filetype": name.rpartition(".")[2].lower(),
            "user": user,
            "size": len(content),
            "mode": "hosted",
            "is_external": False,
            "file_access": "visible",
            "url_private": f"{origin}/files-pri/{TEAM}-{file}/{quote(name)}",
        }
        self._uploads[file] = Upload(record, content, scans)
        if access == "check_file_info":
            return {"id": file, "mode": "file_access", "file_access": access}
        return record | ({"mimetype": "", "filetype": ""} if scans else {})

    def info(self, file: str) -> Json | None:
        """What `files.info` says now; None if there is no such file."""
        upload = self._uploads.get(file)
        if upload is None:
            return None
        upload.scans -= 1
        return upload.record | ({"mimetype": "", "filetype": ""} if upload.scans >= 0 else {})

    def remove(self, file: str) -> None:
        """A person deletes a file."""
        del self._uploads[file]

    def serve(self, request: web.Request, tokens: frozenset[str]) -> web.Response:
        """The content for a bearer of one of the tokens; for others the login page, with 200."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in tokens:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        upload = self._uploads.get(request.match_info["file"].rpartition("-")[2])
        if upload is None:
            return web.Response(status=404, text="File not found")
        kind = str(upload.record["mimetype"])
        kind = "text/plain" if kind.startswith("text/") else kind
        return web.Response(body=upload.content, content_type=kind)
