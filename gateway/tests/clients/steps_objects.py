"""Operations on one object: named, alias or unnamed; whole, in part, on a condition; versions and renames."""

import hashlib
import time
from email.utils import formatdate

from model import GUARD, Version, md5, with_digest
from scsp import Broken, Cut, encoded
from trial import Surprise, fields

NAMES = [
    "a", "b", "c/d", "c/e", "c/f/g", "c//h", "/lead", "trailing/", "with space", "ä/ö-ü", "x+y&z=1", "100%", "%41", "..",
    "./.", "tilde~!*'()", "?q#frag", "\"quotes\"", "<tag>&amp;", "emoji-\U0001f30d", "tab\tname", "0123456789abcdef" * 2,
    "UPPER", "upper", "n" * 700,
]
NO_TAG = "0" * 32


def some_headers(trial, guards=False):
    """Headers to keep with an object."""
    headers = {}
    if trial.maybe(0.6):
        headers["content-type"] = [trial.pick(["text/plain", "image/jpeg", "application/x-thing; a=b"])]
    if trial.maybe(0.5):
        headers["x-a-meta-one"] = [str(trial.chance.randrange(1000))]
    if trial.maybe(0.3):
        headers["x-mixed-meta-colour"] = [trial.pick(["red", "a, b", "\"quoted\" <and> &", "x" * 300])]
    if trial.maybe(0.1):
        headers["content-language"] = ["de"]
        headers["cache-control"] = ["no-cache"]
    if trial.maybe(0.1):
        headers["content-disposition"] = ["attachment; filename=\"a b\""]
    if guards and trial.maybe(0.5):
        headers["lifepoint"] = [GUARD]
    elif trial.maybe(0.08):
        headers["lifepoint"] = ["[Wed, 01 Jan 2098 00:00:00 GMT] reps=2", "[] delete"]
    return headers


def some_body(trial):
    """Bytes: mostly a few, sometimes around what lies inline, sometimes so many that clients ask first."""
    low, high = trial.chance.choices(
        [(0, 0), (1, 300), (1000, 3000), (16_383, 16_386), (32_767, 40_000), (120_000, 200_000)], [8, 50, 16, 10, 12, 4]
    )[0]
    return trial.chance.randbytes(trial.chance.randint(low, high))


def sent(trial, body):
    """A body as it is sent: at once, or in chunks."""
    if trial.maybe(0.75):
        return {"body": body}
    step = trial.pick([7, 1000, 20_000]) if len(body) < 5000 else 20_000
    return {"chunks": [body[at:at + step] for at in range(0, len(body), step)]}


def some_condition(trial, current):
    """The condition of a write, which may hold or not."""
    if not trial.maybe(0.15):
        return None
    tags = ["*", NO_TAG] + ([current.etag] * 2 if current else [])
    return trial.pick(["If-Match", "If-None-Match"]), trial.pick(tags)


def condition_headers(when):
    return [] if when is None else [(when[0], "*" if when[1] == "*" else f'"{when[1]}"')]


def some_box(trial, share_of_aliases=0.15):
    """A bucket, or now and then the alias objects, and a name in it: mostly one that is there."""
    world = trial.world
    if trial.maybe(share_of_aliases) and world.aliases.objects:
        return world.aliases, trial.pick(list(world.aliases.objects))
    bucket = trial.pick(list(world.buckets.values()))
    known = list(bucket.objects)
    return bucket, trial.pick(known) if known and trial.maybe(0.65) else trial.pick(NAMES)


def guards(trial, box):
    return trial.late and getattr(box, "name", None) == "vault"


def is_alias(trial, box):
    return box is trial.world.aliases


def post(trial):
    """WRITE of a named object."""
    box, name = some_box(trial, 0)
    body, headers, when = some_body(trial), some_headers(trial, guards(trial, box)), some_condition(trial, box.current(name))
    new, arguments, extra = Version(body, headers), [], condition_headers(when)
    digest = trial.chance.choices(["", "sent", "asked"], [6, 1, 1])[0]
    if digest:
        new.headers = with_digest(headers, body)
        arguments += ["gencontentmd5"] if digest == "asked" else []
        extra += [("Content-MD5", md5(body))] if digest == "sent" else []
    sealed = trial.pick(["md5", "sha1", "sha256", "sha384", "sha512"]) if trial.maybe(0.1) else None
    arguments += [f"hashtype={sealed}"] if sealed else []
    outcome = trial.expecting(lambda: (new, box.publish(name, new, when=when)))
    extra += fields(headers)
    answer = trial.ask("POST", trial.path(box, name), *arguments, headers=extra, by="any", **sent(trial, body))
    trial.stored(answer, outcome, box, name)
    if answer.good and digest == "asked":
        trial.must(answer.last("content-md5") == md5(body), "the digest that was asked for")
    if answer.good and sealed:
        seal(trial, box, name, answer.last("location"), sealed, body)


