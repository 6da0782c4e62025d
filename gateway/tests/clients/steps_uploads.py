"""Multipart uploads: begun, their parts in any order, completed or given up (SCSP section 2.10)."""

import json

from model import Upload, md5
from steps_objects import NAMES, condition_headers, is_alias, sent, some_body, some_box, some_condition, some_headers
from trial import fields

UNKNOWN = "0" * 31 + "1"


def reachable(trial, upload):
    """Whether the bucket is where requests find it. An alias object that is hidden or gone is nowhere."""
    if is_alias(trial, upload.box):
        return upload.box.current(upload.name) is not None
    return trial.world.buckets.get(upload.box.name) is upload.box


def some_upload(trial):
    open_ones = [upload for upload in trial.world.uploads if reachable(trial, upload)]
    return trial.pick(open_ones) if open_ones else None


def begin(trial):
    """Begins one: of an object that is to be made or replaced (POST), changed (PUT) or added to (APPEND)."""
    box, name = some_box(trial)
    mode, headers, arguments = trial.pick(["POST", "PUT", "APPEND"]), some_headers(trial), ["uploads"]
    headers.pop("lifepoint", None)
    current = box.current(name)
    if is_alias(trial, box):
        if not current:
            return begin_missing(trial)
        mode = trial.pick(["PUT", "APPEND"])
    putcreate = mode == "PUT" and trial.maybe(0.3)
    arguments += ["putcreate"] * putcreate
    answer = trial.ask(mode, trial.path(box, name), *arguments, headers=fields(headers), body=b"")
    if mode != "POST" and not current and not putcreate:
        trial.must(answer.status == 404, "404 must come")
        return
    trial.must(answer.status == 201 and answer.last("castor-system-uploadid"), "an upload begins")
    if mode == "APPEND":
        headers.pop("content-type", None)
    upload = Upload(box, name, mode, headers, current if mode == "PUT" else None)
    upload.id = answer.last("castor-system-uploadid")
    trial.world.uploads.append(upload)
    for _ in range(trial.chance.randrange(1, 4)):
        add(trial, upload)
    trial.look(box, name)


def begin_missing(trial):
    """There must be something to add to, and a bucket to put it in."""
    trial.ask("APPEND", f"/{UNKNOWN}", "uploads", body=b"", is_=404)
    trial.ask("POST", "/no such bucket/o".replace(" ", "%20"), "uploads", body=b"", is_=412, token="RequiresContext2")


def part(trial):
    """One more part of an open upload."""
    upload = some_upload(trial)
    return add(trial, upload) if upload else begin(trial)


def add(trial, upload):
    number, body = trial.chance.randrange(1, 6), some_body(trial)
    path, arguments = trial.path(upload.box, upload.name), [f"uploadid={upload.id}", f"partnumber={number}"]
    if trial.maybe(0.1):
        wrong = [("Content-MD5", md5(body + b"?"))]
        trial.ask("POST", path, *arguments, headers=wrong, body=body, is_=400, token="ContentMd5Mismatch")
        return
    digest = [("Content-MD5", md5(body))] if trial.maybe(0.3) else []
    answer = trial.ask(trial.pick(["POST", "PUT"]), path, *arguments, headers=digest, is_=201, **sent(trial, body))
    trial.must(answer.uuid and answer.uuid not in trial.world.uuids, "a part has a UUID of its own")
    trial.must(answer.last("entity-md5") == md5(body), "the part's digest")
    trial.world.uuids.add(answer.uuid)
    upload.parts[number] = (answer.uuid, body)
    # Nobody reads a part by its UUID.
    if trial.maybe(0.2):
        trial.ask("GET", f"/{answer.uuid}", by="nothing", is_=404)


def manifest(parts):
    return json.dumps({"parts": [{"partNumber": number, "uuid": uuid} for number, uuid in parts]}).encode()


def complete(trial):
    """Parts become the object; a list that is none leaves everything as it was."""
    upload = some_upload(trial)
    if not upload:
        return begin(trial)
    if not upload.parts:
        return add(trial, upload)
    path, argument = trial.path(upload.box, upload.name), f"uploadid={upload.id}"
    numbers = trial.chance.sample(sorted(upload.parts), trial.chance.randint(1, len(upload.parts)))
    listed = [(number, upload.parts[number][0]) for number in numbers]
    for bad, token in [
        (manifest([]), "BadManifest"), (manifest(listed + listed[:1]), "BadManifest"), (b"parts", "BadManifest"),
        (manifest([(numbers[0], UNKNOWN)]), "NoSuchPart"), (manifest([(9999, listed[0][1])]), "NoSuchPart"),
    ]:
        if trial.maybe(0.2):
            missing = upload.mode == "APPEND" and not upload.box.current(upload.name)
            answer = trial.ask("POST", path, argument, body=bad)
            trial.must(answer.status in ((400, 404) if missing else (400,)), "a bad list is refused")
            trial.must(missing or answer.token == token, f"the token {token} must come")
            trial.look(upload.box, upload.name)
    headers, when = some_headers(trial), some_condition(trial, upload.box.current(upload.name))
    headers.pop("lifepoint", None)
    outcome = trial.expecting(lambda: (upload.complete(numbers, headers, when), None))
    extra = fields(headers) + condition_headers(when)
    answer = trial.ask(trial.pick(["POST", "PUT"]), path, argument, headers=extra, body=manifest(listed))
    trial.stored(answer, outcome, upload.box, upload.name)
    if outcome[1]:
        return
    trial.world.uploads.remove(upload)
    # The answer may have been lost: the same is answered again, and nothing is made twice.
    again = trial.ask("POST", path, argument, body=manifest(listed), is_=201)
    trial.must(again.etag == upload.made.etag, "the object that was made")
    trial.ask("POST", path, argument, "partnumber=1", body=b"late", is_=404, token="NoSuchUpload")
    trial.look(upload.box, upload.name)


def abort(trial):
    """Gives one up: its parts are nowhere."""
    upload = some_upload(trial)
    if not upload:
        return begin(trial)
    path, argument = trial.path(upload.box, upload.name), f"uploadid={upload.id}"
    other = trial.pick([name for name in NAMES if name != upload.name])
    if not is_alias(trial, upload.box):
        trial.ask("DELETE", trial.path(upload.box, other), argument, is_=404, token="NoSuchUpload")
    trial.ask("DELETE", path, argument, is_=200)
    trial.world.uploads.remove(upload)
    trial.ask("POST", path, argument, "partnumber=1", body=b"late", is_=404, token="NoSuchUpload")
    trial.ask("POST", path, argument, body=manifest([(1, UNKNOWN)]), is_=404, token="NoSuchUpload")
    trial.look(upload.box, upload.name)
