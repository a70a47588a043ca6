"""The whole of `sample-logs/`, but for its README. In: nothing; out: path → (bytes, text or None)."""

from datetime import date, timedelta

from . import layout, snapshot, stories_others, stories_shop
from .cast import GOV, MEDIA, ORGANISATION, REPORTS, SHOP
from .draw import Draw

FIRST, LAST = date(2026, 9, 20), date(2026, 11, 20)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
TRUNCATED_DAY = date(2026, 11, 9)

STORIES = [
    stories_shop.order_processor, stories_shop.shared_api, stories_shop.catalog_sync, stories_shop.customer_search,
    stories_others.image_resizer, stories_others.background,
]


def records():
    """Every event of the window, story by story."""
    for story in STORIES:
        for day in DAYS:
            yield from story(day, Draw(story.__name__, day))


def trails():
    """Every trail's log objects."""
    by_place = {}
    for event in records():
        by_place.setdefault((event["recipientAccountId"], event["awsRegion"]), []).append(event)
    shop = by_place[SHOP, "us-east-1"]
    objects = layout.deliver(shop, SHOP, "us-east-1", parts=(0, 12))
    objects |= layout.deliver(by_place[REPORTS, "eu-west-1"], REPORTS, "eu-west-1", organisation=ORGANISATION)
    objects |= layout.deliver(by_place[GOV, "us-gov-west-1"], GOV, "us-gov-west-1")
    objects |= truncated(layout.deliver(by_place[MEDIA, "us-west-2"], MEDIA, "us-west-2"))
    return objects


def truncated(objects):
    """The same objects, one of them cut off in the middle."""
    stamp = f"_{TRUNCATED_DAY:%Y%m%d}T"
    name, = (name for name in objects if stamp in name)
    data, text = objects[name]
    return objects | {name: (data[: len(data) * 3 // 5], text)}


def files():
    out = trails()
    out |= {f"snapshot/{name}": (text.encode(), None) for name, text in snapshot.files().items()}
    return out
