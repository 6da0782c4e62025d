"""A thousand mixed operations against a live server, each compared with a model of what must be there.

Everything happens in a domain of its own. The same seed asks the same; only what the server makes up (tags, UUIDs) and the
dates of the shortest lifepoints differ. Any surprise ends the run with the seed, the last requests and their answers, and 1.
"""

import argparse
import os
import random
import sys
import time

sys.dont_write_bytecode = True

import steps_bad as bad
import steps_contexts as contexts
import steps_listings as listings
import steps_objects as objects
import steps_uploads as uploads
from model import World
from scsp import Client
from trial import CONTEXT, Surprise, Trial

STEPS = [
    (14, objects.post), (9, objects.put), (9, objects.copy), (9, objects.append), (11, objects.delete), (6, objects.read),
    (4, objects.part), (3, objects.alias), (4, objects.unnamed), (1, objects.mayfly), (2, objects.wrong_digest),
    (4, uploads.begin), (3, uploads.part), (5, uploads.complete), (1, uploads.abort),
    (3, listings.list_objects), (2, listings.list_groups), (2, listings.list_versions), (1, listings.list_behind),
    (1, listings.list_domain),
    (2, contexts.create), (2, contexts.change), (1, contexts.rename), (2, contexts.remove), (0.4, contexts.purge),
    (2, contexts.restore), (1, contexts.domain_policy), (0.6, contexts.domain_and_back),
    (3, bad.bad), (2, bad.strangers), (1, bad.broken),
]


def begin(trial):
    """The domain, and a few buckets to begin with."""
    world = trial.world
    own = world.domain.partition(".")[0]
    with trial.untouched_by_chance():
        for number in range(1, 1000):
            if trial.ask("HEAD", "/").status == 404:
                break
            world.domain = f"{own}_{number}.example"
    answer = trial.ask("POST", "/", headers=[CONTEXT], is_=201)
    world.uuid = answer.last("castor-system-alias")
    trial.must(answer.last("castor-system-cid") == "f" * 32, "a domain has no parent")
    trial.ask("POST", "/mayflies", headers=[CONTEXT], is_=201)
    for name in ("vault", "b1", "with space"):
        contexts.create(trial, name)


def finish(trial):
    """Everything that is there, byte for byte, and nothing else. What was removed comes back first."""
    world = trial.world
    for number, bucket in enumerate(list(world.removed)):
        contexts.restore(trial, bucket, f"back-{number}")
    listings.list_domain(trial)
    for bucket in world.buckets.values():
        trial.look_at_bucket(bucket)
        listings.compare(trial, bucket)
        listings.compare_versions(trial, bucket)
    for box in [world.aliases, *world.buckets.values()]:
        for name, versions in box.objects.items():
            trial.look(box, name)
            for version in versions:
                trial.look(box, name, version.etag)
    for uuid in world.unnamed:
        objects.look_at_unnamed(trial, uuid)
    for path, ends in world.mayflies:
        time.sleep(max(0.0, ends - time.time()))
        for method in ("HEAD", "GET", "DELETE"):
            trial.ask(method, path, is_=404)
    trial.must(trial.rows("/mayflies")[0] == [], "what has expired is not listed")


def run(trial, operations):
    begin(trial)
    weights, steps = zip(*STEPS)
    for number in range(operations):
        trial.late = number > operations // 3
        step = trial.chance.choices(steps, weights)[0]
        trial.doing = f"operation {number}, {step.__name__}"
        step(trial)
        trial.counts[f"{step.__module__.partition('_')[2]}.{step.__name__}"] += 1
    trial.doing = "the comparison at the end"
    finish(trial)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("address", "key", "secret"):
        parser.add_argument(f"--{name}", default=os.environ.get(f"BARROW_{name.upper()}"))
    parser.add_argument("--seed", type=int, default=os.environ.get("MIXED_SEED"))
    parser.add_argument("--operations", type=int, default=1000)
    parser.add_argument("--trace", action="store_true", help="print a line for each request")
    asked = parser.parse_args()
    if not (asked.address and asked.key and asked.secret):
        parser.error("an address, a key and its secret are needed")
    seed = int(asked.seed) if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    chance, started = random.Random(seed), time.time()
    nonces = random.Random(seed)
    client = Client(asked.address, asked.key, asked.secret, cnonce=lambda: f"{nonces.getrandbits(64):016x}")
    trial = Trial(client, chance, World(f"mixed-{seed}.example"))
    trial.traces = asked.trace
    try:
        run(trial, asked.operations)
    except Surprise as surprise:
        print(f"seed {seed}, {trial.doing}: {surprise}")
        for request, answer in trial.recent:
            print(f"--- asked\n{request}\n--- answered\n{answer}")
        return 1
    finally:
        client.close()
    counts = {**client.counts, **dict(sorted(trial.counts.items()))}
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{asked.operations} operations in {time.time() - started:.1f} s: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
