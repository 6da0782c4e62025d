"""Signature version 4, written from its specification and from nobody's library: what SDKs do not send over plain HTTP, or
never send at all. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

import datetime
import hashlib
import hmac
import http.client
import urllib.parse

from boto_common import ENDPOINT, KEY, SECRET

REGION, SERVICE = "us-east-1", "s3"
EMPTY = hashlib.sha256(b"").hexdigest()
HOST = urllib.parse.urlsplit(ENDPOINT).netloc


def digest(key, text):
    """HMAC-SHA256."""
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signing:
    """The key of one day, and the chain of signatures of one request."""

    def __init__(self, at, secret=SECRET):
        self.stamp = at.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.stamp[:8]}/{REGION}/{SERVICE}/aws4_request"
        key = f"AWS4{secret}".encode()
        for word in (self.stamp[:8], REGION, SERVICE, "aws4_request"):
            key = digest(key, word)
        self.key, self.last = key, None

    def sign(self, kind, *lines):
        """The signature of a text, of which later ones of the request depend."""
        text = "\n".join([kind, self.stamp, self.scope, *lines])
        self.last = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return self.last

    def request(self, method, path, query, headers, payload):
        """The signature of the head; `path` and `query` as they are sent, `headers` those that are signed."""
        names = sorted(headers)
        pairs = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair))
        canonical = [method, path, pairs, *(f"{name}:{headers[name].strip()}" for name in names), "", ";".join(names), payload]
        return self.sign("AWS4-HMAC-SHA256", hashlib.sha256("\n".join(canonical).encode()).hexdigest())

    def chunk(self, data):
        """The signature of a chunk."""
        return self.sign("AWS4-HMAC-SHA256-PAYLOAD", self.last, EMPTY, hashlib.sha256(data).hexdigest())

    def trailer(self, lines):
        """The signature of the trailers, each a line with its line feed."""
        return self.sign("AWS4-HMAC-SHA256-TRAILER", self.last, hashlib.sha256(lines.encode()).hexdigest())


def presigned(method, path, at, seconds):
    """Path and query of a link that was made at that time."""
    signing = Signing(at)
    query = urllib.parse.urlencode({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{KEY}/{signing.scope}", "X-Amz-Date": signing.stamp,
        "X-Amz-Expires": str(seconds), "X-Amz-SignedHeaders": "host",
    })
    signature = signing.request(method, path, query, {"host": HOST}, "UNSIGNED-PAYLOAD")
    return f"{path}?{query}&X-Amz-Signature={signature}"


def send(method, path, *, query="", headers=None, body=b"", payload=None, secret=SECRET, late=0):
    """A signed request: status, headers and body of the answer.

    `payload` is what x-amz-content-sha256 says; without it, the body's own. A function as `body` is given the signing and
    makes the body from it, as chunked signatures need it. `late` seconds ago it was signed.
    """
    signing = Signing(datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=late), secret)
    payload = payload or hashlib.sha256(body).hexdigest()
    signed = {"host": HOST, "x-amz-date": signing.stamp, "x-amz-content-sha256": payload, **(headers or {})}
    signature = signing.request(method, path, query, signed, payload)
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={KEY}/{signing.scope},SignedHeaders={';'.join(sorted(set(signed)))},Signature={signature}"
    )
    if callable(body):
        body = body(signing)
    connection = http.client.HTTPConnection(HOST, timeout=30)
    try:
        connection.request(method, path + ("?" + query if query else ""), body, signed)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
