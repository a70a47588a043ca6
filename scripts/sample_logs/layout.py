"""From a window's records to log objects: which object a record is delivered in, its key, and its gzip bytes.

In: records; out: key → (bytes, text). Keys follow the grammar
`AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_STAMP_UNIQUE.json.gz`.
"""

import json
import struct
import zlib
from datetime import datetime, timedelta

from .draw import MIXED, Draw


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def gzipped(text):
    """One gzip member without a name and with time 0."""
    data = text.encode()
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    header = b"\x1f\x8b\x08\x00" + b"\x00" * 4 + b"\x02\xff"
    return header + body.compress(data) + body.flush() + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def when(event):
    return datetime.strptime(event["eventTime"], "%Y-%m-%dT%H:%M:%SZ")


def delivery(events, draw):
    """When the object with these events arrives: some minutes after the last one, on a five-minute mark."""
    last = max(map(when, events)) + timedelta(minutes=draw.between(4, 8))
    return last + timedelta(minutes=-last.minute % 5) - timedelta(seconds=last.second)


def key(account, region, at, unique, kind="CloudTrail", organisation=None, trail=""):
    root = "/".join(["AWSLogs", *([organisation] if organisation else []), account, kind, region])
    return f"{root}/{at:%Y/%m/%d}/{account}_{kind}_{region}_{trail}{at:%Y%m%dT%H%M}Z{unique}.json.gz"


def deliver(records, account, region, *, parts=(0,), organisation=None, trail="own"):
    """One trail's objects of an account and region: a day's events in as many objects as `parts` has starting hours."""
    batches = {}
    for event in sorted(records, key=lambda event: (event["eventTime"], event["eventID"])):
        at = when(event)
        part = max(hour for hour in parts if hour <= at.hour)
        batches.setdefault((at.date(), part), []).append(event)
    objects = {}
    for (day, part), events in batches.items():
        draw = Draw("object", trail, account, region, day, part)
        at = delivery(events, draw)
        name = key(account, region, at, "_" + draw.text(MIXED, 16), organisation=organisation)
        text = compact({"Records": events})
        objects[name] = (gzipped(text), text)
    return objects
