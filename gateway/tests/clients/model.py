"""What must be there: plain dictionaries, and the rules by which an operation changes them or is refused.

A rule raises `Refused`, and nothing has changed; or it changes the model. Versions are made before the request is sent, and
get their entity tag from the answer.
"""

import base64
import hashlib

GUARD = "[Wed, 01 Jan 2098 00:00:00 GMT] reps=2, deletable=no"


class Refused(Exception):
    """The answer must be this error."""

    def __init__(self, status, token=None, etag=None):
        super().__init__(f"{status} {token}")
        self.status, self.token, self.etag = status, token, etag


class Version:
    """One version of an object, or a delete marker."""

    def __init__(self, body=b"", headers=None, marker=False):
        self.body, self.headers, self.marker = body, headers or {}, marker
        self.etag, self.null = None, False

    @property
    def guarded(self):
        return any("deletable=no" in value for value in self.headers.get("lifepoint", []))


def with_digest(headers, body):
    """Headers with the digest that the content was sent with, or that was asked for."""
    return {**headers, "content-md5": [md5(body)]}


def without_digest(headers):
    return {name: values for name, values in headers.items() if name != "content-md5"}


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def custom(name):
    return name.startswith("x-") and "-meta" in name


class Box:
    """What holds objects by name: a bucket, or the one in which a domain keeps its alias objects."""

    def __init__(self):
        self.objects, self.versioning = {}, "disabled"
        # Guarded versions that are out of reach and stay all the same.
        self.retains = False
        # Versions may be on their way out in the background, so that nobody can say how many are counted.
        self.in_motion = False

    def versions(self, name):
        return self.objects.get(name, [])

    def current(self, name):
        """What a reader meets."""
        last = (self.versions(name) or [None])[-1]
        return last if last and not last.marker else None

    def visible(self):
        return [name for name in self.objects if self.current(name)]

    def hidden(self, name):
        """404, with the marker's tag where one hides the object."""
        last = (self.versions(name) or [None])[-1]
        if last and last.marker:
            return Refused(404, "DeleteMarker", last.etag)
        return Refused(404, "NotFound")

    def find(self, name, version=None):
        """What a request speaks of."""
        if version is None:
            found = self.current(name)
            if not found:
                raise self.hidden(name)
            return found
        found = next((known for known in self.versions(name) if known.etag == version), None)
        if not found:
            raise Refused(404, "NotFound")
        if found.marker:
            raise Refused(404, "DeleteMarker", found.etag)
        return found

    def switch(self, domain, own=None):
        """Another policy may be in force: the bucket's own word, or else its domain's. Switched off, only what is current
        stays; but only where one of them says so: a word that is merely not said again suspends."""
        versioning = own or domain or "disabled"
        if versioning == "disabled" and self.versioning != "disabled" and "disabled" not in (domain, own):
            versioning = "suspended"
        if versioning == self.versioning:
            return
        self.versioning = versioning
        if versioning == "disabled":
            self.in_motion = True
            for name in list(self.objects):
                current = self.current(name)
                gone = [known for known in self.objects[name] if known is not current]
                self.retains |= any(known.guarded for known in gone)
                if current:
                    self.objects[name] = [current]
                else:
                    del self.objects[name]

    def retained(self):
        return self.retains or any(known.guarded for all in self.objects.values() for known in all)

    def counted(self):
        """Objects and bytes that a listing's headers tell: of all versions."""
        all = [known for versions in self.objects.values() for known in versions]
        return len(all), sum(len(known.body) for known in all)

    def _drop(self, name, version):
        self.objects[name].remove(version)
        if not self.objects[name]:
            del self.objects[name]

    def _null(self, name):
        """The version that gives way where versioning is suspended."""
        return next((known for known in self.versions(name) if known.null), None)

    def publish(self, name, new, required=False, replaces=None, passes_on=False, lax=False, newname=None, when=None):
        """A new version arrives. `passes_on`: the bytes of the current one pass to it if that gives way, and only the guard
        must stay. Returns the marker that a rename leaves, whose tag nobody is told."""
        renames = newname is not None and newname != name
        current, target = self.current(name), newname if renames else name
        if (required or renames) and not current:
            raise self.hidden(name)
        check(when, current)
        if replaces is not None and replaces is not current:
            raise Refused(409, "Conflict")
        if renames and self.current(target):
            raise Refused(409, "NameInUse")
        marker, going = None, []
        if self.versioning == "disabled":
            going += [(name, current)] if current else []
        elif self.versioning == "suspended":
            going += [(name, known) for known in [self._null(name)] if known]
            going += [(target, known) for known in [self._null(target)] if known and renames]
        for _, known in going:
            free = known is current and passes_on and not (renames and self.versioning == "suspended")
            if free and known.guarded and not (new.guarded or lax):
                raise Refused(403, "GuardShortened")
            if not free and known.guarded:
                raise Refused(403, "NotDeletable")
        if renames and self.versioning != "disabled" and current.guarded and not lax:
            # What a DELETE must not hide, a rename must not either.
            raise Refused(403, "NotDeletable")
        for place, known in going:
            self._drop(place, known)
        if renames and self.versioning != "disabled":
            marker = Version(marker=True)
            marker.null = self.versioning == "suspended"
            self.objects.setdefault(name, []).append(marker)
        new.null = self.versioning != "enabled"
        self.objects.setdefault(target, []).append(new)
        return marker

    def copy(self, name, headers, version=None, preserve=False, lax=False, newname=None, when=None):
        """COPY: the content stays, the headers are those sent, or are laid over those that are there."""
        found = self.find(name, version)
        kept = {**found.headers, **headers} if preserve else dict(headers)
        if "content-md5" in found.headers:
            kept["content-md5"] = found.headers["content-md5"]
        is_current = found is self.current(name)
        new = Version(found.body, kept)
        marker = self.publish(
            name, new, required=is_current, replaces=found if is_current else None, passes_on=is_current, lax=lax,
            newname=newname, when=when,
        )
        return new, marker

    def append(self, name, added, headers, version=None, mode="", newname=None, when=None):
        """APPEND. `mode`: how the headers merge, "", "preserve" or "replace"."""
        found = self.find(name, version)
        sent = dict(headers)
        if not mode:
            sent.pop("content-type", None)
        old = {known: values for known, values in found.headers.items() if not (mode == "replace" and custom(known))}
        is_current = found is self.current(name)
        new = Version(found.body + added, without_digest({**old, **sent}))
        marker = self.publish(
            name, new, required=is_current, replaces=found if is_current else None, newname=newname, when=when
        )
        return new, marker

    def put(self, name, body, headers, preserve=False, putcreate=False, newname=None, digest=False, when=None):
        """PUT."""
        before = None
        if preserve and not (putcreate and newname is None and not self.current(name)):
            before = self.find(name)
        kept = without_digest({**(before.headers if before else {}), **headers})
        new = Version(body, with_digest(kept, body) if digest else kept)
        return new, self.publish(name, new, required=not putcreate, replaces=before, newname=newname, when=when)

    def delete(self, name, version=None, when=None):
        """DELETE. Gives what the answer describes, and the marker's place: a new one, an old one, or none."""
        if version is None:
            current = self.current(name)
            if not current:
                last = (self.versions(name) or [None])[-1]
                if last and last.marker:
                    check(when, None)
                    return last, last
                raise Refused(404, "NotFound")
            check(when, current)
            null = self._null(name)
            if self.versioning == "disabled":
                if current.guarded:
                    raise Refused(403, "NotDeletable")
                self._drop(name, current)
                return current, None
            if current.guarded or (self.versioning == "suspended" and null and null.guarded):
                raise Refused(403, "NotDeletable")
            marker = Version(marker=True)
            if self.versioning == "suspended":
                marker.null = True
                if null:
                    self._drop(name, null)
            self.objects.setdefault(name, []).append(marker)
            return current, marker
        found = next((known for known in self.versions(name) if known.etag == version), None)
        if not found:
            raise Refused(404, "NotFound")
        check(when, found)
        if found.guarded:
            raise Refused(403, "NotDeletable")
        self._drop(name, found)
        return found, None