def seal(trial, box, name, location, sealed, body):
    """A seal opens what it was made of, and cuts anything else."""
    digest = hashlib.new(sealed, body).hexdigest()
    trial.must(location.endswith(f"&hashtype={sealed}&hash={digest}"), "Location with the seal")
    arguments = [f"hashtype={sealed}", f"hash={digest}"]
    read = trial.ask("GET", trial.path(box, name), *arguments, is_=200)
    trial.must(read.body == body and f"hash={digest}" in (read.trailer("location") or ""), "the seal behind the body")
    arguments[1] = "hash=" + digest[:-1] + ("0" if digest[-1] != "0" else "1")
    try:
        trial.ask("GET", trial.path(box, name), *arguments)
    except Surprise as surprise:
        # Of a small object the end comes before the head was on its way.
        if not isinstance(surprise.__cause__, (Cut, Broken)):
            raise
    else:
        raise Surprise("what has another seal must be cut")


def put(trial):
    """UPDATE, of a named object or an alias; perhaps with another name."""
    box, name = some_box(trial)
    arguments, newname = [], None
    preserve, putcreate = trial.maybe(0.4), trial.maybe(0.25)
    if not is_alias(trial, box) and trial.maybe(0.2):
        newname = trial.pick(NAMES)
        arguments.append(f"newname={encoded(newname)}")
    body, headers, when = some_body(trial), some_headers(trial, guards(trial, box)), some_condition(trial, box.current(name))
    digest, extra = trial.maybe(0.15), condition_headers(when)
    extra += [("Content-MD5", md5(body))] if digest else []
    arguments += ["preserve=yes"] * preserve + ["putcreate"] * putcreate
    # An alias object is never made by PUT.
    creates = putcreate and not is_alias(trial, box)
    if is_alias(trial, box) and not box.current(name):
        outcome = None, box.hidden(name)
    else:
        outcome = trial.expecting(
            lambda: box.put(name, body, headers, preserve, creates, newname=newname, digest=digest, when=when)
        )
    answer = trial.ask("PUT", trial.path(box, name), *arguments, headers=fields(headers) + extra, **sent(trial, body))
    trial.stored(answer, outcome, box, name, newname)


def copy(trial):
    """COPY: other headers, another name, or an older version again."""
    box, name = some_box(trial)
    arguments, version, newname = [], None, None
    if trial.maybe(0.3) and box.versions(name):
        version = trial.pick(box.versions(name)).etag
        arguments.append(f"version={version}")
    if not is_alias(trial, box) and trial.maybe(0.25):
        newname = trial.pick(NAMES)
        arguments.append(f"newname={encoded(newname)}")
    preserve, lax = trial.maybe(0.5), trial.maybe(0.2)
    arguments += ["preserve"] * preserve + ["admin"] * lax
    headers, when = some_headers(trial, guards(trial, box)), some_condition(trial, box.current(name))
    outcome = trial.expecting(lambda: box.copy(name, headers, version, preserve, lax, newname, when))
    answer = trial.ask("COPY", trial.path(box, name), *arguments, headers=fields(headers) + condition_headers(when))
    trial.stored(answer, outcome, box, name, newname)


def append(trial):
    """APPEND: to what is there, or to an older version."""
    box, name = some_box(trial)
    arguments, version, newname = [], None, None
    if trial.maybe(0.2) and box.versions(name):
        version = trial.pick(box.versions(name)).etag
        arguments.append(f"version=%22{version}%22")
    if not is_alias(trial, box) and trial.maybe(0.1):
        newname = trial.pick(NAMES)
        arguments.append(f"newname={encoded(newname)}")
    mode = trial.pick(["", "", "preserve", "replace"])
    arguments += [mode] if mode else []
    added, headers, when = some_body(trial), some_headers(trial), some_condition(trial, box.current(name))
    headers.pop("lifepoint", None)
    outcome = trial.expecting(lambda: box.append(name, added, headers, version, mode, newname, when))
    extra = condition_headers(when)
    answer = trial.ask("APPEND", trial.path(box, name), *arguments, headers=fields(headers) + extra, **sent(trial, added))
    trial.stored(answer, outcome, box, name, newname)


