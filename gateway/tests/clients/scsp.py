"""A small SCSP client that behaves as the clients in the field do (SCSP section 2.11). Standard library only.

The files here:

    scsp.py        the client
    test_scsp.py   its own tests, against a scripted server: python3 test_scsp.py
    mixed.py       a thousand mixed operations against a live server, each compared with a model of what must be there:
                   python3 mixed.py --address HOST:PORT --key KEY --secret SECRET [--seed N] [--operations N] [--trace]
                   (or BARROW_ADDRESS, BARROW_KEY, BARROW_SECRET, MIXED_SEED)
    model.py       the model: what each operation does to what is there, and what refuses it
    trial.py       asking and comparing
    steps_*.py     the operations

What such a client does:

- It follows five redirects and no more: 301 names its primary node from now on, 307 another node for this once, and 305
  somebody outside of the cluster, who is never shown credentials.
- It asks again after a 5xx, a few times, each time after a longer pause. (Not after 501 and 505, which it does not help.)
- It keeps its sockets, unless `Connection: close` says not to.
- It asks before it sends a body of more than 32,768 bytes, or one in chunks: `Expect: 100-continue`.
- It reads the trailers behind an answer in chunks, and tells of a body that was cut.
- Only 200 is a good DELETE, only 201 a good POST, PUT, COPY or APPEND.
"""

import base64
import hashlib
import select
import socket
import time
from urllib.parse import quote, urlsplit

REDIRECTS = 5
ASKS_ABOVE = 32_768
WAITS_FOR_CONTINUE = 2.0
WRITES = ("POST", "PUT", "COPY", "APPEND")


def encoded(text):
    """A name as it stands in a path or an argument (section 1.5)."""
    return quote(text, safe="-_.!~*'()/")


class Broken(Exception):
    """The connection ended where an answer should have been. `clean`: before its first byte."""

    def __init__(self, text, clean=False):
        super().__init__(text)
        self.clean = clean


class Cut(Exception):
    """The body of an answer ended before its end."""

    def __init__(self, answer):
        super().__init__(f"the body was cut after {len(answer.body)} bytes")
        self.answer = answer


class TooManyRedirects(Exception):
    """More than five."""


class Answer:
    """What came back. Header names are in lower case; `trailers` came behind the body."""

    def __init__(self, method, status, reason, headers):
        self.method, self.status, self.reason, self.headers = method, status, reason, headers
        self.body, self.trailers, self.external = b"", [], False

    def all(self, name):
        """The values of a header, in their order."""
        return [value for known, value in self.headers if known == name]

    def last(self, name):
        """The value that counts; of an error's chain of triples it is the last one."""
        return (self.all(name) or [None])[-1]

    def trailer(self, name):
        """The value of a trailer."""
        return next((value for known, value in self.trailers if known == name), None)

    @property
    def good(self):
        """Whether it was done."""
        if self.method in WRITES:
            return self.status == 201
        return self.status == 200 or (self.status == 206 and self.method != "DELETE")

    @property
    def etag(self):
        """The entity tag, without its quotes."""
        tag = self.last("etag")
        return tag[1:-1] if tag and len(tag) > 1 and tag[0] == tag[-1] == '"' else None

    @property
    def uuid(self):
        """After a write: what an unnamed or alias object is addressed by."""
        return self.last("content-uuid")

    @property
    def name(self):
        """After a write: the name, where the server tells one."""
        return self.last("content-name")

    @property
    def token(self):
        """What an error is called."""
        return self.last("castor-system-error-token")

    def __str__(self):
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"(trailer) {name}: {value}" for name, value in self.trailers]
        return "\n".join(lines + [f"({len(self.body)} bytes) {self.body[:400]!r}"])


