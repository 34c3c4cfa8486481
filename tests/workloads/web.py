"""A web server for tests."""

import http.server
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """One that knows Range, as most servers do and Python's does not."""

    asked: list[str]

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        told = self.headers["Range"]
        self.asked.append(told)
        if self.path.startswith("/plain/"):
            self.send_response(200)
        else:
            first, last = map(int, told.removeprefix("bytes=").split("-"))
            self.send_response(206)
            data = data[first : last + 1]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...
