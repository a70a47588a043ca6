"""How the input members of an API operation fill an ARN format, by name alone."""

import re

# How sure a template is, the surest first.
CLASSES = ("fixed", "exact", "whole", "stem", "generic", "partial")

# Operations that make something, whose id the request cannot know.
MAKERS = ("allocate", "copy", "create", "import", "launch", "purchase", "register", "request", "run", "start", "submit")


def norm(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


SUFFIXES = ("identifier", "name", "arn", "url", "id", "key")


def stem(text):
    """`QueueUrl` and `QueueName` -> `queue`; empty when nothing is left."""
    text = norm(text)
    for suffix in SUFFIXES:
        if text.endswith(suffix):
            text = text[: -len(suffix)]
            break
    return text


def singular(text):
    if text.endswith("ies"):
        return text[:-3] + "y"
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text


def members(model, shape_name, depth=3, trail=()):
    """(path, leaf name) of the scalar and list-of-scalar members of an input, the nearest first."""
    shape = model["shapes"].get(shape_name, {})
    found, below = [], []
    for name, ref in shape.get("members", {}).items():
        target = model["shapes"][ref["shape"]]
        path = trail + (name,)
        if target["type"] == "list":
            path = trail + (name + "[]",)
            element = target["member"]["shape"]
            target = model["shapes"][element]
        else:
            element = ref["shape"]
        if target["type"] == "structure":
            if depth > 1:
                below += members(model, element, depth - 1, path)
        elif target["type"] == "string":
            found.append((".".join(path), name[:-1] if path[-1].endswith("s[]") else name))
    return found + below


def template(operation, kind, arn, inputs, alone):
    """Ways to fill one ARN format from input members: [(class, bindings)], the surest first.

    Classes: `fixed` nothing to fill, `exact` every variable is a member of that name, `whole` a member
    holds the ARN, `stem` names that differ in a prefix or suffix, `generic` a bare Name or Id, or the
    only member that holds an ARN, `partial` some variables stay open. `alone`: the action has no other
    resource type.
    """
    variables = [v for v in re.findall(r"\$\{([^}]+)\}", arn) if v not in ("Partition", "Region", "Account")]
    if not variables:
        return [("fixed", "")]
    by_name, by_stem = {}, {}
    for path, leaf in inputs:
        by_name.setdefault(norm(leaf), path)
        if not norm(leaf).endswith("arn"):
            by_stem.setdefault(stem(leaf), path)
    last, kind, operation = variables[-1], norm(kind), norm(operation)
    makes = operation.startswith(MAKERS) and "tag" not in operation
    meant = alone or kind in operation or (stem(last) and stem(last) in operation) or "tag" in operation

    def own(path):
        """Whether a member with a bare name speaks of this resource: at the top, or below its type's name."""
        parent = norm(path.rpartition(".")[0]) if path else None
        return parent == "" or bool(parent) and (parent.endswith(kind) or bool(stem(last)) and parent.endswith(stem(last)))

    def tail(wanted, either_way):
        """The only member whose stem ends with the wanted one (or the other way round)."""
        long = lambda s: len(s) > 3 and len(wanted) > 3
        near = [s for s in by_stem if long(s) and (s.endswith(wanted) or either_way and wanted.endswith(s))]
        return by_stem[near[0]] if len(near) == 1 else None

    found = {}
    for variable in variables:
        ways = [("exact", by_name.get(norm(variable)))]
        if stem(variable):
            ways.append(("stem", by_stem.get(stem(variable))))
        if variable == last:
            ways.append(("stem", by_stem.get(kind) or by_stem.get(singular(kind))))
        ways.append(("stem", tail(stem(variable), True)))
        if variable == last:
            ways.append(("stem", tail(kind, kind in operation)))
            bare = ("name", "id", "identifier", "resourceid", "resourcename", "resourceidentifier")
            ways.append(("generic", next((by_name[n] for n in bare if own(by_name.get(n))), None) if meant else None))
        how, path = next((way for way in ways if way[1]), (None, None))
        if path and makes and norm(variable).endswith("id") and norm(path).endswith("name"):
            continue  # the service makes up the id: the name in the request is not it
        if path:
            found[variable] = (how, path)
    # One member cannot fill two variables: the variable that is named most like it has it.
    order = ("exact", "stem", "generic")
    for path in {path for _, path in found.values()}:
        rivals = sorted((v for v in found if found[v][1] == path), key=lambda v: (order.index(found[v][0]), -len(stem(v))))
        for loser in rivals[1:]:
            del found[loser]
    bindings = " ".join(v if v == found[v][1] else f"{v}={found[v][1]}" for v in variables if v in found)
    ways = []
    if len(found) == len(variables):
        ways.append((max((how for how, _ in found.values()), key=order.index), bindings))
    whole = next((by_name[n] for n in (kind + "arn", stem(last) + "arn", norm(last) + "arn") if n != "arn" and n in by_name), None)
    whole = whole or next((by_name[n] for n in ("resourcearn", "arn") if own(by_name.get(n))), None)
    arns = {stem(leaf): path for path, leaf in inputs if norm(leaf).endswith("arn") and "." not in path}
    if whole:
        ways.append(("whole", f"arn={whole}"))
    elif len(arns) == 1:
        ((holder, path),) = arns.items()
        if len(holder) > 3 and holder in operation and (kind.endswith(holder) or holder.endswith(kind)):
            ways.append(("whole", f"arn={path}"))
        elif not ways and len(holder) > 3 and (holder in operation or holder in kind or kind in holder):
            ways.append(("generic", f"arn={path}"))
    if 0 < len(found) < len(variables):
        ways.append(("partial", bindings))
    return sorted(ways, key=lambda way: CLASSES.index(way[0]))