def check(when, current):
    """The conditions of a write: (header, tag), with a tag of its own or `*`."""
    if not when:
        return
    header, tag = when
    names_it = current is not None and tag in ("*", current.etag)
    if (header == "If-Match") != names_it:
        raise Refused(412, "ConditionalIfMatch", current.etag if current else None)


class Bucket(Box):
    def __init__(self, name, headers):
        super().__init__()
        self.name, self.headers, self.uuid = name, dict(headers), None
        self.purged = False


class Upload:
    """A multipart upload that was begun. `mode`: POST, PUT or APPEND."""

    def __init__(self, box, name, mode, headers, replaces):
        self.box, self.name, self.mode, self.headers, self.replaces = box, name, mode, dict(headers), replaces
        self.id, self.parts, self.made = None, {}, None

    def complete(self, numbers, sent, when=None):
        """The parts with these numbers become the object."""
        if any(number not in self.parts for number in numbers):
            raise Refused(400, "NoSuchPart")
        body = b"".join(self.parts[number][1] for number in sorted(numbers))
        headers = {**without_digest({n: v for n, v in sent.items() if n != "content-type"}), **self.headers}
        before = self.box.find(self.name) if self.mode == "APPEND" else None
        if before:
            body, headers = before.body + body, {**without_digest(before.headers), **headers}
        new = Version(body, without_digest(headers))
        replaces = before or self.replaces
        self.box.publish(self.name, new, required=replaces is not None, replaces=replaces, when=when)
        self.made = new
        return new


class World:
    """One domain and everything in it."""

    def __init__(self, domain):
        self.domain, self.uuid, self.headers = domain, None, {}
        self.buckets, self.removed = {}, []
        self.aliases, self.unnamed = Box(), {}
        self.uploads, self.mayflies = [], []
        # Nothing that names something is ever used again.
        self.etags, self.uuids = set(), set()

    def settle(self):
        """Puts the policies into force that domain and buckets speak of. What is removed comes back as they want it."""
        said = lambda headers: headers.get("policy-versioning", [None])[0]
        self.aliases.switch(said(self.headers))
        for bucket in list(self.buckets.values()) + self.removed:
            bucket.switch(said(self.headers), said(bucket.headers))

    def retained(self):
        boxes = [self.aliases, *self.buckets.values()]
        return any(box.retained() for box in boxes) or any(found.guarded for found in self.unnamed.values())
