"""The other accounts, and everybody who is not a Lambda function. In: a day and its draw; out: records."""

from datetime import datetime

from .cast import GOV, IMAGE_RESIZER, MEDIA, REPORTS, SHOP
from .records import record, s3
from .stories_shop import cold_start, later, moment


def image_resizer(day, draw):
    """Reads an original, writes two smaller ones. One of this account's log objects is broken."""
    for hours in ((5, 10), (12, 20)):
        if not draw.chance(0.6) and day.day != 9:
            continue
        at = moment(day, draw, *hours)
        events, creds = cold_start(IMAGE_RESIZER, draw, at)
        yield from events
        at = later(at, draw)
        image = draw.uuid()
        yield s3(IMAGE_RESIZER, creds, draw, at, "GetObject", "media-originals", f"uploads/{day:%Y}/{image}.png", size=draw.between(200_000, 4_000_000))
        for width in (320, 1280):
            at = later(at, draw)
            yield s3(IMAGE_RESIZER, creds, draw, at, "PutObject", "media-resized", f"{width}/{image}.webp")


PLACES = [(SHOP, "us-east-1", "aws"), (REPORTS, "eu-west-1", "aws"), (GOV, "us-gov-west-1", "aws-us-gov"), (MEDIA, "us-west-2", "aws")]


def background(day, draw):
    """AWS Config takes its role in every account on every day."""
    for account, region, partition in PLACES:
        at = datetime(day.year, day.month, day.day, 4, draw.below(60), draw.below(60))
        role = f"arn:{partition}:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        yield record(
            draw, at, "sts", "AssumeRole", region, account,
            {"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "config.amazonaws.com", "config.amazonaws.com",
            {"roleArn": role, "roleSessionName": "AWSConfig-Describe", "durationSeconds": 900},
            read=True, resources=[{"accountId": account, "type": "AWS::IAM::Role", "ARN": role}], shared=draw.uuid(),
        )
