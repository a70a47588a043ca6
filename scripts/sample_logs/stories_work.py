"""The shop's work behind the scenes: invoices, payments, pipelines, audits. In: a day and its draw; out: records."""

from datetime import date, datetime, timedelta

from .cast import (
    AUDIT_EXPORT, INVOICE_WORKER, PAYMENT_GATEWAY, PAYMENTS_KEY, PAYMENTS_PARAMETER, PAYMENTS_SECRET, PIPELINE_STARTER,
    PIPELINE_TASK, PIPELINE_TASK_EXECUTION, SHOP, etl_adhoc,
)
from .records import (
    code, dynamodb, english, forwarded, record, role_identity, runtime_logging, s3, session, stamp, taken,
)
from .stories_shop import cold_start, later, moment

NETWORK_DAY = date(2026, 10, 3)
S3_ENDPOINT = "vpce-0a9b8c7d6e5f43210"
TABLE_ENDPOINT = "vpce-01234fedcba987654"


def invoice_worker(day, draw):
    """Fed by a queue whose data events nobody logs; writes PDFs. Lambda makes its network interface once."""
    if day == NETWORK_DAY:
        yield from network_interface(day, draw)
    if not draw.chance(0.6):
        return
    at = moment(day, draw, 9, 18)
    events, creds = cold_start(INVOICE_WORKER, draw, at)
    yield from events
    for _ in range(draw.between(1, 2)):
        at = later(at, draw, 30)
        invoice = f"INV-{day:%Y}-{draw.between(10000, 99999)}"
        name = {"key": {"invoiceId": invoice}}
        yield dynamodb(INVOICE_WORKER, creds, draw, at, "GetItem", "Invoices", name, endpoint=TABLE_ENDPOINT)
        at = later(at, draw)
        yield s3(INVOICE_WORKER, creds, draw, at, "PutObject", "invoice-documents", f"{day:%Y/%m}/{invoice}.pdf", endpoint=S3_ENDPOINT)
        at = later(at, draw)
        update = {**name, "updateExpression": "SET document = :key, #s = :done", "expressionAttributeNames": {"#s": "state"}}
        yield dynamodb(INVOICE_WORKER, creds, draw, at, "UpdateItem", "Invoices", update, endpoint=TABLE_ENDPOINT)


def network_interface(day, draw):
    """Lambda, with the role and a session of its own, connects the function to its VPC."""
    at = datetime(day.year, day.month, day.day, 7, 14, 55)
    name = f"awslambda_{draw.between(100, 999)}_{at:%Y%m%d%H%M%S}{draw.between(100, 999)}"
    identity = role_identity(INVOICE_WORKER.role, name, draw.access_key(), stamp(at), "AWS Internal")
    subnet, group = "subnet-0a11b22c33d44e55f", "sg-0c1d2e3f4a5b6c7d8"
    description = f"AWS Lambda VPC ENI-{INVOICE_WORKER.name}-{draw.uuid()}"
    interface = {
        "networkInterfaceId": f"eni-0{draw.hex(16)}",
        "subnetId": subnet,
        "vpcId": "vpc-0123456789abcdef0",
        "availabilityZone": "us-east-1a",
        "description": description,
        "ownerId": SHOP,
        "requesterManaged": False,
        "status": "pending",
        "privateIpAddress": "10.20.1.77",
        "groupSet": {"items": [{"groupId": group, "groupName": "invoice-worker"}]},
        "interfaceType": "lambda",
    }
    params = {"subnetId": subnet, "description": description, "groupSet": {"items": [{"groupId": group}]}, "privateIpAddressesSet": {}}
    common = ("us-east-1", SHOP, identity, "AWS Internal", "AWS Internal")
    yield record(
        draw, at, "ec2", "CreateNetworkInterface", *common, params,
        response={"requestId": draw.uuid(), "networkInterface": interface},
    )
    described = {"networkInterfaceIdSet": {"items": [{"networkInterfaceId": interface["networkInterfaceId"]}]}, "filterSet": {}}
    yield record(draw, at + timedelta(seconds=9), "ec2", "DescribeNetworkInterfaces", *common, described, read=True)


def payment_gateway(day, draw):
    """Encrypted environment, a secret and a secure parameter: KMS is asked by Lambda, Secrets Manager and SSM."""
    if not draw.chance(0.45):
        return
    at = moment(day, draw, 6, 21)
    events, creds = cold_start(PAYMENT_GATEWAY, draw, at, key=PAYMENTS_KEY)
    yield from events
    at = later(at, draw)
    yield code(PAYMENT_GATEWAY, creds, draw, at, "secretsmanager", "GetSecretValue", {"secretId": PAYMENTS_SECRET}, read=True)
    yield decrypt(creds, draw, at, "secretsmanager.amazonaws.com", {"SecretARN": PAYMENTS_SECRET, "SecretVersionId": "0f3d5b7a-61c2-4e84-9a0d-2b4c6e8f1a35"})
    at = later(at, draw)
    parameter = {"name": "/payments/merchant-id", "withDecryption": True}
    yield code(
        PAYMENT_GATEWAY, creds, draw, at, "ssm", "GetParameter", parameter, read=True,
        resources=[{"accountId": SHOP, "ARN": PAYMENTS_PARAMETER}],
    )
    yield decrypt(creds, draw, at, "ssm.amazonaws.com", {"PARAMETER_ARN": PAYMENTS_PARAMETER})