def delete(trial):
    """DELETE of the current version, or of one by its tag."""
    box, name = some_box(trial)
    version = trial.pick(box.versions(name)).etag if trial.maybe(0.35) and box.versions(name) else None
    speaks_of = box.current(name) if version is None else next(v for v in box.versions(name) if v.etag == version)
    when = some_condition(trial, speaks_of)
    before, outcome = list(box.versions(name)), trial.expecting(lambda: box.delete(name, version, when))
    path = trial.path(box, name)
    arguments = [f"version={version}"] if version else []
    answer = trial.ask("DELETE", path, *arguments, headers=condition_headers(when), by="any")
    gone, refusal = outcome
    if refusal:
        trial.refused(answer, refusal)
    else:
        found, marker = gone
        trial.must(answer.good and answer.status == 200, "only 200 is a good DELETE")
        trial.must(answer.etag == found.etag and answer.body == b"", f"what it describes is {found.etag}")
        told = answer.last("castor-system-delete-marker-etag")
        trial.must((told is not None) == (marker is not None), "a marker's tag if there is a marker, and only then")
        if marker:
            trial.must(told[0] == told[-1] == '"' and len(told) == 34, "a quoted tag")
            if marker.etag is None:
                trial.must(told[1:-1] not in trial.world.etags, "a tag is never used again")
                trial.world.etags.add(told[1:-1])
                marker.etag = told[1:-1]
            trial.must(told[1:-1] == marker.etag, f"the marker {marker.etag}")
    trial.look(box, name)
    for known in before:
        if known not in box.versions(name):
            trial.look(box, name, known.etag)


def read(trial):
    """READ and INFO, on conditions too, of any version."""
    box, name = some_box(trial)
    version = trial.pick(box.versions(name)).etag if trial.maybe(0.4) and box.versions(name) else None
    found = trial.look(box, name, version)
    if not found:
        return
    path, arguments = trial.path(box, name), [f"version={version}"] if version else []
    method = trial.pick(["GET", "HEAD"])
    for header, tag, status in [
        ("If-None-Match", found.etag, 304), ("If-None-Match", NO_TAG, 200), ("If-Match", found.etag, 200),
        ("If-Match", NO_TAG, 412),
    ]:
        if trial.maybe(0.5):
            answer = trial.ask(method, path, *arguments, headers=[(header, f'"{tag}"')], is_=status)
            trial.must(answer.etag == found.etag, "the tag of what is there")
    since = trial.ask("HEAD", path, *arguments, is_=200).last("last-modified")
    trial.ask(method, path, *arguments, headers=[("If-Modified-Since", since)], is_=304)
    trial.ask(method, path, *arguments, headers=[("If-Unmodified-Since", "Sat, 29 Oct 1994 19:43:31 GMT")], is_=412)


def part(trial):
    """Ranges: one, several, none that exists; with a digest behind the bytes."""
    box, name = some_box(trial)
    found = box.current(name)
    if not found or not found.body:
        return read(trial)
    path, size, body = trial.path(box, name), len(found.body), found.body
    first = trial.chance.randrange(size)
    last = trial.chance.randrange(first, size)
    for header, start, end in [
        (f"bytes={first}-{last}", first, last + 1), (f"bytes={first}-", first, size),
        (f"bytes=-{size - first}", first, size), (f"bytes={first}-{size + 99}", first, size),
    ]:
        answer = trial.ask("GET", path, headers=[("Range", header)], is_=206, by="any")
        trial.must(answer.body == body[start:end], f"{end - start} bytes from {start} on must come")
        trial.must(answer.last("content-range") == f"bytes {start}-{end - 1}/{size}", "Content-Range")
    answer = trial.ask("GET", path, "gencontentmd5", headers=[("Range", f"bytes={first}-{last}")], is_=206)
    if last - first + 1 < size:
        trial.must(answer.trailer("content-md5") == md5(body[first:last + 1]), "the digest behind the part")
    answer = trial.ask("GET", path, "gencontentmd5", is_=200)
    told = answer.trailer("content-md5") or answer.last("content-md5")
    trial.must(answer.body == body and told == md5(body), "the digest of the whole")
    trial.ask("GET", path, headers=[("Range", f"bytes={size}-")], is_=416, token="BadRange")
    answer = trial.ask("GET", path, headers=[("Range", f"bytes={first}-{last}"), ("If-Range", f'"{NO_TAG}"')])
    trial.same(answer, found)
    if size > 20:
        answer = trial.ask("GET", path, headers=[("Range", "bytes=0-1,5-9,-1")], is_=206)
        mark = answer.last("content-type").partition("boundary=")[2].encode()
        pieces = [piece.partition(b"\r\n\r\n")[2][:-2] for piece in answer.body.split(b"--" + mark)[1:-1]]
        trial.must(pieces == [body[:2], body[5:10], body[-1:]], "three parts")


