"""Listings: page by page, forwards and backwards, grouped, of all versions, of a domain."""

from steps_objects import NAMES
from scsp import encoded


def ordered(names):
    """By their bytes."""
    return sorted(names, key=lambda name: name.encode())


def paged(trial, path, size, *arguments):
    """All rows, page by page."""
    rows, behind = [], []
    while True:
        page, answer = trial.rows(path, f"size={size}", *arguments, *behind)
        trial.must(len(page) <= size, f"at most {size} rows")
        if not page:
            return rows, answer
        rows += page
        behind = [f"marker={encoded(page[-1]['name'])}"]
        if "versions" in arguments:
            behind.append(f"marker-version={page[-1]['version']}")
        trial.must(len(rows) < 5000, "an end")


def some_size(trial):
    return trial.pick([1, 2, 3, 7, 1000])


def list_objects(trial):
    """What is readable in a bucket."""
    bucket = trial.pick(list(trial.world.buckets.values()))
    compare(trial, bucket, some_size(trial), trial.pick(["", "", "c", "c/", "n", "zz", "\u00e4"]), trial.maybe(0.3))


def compare(trial, bucket, size=1000, prefix="", descending=False):
    names = ordered(name for name in bucket.visible() if name.startswith(prefix))
    arguments = [f"prefix={encoded(prefix)}"] if prefix else []
    if descending:
        names.reverse()
        arguments.append("sort=name:desc")
    rows, answer = paged(trial, trial.path(bucket), size, *arguments)
    trial.must([row["name"] for row in rows] == names, f"the names must be {names}")
    for row in rows:
        found = bucket.current(row["name"])
        trial.must(row["bytes"] == len(found.body) and row["hash"] == found.etag, f"bytes and hash of {row['name']!r}")
        kind = found.headers.get("content-type", [None])[0]
        trial.must(row.get("content_type") == kind, f"the type of {row['name']!r} is {kind}")
    if not bucket.in_motion:
        told = answer.last("castor-object-count"), answer.last("castor-bytes-used")
        trial.must(told == tuple(map(str, bucket.counted())), f"{bucket.counted()} must be counted")


def list_groups(trial):
    """Names that go on alike up to a delimiter are one row."""
    bucket = trial.pick(list(trial.world.buckets.values()))
    delimiter, prefix, descending = trial.pick(["/", "/", "e", "%", "//"]), trial.pick(["", "", "c/", "c"]), trial.maybe(0.3)
    expected = []
    for name in ordered(name for name in bucket.visible() if name.startswith(prefix)):
        at = name.find(delimiter, len(prefix))
        row = (name, False) if at < 0 else (name[:at + len(delimiter)], True)
        if row not in expected:
            expected.append(row)
    arguments = [f"delimiter={encoded(delimiter)}", "fields=name"] + ([f"prefix={encoded(prefix)}"] if prefix else [])
    if descending:
        expected.reverse()
        arguments.append("sort=name:desc")
    rows, _ = paged(trial, trial.path(bucket), some_size(trial), *arguments)
    trial.must([(row["name"], row.get("subdir", False)) for row in rows] == expected, f"the rows must be {expected}")


def list_versions(trial):
    """All versions, by name and the newest first."""
    compare_versions(trial, trial.pick(list(trial.world.buckets.values())), some_size(trial), trial.pick(["", "", "c", "n"]))


def compare_versions(trial, bucket, size=1000, prefix=""):
    expected = []
    for name in ordered(name for name in bucket.objects if name.startswith(prefix)):
        for at, version in enumerate(reversed(bucket.objects[name])):
            expected.append((name, version.etag, len(version.body), at == 0, version.marker))
    rows, _ = paged(trial, trial.path(bucket), size, "versions", *([f"prefix={encoded(prefix)}"] if prefix else []))
    rows = [(row["name"], row["version"], row["bytes"], row["is_latest"], row["delete_marker"]) for row in rows]
    trial.must(rows == expected, f"the rows must be {expected}")


def list_domain(trial):
    """The buckets of the domain, and what has no name in it."""
    world = trial.world
    rows, _ = paged(trial, "/", some_size(trial))
    names = ordered([*world.buckets, "mayflies"])
    trial.must([row["name"] for row in rows] == names, f"the buckets must be {names}")
    for row in rows:
        trial.must(row["name"] == "mayflies" or row["uuid"] == world.buckets[row["name"]].uuid, "the UUID of a bucket")
    for kind, uuids in [("unnamed", list(world.unnamed)), ("alias", world.aliases.visible())]:
        rows, _ = paged(trial, "/", some_size(trial), f"stype={kind}")
        trial.must([row["name"] for row in rows] == sorted(uuids), f"{kind}: {sorted(uuids)}")


def list_behind(trial):
    """A page begins behind its marker, whether that is there or not."""
    bucket, marker, size = trial.pick(list(trial.world.buckets.values())), trial.pick(NAMES), trial.chance.randrange(1, 6)
    names = [name for name in ordered(bucket.visible()) if name.encode() > marker.encode()][:size]
    rows, _ = trial.rows(trial.path(bucket), f"marker={encoded(marker)}", f"size={size}")
    trial.must([row["name"] for row in rows] == names, f"the names must be {names}")
