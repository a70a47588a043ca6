"""The whole of `sample-logs/`, but for its README. In: nothing; out: path → (bytes, text or None)."""

from datetime import date, timedelta

from . import beside, layout, snapshot
from .cast import GOV, MEDIA, ORGANISATION, REPORTS, SHOP
from .draw import Draw
from .stories_actors import ACTORS
from .stories_others import BROKEN_DAY, OTHERS
from .stories_shop import SHOP_FUNCTIONS
from .stories_work import WORK

FIRST, LAST = date(2026, 9, 20), date(2026, 11, 20)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
# The shop joined the organisation on this day: from then on its management events are delivered twice.
JOINED = date(2026, 11, 1)


def records():
    """Every event of the window, story by story."""
    for story in [*SHOP_FUNCTIONS, *WORK, *OTHERS, *ACTORS]:
        for day in DAYS:
            yield from story(day, Draw(story.__name__, day))


def last_uses(events):
    """(role ARN, service) → when a session of the role last called the service: (time, region)."""
    seen = {}
    for event in events:
        issuer = event["userIdentity"].get("sessionContext", {}).get("sessionIssuer")
        if issuer:
            place = (issuer["arn"], event["eventSource"].split(".")[0])
            seen[place] = max(seen.get(place, ("", "")), (event["eventTime"], event["awsRegion"]))
    return seen


def trails(events):
    """Every trail's log objects, and what lies beside them."""
    by_place = {}
    for event in events:
        by_place.setdefault((event["recipientAccountId"], event["awsRegion"]), []).append(event)
    shop = by_place.pop((SHOP, "us-east-1"))
    own = layout.deliver(shop, SHOP, "us-east-1", parts=(0, 12))
    twice = [event for event in shop if event["managementEvent"] and layout.when(event).date() >= JOINED]
    objects = own | beside.digests(own) | beside.insights()
    objects |= layout.deliver(twice, SHOP, "us-east-1", organisation=ORGANISATION, trail="organisation")
    reports = by_place.pop((REPORTS, "eu-west-1"))
    objects |= layout.deliver(reports, REPORTS, "eu-west-1", parts=(0, 12), organisation=ORGANISATION, trail="organisation")
    objects |= layout.deliver(by_place.pop((GOV, "us-gov-west-1")), GOV, "us-gov-west-1")
    objects |= truncated(layout.deliver(by_place.pop((MEDIA, "us-west-2")), MEDIA, "us-west-2"))
    assert not by_place, f"events of no trail: {list(by_place)}"
    return objects


def truncated(objects):
    """The same objects, one of them cut off in the middle."""
    name, = (name for name in objects if f"_{BROKEN_DAY:%Y%m%d}T" in name)
    data, text = objects[name]
    return objects | {name: (data[: len(data) * 3 // 5], text)}


def files():
    events = list(records())
    beside_trails = snapshot.files(last_uses(events))
    return trails(events) | {f"snapshot/{name}": (text.encode(), None) for name, text in beside_trails.items()}
