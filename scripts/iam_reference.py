"""IAM's decision on one request, read naively from the IAM user guide.

A second opinion for scripts/iam-oracle: written from the documentation alone, slow and plain. `quirks` are
the known ways in which other evaluators differ; with none of them it says what the documentation says.

- colons: a wildcard of a Resource crosses the colons of an ARN everywhere
- arn: ArnLike and ArnEquals compare whole texts, not the six parts of an ARN
- variables: policy variables are text
- lists: a key that can have several values has no match without ForAllValues or ForAnyValue
- booleans: the JSON values true and false are the texts `True` and `False`
- unreadable: a negated number operator fails on what is not a number
"""

import datetime
import ipaddress
import re

QUIRKS = ("colons", "arn", "variables", "lists", "booleans", "unreadable")


def glob(pattern, text, flags=0):
    """`pattern`: a list of characters and, in one-element tuples, characters that stand for themselves."""
    out = []
    for c in pattern:
        if isinstance(c, tuple):
            out.append(re.escape(c[0]))
        else:
            out.append({"*": ".*", "?": "."}.get(c) or re.escape(c))
    return re.fullmatch("".join(out), text, re.DOTALL | flags) is not None


class Unset(Exception):
    """A variable without a value: nothing matches."""


def expand(text, request, quirks):
    """Characters, and tuples for those that are literal."""
    out, at = [], 0
    while at < len(text):
        found = re.match(r"\$\{([*?$])\}|\$\{([A-Za-z0-9:/_-]+)(?:\s*,\s*'([^']*)')?\}", text[at:])
        if found is None or "variables" in quirks or not request["variables"]:
            out.append(text[at])
            at += 1
            continue
        if found[1]:
            out.append((found[1],))
        else:
            values = request["context"].get(found[2].lower()) or []
            if len(values) > 1 or (not values and found[3] is None):
                raise Unset
            out.extend((c,) for c in (values[0] if values else found[3]))
        at += found.end()
    return out


def matches_resource(pattern, request, quirks):
    text = request["resource"]
    try:
        pieces = expand(pattern, request, quirks)
    except Unset:
        return False
    if pieces == ["*"] or "colons" in quirks:
        return glob(pieces, text)
    # Segment by segment, until a `*` ends one of the first five: that one goes on beyond it.
    out, segment, free = [], 0, False
    for at, c in enumerate(pieces):
        if c == ":":
            segment += 1
            free = free or segment >= 5
            out.append(":")
        elif c == "*":
            if at + 1 == len(pieces) or pieces[at + 1] == ":":
                free = True
            out.append(".*" if free else "[^:]*")
        elif c == "?":
            out.append("." if free else "[^:]")
        else:
            out.append(re.escape(c[0]))
    return re.fullmatch("".join(out), text, re.DOTALL) is not None


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def moment(text):
    if re.fullmatch(r"-?\d+", text):
        return datetime.datetime.fromtimestamp(int(text), datetime.timezone.utc)
    try:
        time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


ORDER = {
    "equals": lambda a, b: a == b,
    "lessthan": lambda a, b: a < b,
    "lessthanequals": lambda a, b: a <= b,
    "greaterthan": lambda a, b: a > b,
    "greaterthanequals": lambda a, b: a >= b,
}


def one(kind, wanted, found, request, quirks):
    """Whether a value of the request matches a value of the policy; `kind` without its negation."""
    if kind in ("stringequals", "stringequalsignorecase", "stringlike", "arn"):
        try:
            pieces = expand(wanted, request, quirks)
        except Unset:
            return False
        if kind == "stringlike":
            return glob(pieces, found)
        if kind == "arn":
            plain = "".join(c if isinstance(c, str) else "\0" for c in pieces)
            if "arn" in quirks or plain.count(":") < 5:
                return glob(pieces, found)
            parts, current, seen = [], [], 0
            for c in pieces:
                if c == ":" and seen < 5:
                    parts.append(current)
                    current, seen = [], seen + 1
                else:
                    current.append(c)
            texts = found.split(":", 5)
            return len(texts) == 6 and all(glob(p, t) for p, t in zip(parts + [current], texts))
        text = "".join(c[0] for c in pieces)
        return text.lower() == found.lower() if kind.endswith("case") else text == found
    if kind == "bool":
        return wanted.lower() == found.lower()
    if kind == "binaryequals":
        return wanted == found
    if kind == "ipaddress":
        try:
            return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)
        except ValueError:
            return False
    read, word = (number, kind[7:]) if kind.startswith("numeric") else (moment, kind[4:])
    a, b = read(found), read(wanted)
    return a is not None and b is not None and ORDER[word](a, b)


def holds(operator, key, wanted, request, quirks):
    spell = str if "booleans" in quirks else lambda w: str(w).lower() if isinstance(w, bool) else str(w)
    wanted = [spell(w) for w in (wanted if isinstance(wanted, list) else [wanted])]
    found = request["context"].get(key.lower()) or []
    word = operator.lower()
    if word == "null":
        return any((w.lower() == "true") == (not found) for w in wanted)
    every = some = False
    if word.startswith("forallvalues:"):
        every, word = True, word[13:]
    elif word.startswith("foranyvalue:"):
        some, word = True, word[12:]
    if_exists = word.endswith("ifexists")
    if if_exists:
        word = word[:-8]
    negated = "not" in word
    kind = word.replace("not", "")
    if kind.startswith("arn"):
        kind = "arn"
    if not found:
        return if_exists or every or (negated and not some)

    def matched(value):
        if "unreadable" in quirks and negated and kind.startswith(("numeric", "date")):
            read = number if kind.startswith("numeric") else moment
            if read(value) is None or any(read(w) is None for w in wanted):
                return True
        return any(one(kind, w, value, request, quirks) for w in wanted)

    if every:
        return all(matched(v) != negated for v in found)
    if some:
        return any(matched(v) != negated for v in found)
    if "lists" in quirks and (len(found) > 1 or key.lower() == "aws:tagkeys"):
        found = [str(found)]
    return any(matched(v) for v in found) != negated


def applies(statement, request, quirks):
    def of(key):
        value = statement.get(key)
        return value if isinstance(value, list) or value is None else [value]

    action = request["action"]
    if of("Action") is not None:
        if not any(glob(a, action, re.IGNORECASE) for a in of("Action")):
            return False
    elif any(glob(a, action, re.IGNORECASE) for a in of("NotAction")):
        return False
    if of("Resource") is not None:
        if not any(matches_resource(r, request, quirks) for r in of("Resource")):
            return False
    elif any(matches_resource(r, request, quirks) for r in of("NotResource")):
        return False
    return all(
        holds(operator, key, wanted, request, quirks)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def decide(policies, boundary, action, resource, context, quirks=()):
    """`allowed`, `explicit-deny` or `implicit-deny`; a key that is not in `context` is absent."""
    known = {key.lower(): values for key, values in context.items()}

    def found(documents, effect):
        for document in documents:
            request = {
                "action": action,
                "resource": resource,
                "context": known,
                "variables": document.get("Version") == "2012-10-17",
            }
            statements = document["Statement"]
            for statement in statements if isinstance(statements, list) else [statements]:
                if statement["Effect"] == effect and applies(statement, request, quirks):
                    return True
        return False

    limits = [boundary] if boundary else []
    if found(policies + limits, "Deny"):
        return "explicit-deny"
    if found(policies, "Allow") and all(found([limit], "Allow") for limit in limits):
        return "allowed"
    return "implicit-deny"
