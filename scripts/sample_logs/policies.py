"""The permissions of the cast, as policy documents: broad today, which is what the proposals are about.

In: nothing; out: inline policies, managed policies and permissions boundaries by role.
"""

from .cast import (
    AUDIT_EXPORT, BATCH_NODE, CATALOG_SYNC, CI_DEPLOY, CUSTOMER_SEARCH, ETL_ADHOC_ROLE, GOV, GOV_INTAKE,
    IMAGE_RESIZER, INVOICE_WORKER, LEGACY_CLEANUP, METRICS_SHIPPER, NIGHTLY_REPORT, ORDER_PROCESSOR, PAYMENT_GATEWAY,
    PAYMENTS_KEY, PIPELINE_STARTER, PIPELINE_TASK, PIPELINE_TASK_EXECUTION, SHARED_API, SHOP,
)


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource, sid=None, condition=None):
    statement = {"Sid": sid} if sid else {}
    statement |= {"Effect": "Allow", "Action": action, "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return statement


LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]

# AWS managed policies: name → (path, id, default version, created, updated, document).
AWS_MANAGED = {
    "AdministratorAccess": (
        "/", "ANPAIWMBCKSKIEE64ZLYK", "v1", "2015-02-06T18:39:46+00:00", "2015-02-06T18:39:46+00:00",
        document({"Effect": "Allow", "Action": "*", "Resource": "*"}),
    ),
    "AWSLambdaBasicExecutionRole": (
        "/service-role/", "ANPAJNCQGXC42545SKXIK", "v1", "2015-04-09T15:03:43+00:00", "2015-04-09T15:03:43+00:00",
        document({"Effect": "Allow", "Action": LOGS, "Resource": "*"}),
    ),
    "AWSLambdaVPCAccessExecutionRole": (
        "/service-role/", "ANPAJVTME3YLVNL72YR2K", "v3", "2016-02-11T23:15:26+00:00", "2024-01-05T22:38:46+00:00",
        document({
            "Sid": "AWSLambdaVPCAccessExecutionPermissions",
            "Effect": "Allow",
            "Action": [
                *LOGS, "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
                "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
            ],
            "Resource": "*",
        }),
    ),
    "AWSLambdaSQSQueueExecutionRole": (
        "/service-role/", "ANPAJFWJZI6JNND4TSELK", "v1", "2018-06-14T21:50:45+00:00", "2018-06-14T21:50:45+00:00",
        document({
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *LOGS],
            "Resource": "*",
        }),
    ),
}

# Customer managed policies of the shop: name → documents, oldest first; the last is the default version.
CUSTOMER_MANAGED = {
    "shared-api-access": [
        document(allow(["dynamodb:*", "sns:*", "ses:*"], "*")),
        document(
            allow("dynamodb:*", [
                "arn:aws:dynamodb:us-east-1:111122223333:table/Orders",
                "arn:aws:dynamodb:us-east-1:111122223333:table/OrderCounters",
            ], "OrderTables"),
            allow("sns:Publish", "arn:aws:sns:us-east-1:111122223333:order-events", "OrderEvents"),
        ),
    ],
    "lambda-permissions-boundary": [
        document(
            allow(["s3:*", "dynamodb:*", "logs:*", "cloudtrail:LookupEvents", "kms:Decrypt", "sns:Publish"], "*", "WhatFunctionsMayDo"),
            {"Sid": "NeverTheLogBucket", "Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::shop-trail-logs", "arn:aws:s3:::shop-trail-logs/*"]},
        ),
    ],
}

BASIC = "AWSLambdaBasicExecutionRole"

ATTACHED = {
    ORDER_PROCESSOR.role: ["AdministratorAccess"],
    SHARED_API: [BASIC, "shared-api-access"],
    NIGHTLY_REPORT.role: [BASIC],
    INVOICE_WORKER.role: ["AWSLambdaVPCAccessExecutionRole", "AWSLambdaSQSQueueExecutionRole"],
    PAYMENT_GATEWAY.role: [BASIC],
    CATALOG_SYNC.role: [BASIC],
    PIPELINE_STARTER.role: [BASIC],
    ETL_ADHOC_ROLE: [BASIC],
    CUSTOMER_SEARCH.role: [],
    GOV_INTAKE.role: [BASIC],
    LEGACY_CLEANUP.role: [BASIC],
    AUDIT_EXPORT.role: [],
    IMAGE_RESIZER.role: [BASIC],
    METRICS_SHIPPER.role: [BASIC],
    CI_DEPLOY: ["AdministratorAccess"],
}

BOUNDARIES = {AUDIT_EXPORT.role: "lambda-permissions-boundary"}


def bucket(name, partition="aws"):
    return [f"arn:{partition}:s3:::{name}", f"arn:{partition}:s3:::{name}/*"]