class Line:
    """One connection."""

    def __init__(self, node, timeout):
        host, _, port = node.rpartition(":")
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held, self.used = b"", False

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def waits(self, seconds):
        """Whether something has come, or comes within this time."""
        return bool(self.held) or bool(select.select([self.socket], [], [], seconds)[0])

    def more(self):
        """Whether more came; nothing does behind the end."""
        data = self.socket.recv(65_536)
        self.held += data
        return bool(data)

    def line(self):
        """The next line, without its end."""
        while b"\n" not in self.held:
            if not self.more():
                raise Broken("the connection ended within a line")
        line, self.held = self.held.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def take(self, length):
        """So many bytes, or as many as come before the end."""
        pieces, missing = [], length
        while missing and (self.held or self.more()):
            piece, self.held = self.held[:missing], self.held[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def fields(self):
        """Headers or trailers, to the empty line behind them."""
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name.strip().lower(), value.strip()))
        return fields

    def head(self, method):
        """Status and headers."""
        if not self.held and not self.more():
            raise Broken("the connection ended before an answer", clean=True)
        _, status, reason = (self.line() + "  ").split(" ", 2)
        return Answer(method, int(status), reason.strip(), self.fields())

    def body(self, answer):
        """Reads what follows the headers. Tells whether the connection can be used again."""
        keeps = "close" not in (answer.last("connection") or "").lower()
        if answer.method == "HEAD" or answer.status in (204, 304):
            return keeps
        if (answer.last("transfer-encoding") or "").lower() == "chunked":
            self.chunks(answer)
            return keeps
        length = answer.last("content-length")
        if length is None:
            answer.body = self.take(1 << 62)
            return False
        answer.body = self.take(int(length))
        if len(answer.body) < int(length):
            raise Cut(answer)
        return keeps

    def chunks(self, answer):
        try:
            while size := int(self.line().partition(";")[0], 16):
                answer.body += (piece := self.take(size))
                if len(piece) < size:
                    raise Cut(answer)
                self.line()
            answer.trailers = self.fields()
        except (Broken, ConnectionError) as broken:
            raise Cut(answer) from broken


class Request:
    """What is asked. `chunks`: the body in these pieces, of a length that is not told."""

    def __init__(self, method, target, host, headers, body, chunks):
        self.method, self.target, self.host = method, target, host
        self.headers, self.body, self.chunks = list(headers), body, chunks

    @property
    def asks_first(self):
        return self.chunks is not None or len(self.body or b"") > ASKS_ABOVE

    def head(self, authorization):
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        fields = [("Host", self.host), ("TE", "trailers"), ("Connection", "TE")] + self.headers
        if authorization:
            fields.append(("Authorization", authorization))
        if self.chunks is not None:
            fields.append(("Transfer-Encoding", "chunked"))
        elif self.body is not None or self.method in WRITES:
            fields.append(("Content-Length", str(len(self.body or b""))))
        if self.asks_first:
            fields.append(("Expect", "100-continue"))
        # A name without a value leaves out a header that would be there.
        without = {name.lower() for name, value in fields if value is None}
        lines += [f"{name}: {value}" for name, value in fields if name.lower() not in without]
        return "\r\n".join(lines + ["", ""]).encode("latin-1")

    def payload(self):
        if self.chunks is None:
            return [self.body or b""]
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in self.chunks if piece]
        return pieces + [b"0\r\n\r\n"]

    def __str__(self):
        size = sum(map(len, self.chunks)) if self.chunks is not None else len(self.body or b"")
        how = f" in {len(self.chunks)} chunks" if self.chunks is not None else ""
        start = (self.body or b"".join(self.chunks or []))[:120]
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.host}"]
        return "\n".join(lines + [f"{n}: {v}" for n, v in self.headers] + [f"({size} bytes{how}) {start!r}"])


class Digest:
    """Answers to Digest challenges (RFC 7616): one nonce is used as long as it is good."""

    def __init__(self, key, secret, cnonce):
        self.key, self.secret, self.cnonce = key, secret, cnonce
        self.challenge, self.count = None, 0

    def learn(self, answer):
        """Takes up the challenge of a 401, if it holds one."""
        for value in answer.all("www-authenticate"):
            scheme, _, rest = value.partition(" ")
            if scheme.lower() == "digest":
                pairs = (pair.partition("=") for pair in split_quoted(rest))
                self.challenge = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
                self.count = 0
                return True
        return False

    def answer(self, method, target):
        """The value of `Authorization`; `None` before the first challenge."""
        if self.challenge is None:
            return None
        self.count += 1
        hashed = hashlib.sha256 if self.challenge.get("algorithm", "MD5").upper() == "SHA-256" else hashlib.md5
        of = lambda *parts: hashed(":".join(parts).encode()).hexdigest()
        realm, nonce = self.challenge["realm"], self.challenge["nonce"]
        count, cnonce = f"{self.count:08x}", self.cnonce()
        proof = of(of(self.key, realm, self.secret), nonce, count, cnonce, "auth", of(method, target))
        opaque = self.challenge.get("opaque")
        return (
            f'Digest username="{self.key}", realm="{realm}", nonce="{nonce}", uri="{target}", qop=auth, '
            f'nc={count}, cnonce="{cnonce}", response="{proof}", algorithm={self.challenge.get("algorithm", "MD5")}'
            + (f', opaque="{opaque}"' if opaque else "")
        )


def split_quoted(text):
    """Pieces between commas; a comma within quotes is none."""
    pieces, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == "," and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