def alias(trial):
    """A new alias object."""
    body, headers = some_body(trial), some_headers(trial)
    answer = trial.ask("POST", "/", "alias=yes", headers=fields(headers), by="any", **sent(trial, body))
    uuid = answer.uuid
    trial.must(uuid and uuid not in trial.world.uuids, "a UUID that never was")
    trial.world.uuids.add(uuid)
    new = Version(body, headers)
    trial.stored(answer, ((new, trial.world.aliases.publish(uuid, new)), None), trial.world.aliases, uuid)


def unnamed(trial):
    """Unnamed objects: made, read from any Host, never changed, deleted once."""
    world = trial.world
    if world.unnamed and trial.maybe(0.4):
        uuid = trial.pick(list(world.unnamed))
        found = world.unnamed[uuid]
        if trial.maybe(0.4):
            method = trial.pick(["PUT", "COPY", "APPEND"])
            trial.ask(method, f"/{uuid}", body=None if method == "COPY" else b"other", is_=403, token="Immutable")
        elif found.guarded:
            trial.ask("DELETE", f"/{uuid}", is_=403, token="NotDeletable")
        else:
            answer = trial.ask("DELETE", f"/{uuid}", by="nothing", is_=200)
            trial.must(answer.etag == uuid, "the tag is the UUID")
            trial.must(answer.last("castor-system-delete-marker-etag") is None, "it leaves no marker")
            del world.unnamed[uuid]
            trial.ask("DELETE", f"/{uuid}", by="nothing", is_=404)
    else:
        body, headers = some_body(trial), some_headers(trial, trial.late and trial.maybe(0.2))
        answer = trial.ask("POST", "/", headers=fields(headers), by="any", **sent(trial, body))
        uuid, new = answer.uuid, Version(body, headers)
        trial.written(answer, new)
        trial.must(uuid == new.etag and uuid not in world.uuids, "the tag is a UUID that never was")
        world.uuids.add(uuid)
        world.unnamed[uuid] = new
    look_at_unnamed(trial, uuid)


def look_at_unnamed(trial, uuid):
    """By its UUID alone: no domain is needed, nor looked at."""
    answer = trial.ask("GET", f"/{trial.pick([uuid, uuid.upper()])}", by=trial.pick(["nothing", "host"]))
    if uuid in trial.world.unnamed:
        trial.same(answer, trial.world.unnamed[uuid])
    else:
        trial.must(answer.status == 404, "404 must come")


def mayfly(trial):
    """An object that goes by itself within seconds; whether it has is looked at last of all."""
    ends = int(time.time()) + 4
    lifepoint = [f"[{formatdate(ends, usegmt=True)}] reps=1", "[] delete"]
    name, new = f"{len(trial.world.mayflies)}", Version(some_body(trial), {"lifepoint": lifepoint})
    path = f"/mayflies/{name}"
    trial.written(trial.ask("POST", path, headers=fields(new.headers), body=new.body), new)
    answer = trial.ask("GET", path)
    if time.time() < ends:
        trial.same(answer, new)
    trial.world.mayflies.append((path, ends))


def wrong_digest(trial):
    """A body that is not what its Content-MD5 says is not stored."""
    box, name = some_box(trial)
    body, method = some_body(trial) + b"!", trial.pick(["POST", "PUT"])
    if is_alias(trial, box):
        method = "PUT"
        if not box.current(name):
            return unnamed(trial)
    header = [("Content-MD5", md5(body + b"?"))]
    arguments = ["putcreate"] if method == "PUT" and not is_alias(trial, box) else []
    answer = trial.ask(method, trial.path(box, name), *arguments, headers=header, is_=400, **sent(trial, body))
    trial.must(answer.token == "ContentMd5Mismatch", "ContentMd5Mismatch")
    trial.must(answer.last("connection") == "close", "the connection is closed")
    trial.look(box, name)
