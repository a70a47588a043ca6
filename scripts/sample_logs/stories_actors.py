"""Everybody else in the shop's trail: stolen credentials, people, deployments, machines, AWS itself, a partner.

In: a day and its draw; out: records. None of these calls may be credited to a Lambda role.
"""

from datetime import date, datetime, timedelta

from .cast import BATCH_NODE, CATALOG_SYNC, CI_DEPLOY, METRICS_SHIPPER, ORDER_PROCESSOR, PARTNER, PAYMENT_GATEWAY, PAYMENTS_KEY, SHOP
from .draw import BASE64, Draw
from .records import Session, code, forwarded, not_authorized, record, role_identity, s3, stamp
from .stories_shop import cold_start, later, moment

STOLEN_DAY = date(2026, 11, 4)
LAPTOP = "198.51.100.77"
LAPTOP_AGENT = "aws-cli/1.32.101 Python/3.11.8 Darwin/23.4.0 botocore/1.34.101"


def metrics_shipper(day, draw):
    """Lists the functions, whose encrypted environments Lambda decrypts for it, and archives the inventory."""
    if not draw.chance(0.5) and day != STOLEN_DAY:
        return
    at = moment(day, draw, 10, 15)
    events, creds = cold_start(METRICS_SHIPPER, draw, at, take=0.5)
    yield from events
    at = later(at, draw)
    yield code(METRICS_SHIPPER, creds, draw, at, "lambda", "ListFunctions20150331", None, read=True)
    context = {"aws:lambda:FunctionArn": PAYMENT_GATEWAY.arn}
    params = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context}
    yield forwarded(METRICS_SHIPPER, creds, draw, at, "lambda.amazonaws.com", "Decrypt", params, PAYMENTS_KEY)
    at = later(at, draw)
    yield s3(METRICS_SHIPPER, creds, draw, at, "PutObject", "metrics-archive", f"inventory/{day:%Y/%m/%d}/functions.json")
    if day == STOLEN_DAY:
        yield from stolen(day, draw, creds)


def stolen(day, draw, creds):
    """The same credentials some hours later, from somebody's laptop."""
    thief = METRICS_SHIPPER._replace(agent=LAPTOP_AGENT)
    creds = Session(creds.key, creds.created, LAPTOP)
    at = datetime(day.year, day.month, day.day, 20, 41, 7)
    role = METRICS_SHIPPER.role
    yield code(thief, creds, draw, at, "sts", "GetCallerIdentity", None, read=True)
    why = "because no identity-based policy allows the iam:ListRoles action"
    error = not_authorized(role, thief.name, "iam:ListRoles", f"arn:aws:iam::{SHOP}:role/", why)
    at += timedelta(seconds=21)
    yield code(thief, creds, draw, at, "iam", "ListRoles", None, read=True, error=error, host="iam.amazonaws.com")
    at += timedelta(seconds=48)
    yield s3(thief, creds, draw, at, "ListObjects", "metrics-archive")
    for day_back in (1, 2):
        at += timedelta(seconds=draw.between(9, 40))
        earlier = day - timedelta(days=day_back)
        yield s3(thief, creds, draw, at, "GetObject", "metrics-archive", f"inventory/{earlier:%Y/%m/%d}/functions.json")
    at += timedelta(seconds=95)
    yield code(thief, creds, draw, at, "ecr", "DescribeRepositories", None, read=True, host="api.ecr.us-east-1.amazonaws.com")
    at += timedelta(seconds=33)
    yield code(thief, creds, draw, at, "lambda", "GetFunction20150331v2", {"functionName": PAYMENT_GATEWAY.name}, read=True)


def user(name):
    key = Draw("user-key", name).access_key("AKIA")
    return {
        "type": "IAMUser",
        "principalId": Draw("user-id", name).unique_id("AIDA"),
        "arn": f"arn:aws:iam::{SHOP}:user/{name}",
        "accountId": SHOP,
        "accessKeyId": key,
        "userName": name,
    }


def people(day, draw):
    """`alice` looks around; `legacy-bot` is a user whose keys are used inside a function, which makes it no role."""
    if draw.chance(0.2):
        agent = "aws-cli/2.31.9 md/awscrt#0.28.1 ua/2.1 os/linux#6.14.0 md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython m/n,E,b,C cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#ec2.describe-instances"
        yield record(
            draw, moment(day, draw, 8, 16), "ec2", "DescribeInstances", "us-east-1", SHOP, user("alice"), "198.51.100.20", agent,
            {"instancesSet": {}, "filterSet": {}}, read=True, host="ec2.us-east-1.amazonaws.com",
        )
    if draw.chance(0.15):
        agent = "Boto3/1.26.90 Python/3.9.16 Linux/4.14.255-318-256.530.amzn2.x86_64 exec-env/AWS_Lambda_python3.9 Botocore/1.29.90"
        yield record(
            draw, moment(day, draw, 8, 16), "sns", "ListTopics", "us-east-1", SHOP, user("legacy-bot"), "203.0.113.99", agent,
            None, read=True, host="sns.us-east-1.amazonaws.com",
        )