class Client:
    """Asks a cluster. `tries`: how often in all after 5xx; `pause`: seconds before the second try, doubled each time."""

    def __init__(self, node, key=None, secret=None, tries=4, pause=0.1, timeout=30.0, cnonce=lambda: "0a4f113b"):
        self.primary, self.key, self.secret = node, key, secret
        self.tries, self.pause, self.timeout = tries, pause, timeout
        self.digest = Digest(key, secret, cnonce)
        self.lines = {}
        self.counts = {"requests": 0, "retried": 0, "redirected": 0, "digest": 0, "reconnected": 0, "trailers": 0}
        # What was asked last, and the answers for which it was asked again.
        self.asked, self.failures = None, []

    def ask(self, method, target, headers=(), body=None, chunks=None, auth="basic", host=None):
        """Asks `target` (encoded already), and gives the final answer, good or not."""
        request = Request(method, target, host or self.primary, headers, body, chunks)
        self.asked, self.failures = request, []
        node, redirects, tries, external = self.primary, 0, 1, False
        while True:
            answer = self.authorized(node, request, None if external else auth)
            answer.external = external
            location = answer.last("location")
            if answer.status in (301, 305, 307) and location:
                redirects += 1
                self.counts["redirected"] += 1
                if redirects > REDIRECTS:
                    raise TooManyRedirects(f"{redirects} redirects, the last one to {location}")
                there = urlsplit(location)
                node = there.netloc if ":" in there.netloc else f"{there.netloc}:80"
                # The location brings what has to be sent back, `auth=` above all.
                request.target = (there.path or "/") + (f"?{there.query}" if there.query else "")
                external = external or answer.status == 305
                if answer.status == 301:
                    self.primary = node
            elif answer.status >= 500 and answer.status not in (501, 505) and tries < self.tries:
                time.sleep(self.pause * 2 ** (tries - 1))
                tries += 1
                self.counts["retried"] += 1
                self.failures.append(answer)
                node, request.target, external = self.primary, target, False
            else:
                return answer

    def authorized(self, node, request, auth):
        """One answer, with the credentials shown as `auth` says: basic, bearer, digest, or not at all."""
        if auth is None or self.key is None:
            return self.once(node, request, lambda: None)
        if auth == "digest":
            for _ in range(3):
                proves = self.digest.challenge is not None
                answer = self.once(node, request, lambda: self.digest.answer(request.method, request.target))
                stale = any("stale=true" in value.lower() for value in answer.all("www-authenticate"))
                if answer.status != 401 or not self.digest.learn(answer) or (proves and not stale):
                    break
            self.counts["digest"] += 1
            return answer
        shown = f"{self.key}:{self.secret}"
        if auth == "basic":
            shown = base64.b64encode(shown.encode()).decode()
        return self.once(node, request, lambda: f"{auth.capitalize()} {shown}")

    def once(self, node, request, authorization):
        """One request and its answer, on a kept connection if there is one. `authorization` is asked for each time that
        the request is sent: no use of a nonce is good twice."""
        self.counts["requests"] += 1
        line = self.lines.pop(node, None)
        if line is not None:
            try:
                return self.exchange(node, line, request, authorization)
            except (Broken, ConnectionError) as broken:
                # It was kept too long. What broke off within an answer is another matter.
                if isinstance(broken, Broken) and not broken.clean:
                    raise
                line.close()
                self.counts["reconnected"] += 1
        return self.exchange(node, Line(node, self.timeout), request, authorization)

    def exchange(self, node, line, request, authorization):
        line.send(request.head(authorization()))
        sent, answer = False, None
        if request.asks_first and line.waits(WAITS_FOR_CONTINUE):
            answer = line.head(request.method)
        if answer is None or answer.status == 100:
            answer, sent = None, True
            try:
                for piece in request.payload():
                    line.send(piece)
            except ConnectionError:
                # The server said no before it had everything. What it said may be there.
                sent = False
        while answer is None or answer.status == 100:
            answer = line.head(request.method)
        try:
            keeps = line.body(answer)
        except Cut:
            line.close()
            raise
        self.counts["trailers"] += bool(answer.trailers)
        if keeps and sent:
            self.lines[node] = line
        else:
            line.close()
        return answer

    def raw(self, data, finishes=True):
        """Sends bytes as they are on a connection of their own. `None`: nothing came back."""
        line = Line(self.primary, self.timeout)
        try:
            line.send(data)
            if finishes:
                line.socket.shutdown(socket.SHUT_WR)
            answer = line.head(data.split(b" ", 1)[0].decode("latin-1"))
            line.body(answer)
            return answer
        except (Broken, ConnectionError):
            return None
        finally:
            line.close()

    def close(self):
        """Lets go of all connections."""
        while self.lines:
            self.lines.popitem()[1].close()
