"""Reproducible randomness. In: a name; out: ids, keys and numbers that are the same on every machine.

Each day of each story draws from a stream of its own, so that changing one story leaves the others' bytes alone.
Only `Random.random()` is used: Python promises its sequence for a given seed, and not that of the other methods.
"""

import random

SEED = "rolefit sample logs 1"

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MIXED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
BASE64 = MIXED + "+/"


class Draw:
    """A stream of draws named by `parts`."""

    def __init__(self, *parts):
        self._random = random.Random("/".join([SEED, *map(str, parts)]))

    def below(self, limit):
        """A whole number from 0 up to, not including, `limit`."""
        return int(self._random.random() * limit)

    def between(self, low, high):
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability):
        """True with the given probability."""
        return self._random.random() < probability

    def pick(self, choices):
        return choices[self.below(len(choices))]

    def text(self, alphabet, length):
        return "".join(alphabet[self.below(len(alphabet))] for _ in range(length))

    def hex(self, length):
        return self.text("0123456789abcdef", length)

    def uuid(self):
        return f"{self.hex(8)}-{self.hex(4)}-4{self.hex(3)}-{self.pick('89ab')}{self.hex(3)}-{self.hex(12)}"

    def access_key(self, kind="ASIA"):
        """An access key id that nobody can take for a live one."""
        return f"{kind}EXAMPLE{self.text(BASE32, 9)}"

    def unique_id(self, kind):
        """An IAM unique id: `AROA…` for a role, `AIDA…` for a user, `ANPA…` for a policy."""
        return f"{kind}EXAMPLE{self.text(BASE32, 10)}"
