"""`sample-logs/snapshot/`: what the AWS CLI prints about the accounts on the morning after the window.

In: the cast and its policies; out: file name → text, in the CLI's own shapes, key order and indentation.
"""

import json

from . import accessed, policies
from .cast import (
    API_CREATE, API_GET, AUDIT_EXPORT, BATCH_NODE, CATALOG_SYNC, CI_DEPLOY, CUSTOMER_SEARCH, GOV,
    GOV_INTAKE, IMAGE_RESIZER, INVOICE_WORKER, LEGACY_CLEANUP, MEDIA, METRICS_SHIPPER, NIGHTLY_REPORT, ORDER_PROCESSOR,
    PAYMENT_GATEWAY, PAYMENTS_KEY, PIPELINE_STARTER, PIPELINE_TASK, PIPELINE_TASK_EXECUTION, REPORTS, SHOP,
    etl_adhoc,
)
from .draw import BASE64, Draw

FUNCTIONS = [
    API_CREATE, API_GET, AUDIT_EXPORT, CATALOG_SYNC, CUSTOMER_SEARCH, etl_adhoc("2026-10"), etl_adhoc("2026-11"),
    INVOICE_WORKER, LEGACY_CLEANUP, METRICS_SHIPPER, ORDER_PROCESSOR, PAYMENT_GATEWAY, PIPELINE_STARTER,
    NIGHTLY_REPORT, GOV_INTAKE, IMAGE_RESIZER,
]
ROLES = [
    *dict.fromkeys(function.role for function in FUNCTIONS), CI_DEPLOY, BATCH_NODE, PIPELINE_TASK, PIPELINE_TASK_EXECUTION,
]

# Handlers of the runtimes that are not Python's.
HANDLERS = {"nodejs22.x": "index.handler", "java21": "example.Handler::handleRequest", "provided.al2023": "bootstrap"}


def cli(value):
    """As `aws --output json` prints it."""
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"


def managed_policy_arn(name, role):
    if name in policies.AWS_MANAGED:
        return f"arn:{role.partition}:iam::aws:policy{policies.AWS_MANAGED[name][0]}{name}"
    return f"arn:{role.partition}:iam::{role.account}:policy/{name}"


def created(role):
    """Some day well before the window."""
    draw = Draw("created", role.account, role.name)
    return f"{draw.between(2022, 2025)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}T{draw.between(7, 18):02}:{draw.below(60):02}:{draw.below(60):02}+00:00"


def last_used(role, seen):
    """As the trail has it; a role that the trail does not know was used long ago, or on the day before the window."""
    uses = [use for (arn, _), use in seen.items() if arn == role.arn]
    if role == LEGACY_CLEANUP.role:
        time, region = "2025-08-14T03:11:52Z", "us-east-1"
    else:
        time, region = max(uses, default=("2026-09-19T02:20:45Z", "us-east-1"))
    return {"LastUsedDate": time.replace("Z", "+00:00"), "Region": region}


def role_detail(role, seen):
    detail = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": created(role),
        "AssumeRolePolicyDocument": policies.trust(role),
        "InstanceProfileList": [],
        "RolePolicyList": [
            {"PolicyName": name, "PolicyDocument": document} for name, document in policies.INLINE.get(role, {}).items()
        ],
        "AttachedManagedPolicies": [
            {"PolicyName": name, "PolicyArn": managed_policy_arn(name, role)} for name in policies.ATTACHED.get(role, [])
        ],
    }
    if role in policies.BOUNDARIES:
        detail["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": managed_policy_arn(policies.BOUNDARIES[role], role),
        }
    detail["Tags"] = [{"Key": "team", "Value": "shop"}] if role == ORDER_PROCESSOR.role else []
    detail["RoleLastUsed"] = last_used(role, seen)
    return detail


