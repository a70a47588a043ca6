"""The other accounts' functions: reports, GovCloud, media. In: a day and its draw; out: records."""

from datetime import date, datetime

from .cast import GOV, GOV_INTAKE, IMAGE_RESIZER, MEDIA, NIGHTLY_REPORT, REPORTS, SHOP
from .records import code, record, s3
from .stories_shop import cold_start, later, moment

LAST_DAY = date(2026, 11, 20)
BROKEN_DAY = date(2026, 11, 9)  # the day whose object of the media account is truncated


def nightly_report(day, draw):
    """Shortly before midnight, so that some events are delivered on the next day. Only management events are logged."""
    if day == LAST_DAY or not draw.chance(0.8):
        return
    at = datetime(day.year, day.month, day.day, 23, draw.between(48, 57), draw.below(60))
    events, creds = cold_start(NIGHTLY_REPORT, draw, at, take=0.9)
    yield from events
    for name in ("/reports/recipients", "/reports/currency"):
        at = later(at, draw)
        arn = f"arn:aws:ssm:eu-west-1:{REPORTS}:parameter{name}"
        yield code(
            NIGHTLY_REPORT, creds, draw, at, "ssm", "GetParameter", {"name": name, "withDecryption": False}, read=True,
            resources=[{"accountId": REPORTS, "ARN": arn}],
        )


def gov_intake(day, draw):
    """Takes a schema and stores an upload; what it sends to its queue is not logged."""
    if not draw.chance(0.6):
        return
    at = moment(day, draw, 12, 20)
    events, creds = cold_start(GOV_INTAKE, draw, at)
    yield from events
    at = later(at, draw)
    yield s3(GOV_INTAKE, creds, draw, at, "GetObject", "gov-intake-uploads", "schemas/intake-v3.xsd", size=18_204)
    for _ in range(draw.between(1, 2)):
        at = later(at, draw, 60)
        yield s3(GOV_INTAKE, creds, draw, at, "PutObject", "gov-intake-uploads", f"inbox/{day:%Y/%m/%d}/{draw.uuid()}.xml")


def image_resizer(day, draw):
    """Reads an original, writes two smaller ones."""
    for hours in ((5, 10), (12, 20)):
        if not draw.chance(0.5) and day != BROKEN_DAY:
            continue
        at = moment(day, draw, *hours)
        events, creds = cold_start(IMAGE_RESIZER, draw, at)
        yield from events
        at = later(at, draw)
        image = draw.uuid()
        size = draw.between(200_000, 4_000_000)
        yield s3(IMAGE_RESIZER, creds, draw, at, "GetObject", "media-originals", f"uploads/{day:%Y}/{image}.png", size=size)
        for width in (320, 1280):
            at = later(at, draw)
            yield s3(IMAGE_RESIZER, creds, draw, at, "PutObject", "media-resized", f"{width}/{image}.webp")


PLACES = [(SHOP, "us-east-1", "aws"), (REPORTS, "eu-west-1", "aws"), (GOV, "us-gov-west-1", "aws-us-gov"), (MEDIA, "us-west-2", "aws")]


def background(day, draw):
    """AWS Config takes its role in every account on every day, so that each day has an object."""
    for account, region, partition in PLACES:
        at = datetime(day.year, day.month, day.day, 4, draw.below(60), draw.below(60))
        role = f"arn:{partition}:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        yield record(
            draw, at, "sts", "AssumeRole", region, account,
            {"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "config.amazonaws.com", "config.amazonaws.com",
            {"roleArn": role, "roleSessionName": "AWSConfig-Describe", "durationSeconds": 900},
            read=True, resources=[{"accountId": account, "type": "AWS::IAM::Role", "ARN": role}], shared=draw.uuid(),
        )


OTHERS = [nightly_report, gov_intake, image_resizer, background]
