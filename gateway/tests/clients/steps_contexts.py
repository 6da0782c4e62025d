"""Buckets and the domain: made, changed, renamed, removed with everything in them, and brought back."""

import time
from email.utils import parsedate_to_datetime

from model import Bucket
from scsp import encoded
from steps_objects import NAMES, NO_TAG
from trial import CONTEXT, fields

BUCKETS = ["vault", "b1", "b2", "B2", "with space", "bücket", "x+y", "d.e"]
POLICIES = [None, None, "enabled", "enabled", "enabled", "suspended", "disabled"]


def some_headers(trial):
    headers = {}
    policy = trial.pick(POLICIES)
    if policy:
        headers["policy-versioning"] = [policy]
    if trial.maybe(0.5):
        headers["x-a-meta-team"] = [trial.pick(["tv", "radio"])]
    return headers


def free_name(trial):
    free = [name for name in BUCKETS if name not in trial.world.buckets]
    return trial.pick(free) if free else None


def some_bucket(trial):
    return trial.pick(list(trial.world.buckets.values()))


def context(headers):
    return [CONTEXT, *fields(headers)]


def create(trial, name=None):
    """A new bucket: another one than whatever had the name before."""
    world, name = trial.world, name or free_name(trial)
    if name is None:
        return change(trial)
    bucket = Bucket(name, some_headers(trial))
    answer = trial.ask("POST", trial.path(bucket), headers=context(bucket.headers), by="any", is_=201)
    bucket.uuid = answer.last("castor-system-alias")
    trial.must(bucket.uuid == answer.uuid and bucket.uuid not in world.uuids, "a UUID that never was")
    world.uuids.add(bucket.uuid)
    world.buckets[name] = bucket
    world.settle()
    bucket.in_motion = False
    trial.look_at_bucket(bucket)
    trial.must(trial.rows(trial.path(bucket))[0] == [], "a new bucket is empty")


def change(trial):
    """POST, PUT, COPY or APPEND of a bucket: other headers, the same UUID, and a policy that may be another."""
    world, bucket = trial.world, some_bucket(trial)
    method, headers, arguments = trial.pick(["POST", "PUT", "COPY", "APPEND"]), some_headers(trial), []
    if method in ("PUT", "COPY") and trial.maybe(0.6):
        arguments.append("preserve")
    keeps = "preserve" in arguments or method == "APPEND"
    wrong = [("If-Match", f'"{NO_TAG}"')]
    trial.ask(method, trial.path(bucket), *arguments, headers=context(headers) + wrong, is_=412, token="ConditionalIfMatch")
    answer = trial.ask(method, trial.path(bucket), *arguments, headers=context(headers), is_=201)
    trial.must(answer.uuid == bucket.uuid, "the UUID stays")
    bucket.headers = {**bucket.headers, **headers} if keeps else headers
    world.settle()
    trial.look_at_bucket(bucket)


def rename(trial):
    """Another name for a bucket, with all that it holds; never one that is in use."""
    world, bucket, name = trial.world, some_bucket(trial), trial.pick(BUCKETS)
    answer = trial.ask("COPY", trial.path(bucket), f"newname={encoded(name)}", "preserve", "admin", headers=[CONTEXT])
    if name in world.buckets and name != bucket.name:
        trial.must(answer.status == 409 and answer.token == "NameInUse", "409 NameInUse must come")
    else:
        trial.must(answer.status == 201 and answer.uuid == bucket.uuid, "201 with the same UUID")
        old = bucket.name
        world.buckets = {(name if known == old else known): kept for known, kept in world.buckets.items()}
        bucket.name = name
        if old != name:
            trial.ask("HEAD", f"/{encoded(old)}", is_=404)
    trial.look_at_bucket(bucket)
    for name in list(bucket.objects)[:2]:
        trial.look(bucket, name)


def remove(trial, now=False):
    """A bucket goes with everything in it, unless something inside must stay."""
    world, bucket = trial.world, some_bucket(trial)
    if len(world.buckets) < 3:
        return create(trial)
    path = trial.path(bucket)
    for arguments, token in [
        ([], "RecursiveRequired"), (["recursive=no"], "RecursiveRequired"), (["recursive=maybe"], "BadRecursiveValue"),
    ]:
        if trial.maybe(0.3):
            trial.ask("DELETE", path, *arguments, is_=400, token=token)
            trial.look_at_bucket(bucket)
    argument = "recursive=now" if now else trial.pick(["recursive", "recursive=yes", "Recursive=TRUE"])
    answer = trial.ask("DELETE", path, argument, by="any")
    if bucket.retained():
        trial.must(answer.status == 403 and answer.token == "ContextHasRetainedContent", "403 must come")
        return trial.look_at_bucket(bucket)
    trial.must(answer.good and answer.last("castor-system-alias") == bucket.uuid, "200 with the UUID for a restore")
    promised = parsedate_to_datetime(answer.last("barrow-purge-after")).timestamp() - time.time()
    trial.must(promised < 5 if now else promised > 3600, "the promised time")
    del world.buckets[bucket.name]
    if now:
        bucket.purged = True
        world.uploads = [upload for upload in world.uploads if upload.box is not bucket]
    world.removed.append(bucket)
    trial.ask("HEAD", path, is_=404)
    trial.ask("DELETE", path, argument, is_=404)
    trial.rows_gone(path)
    name = trial.pick(list(bucket.objects) or NAMES)
    trial.ask(trial.pick(["GET", "HEAD", "COPY", "DELETE"]), trial.path(bucket, name), is_=404)
    for method in ("PUT", "APPEND"):
        trial.ask(method, trial.path(bucket, name), body=b"lost", is_=404)
    trial.ask("POST", trial.path(bucket, name), body=b"lost", is_=412, token="RequiresContext2")
    if now:
        return await_no_return(trial, bucket)
    look_inside(trial, bucket)
    trial.must(state(trial, bucket) == "removed", f"{bucket.uuid} among what is deleted")


