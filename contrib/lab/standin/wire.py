"""Requests and replies as the parts of the stand-in pass them around."""

import json
import urllib.parse
import uuid


class Request:
    """One request, with the path below the service's root."""

    def __init__(self, method, target, headers, body, base):
        self.method = method
        self.target = target
        self.headers = headers          # case-insensitive .get()
        self.body = body                # bytes
        self.base = base                # "http://127.0.0.1:PORT"
        path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.raw_query = query
        self.query = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.region = None
        self.service_url = base         # links in bodies start with this


class Reply:
    """One reply; body is bytes, `document` what it was made from."""

    def __init__(self, status, document=None, headers=(), empty=False):
        self.status = status
        self.headers = list(headers)
        self.document = document
        self.body = b"" if empty else encode(document)
        self.request_id = None
        self.user_id = None

    def set_header(self, name, value):
        self.drop_header(name)
        self.headers.append((name, value))

    def drop_header(self, name):
        self.headers = [(k, v) for k, v in self.headers
                        if k.lower() != name.lower()]

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


class HttpError(Exception):
    """Ends the handling of a request with an error reply."""

    def __init__(self, status, message):
        Exception.__init__(self, message)
        self.status = status
        self.message = message


def encode(document):
    return json.dumps(document).encode("utf-8")


def new_request_id():
    return "req-" + str(uuid.uuid4())
