"""Who is in the story: accounts, execution roles and functions. All invented, with AWS's documentation addresses."""

from typing import NamedTuple

from .draw import Draw

SHOP = "111122223333"  # the main account: management events and four types of data events
REPORTS = "444455556666"  # owner of the organisation's trail: management events only
GOV = "777788889999"  # GovCloud
MEDIA = "888899990000"  # one of its log objects arrived truncated
PARTNER = "999988887777"  # an outside account, never read

ORGANISATION = "o-exampleorg1"


class Role(NamedTuple):
    name: str
    account: str = SHOP
    path: str = "/"
    partition: str = "aws"

    @property
    def arn(self):
        return f"arn:{self.partition}:iam::{self.account}:role{self.path}{self.name}"

    @property
    def id(self):
        return Draw("role-id", self.account, self.name).unique_id("AROA")


class Function(NamedTuple):
    """`scoped`: whether its calls carry `inScopeOf`, which not every region and credential did in this window."""

    name: str
    role: Role
    agent: str
    region: str = "us-east-1"
    scoped: bool = True
    vpc: bool = False

    @property
    def arn(self):
        return f"arn:{self.role.partition}:lambda:{self.region}:{self.role.account}:function:{self.name}"

    @property
    def log_group(self):
        return CUSTOM_LOG_GROUPS.get(self.name, f"/aws/lambda/{self.name}")


CUSTOM_LOG_GROUPS = {"customer-search": "/shop/customer-search"}


def python_agent(python, boto):
    return (
        f"Boto3/{boto} md/Botocore#{boto} ua/2.1 os/linux#5.10.245-243.979.amzn2.aarch64 md/arch#aarch64 "
        f"lang/python#{python}.9 md/pyimpl#CPython exec-env/AWS_Lambda_python{python} m/Z,D,b cfg/retry-mode#legacy Botocore/{boto}"
    )


NODE_AGENT = (
    "aws-sdk-js/3.901.0 ua/2.1 os/linux#5.10.245-243.979.amzn2.x86_64 lang/js md/nodejs#22.20.0 "
    "exec-env/AWS_Lambda_nodejs22.x m/E,n"
)
JAVA_AGENT = (
    "aws-sdk-java/2.35.4 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.245-243.979.amzn2.x86_64 lang/java#21.0.8 "
    "md/OpenJDK_64-Bit_Server_VM#21.0.8+9-LTS md/vendor#Amazon.com_Inc. exec-env/AWS_Lambda_java21 m/D,E"
)
# A Go function: its agent does not say that it runs in Lambda.
GO_AGENT = "aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#arm64 m/E,g"

ORDER_PROCESSOR = Function("order-processor", Role("order-processor-role"), python_agent("3.13", "1.40.4"))

SHARED_API = Role("shared-api-role")
API_GET = Function("api-orders-get", SHARED_API, NODE_AGENT)
API_CREATE = Function("api-orders-create", SHARED_API, NODE_AGENT)

NIGHTLY_REPORT = Function(
    "nightly-report", Role("nightly-report-role", REPORTS), python_agent("3.12", "1.40.4"), "eu-west-1", scoped=False
)
INVOICE_WORKER = Function("invoice-worker", Role("invoice-worker-role"), JAVA_AGENT, vpc=True)
PAYMENT_GATEWAY = Function("payment-gateway", Role("payment-gateway-role"), NODE_AGENT)
CATALOG_SYNC = Function("catalog-sync", Role("catalog-sync-role"), python_agent("3.12", "1.38.46"))
PIPELINE_STARTER = Function("pipeline-starter", Role("pipeline-starter-role"), python_agent("3.13", "1.40.4"))
ETL_ADHOC_ROLE = Role("etl-adhoc-role")
CUSTOMER_SEARCH = Function("customer-search", Role("customer-search-role"), GO_AGENT, scoped=False)
GOV_INTAKE = Function(
    "gov-intake", Role("gov-intake-role", GOV, "/", "aws-us-gov"), python_agent("3.12", "1.38.46"), "us-gov-west-1", scoped=False
)
LEGACY_CLEANUP = Function("legacy-cleanup", Role("legacy-cleanup-role"), python_agent("3.9", "1.26.90"))
AUDIT_EXPORT = Function("audit-export", Role("audit-export-role", SHOP, "/service-role/"), python_agent("3.13", "1.40.4"))
IMAGE_RESIZER = Function("image-resizer", Role("image-resizer-role", MEDIA), NODE_AGENT, "us-west-2")
METRICS_SHIPPER = Function("metrics-shipper", Role("metrics-shipper-role"), python_agent("3.11", "1.34.145"), scoped=False)

# Roles that no Lambda function uses.
CI_DEPLOY = Role("ci-deploy-role")
BATCH_NODE = Role("batch-node-role")
PIPELINE_TASK = Role("pipeline-task-role")
PIPELINE_TASK_EXECUTION = Role("pipeline-task-execution-role")

PAYMENTS_KEY = "arn:aws:kms:us-east-1:111122223333:key/6f2a9d1e-0c47-4b35-9e8a-d3517f60b2c4"
PAYMENTS_SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:payments/acquirer-api-Kq7ZpL"
PAYMENTS_PARAMETER = "arn:aws:ssm:us-east-1:111122223333:parameter/payments/merchant-id"


def etl_adhoc(month):
    """The throw-away function that pipeline-starter creates in `month` (YYYY-MM)."""
    return Function(f"etl-adhoc-{month}", ETL_ADHOC_ROLE, python_agent("3.13", "1.40.4"))
