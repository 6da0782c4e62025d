"""Asking a live server, and comparing its answers with the model."""

import collections
import contextlib
import json

from model import Refused, md5
from scsp import Broken, Client, Cut, TooManyRedirects, encoded

CONTEXT = ("Content-Type", "application/castorcontext")
WATCHED = ("lifepoint", "content-type", "content-language", "content-disposition", "cache-control", "content-md5")


class Surprise(Exception):
    """The server answered something else than it must."""


def watched(answer):
    """The headers that an answer echoes, as the model keeps them."""
    echoed = {}
    for name, value in answer.headers:
        if name in WATCHED or (name.startswith("x-") and "-meta" in name) or name == "policy-versioning":
            echoed.setdefault(name, []).append(value)
    return echoed


def fields(headers):
    """The model's headers as they are sent."""
    return [("-".join(word.capitalize() for word in name.split("-")), value)
            for name, values in headers.items() for value in values]


class Trial:
    """One run: a client, chance, the model, and the last requests for whoever has to find out what went wrong."""

    def __init__(self, client: Client, chance, world):
        self.client, self.chance, self.world = client, chance, world
        self.recent = collections.deque(maxlen=12)
        self.counts = collections.Counter()
        # Guards come late in a run, so that before them everything can be removed.
        self.late = False
        # What is being done, and whether each request is told.
        self.doing, self.traces = "the beginning", False

    # Chance

    def maybe(self, share):
        return self.chance.random() < share

    def pick(self, things):
        return things[self.chance.randrange(len(things))]

    @contextlib.contextmanager
    def untouched_by_chance(self):
        """What is asked in here, however often, changes nothing of what is asked later."""
        before = self.chance.getstate()
        yield
        self.chance.setstate(before)

    # Asking

    def path(self, box, name=None):
        """Where a bucket is, or an object in it; an alias object if `box` is no bucket."""
        bucket = getattr(box, "name", None)
        if bucket is None:
            return "/" + name
        return f"/{encoded(bucket)}" + ("" if name is None else f"/{encoded(name)}")

    def ask(
        self, method, path, *arguments, headers=(), body=None, chunks=None, is_=None, token=None, by="argument", auth=None
    ):
        """Asks, in the world's domain: told by argument or by Host. `is_`: the status that must come."""
        arguments, host = list(arguments), None
        if by == "any":
            by = self.pick(["argument", "host"])
        if by == "argument":
            arguments.insert(self.chance.randrange(len(arguments) + 1), f"domain={self.world.domain}")
        elif by == "host":
            host = self.world.domain
        target = path + ("?" + "&".join(arguments) if arguments else "")
        if auth is None:
            auth = self.chance.choices(["basic", "digest", "bearer"], [5, 4, 1])[0]
        self.counts[f"by {auth}"] += 1
        try:
            answer = self.client.ask(method, target, headers, body, chunks, None if auth == "nobody" else auth, host)
        except (Broken, Cut, TooManyRedirects, OSError) as broken:
            self.recent.append((str(self.client.asked), f"{type(broken).__name__}: {broken}"))
            raise Surprise(f"no answer: {broken}") from broken
        self.recent.append((str(self.client.asked), str(answer)))
        if self.traces:
            asked = self.client.asked
            print(f"{self.doing}: {asked.method} {asked.target} -> {answer.status} {answer.etag or ''}")
        self.wellformed(answer)
        if is_ is not None:
            self.must(answer.status == is_, f"{is_} must come")
        if token is not None:
            self.must(answer.token == token, f"the token {token} must come")
        return answer

    def wellformed(self, answer):
        """What is true of all answers."""
        for failure in [*self.client.failures, answer]:
            self.must(failure.status != 500, f"the server must not break: {failure}")
        self.must((answer.last("server") or "").startswith("CAStor Cluster/"), "Server: CAStor Cluster/…")
        if answer.status >= 400:
            triple = [answer.all(f"castor-system-error-{part}") for part in ("code", "token", "text")]
            self.must(len({len(part) for part in triple}) == 1 and triple[0], "an error carries three headers")
            self.must(triple[0][-1] == str(answer.status), "the last triple is the effective one")
        else:
            self.must(answer.last("castor-system-cluster"), "Castor-System-Cluster")

    def must(self, holds, what):
        if not holds:
            raise Surprise(what)

    def expecting(self, rule):
        """Applies a rule of the model: what it gives and no refusal, or the refusal that must come."""
        try:
            return rule(), None
        except Refused as refused:
            return None, refused

    def refused(self, answer, refusal):
        """Whether the answer is the error that the model wants."""
        self.must(answer.status == refusal.status, f"{refusal.status} {refusal.token} must come")
        if refusal.token and answer.method != "HEAD":
            self.must(answer.token == refusal.token, f"the token {refusal.token} must come")
        if refusal.etag:
            self.must(answer.etag == refusal.etag, f"the tag {refusal.etag} must come")

    # Writing

    def written(self, answer, new):
        """A 201, whose tag the new version has from now on."""
        self.must(answer.good and answer.status == 201, "201 must come")
        self.must(answer.etag and len(answer.etag) == 32, "a tag of 32 digits")
        self.must(answer.etag not in self.world.etags, "a tag is never used again")
        self.world.etags.add(answer.etag)
        new.etag = answer.etag
        if answer.last("entity-md5") is not None:
            self.must(answer.last("entity-md5") == md5(new.body), f"Entity-MD5: {md5(new.body)}")

    def stored(self, answer, outcome, box, name, newname=None):
        """After POST, PUT, COPY or APPEND: the answer, and what is there now. `outcome`: of `expecting`."""
        (made, refusal) = outcome
        if refusal:
            self.refused(answer, refusal)
        else:
            new, marker = made
            self.written(answer, new)
            if marker:
                # Its tag is told by whoever looks for the object.
                hidden = self.ask("HEAD", self.path(box, name), is_=404)
                self.must(hidden.etag and hidden.etag not in self.world.etags, "the tag of a new marker")
                marker.etag = hidden.etag
                self.world.etags.add(hidden.etag)
        self.look(box, name)
        if newname is not None and newname != name:
            self.look(box, newname)

    # Reading

    def look(self, box, name, version=None, arguments=()):
        """Reads an object and compares it byte for byte; where there is none, nothing must be there."""
        path = self.path(box, name)
        arguments = [*arguments, *([f"version={version}"] if version else [])]
        found, refusal = self.expecting(lambda: box.find(name, version))
        for method in ["GET"] if self.maybe(0.7) else ["HEAD", "GET"]:
            answer = self.ask(method, path, *arguments, by="any")
            if refusal:
                self.refused(answer, refusal)
            else:
                self.same(answer, found)
                self.must(box is self.world.aliases or answer.last("castor-system-cid") == box.uuid, "the bucket's UUID")
        return found

    def same(self, answer, found, body=None):
        """Whether a 200 shows this version."""
        self.must(answer.status == 200, "200 must come")
        self.must(answer.etag == found.etag, f"the tag {found.etag} must come")
        self.must(watched(answer) == found.headers, f"the headers must be {found.headers}")
        self.must(answer.last("content-length") == str(len(found.body)), f"{len(found.body)} bytes must be told")
        if answer.method == "GET":
            self.must(answer.body == found.body, f"the body must be {found.body[:400]!r}…, {len(found.body)} bytes")

    def look_at_bucket(self, bucket):
        """HEAD of a bucket."""
        head = self.ask("HEAD", self.path(bucket), by="any", is_=200)
        self.must(head.last("castor-system-alias") == bucket.uuid, f"the UUID {bucket.uuid} must come")
        self.must(head.last("castor-system-cid") == self.world.uuid, "the domain's UUID")
        self.must(head.last("castor-system-name") == encoded(bucket.name), "the name")
        self.must(watched(head) == bucket.headers, f"the headers must be {bucket.headers}")
        self.must(head.last("policy-versioning-evaluated") == bucket.versioning, f"{bucket.versioning} must be in force")

    def rows(self, path, *arguments, by="any"):
        """One page of a listing."""
        answer = self.ask("GET", path, "format=json", *arguments, is_=200, by=by)
        self.must(answer.last("content-type") == "application/json; charset=utf-8", "JSON must come")
        return json.loads(answer.body), answer

    def rows_gone(self, path):
        """There is nothing to list."""
        self.ask("GET", path, "format=json", is_=404)
