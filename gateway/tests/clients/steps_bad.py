"""Requests that must be refused, and must change nothing."""

from model import md5
from steps_objects import NO_TAG, some_box
from trial import CONTEXT

# Method, target, headers, body, status, token. `{o}` is an object, `{b}` its bucket, `{d}` the domain.
BAD = [
    ("POST", "/never?domain={d}", [], b"", 400, "ExplicitContextRequired"),
    ("POST", "/" + NO_TAG + "?domain={d}", [], b"x", 400, "BadName"),
    ("POST", "/" + NO_TAG + "/o?domain={d}", [], b"x", 400, "BadName"),
    ("POST", "{b}?domain={d}", [CONTEXT, ("Policy-Versioning", "perhaps")], b"", 400, "BadPolicy"),
    ("POST", "{b}?domain={d}", [CONTEXT], b"a body", 400, "BodyNotAllowed"),
    ("POST", "{b}?domain={d}&recreatecid=xyz", [CONTEXT], b"", 400, "BadRecreateCid"),
    ("POST", "{b}?domain={d}&recreatecid=" + NO_TAG, [CONTEXT], b"", 404, "UnknownContext"),
    ("PUT", "{b}?domain={d}&putcreate=yes", [CONTEXT], b"", 400, "BadArgument"),
    ("PUT", "{o}?domain={d}&version=" + NO_TAG, [], b"x", 400, "BadArgument"),
    ("PUT", "/never/o?domain={d}", [], b"x", 404, "NotFound"),
    ("POST", "/never/o?domain={d}", [], b"x", 412, "RequiresContext2"),
    ("POST", "{o}?domain=no.example", [], b"x", 412, "RequiresContext2"),
    ("PUT", "{o}?domain=no.example", [], b"x", 409, "RequiresContext2"),
    ("POST", "{o}?domain=-", [], b"x", 400, "BadName"),
    ("POST", "{o}?domain={d}&newname=p", [], b"x", 400, "BadArgument"),
    ("POST", "{o}?domain={d}&hashtype=crc32", [], b"x", 400, "BadArgument"),
    ("POST", "{o}?domain={d}&hashtype=md5&hash=" + NO_TAG, [], b"x", 400, "SealMismatch"),
    ("POST", "{o}?domain={d}", [("Lifepoint", "[not a date] deletable=no")], b"x", 400, "BadLifepoint"),
    ("POST", "{o}?domain={d}", [("Lifepoint", "[] delete")], b"x", 400, "BadLifepoint"),
    ("POST", "{o}?domain={d}", [("Lifepoint", "[] deleteable=no")], b"x", 400, "BadLifepoint"),
    ("POST", "{o}?domain={d}", [("Castor-Authorization", "read=d")], b"x", 400, "BadHeader"),
    ("POST", "{o}?domain={d}", [("Content-MD5", "no digest")], b"x", 400, "BadHeader"),
    ("POST", "{o}?domain={d}", [("Content-MD5", md5(b"y"))], b"x", 400, "ContentMd5Mismatch"),
    ("POST", "{o}?domain={d}", [("If-Match", "\"unclosed")], b"x", 400, "BadHeader"),
    ("POST", "{o}?domain={d}", [("If-Unmodified-Since", "yesterday")], b"x", 400, "BadHeader"),
    ("POST", "{o}?domain={d}", [("Content-Length", None)], b"", 411, "LengthRequired"),
    ("POST", "{o}?domain={d}", [("Host", None)], b"x", 400, "HostRequired"),
    ("POST", "{o}?domain={d}", [("Host", "e.example")], b"x", 400, "BadRequest"),
    ("POST", "{o}?domain={d}&uploads&partnumber=1", [], b"x", 400, "BadArgument"),
    ("POST", "/?domain={d}&alias=maybe", [], b"x", 400, "BadArgument"),
    ("POST", "{o}?domain={d}&uploads", [("Content-MD5", md5(b""))], b"", 400, "BadHeader"),
    ("POST", "{o}?domain={d}&uploadid=" + NO_TAG + "&partnumber=0", [], b"x", 400, "BadArgument"),
    ("POST", "{o}?domain={d}&uploadid=" + NO_TAG + "&partnumber=1", [], b"x", 404, "NoSuchUpload"),
    ("POST", "{o}?domain={d}&uploadid=x", [], b"x", 400, "BadArgument"),
    ("POST", "{b}/%zz?domain={d}", [], b"x", 400, "BadName"),
    ("POST", "{b}/%ff?domain={d}", [], b"x", 400, "BadName"),
    ("POST", "{b}/%00?domain={d}", [], b"x", 400, "BadName"),
    ("POST", "{b}/" + "n" * 8001 + "?domain={d}", [], b"x", 400, "BadName"),
    ("COPY", "{o}?domain={d}", [], b"a body", 400, "BodyNotAllowed"),
    ("COPY", "{o}?domain={d}&gencontentmd5", [], None, 400, "BadArgument"),
    ("COPY", "{o}?domain={d}&newname=", [], None, 400, "BadName"),
    ("COPY", "{o}?domain={d}&preserve=perhaps", [], None, (400, 404), None),
    ("COPY", "{o}?domain={d}&version=" + NO_TAG, [], None, 404, "NotFound"),
    ("COPY", "{o}?domain={d}&version=current", [], None, 400, "BadArgument"),
    ("APPEND", "{o}?domain={d}&gencontentmd5", [], b"x", 400, "BadArgument"),
    ("APPEND", "{o}?domain={d}&preserve&replace", [], b"x", 400, "BadArgument"),
    ("APPEND", "{o}?domain={d}", [("Content-MD5", md5(b"x"))], b"x", 400, "BadHeader"),
    ("APPEND", "/" + NO_TAG, [], b"x", 404, "NotFound"),
    ("DELETE", "{o}?domain={d}&version=" + NO_TAG, [], None, 404, "NotFound"),
    ("DELETE", "{o}?domain={d}&version=x", [], None, 400, "BadArgument"),
    ("DELETE", "{o}?domain={d}", [("If-Match", "\"unclosed")], None, 400, "BadHeader"),
    ("DELETE", "/{d}?domain=no.example&recursive", [], None, 404, "NotFound"),
    ("DELETE", "/?domain={d}&recursive=perhaps", [], None, 400, "BadRecursiveValue"),
    ("DELETE", "//?domain={d}&recursive", [], None, 404, "NotFound"),
    ("DELETE", "/", [], None, 400, "NameRequired"),
    ("GET", "{b}?domain={d}&format=yaml", [], None, 400, "BadArgument"),
    ("GET", "{b}?domain={d}&format=json&size=0", [], None, 400, "BadArgument"),
    ("GET", "{b}?domain={d}&format=json&sort=tmBorn", [], None, 400, "BadArgument"),
    ("GET", "{b}?domain={d}&format=json&fields=colour", [], None, 400, "BadArgument"),
    ("GET", "{b}?domain={d}&format=json&versions&delimiter=/", [], None, 400, "BadArgument"),
    ("GET", "{o}?domain={d}&cid=xyz", [], None, 400, "BadCid"),
    ("GET", "{o}?domain={d}&hashtype=md5", [], None, 400, "BadArgument"),
    ("SEND", "{o}?domain={d}", [], None, 501, "NotImplemented"),
    ("BREW", "{o}?domain={d}", [], b"x", 501, "NotImplemented"),
    ("delete", "{o}?domain={d}", [], None, 501, "NotImplemented"),
]


