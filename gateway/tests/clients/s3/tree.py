"""A tree of files with the names and sizes that people have, and the comparison of two trees, byte for byte.

  tree.py make DIR SEED [large]    makes one; the same seed makes the same; `large`: with files that go up in parts
  tree.py same DIR DIR             ends with 1 at the first difference, and names it
"""

import os
import pathlib
import random
import sys

MIB = 1 << 20
MANY = 300

# What clients have mangled elsewhere: form encoding, percent signs, bytes beyond ASCII and beyond the basic plane, what shells
# and XML take for their own, composed and decomposed letters, and names around a directory's in byte order.
NAMES = [
    "plain.txt", "with space.txt", " leading space", "plus+plus.txt", "per%cent.txt", "%41 is not A", "%2F is no slash",
    "Größe und Übermut.txt", "caf\u00e9 composed", "cafe\u0301 decomposed", "\U0001f600 four bytes \U0001d11e.txt",
    "日本語/ひらがな.txt", "it's & <\"quoted\">.txt", "semi;colon,comma=equals.txt", "question?hash#.txt", "tilde~dollar$.txt",
    "[brackets]{braces}(parens)!", "at@colon:star*.txt", "-leading dash", ".hidden", "trailing dot.", "UPPER", "upper",
    "order-.txt", "order/inside.txt", "order.txt", "order0.txt", "dir with+plus %25/file & more.txt",
    "/".join(["deep"] * 24) + "/leaf.txt", "deep/also here.txt",
]


def make(root, seed, large=False):
    """Makes the tree at `root`, which must not exist."""
    chance = random.Random(seed)
    root = pathlib.Path(root)

    def write(name, size):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(size))

    for name in NAMES:
        write(name, chance.randrange(1, 40_000))
    for number in range(MANY):
        write(f"many/{number % 7}/{number:03}.bin", chance.randrange(0, 2_000))
    write("sizes/empty", 0)
    write("sizes/one byte", 1)
    # Just what is stored within the metadata, and just not.
    write("sizes/16384", 16_384)
    write("sizes/16385", 16_385)
    write("sizes/five mebibytes and one", 5 * MIB + 1)
    if large:
        write("sizes/twenty mebibytes", 20 * MIB)


def files(root):
    """Every file below `root`, by its name as bytes."""
    found = {}
    base = os.fsencode(root)
    for directory, _, names in os.walk(base):
        for name in names:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, base)] = path
    return found


def difference(left, right):
    """What the first difference is, or nothing. Directories without files count as absent, as they do in buckets."""
    here, there = files(left), files(right)
    for name in sorted(here.keys() | there.keys()):
        shown = name.decode(errors="backslashreplace")
        if name not in there:
            return f"{shown!r} is missing in {right}"
        if name not in here:
            return f"{shown!r} is in {right} but not in {left}"
        with open(here[name], "rb") as one, open(there[name], "rb") as other:
            one, other = one.read(), other.read()
        if one != other:
            first = next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
            return f"{shown!r} differs at byte {first}: {len(one)} bytes in {left}, {len(other)} bytes in {right}"
    return None if here else f"{left} is empty"


def main(verb, *arguments):
    if verb == "make":
        make(*arguments[:2], large=arguments[2:] == ("large",))
    elif verb == "same":
        told = difference(*arguments)
        if told is not None:
            sys.exit(f"the trees differ: {told}")
    else:
        sys.exit(f"make or same, not {verb}")


if __name__ == "__main__":
    main(*sys.argv[1:])