def managed_policy(name, roles):
    attached = sum(name in policies.ATTACHED.get(role, []) for role in roles)
    bounding = sum(policies.BOUNDARIES.get(role) == name for role in roles)
    if name in policies.AWS_MANAGED:
        path, policy_id, version, first, last, document = policies.AWS_MANAGED[name]
        versions = [{"Document": document, "VersionId": version, "IsDefaultVersion": True, "CreateDate": last}]
    else:
        documents = policies.CUSTOMER_MANAGED[name]
        path, policy_id = "/", Draw("policy-id", name).unique_id("ANPA")
        dates = [f"2024-{2 + number:02}-11T10:{20 + number}:31+00:00" for number in range(len(documents))]
        versions = [
            {"Document": document, "VersionId": f"v{number + 1}", "IsDefaultVersion": number == len(documents) - 1, "CreateDate": dates[number]}
            for number, document in enumerate(documents)
        ][::-1]
        version, first, last = versions[0]["VersionId"], dates[0], dates[-1]
    return {
        "PolicyName": name,
        "PolicyId": policy_id,
        "Arn": managed_policy_arn(name, roles[0]),
        "Path": path,
        "DefaultVersionId": version,
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": True,
        "CreateDate": first,
        "UpdateDate": last,
        "PolicyVersionList": versions,
    }


def authorization_details(account, seen):
    roles = sorted((role for role in ROLES if role.account == account), key=lambda role: role.name)
    names = {name for role in roles for name in policies.ATTACHED.get(role, [])}
    names |= {policies.BOUNDARIES[role] for role in roles if role in policies.BOUNDARIES}
    users = []
    if account == SHOP:
        users = [{
            "Path": "/",
            "UserName": "alice",
            "UserId": Draw("user-id", "alice").unique_id("AIDA"),
            "Arn": f"arn:aws:iam::{SHOP}:user/alice",
            "CreateDate": "2023-05-02T08:14:09+00:00",
            "GroupList": [],
            "AttachedManagedPolicies": [],
            "Tags": [],
        }]
    return {
        "UserDetailList": users,
        "GroupDetailList": [],
        "RoleDetailList": [role_detail(role, seen) for role in roles],
        "Policies": [managed_policy(name, roles) for name in sorted(names)],
    }


def runtime(function):
    """The runtime that the agent of the function's calls tells, and its handler."""
    if "AWS_Lambda_" in function.agent:
        name = function.agent.split("AWS_Lambda_")[1].split()[0]
    else:
        name = "provided.al2023"
    return name, HANDLERS.get(name, "app.handler")