def bad(trial):
    """Some of the requests above; then everything is as it was."""
    box, name = some_box(trial, 0)
    places = {"{o}": trial.path(box, name), "{b}": trial.path(box), "{d}": trial.world.domain}
    for method, target, headers, body, status, token in trial.chance.sample(BAD, 4):
        for place, path in places.items():
            target = target.replace(place, path)
        answer = trial.ask(method, target, headers=headers, body=body, by="nothing")
        trial.must(answer.status in (status if isinstance(status, tuple) else (status,)), f"{status} {token} must come")
        trial.must(token is None or answer.token == token, f"the token {token} must come")
    trial.look(box, name)
    trial.look_at_bucket(box)


def strangers(trial):
    """Without credentials, or with wrong ones, nothing is told and nothing changes."""
    box, name = some_box(trial)
    path, client = trial.path(box, name), trial.client
    method = trial.pick(["GET", "HEAD", "PUT", "DELETE", "COPY", "APPEND"])
    body = b"x" if method in ("PUT", "APPEND") else None
    answer = trial.ask(method, path, body=body, auth="nobody", is_=401)
    schemes = sorted(value.partition(" ")[0] for value in answer.all("www-authenticate"))
    trial.must(schemes == ["Basic", "Digest"], "two schemes to choose from")
    secret, proves = client.secret, client.digest
    try:
        client.secret = secret + "!"
        client.digest = type(proves)(client.key, client.secret, proves.cnonce)
        trial.ask(method, path, body=body, is_=401)
    finally:
        client.secret, client.digest = secret, proves
    trial.look(box, name)


def broken(trial):
    """Requests that no client sends on purpose: cut off, in another protocol, with too much in front."""
    box, name = some_box(trial, 0)
    target, at = f"{trial.path(box, name)}?domain={trial.world.domain}", trial.client.primary
    proof = f"Authorization: Bearer {trial.client.key}:{trial.client.secret}\r\n"
    head = f"POST {target} HTTP/1.1\r\nHost: {at}\r\n{proof}"
    for data, statuses in [
        (head + "Content-Length: 100\r\n\r\n" + "x" * 50, (400, None)),
        (head + "Content-Length: 50000\r\n\r\n" + "x" * 20_000, (400, None)),
        (head + "Transfer-Encoding: chunked\r\n\r\n5\r\nfour", (400, None)),
        (head + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", (400, None)),
        (head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", (400,)),
        (head.replace("HTTP/1.1", "HTTP/1.0") + "Content-Length: 4\r\n\r\nfour", (505,)),
        (head + f"X-A-Meta-Long: {'x' * 40_000}\r\nContent-Length: 4\r\n\r\nfour", (400, 431)),
        (head + "".join(f"X-A-Meta-{n}: 1\r\n" for n in range(600)) + "Content-Length: 4\r\n\r\nfour", (400, 431)),
    ]:
        if trial.maybe(0.4):
            # Whoever hangs up may not be answered.
            answer = trial.client.raw(data.encode("latin-1"), finishes=None in statuses)
            trial.recent.append((f"(raw) {data[:300]!r}", str(answer)))
            trial.must((answer.status if answer else None) in statuses, f"one of {statuses} must come")
    trial.look(box, name)