def decrypt(creds, draw, at, by, context):
    params = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context}
    return forwarded(PAYMENT_GATEWAY, creds, draw, at, by, "Decrypt", params, PAYMENTS_KEY)


MACHINE = f"arn:aws:states:us-east-1:{SHOP}:stateMachine:nightly-etl"


def pipeline_starter(day, draw):
    """Starts the workflow on working days, a container task with roles of its own on Mondays, a new function monthly."""
    if day.day == 1:
        yield from create_function(day, draw)
    if day.weekday() > 4:
        return
    at = moment(day, draw, 1, 2)
    events, creds = cold_start(PIPELINE_STARTER, draw, at, take=0.4)
    yield from events
    at = later(at, draw)
    run = f"etl-{day:%Y-%m-%d}"
    yield code(
        PIPELINE_STARTER, creds, draw, at, "states", "StartExecution",
        {"stateMachineArn": MACHINE, "name": run, "input": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        response={"executionArn": f"{MACHINE.replace('stateMachine', 'execution')}:{run}", "startDate": english(at)},
    )
    if day.weekday() == 0:
        at = later(at, draw)
        yield code(PIPELINE_STARTER, creds, draw, at, "sts", "GetCallerIdentity", None, read=True)
        yield run_task(day, draw, later(at, draw), creds)


def run_task(day, draw, at, creds):
    cluster = f"arn:aws:ecs:us-east-1:{SHOP}:cluster/batch"
    definition = f"arn:aws:ecs:us-east-1:{SHOP}:task-definition/nightly-etl:7"
    overrides = {
        "containerOverrides": [{"name": "etl", "command": ["--week", f"{day:%G-W%V}"]}],
        "taskRoleArn": PIPELINE_TASK.arn,
        "executionRoleArn": PIPELINE_TASK_EXECUTION.arn,
    }
    task = {
        "taskArn": f"{cluster.replace('cluster', 'task')}/{draw.hex(32)}",
        "clusterArn": cluster,
        "taskDefinitionArn": definition,
        "lastStatus": "PROVISIONING",
        "launchType": "FARGATE",
        "overrides": overrides,
    }
    params = {
        "cluster": "batch",
        "taskDefinition": "nightly-etl:7",
        "count": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0a11b22c33d44e55f"], "assignPublicIp": "DISABLED"}},
        "overrides": overrides,
    }
    return code(PIPELINE_STARTER, creds, draw, at, "ecs", "RunTask", params, response={"tasks": [task], "failures": []})


def create_function(day, draw):
    """A throw-away function is made with a role that is handed over, and runs on the same morning."""
    made = etl_adhoc(f"{day:%Y-%m}")
    at = datetime(day.year, day.month, day.day, 6, 30, 9)
    events, creds = cold_start(PIPELINE_STARTER, draw, at)
    yield from events
    at += timedelta(seconds=3)
    params = {
        "functionName": made.name,
        "runtime": "python3.13",
        "role": made.role.arn,
        "handler": "app.handler",
        "code": {},
        "timeout": 300,
        "memorySize": 512,
        "publish": False,
    }
    response = {**params, "functionArn": made.arn, "version": "$LATEST", "state": "Pending", "lastModified": f"{stamp(at)[:-1]}.000+0000"}
    del response["code"], response["publish"]
    yield code(PIPELINE_STARTER, creds, draw, at, "lambda", "CreateFunction20150331", params, response=response)
    at += timedelta(minutes=2)
    yield taken(made, draw, at, session(made, draw, at))
    yield runtime_logging(made, draw, at, "CreateLogGroup")
    yield runtime_logging(made, draw, at)


def audit_export(day, draw):
    """Twice a week: reads the event history and writes an export into the archive."""
    if day.weekday() not in (0, 3):
        return
    at = moment(day, draw, 3, 4)
    events, creds = cold_start(AUDIT_EXPORT, draw, at, take=0.9)
    yield from events
    at = later(at, draw)
    start = datetime(day.year, day.month, day.day) - timedelta(days=3)
    window = {"startTime": english(start), "endTime": english(start + timedelta(days=3)), "maxResults": 50}
    yield code(AUDIT_EXPORT, creds, draw, at, "cloudtrail", "LookupEvents", window, read=True)
    at = later(at, draw)
    yield s3(AUDIT_EXPORT, creds, draw, at, "ListObjects", "audit-archive", prefix=f"exports/{day:%Y/%m}/")
    at = later(at, draw)
    yield s3(AUDIT_EXPORT, creds, draw, at, "PutObject", "audit-archive", f"exports/{day:%Y/%m}/audit-{day:%Y-%m-%d}.json.gz")


WORK = [invoice_worker, payment_gateway, pipeline_starter, audit_export]