def function_configuration(function):
    draw = Draw("function", function.arn)
    name, handler = runtime(function)
    month = function.name[-7:] if function.name.startswith("etl-adhoc-") else None
    modified = f"{month}-01T06:30:12.000+0000" if month else f"2026-0{draw.between(1, 8)}-{draw.between(10, 28)}T09:41:{draw.between(10, 59)}.000+0000"
    settings = {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": name,
        "Role": function.role.arn,
        "Handler": handler,
        "CodeSize": draw.between(2_000, 9_000_000),
        "Description": "",
        "Timeout": draw.pick([15, 30, 60, 300]),
        "MemorySize": draw.pick([256, 512, 1024]),
        "LastModified": modified,
        "CodeSha256": draw.text(BASE64, 43) + "=",
        "Version": "$LATEST",
    }
    if function == INVOICE_WORKER:
        settings["VpcConfig"] = {
            "SubnetIds": ["subnet-0a11b22c33d44e55f", "subnet-0f55e44d33c22b11a"],
            "SecurityGroupIds": ["sg-0c1d2e3f4a5b6c7d8"],
            "VpcId": "vpc-0123456789abcdef0",
            "Ipv6AllowedForDualStack": False,
        }
        settings["DeadLetterConfig"] = {"TargetArn": f"arn:aws:sqs:us-east-1:{SHOP}:invoice-dlq"}
    if function == PAYMENT_GATEWAY:
        settings["Environment"] = {"Variables": {"ACQUIRER_URL": "https://acquirer.example.com", "SECRET_NAME": "payments/acquirer-api"}}
        settings["KMSKeyArn"] = PAYMENTS_KEY
    if function == ORDER_PROCESSOR:
        settings["Environment"] = {"Variables": {"ORDERS_TABLE": "Orders", "RECEIPTS_BUCKET": "order-receipts"}}
    settings["TracingConfig"] = {"Mode": "Active" if function == PAYMENT_GATEWAY else "PassThrough"}
    settings["RevisionId"] = draw.uuid()
    if function == CATALOG_SYNC:
        settings["Layers"] = [{"Arn": f"arn:aws:lambda:us-east-1:{SHOP}:layer:shop-common:14", "CodeSize": 1482231}]
    if function == INVOICE_WORKER:
        access_point = f"arn:aws:elasticfilesystem:us-east-1:{SHOP}:access-point/fsap-0d9c8b7a6f5e43210"
        settings["FileSystemConfigs"] = [{"Arn": access_point, "LocalMountPath": "/mnt/fonts"}]
    settings |= {
        "PackageType": "Zip",
        "Architectures": ["x86_64" if "x86_64" in function.agent else "arm64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group},
    }
    return settings


def event_source_mappings():
    mapping = Draw("mapping").uuid()
    return {"EventSourceMappings": [{
        "UUID": mapping,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 5,
        "EventSourceArn": f"arn:aws:sqs:us-east-1:{SHOP}:invoice-queue",
        "FunctionArn": INVOICE_WORKER.arn,
        "LastModified": "2025-06-17T11:20:05.417000+00:00",
        "State": "Enabled",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:{SHOP}:event-source-mapping:{mapping}",
    }]}


def event_invoke_configs():
    return {"FunctionEventInvokeConfigs": [{
        "LastModified": "2025-09-03T14:02:44.129000+00:00",
        "FunctionArn": f"{AUDIT_EXPORT.arn}:$LATEST",
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": f"arn:aws:sns:us-east-1:{SHOP}:audit-failures"}},
    }]}


def advanced(name, category, resource_type=None):
    fields = [{"Field": "eventCategory", "Equals": [category]}]
    if resource_type:
        fields.append({"Field": "resources.type", "Equals": [resource_type]})
    return {"Name": name, "FieldSelectors": fields}


MANAGEMENT = advanced("Management events", "Management")
OBJECTS = advanced("S3 objects", "Data", "AWS::S3::Object")

SELECTORS = {
    SHOP: {
        "TrailARN": f"arn:aws:cloudtrail:us-east-1:{SHOP}:trail/shop-trail",
        "AdvancedEventSelectors": [
            MANAGEMENT,
            OBJECTS,
            advanced("DynamoDB items", "Data", "AWS::DynamoDB::Table"),
            advanced("Lambda invocations", "Data", "AWS::Lambda::Function"),
            advanced("SNS messages", "Data", "AWS::SNS::Topic"),
        ],
    },
    REPORTS: {
        "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{REPORTS}:trail/organization-trail",
        "AdvancedEventSelectors": [MANAGEMENT],
    },
    GOV: {
        "TrailARN": f"arn:aws-us-gov:cloudtrail:us-gov-west-1:{GOV}:trail/gov-trail",
        "EventSelectors": [{
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws-us-gov:s3"]}],
            "ExcludeManagementEventSources": [],
        }],
    },
    MEDIA: {
        "TrailARN": f"arn:aws:cloudtrail:us-west-2:{MEDIA}:trail/media-trail",
        "AdvancedEventSelectors": [MANAGEMENT, OBJECTS],
    },
}


def suffixed(stem, account):
    """The shop's file has the plain name; the other accounts' carry their number."""
    return f"{stem}.json" if account == SHOP else f"{stem}-{account}.json"


def files(seen):
    """File name below `snapshot/` → text. `seen`: (role ARN, service) → (time, region) of the last call in the trail."""
    out = {
        "functions.json": cli({"Functions": [function_configuration(function) for function in FUNCTIONS]}),
        "event-source-mappings.json": cli(event_source_mappings()),
        "event-invoke-configs.json": cli(event_invoke_configs()),
    }
    for account in (SHOP, REPORTS, GOV, MEDIA):
        out[suffixed("account-authorization-details", account)] = cli(authorization_details(account, seen))
        out[suffixed("event-selectors", account)] = cli(SELECTORS[account])
    for role, report in accessed.reports(seen).items():
        out[f"service-last-accessed/{role}.json"] = cli(report)
    return out
