"""How CloudTrail writes an event. In: what happened; out: one record as a dict in CloudTrail's own key order.

Shapes follow the CloudTrail record reference, versions 1.08 to 1.11. No story is told here.
"""

from datetime import timedelta
from typing import NamedTuple

from .draw import BASE64, UPPER

VERSIONS = {"sts": "1.08", "states": "1.08", "sqs": "1.10", "ec2": "1.10", "secretsmanager": "1.09"}
API_VERSIONS = {"dynamodb": "2012-08-10", "logs": "20140328"}
PLATFORM_LOGS_AGENT = "awslambda-worker/1.0 rusoto/0.48.0 rust/1.89.0 linux"
PLATFORM_KMS_AGENT = (
    "aws-internal/3 aws-sdk-java/1.12.789 Linux/5.10.245-243.979.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/25.462-b09 "
    "java/1.8.0_462 vendor/Oracle_Corporation cfg/retry-mode/standard"
)
DENIED = "AccessDenied"


class Session(NamedTuple):
    """Temporary credentials of one execution environment."""

    key: str
    created: str
    address: str


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def english(at):
    """A date as Java services write it into request parameters and responses."""
    return f"{at.strftime('%b')} {at.day}, {at.year}, {(at.hour - 1) % 12 + 1}:{at.strftime('%M:%S')} {'AM' if at.hour < 12 else 'PM'}"


def session(function, draw, at):
    if function.vpc:
        address = f"10.20.{draw.between(0, 3)}.{draw.between(10, 250)}"
    else:
        address = f"203.0.113.{draw.between(1, 254)}"
    return Session(draw.access_key(), stamp(at), address)


def role_identity(role, session_name, key, created, invoked_by=None, scope=None):
    """`userIdentity` of an assumed role."""
    identity = {
        "type": "AssumedRole",
        "principalId": f"{role.id}:{session_name}",
        "arn": f"arn:{role.partition}:sts::{role.account}:assumed-role/{role.name}/{session_name}",
        "accountId": role.account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role.id,
                "arn": role.arn,
                "accountId": role.account,
                "userName": role.name,
            },
            "attributes": {"creationDate": created, "mfaAuthenticated": "false"},
        },
    }
    if invoked_by:
        identity["invokedBy"] = invoked_by
    if scope:
        identity["inScopeOf"] = scope
    return identity


def function_scope(function, service):
    """`inScopeOf` of a function's own credentials; S3 does not write the version."""
    scope = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": function.arn}
    if service != "s3":
        scope["credentialsIssuedToVersion"] = f"{function.arn}:$LATEST"
    return scope


def code_identity(function, creds, service, invoked_by=None):
    """`userIdentity` of a call by the function's code, or of another service for it (`invoked_by`)."""
    scope = function_scope(function, service) if function.scoped else None
    return role_identity(function.role, function.name, creds.key, creds.created, invoked_by, scope)


def record(
    draw, at, service, name, region, account, identity, address, agent, params,
    *, response=None, extra=None, error=None, read=False, resources=None, data=False,
    kind="AwsApiCall", details=None, shared=None, endpoint=None, host=None, request_id=True,
):
    """One event. `error` is (code, message); `details` the `serviceEventDetails` of a service's own event."""
    event = {
        "eventVersion": VERSIONS.get(service, "1.11"),
        "userIdentity": identity,
        "eventTime": stamp(at),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
    }
    if error:
        event["errorCode"] = error[0]
        if error[1]:
            event["errorMessage"] = error[1]
    event["requestParameters"] = params
    event["responseElements"] = response
    if extra:
        event["additionalEventData"] = extra
    if request_id:
        event["requestID"] = {
            "s3": lambda: draw.text(UPPER, 16),
            "dynamodb": lambda: draw.text(UPPER, 26) + "VV4KQNSO5AEMVJF66Q9ASUAAJG",
        }.get(service, draw.uuid)()
    event["eventID"] = draw.uuid()
    event["readOnly"] = read
    if resources:
        event["resources"] = resources
    event["eventType"] = kind
    if service in API_VERSIONS:
        event["apiVersion"] = API_VERSIONS[service]
    event["managementEvent"] = not data
    event["recipientAccountId"] = account
    if details:
        event["serviceEventDetails"] = details
    if shared:
        event["sharedEventID"] = shared
    if endpoint:
        event["vpcEndpointId"] = endpoint
    event["eventCategory"] = "Data" if data else "Management"
    if host:
        cipher = "TLS_AES_256_GCM_SHA384" if service == "dynamodb" else "TLS_AES_128_GCM_SHA256"
        event["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": cipher, "clientProvidedHostHeader": host}
    return event