def state(trial, bucket):
    """What administrators are told of a bucket that was deleted."""
    rows = trial.rows("/", "deleted", "admin", by="argument")[0]
    return next((row["state"] for row in rows if row["uuid"] == bucket.uuid), None)


def await_no_return(trial, bucket):
    """Until the background has begun to purge it, which it does at once, a restore may still come first."""
    with trial.untouched_by_chance():
        deadline = time.time() + 20
        while state(trial, bucket) == "removed":
            trial.must(time.time() < deadline, f"{bucket.uuid} must be purged at once")
            time.sleep(0.02)


def look_inside(trial, bucket):
    """What lies in a removed bucket is read by the bucket's UUID, by administrators."""
    # A name that begins with a slash has no such address: leading slashes of a path are dropped.
    for name in [name for name in bucket.visible() if not name.startswith("/")][:2]:
        answer = trial.ask("GET", "/" + encoded(name), f"cid={bucket.uuid}")
        trial.must(answer.status == 200 and answer.body == bucket.current(name).body, f"{name!r} as it was")


def purge(trial):
    """Gone for good, at once."""
    remove(trial, now=True)


def restore(trial, bucket=None, name=None):
    """A removed bucket comes back by its UUID, under its name or another."""
    world = trial.world
    if bucket is None:
        if not world.removed:
            return remove(trial)
        bucket = trial.pick(world.removed)
        name = bucket.name if trial.maybe(0.6) else trial.pick(BUCKETS)
    target, argument = f"/{encoded(name)}", f"recreatecid={bucket.uuid}"
    if bucket.purged:
        answer = trial.ask("POST", target, argument, "admin", headers=[CONTEXT])
        trial.must((answer.status, answer.token) in [(409, "PurgeInProgress"), (410, "ContextPurged")], "no way back")
        return
    headers = some_headers(trial) if trial.maybe(0.3) else {}
    if name in world.buckets:
        trial.ask("POST", target, argument, "admin", headers=context(headers), is_=409, token="NameInUse")
        return trial.look_at_bucket(world.buckets[name])
    answer = trial.ask("POST", target, argument, *(["admin"] * trial.maybe(0.5)), headers=context(headers), is_=201)
    trial.must(answer.last("castor-system-alias") == bucket.uuid, "the old UUID")
    world.removed.remove(bucket)
    bucket.name, bucket.headers = name, {**bucket.headers, **headers}
    world.buckets[name] = bucket
    world.settle()
    trial.look_at_bucket(bucket)
    trial.ask("POST", target, argument, headers=[CONTEXT], is_=409, token="ContextLive")
    for name in list(bucket.objects)[:3]:
        trial.look(bucket, name)


def domain_policy(trial):
    """The domain's policy holds for alias objects, and for buckets that say nothing themselves."""
    world, policy = trial.world, trial.pick(["enabled", "enabled", "suspended", "disabled"])
    headers = {"policy-versioning": [policy]}
    answer = trial.ask("COPY", "/", "preserve", headers=context(headers), is_=201)
    trial.must(answer.uuid == world.uuid, "the UUID stays")
    world.headers = {**world.headers, **headers}
    world.settle()
    for bucket in list(world.buckets.values())[:3]:
        trial.look_at_bucket(bucket)
    for uuid in list(world.aliases.objects)[:2]:
        trial.look(world.aliases, uuid)


def domain_and_back(trial):
    """The whole domain goes, and returns with everything."""
    world = trial.world
    answer = trial.ask("DELETE", "/", "recursive=yes")
    if world.retained():
        trial.must(answer.status == 403 and answer.token == "ContextHasRetainedContent", "403 must come")
    else:
        trial.must(answer.good and answer.last("castor-system-alias") == world.uuid, "200 with the UUID for a restore")
        trial.ask("HEAD", "/", is_=404)
        trial.ask("HEAD", trial.path(some_bucket(trial)), is_=404)
        trial.ask("POST", trial.path(some_bucket(trial), "o"), body=b"lost", is_=412, token="RequiresContext2")
        for uuid in list(world.unnamed)[:1] + list(world.aliases.objects)[:1]:
            trial.ask("GET", f"/{uuid}", by="nothing", is_=404)
        if world.removed:
            target = f"/{encoded(trial.pick(BUCKETS))}"
            answer = trial.ask("POST", target, f"recreatecid={world.removed[0].uuid}", headers=[CONTEXT])
            trial.must(400 <= answer.status < 500, "nothing comes back into a domain that is gone")
        answer = trial.ask("POST", "/", f"recreatecid={world.uuid}", "admin", headers=[CONTEXT], is_=201)
        trial.must(answer.last("castor-system-alias") == world.uuid, "the old UUID")
    for bucket in list(world.buckets.values())[:3]:
        trial.look_at_bucket(bucket)
        for name in list(bucket.objects)[:2]:
            trial.look(bucket, name)
    for uuid in list(world.aliases.objects)[:2]:
        trial.look(world.aliases, uuid)
