"""A download over HTTP that goes on where an interrupted one stopped (range requests, RFC 9110 §14).

It is a downloader for pooch, whose own starts anew each time.
"""

import os
import shutil
import time
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path
from urllib.parse import urlsplit

import requests

CONNECT_TIMEOUT, READ_TIMEOUT = 15.0, 60.0
"""Seconds that a server may take to be reached, and to say nothing."""
ATTEMPTS, FIRST_PAUSE = 4, 1.0
"""How often a busy server, or one that cuts the line, is asked while no further byte comes, and how many
seconds lie between the first two times; each next pause is twice as long."""
RETRIED_STATUS = {408, 429, 500, 502, 503, 504}
MAX_BYTES = 4 << 30
"""Bytes. No generator has as many: a server that sends without an end is stopped."""
BLOCK_BYTES = 1 << 16

Received = Callable[[int, int | None], None]
"""Told how many bytes are here, and how many there will be, where that is known."""


class Unreachable(Exception):
    """This server will not give the file; the message says why, in a few words."""


class Interrupted(Exception):
    """This server did not give the whole file, but may do so if asked again."""


class ResumingDownloader:
    """Called by pooch with the address and a file to fill.

    What comes is gathered in `part`, which stays when the download is stopped; the next one asks for
    the rest only. Where the whole will be checked by its hash (`checked`), the server is simply believed
    to have the same file as before. Otherwise it has to say so itself, by the mark (ETag or date) that it
    gave with the first bytes and that lies beside `part`.

    Raises Unreachable, and OSError where `part` can't be written."""

    def __init__(self, part: Path, checked: bool, received: Received) -> None:
        self.part, self.checked, self.received = part, checked, received
        self.mark = part.with_name(f"{part.name}-mark")
        self.continued = False
        """Whether any bytes are older than this call."""

    def __call__(self, url: str, output_file: str, _: object) -> None:
        """Fill `output_file` with what lies at the address."""
        self.continued = self._have() > 0
        attempts, furthest = 0, self._have()
        while True:
            try:
                self._receive(url)
                break
            except (
                Interrupted,
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
            ) as error:
                if self._have() > furthest:
                    attempts, furthest = 0, self._have()
                attempts += 1
                away = not furthest and isinstance(error, requests.ConnectionError | requests.Timeout)
                if attempts == ATTEMPTS or away:
                    raise Unreachable(_reason(error, url)) from error
                time.sleep(FIRST_PAUSE * 2 ** (attempts - 1))
            except requests.RequestException as error:
                raise Unreachable(_reason(error, url)) from error
        os.replace(self.part, output_file)
        self.mark.unlink(missing_ok=True)

    def _receive(self, url: str) -> None:
        """One request, to the end of the file."""
        have = self._have()
        headers = {"Accept-Encoding": "identity"} | self._range(url, have)
        with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)) as answer:
            host = urlsplit(answer.url).hostname or answer.url
            said = answer.headers.get("Content-Range", "")
            if answer.status_code == 416 and said == f"bytes */{have}":
                return  # it had come whole
            if answer.status_code in RETRIED_STATUS:
                raise Interrupted(f"{host} answers {answer.status_code}")
            if answer.status_code == 416 or (answer.status_code == 206 and not said.startswith(f"bytes {have}-")):
                self.part.unlink(missing_ok=True)
                raise Interrupted(f"{host} sends another piece than it was asked for")
            if not answer.ok:
                raise Unreachable(f"{host} answers {answer.status_code}")
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                raise Unreachable(f"{host} answers with a web page instead")
            if answer.status_code != 206:
                have = 0
                mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified", "")
                self.mark.write_text(f"{url}\n{mark}", "utf-8")
            self._write(answer, have, host)

    def _write(self, answer: requests.Response, have: int, host: str) -> None:
        """Write what comes behind the `have` bytes that are there."""
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        if total and total - have > shutil.disk_usage(self.part.parent).free:
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        with open(self.part, "ab" if have else "wb") as file:
            for block in answer.iter_content(BLOCK_BYTES):
                file.write(block)
                have += len(block)
                self.received(have, total)
                if (total or have) > MAX_BYTES:
                    file.truncate(0)
                    raise Unreachable(f"{host} sends without an end")
        if total is not None and have != total:  # urllib3 before 2 doesn't notice
            raise Interrupted(f"{host} cuts the line")

    def _range(self, url: str, have: int) -> dict[str, str]:
        """The headers that ask for the rest only; none where it could not be told to be the rest of the same."""
        if not have:
            return {}
        if self.checked:
            return {"Range": f"bytes={have}-"}
        address, _, mark = self.mark.read_text("utf-8").partition("\n") if self.mark.exists() else ("", "", "")
        # A weak ETag promises the same meaning, not the same bytes.
        if address != url or not mark or mark.startswith("W/"):
            return {}
        return {"Range": f"bytes={have}-", "If-Range": mark}

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0


def _reason(error: Exception, url: str) -> str:
    host = urlsplit(url).hostname
    if isinstance(error, Interrupted):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate of {host} is not trusted"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"{host} is silent"
    if isinstance(error, requests.TooManyRedirects):
        return f"{host} redirects in a circle"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{host} cuts the line"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {host}"
    return f"{host}: {str(error).splitlines()[0].rstrip('.')}"
