"""What lies beside a trail's log objects and is no log: digests and Insights, to be skipped by their names.

In: a trail's log objects; out: digest objects over some of them, and one pair of Insights events.
"""

import hashlib
from datetime import date, datetime, timedelta

from .cast import SHOP, SHARED_API
from .draw import Draw
from .layout import compact, gzipped, key

DIGEST_DAYS = [date(2026, 11, 12), date(2026, 11, 13), date(2026, 11, 14)]
BUCKET, TRAIL, REGION = "shop-trail-logs", "shop-trail", "us-east-1"


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def log_file(name, text):
    times = sorted(part[:20] for part in text.split('"eventTime":"')[1:])
    return {
        "s3Bucket": BUCKET,
        "s3Object": name,
        "hashValue": hashlib.sha256(text.encode()).hexdigest(),
        "hashAlgorithm": "SHA-256",
        "newestEventTime": times[-1],
        "oldestEventTime": times[0],
    }


def digests(objects):
    """One digest a day for a few days, over that day's objects of the shop's own trail."""
    out = {}
    for day in DIGEST_DAYS:
        draw = Draw("digest", day)
        end = datetime(day.year, day.month, day.day, 23, 30, 31)
        prefix = f"AWSLogs/{SHOP}/CloudTrail/{REGION}/{day:%Y/%m/%d}/"
        files = [log_file(name, text) for name, (_, text) in sorted(objects.items()) if name.startswith(prefix)]
        root = f"AWSLogs/{SHOP}/CloudTrail-Digest/{REGION}/{day:%Y/%m/%d}"
        name = f"{root}/{SHOP}_CloudTrail-Digest_{REGION}_{TRAIL}_{REGION}_{end:%Y%m%dT%H%M%S}Z.json.gz"
        text = compact({
            "awsAccountId": SHOP,
            "digestStartTime": stamp(end - timedelta(days=1)),
            "digestEndTime": stamp(end),
            "digestS3Bucket": BUCKET,
            "digestS3Object": name,
            "digestPublicKeyFingerprint": draw.hex(32),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": max(file["newestEventTime"] for file in files),
            "oldestEventTime": min(file["oldestEventTime"] for file in files),
            "previousDigestS3Bucket": None,
            "previousDigestS3Object": None,
            "previousDigestHashValue": None,
            "previousDigestHashAlgorithm": None,
            "previousDigestSignature": None,
            "logFiles": files,
        })
        out[name] = (gzipped(text), text)
    return out


def insights():
    """An unusual rate of CreateLogStream calls, its start and its end."""
    draw = Draw("insights")
    start = datetime(2026, 11, 12, 7, 14)
    shared = draw.uuid()
    role = f"arn:aws:sts::{SHOP}:assumed-role/{SHARED_API.name}"
    records = []
    for state, at in (("Start", start), ("End", start + timedelta(minutes=6))):
        records.append({
            "eventVersion": "1.09",
            "eventTime": stamp(at),
            "awsRegion": REGION,
            "eventID": draw.uuid(),
            "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": SHOP,
            "sharedEventID": shared,
            "insightDetails": {
                "state": state,
                "eventSource": "logs.amazonaws.com",
                "eventName": "CreateLogStream",
                "insightType": "ApiCallRateInsight",
                "insightContext": {
                    "statistics": {
                        "baseline": {"average": 0.0041},
                        "insight": {"average": 1.5},
                        "insightDuration": 6,
                        "baselineDuration": 10073,
                    },
                    "attributions": [{
                        "attribute": "userIdentityArn",
                        "insight": [{"value": role, "average": 1.5}],
                        "baseline": [{"value": role, "average": 0.0041}],
                    }],
                },
            },
            "eventCategory": "Insight",
        })
    text = compact({"Records": records})
    name = key(SHOP, REGION, start + timedelta(minutes=11), "_" + draw.hex(16), kind="CloudTrail-Insight")
    return {name: (gzipped(text), text)}