INLINE = {
    NIGHTLY_REPORT.role: {
        "nightly-report": document(
            allow("s3:*", bucket("nightly-reports"), "ReportBucket"),
            allow("dynamodb:*", "arn:aws:dynamodb:eu-west-1:444455556666:table/Sales", "SalesTable"),
            allow("ssm:GetParameter*", "arn:aws:ssm:eu-west-1:444455556666:parameter/reports/*", "Settings"),
            allow("ses:SendEmail", "arn:aws:ses:eu-west-1:444455556666:identity/reports.example.com", "Mail"),
        ),
    },
    INVOICE_WORKER.role: {
        "invoice-worker": document(
            allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], "arn:aws:s3:::invoice-documents/*", "InvoiceDocuments"),
            allow("dynamodb:*", "arn:aws:dynamodb:us-east-1:111122223333:table/Invoices", "InvoiceTable"),
            allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:invoice-dlq", "DeadLetters"),
            allow(
                ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-0a1b2c3d4e5f60718", "Fonts",
            ),
        ),
    },
    PAYMENT_GATEWAY.role: {
        "payment-gateway": document(
            allow("secretsmanager:*", "arn:aws:secretsmanager:us-east-1:111122223333:secret:payments/*", "Secrets"),
            allow("kms:*", PAYMENTS_KEY, "PaymentsKey"),
            allow("ssm:GetParameter*", "arn:aws:ssm:us-east-1:111122223333:parameter/payments/*", "Settings"),
            allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*", "Tracing"),
        ),
    },
    CATALOG_SYNC.role: {
        "catalog-sync": document(
            allow("s3:*", "*", "AllBuckets"),
            allow(
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Scan"],
                "arn:aws:dynamodb:us-east-1:111122223333:table/Catalog", "CatalogTable",
            ),
        ),
    },
    PIPELINE_STARTER.role: {
        "pipeline-starter": document(
            allow("states:*", "arn:aws:states:us-east-1:111122223333:stateMachine:*", "Workflows"),
            allow("ecs:*", "*", "Tasks"),
            allow(["lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:DeleteFunction", "lambda:TagResource"],
                  "arn:aws:lambda:us-east-1:111122223333:function:etl-adhoc-*", "ThrowAwayFunctions"),
            allow("iam:PassRole", ["arn:aws:iam::111122223333:role/pipeline-*", "arn:aws:iam::111122223333:role/etl-*"], "HandOver"),
        ),
    },
    CUSTOMER_SEARCH.role: {
        "customer-search": document(
            allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"], [
                "arn:aws:dynamodb:us-east-1:111122223333:table/Customers",
                "arn:aws:dynamodb:us-east-1:111122223333:table/Customers/index/*",
            ]),
            allow(LOGS, "arn:aws:logs:us-east-1:111122223333:log-group:/shop/*"),
        ),
    },
    GOV_INTAKE.role: {
        "gov-intake": document(
            allow("s3:*", bucket("gov-intake-uploads", "aws-us-gov"), "Uploads"),
            allow("sqs:*", f"arn:aws-us-gov:sqs:us-gov-west-1:{GOV}:gov-intake-queue", "Queue"),
        ),
    },
    LEGACY_CLEANUP.role: {
        "legacy-cleanup": document(
            allow(["s3:ListBucket", "s3:GetObject", "s3:DeleteObject"], bucket("legacy-exports")),
            allow(["ec2:DescribeSnapshots", "ec2:DeleteSnapshot"], "*"),
        ),
    },
    AUDIT_EXPORT.role: {
        "everything-but-identity": document({
            "Sid": "EverythingButIdentity",
            "Effect": "Allow",
            "NotAction": ["iam:*", "organizations:*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        }),
        "protect-archive": document({
            "Sid": "ArchiveIsForever",
            "Effect": "Deny",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            "Resource": "arn:aws:s3:::audit-archive/*",
        }),
    },
    IMAGE_RESIZER.role: {
        "image-resizer": document(allow("s3:*", [*bucket("media-originals"), *bucket("media-resized")])),
    },
    METRICS_SHIPPER.role: {
        "metrics-shipper": document(
            allow(["lambda:ListFunctions", "lambda:GetFunction", "lambda:GetFunctionConfiguration"], "*", "Inventory"),
            allow("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/*", "FunctionEnvironments"),
            allow("cloudwatch:PutMetricData", "*", "Metrics"),
            allow(["s3:ListBucket", "s3:GetObject", "s3:PutObject"], bucket("metrics-archive"), "Archive"),
            allow(["ecr:DescribeRepositories", "ecr:ListImages"], "*", "Images"),
        ),
    },
    BATCH_NODE: {"batch-node": document(allow(["s3:GetObject", "s3:ListBucket"], bucket("batch-input")))},
    PIPELINE_TASK: {"pipeline-task": document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::pipeline-data/*"))},
    PIPELINE_TASK_EXECUTION: {
        "pull-and-log": document(allow(["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents"], "*")),
    },
}

_TRUSTED = {
    BATCH_NODE: {"Service": "ec2.amazonaws.com"},
    PIPELINE_TASK: {"Service": "ecs-tasks.amazonaws.com"},
    PIPELINE_TASK_EXECUTION: {"Service": "ecs-tasks.amazonaws.com"},
}


def trust(role):
    """The trust policy: Lambda's, but for the few roles of others."""
    if role == CI_DEPLOY:
        return document({
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{SHOP}:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                "StringLike": {"token.actions.githubusercontent.com:sub": "repo:example-shop/infrastructure:*"},
            },
        })
    principal = _TRUSTED.get(role, {"Service": "lambda.amazonaws.com"})
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
