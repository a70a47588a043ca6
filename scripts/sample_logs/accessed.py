"""Service last accessed: what `aws iam get-service-last-accessed-details` printed for the broadest roles.

In: which services each role ever tried; out: one report per role, all other services listed without a date.
"""

from .cast import AUDIT_EXPORT, CATALOG_SYNC, LEGACY_CLEANUP, ORDER_PROCESSOR

SERVICES = {
    "access-analyzer": "AWS IAM Access Analyzer",
    "acm": "AWS Certificate Manager",
    "apigateway": "Amazon API Gateway",
    "application-autoscaling": "AWS Application Auto Scaling",
    "athena": "Amazon Athena",
    "autoscaling": "Amazon EC2 Auto Scaling",
    "backup": "AWS Backup",
    "batch": "AWS Batch",
    "bedrock": "Amazon Bedrock",
    "cloudformation": "AWS CloudFormation",
    "cloudfront": "Amazon CloudFront",
    "cloudtrail": "AWS CloudTrail",
    "cloudwatch": "Amazon CloudWatch",
    "codebuild": "AWS CodeBuild",
    "cognito-idp": "Amazon Cognito User Pools",
    "config": "AWS Config",
    "dynamodb": "Amazon DynamoDB",
    "ec2": "Amazon EC2",
    "ecr": "Amazon Elastic Container Registry",
    "ecs": "Amazon Elastic Container Service",
    "eks": "Amazon Elastic Kubernetes Service",
    "elasticache": "Amazon ElastiCache",
    "elasticfilesystem": "Amazon Elastic File System",
    "elasticloadbalancing": "AWS Elastic Load Balancing",
    "events": "Amazon EventBridge",
    "firehose": "Amazon Kinesis Firehose",
    "glue": "AWS Glue",
    "guardduty": "Amazon GuardDuty",
    "iam": "AWS Identity and Access Management",
    "kinesis": "Amazon Kinesis Data Streams",
    "kms": "AWS Key Management Service",
    "lambda": "AWS Lambda",
    "logs": "Amazon CloudWatch Logs",
    "organizations": "AWS Organizations",
    "rds": "Amazon RDS",
    "rds-data": "Amazon RDS Data API",
    "route53": "Amazon Route 53",
    "s3": "Amazon S3",
    "sagemaker": "Amazon SageMaker",
    "secretsmanager": "AWS Secrets Manager",
    "ses": "Amazon SES",
    "sns": "Amazon SNS",
    "sqs": "Amazon SQS",
    "ssm": "AWS Systems Manager",
    "states": "AWS Step Functions",
    "sts": "AWS Security Token Service",
    "xray": "AWS X-Ray",
}

# Role → namespaces its policies allow (None: all but `without`), namespaces it tried, `without`.
ROLES = {
    ORDER_PROCESSOR.role: (None, ("dynamodb", "logs", "s3"), ()),
    AUDIT_EXPORT.role: (None, ("cloudtrail", "logs", "s3"), ("iam", "organizations")),
    CATALOG_SYNC.role: (("dynamodb", "logs", "s3"), ("dynamodb", "logs", "s3"), ()),
    LEGACY_CLEANUP.role: (("ec2", "logs", "s3"), (), ()),
}


def report(role, seen, granted, tried, without):
    services = []
    for namespace in sorted(SERVICES, key=SERVICES.get):
        if namespace in without or (granted and namespace not in granted):
            continue
        entry = {"ServiceName": SERVICES[namespace]}
        if namespace in tried:
            time, region = seen[role.arn, namespace]
            entry["LastAuthenticated"] = time.replace("Z", "+00:00")
        entry["ServiceNamespace"] = namespace
        if namespace in tried:
            entry["LastAuthenticatedEntity"] = role.arn
            entry["LastAuthenticatedRegion"] = region
        entry["TotalAuthenticatedEntities"] = 1 if namespace in tried else 0
        services.append(entry)
    return {
        "JobStatus": "COMPLETED",
        "JobType": "SERVICE_LEVEL",
        "JobCreationDate": "2026-11-21T06:04:11.207000+00:00",
        "ServicesLastAccessed": services,
        "JobCompletionDate": "2026-11-21T06:04:13.951000+00:00",
        "IsTruncated": False,
    }


def reports(seen):
    """Role name → report. `seen`: (role ARN, service) → (time, region) of the last call in the trail."""
    return {role.name: report(role, seen, *facts) for role, facts in ROLES.items()}