def deployment(day, draw):
    """On Wednesdays the pipeline deploys `order-processor` with a role of its own."""
    if day.weekday() != 2:
        return
    at = moment(day, draw, 13, 15)
    key, agent = draw.access_key(), "aws-sdk-js/3.901.0 ua/2.1 os/linux#6.11.0-1018-azure lang/js md/nodejs#20.19.5 m/E"
    subject = "repo:example-shop/infrastructure:ref:refs/heads/main"
    provider = f"arn:aws:iam::{SHOP}:oidc-provider/token.actions.githubusercontent.com"
    web = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    assumed = f"arn:aws:sts::{SHOP}:assumed-role/{CI_DEPLOY.name}/GitHubActions"
    yield record(
        draw, at, "sts", "AssumeRoleWithWebIdentity", "us-east-1", SHOP, web, "192.0.2.44", agent,
        {"roleArn": CI_DEPLOY.arn, "roleSessionName": "GitHubActions", "durationSeconds": 3600},
        response={
            "subjectFromWebIdentityToken": subject,
            "assumedRoleUser": {"assumedRoleId": f"{CI_DEPLOY.id}:GitHubActions", "arn": assumed},
            "provider": provider,
            "audience": "sts.amazonaws.com",
        },
        read=True, resources=[{"accountId": SHOP, "type": "AWS::IAM::Role", "ARN": CI_DEPLOY.arn}],
        host="sts.us-east-1.amazonaws.com",
    )
    identity = role_identity(CI_DEPLOY, "GitHubActions", key, stamp(at))
    at = later(at, draw, 50)
    params = {"functionName": ORDER_PROCESSOR.name, "publish": False, "dryRun": False}
    response = {"functionName": ORDER_PROCESSOR.name, "functionArn": ORDER_PROCESSOR.arn, "role": ORDER_PROCESSOR.role.arn, "version": "$LATEST"}
    yield record(
        draw, at, "lambda", "UpdateFunctionCode20150331v2", "us-east-1", SHOP, identity, "192.0.2.44", agent, params,
        response=response, host="lambda.us-east-1.amazonaws.com",
    )


def machine(day, draw):
    """An EC2 instance: the same `inScopeOf` field, another issuer."""
    if not draw.chance(0.25):
        return
    instance = "i-0f1e2d3c4b5a69788"
    at = moment(day, draw, 1, 3)
    scope = {"issuerType": "AWS::EC2::Instance", "credentialsIssuedTo": f"arn:aws:ec2:us-east-1:{SHOP}:instance/{instance}"}
    identity = role_identity(BATCH_NODE, instance, draw.access_key(), stamp(at), scope=scope)
    identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
    bucket = "arn:aws:s3:::batch-input"
    key = f"jobs/{day:%Y-%m-%d}.csv"
    host = "batch-input.s3.us-east-1.amazonaws.com"
    yield record(
        draw, at, "s3", "GetObject", "us-east-1", SHOP, identity, "192.0.2.150",
        "[aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#arm64 api/s3#1.88.4]",
        {"bucketName": "batch-input", "Host": host, "key": key}, extra={"bytesTransferredOut": draw.between(1000, 90000)}, read=True,
        resources=[{"type": "AWS::S3::Object", "ARN": f"{bucket}/{key}"}, {"accountId": SHOP, "type": "AWS::S3::Bucket", "ARN": bucket}],
        data=True, host=host,
    )


def aws_itself(day, draw):
    """A key is rotated; CloudTrail looks at its bucket on Sundays."""
    if day == date(2026, 10, 12):
        yield record(
            draw, datetime(day.year, day.month, day.day, 1, 41, 59), "kms", "RotateKey", "us-east-1", SHOP,
            {"accountId": SHOP, "invokedBy": "AWS Internal"}, "AWS Internal", "AWS Internal", None,
            resources=[{"accountId": SHOP, "type": "AWS::KMS::Key", "ARN": PAYMENTS_KEY}], kind="AwsServiceEvent",
            details={"keyId": PAYMENTS_KEY.split("/")[1]}, request_id=False,
        )
    if day.weekday() == 6:
        bucket = "arn:aws:s3:::shop-trail-logs"
        yield record(
            draw, moment(day, draw, 5, 9), "s3", "GetBucketAcl", "us-east-1", SHOP,
            {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com",
            {"bucketName": "shop-trail-logs", "Host": "shop-trail-logs.s3.us-east-1.amazonaws.com", "acl": ""},
            extra={"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"}, read=True,
            resources=[{"accountId": SHOP, "type": "AWS::S3::Bucket", "ARN": bucket}], shared=draw.uuid(),
        )


def partner(day, draw):
    """A partner's function reads the shop's images: the owner's copy names no role, and a session like one of ours."""
    if not draw.chance(0.2):
        return
    principal = Draw("role-id", PARTNER, "images").unique_id("AROA")
    bucket = "arn:aws:s3:::catalog-images"
    key = f"originals/{draw.uuid()}.jpg"
    host = "catalog-images.s3.us-east-1.amazonaws.com"
    yield record(
        draw, moment(day, draw, 11, 18), "s3", "GetObject", "us-east-1", SHOP,
        {"type": "AWSAccount", "principalId": f"{principal}:{CATALOG_SYNC.name}", "accountId": PARTNER},
        "192.0.2.201", f"[{CATALOG_SYNC.agent}]", {"bucketName": "catalog-images", "Host": host, "key": key},
        extra={"SignatureVersion": "SigV4", "bytesTransferredOut": draw.between(90_000, 900_000), "x-amz-id-2": draw.text(BASE64, 75) + "="},
        read=True, data=True, shared=draw.uuid(), host=host,
        resources=[{"type": "AWS::S3::Object", "ARN": f"{bucket}/{key}"}, {"accountId": SHOP, "type": "AWS::S3::Bucket", "ARN": bucket}],
    )


ACTORS = [metrics_shipper, people, deployment, machine, aws_itself, partner]