def code(function, creds, draw, at, service, name, params, **more):
    """A call by the function's own code."""
    agent = f"[{function.agent}]" if service == "s3" else function.agent
    more.setdefault("host", f"{service}.{function.region}.amazonaws.com")
    return record(
        draw, at, service, name, function.region, function.role.account,
        code_identity(function, creds, service), creds.address, agent, params, **more,
    )


def forwarded(function, creds, draw, at, by, name, params, key):
    """KMS asked by another service with the function's credentials: the role needs the permission."""
    return record(
        draw, at, "kms", name, function.region, function.role.account,
        code_identity(function, creds, "kms", by), by, by, params, read=True, resources=[kms_key(function, key)],
    )


def kms_key(function, key):
    return {"accountId": function.role.account, "type": "AWS::KMS::Key", "ARN": key}


def taken(function, draw, at, creds):
    """Lambda takes the role for an execution environment."""
    role = function.role
    resource = {"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}
    credentials = {
        "accessKeyId": creds.key,
        "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "expiration": english(at + timedelta(hours=12)),
    }
    return record(
        draw, at, "sts", "AssumeRole", function.region, role.account,
        {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}, "lambda.amazonaws.com", "lambda.amazonaws.com",
        {"roleArn": role.arn, "roleSessionName": function.name},
        response={"credentials": credentials}, read=True, resources=[resource], shared=draw.uuid(),
    )


def runtime_logging(function, draw, at, name="CreateLogStream"):
    """The Lambda service opens the log group or a stream for an environment, with a session of its own."""
    creds = Session(draw.access_key(), stamp(at), f"198.51.100.{draw.between(100, 250)}")
    params = {"logGroupName": function.log_group}
    if name == "CreateLogStream":
        day = at.strftime("%Y/%m/%d")
        params["logStreamName"] = f"{day}/[$LATEST]{draw.hex(32)}"
    return record(
        draw, at, "logs", name, function.region, function.role.account,
        role_identity(function.role, function.name, creds.key, creds.created), creds.address, PLATFORM_LOGS_AGENT,
        params, host=f"logs.{function.region}.amazonaws.com",
    )


def environment_decrypt(function, draw, at, creds, key):
    """The Lambda service decrypts the function's own environment variables."""
    params = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {"aws:lambda:FunctionArn": function.arn}}
    return record(
        draw, at, "kms", "Decrypt", function.region, function.role.account,
        role_identity(function.role, function.name, creds.key, creds.created), f"198.51.100.{draw.between(100, 250)}",
        PLATFORM_KMS_AGENT, params, read=True, resources=[kms_key(function, key)],
        host=f"kms.{function.region}.amazonaws.com",
    )


def dynamodb(function, creds, draw, at, name, table, params, **more):
    """A data event on a table; `params` beside the table's name."""
    role = function.role
    resource = {
        "accountId": role.account,
        "type": "AWS::DynamoDB::Table",
        "ARN": f"arn:{role.partition}:dynamodb:{function.region}:{role.account}:table/{table}",
    }
    more.setdefault("read", name in ("GetItem", "Query", "Scan", "BatchGetItem"))
    return code(
        function, creds, draw, at, "dynamodb", name, {"tableName": table, **params},
        resources=[resource], data=True, **more,
    )


def s3(function, creds, draw, at, name, bucket, key=None, *, size=None, error=None, prefix=None, endpoint=None):
    """A data event on a bucket's objects; `ListObjects` where `key` is None."""
    role = function.role
    host = f"{bucket}.s3.{function.region}.amazonaws.com"
    arn = f"arn:{role.partition}:s3:::{bucket}"
    size = draw.between(400, 9000) if size is None else size
    put = name == "PutObject"
    params = {"bucketName": bucket, "Host": host}
    if key is None:
        params = {"list-type": "2", **params, "prefix": prefix or "", "encoding-type": "url"}
        objects = {"type": "AWS::S3::Object", "ARNPrefix": f"{arn}/{prefix or ''}"}
    else:
        params["key"] = key
        objects = {"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}
    extra = {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": size if put else 0,
        **({"SSEApplied": "Default_SSE_S3"} if not error and key is not None else {}),
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": draw.text(BASE64, 75) + "=",
        "bytesTransferredOut": 0 if put else size,
    }
    return code(
        function, creds, draw, at, "s3", name, params,
        response={"x-amz-server-side-encryption": "AES256"} if put and not error else None,
        extra=extra, error=error, read=not put, data=True, host=host, endpoint=endpoint,
        resources=[objects, {"accountId": role.account, "type": "AWS::S3::Bucket", "ARN": arn}],
    )


def not_authorized(role, session_name, action, resource, why):
    """The message of a denied call; `why` names the door that stayed shut."""
    user = f"arn:{role.partition}:sts::{role.account}:assumed-role/{role.name}/{session_name}"
    return (DENIED, f"User: {user} is not authorized to perform: {action} on resource: {resource} {why}")
