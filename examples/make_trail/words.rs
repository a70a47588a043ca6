//! Who calls what in the invented organisation, and how often.

use crate::random::{KEYS, Random};

/// One account and Region.
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

/// One role.
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) account: usize,
    /// `AROA…`.
    pub(crate) id: String,
    /// Run by Lambda: its function is called like the role without `-role`.
    pub(crate) lambda: bool,
    /// The Region its function runs in, as an index into those of an account; its runtime's agent.
    pub(crate) region: usize,
    pub(crate) agent: usize,
    /// Its credentials name the function, as since 2025.
    pub(crate) scoped: bool,
    /// The kinds of call its code makes, as indices into [`KINDS`].
    pub(crate) kinds: Vec<usize>,
}

/// The cast.
pub(crate) struct World {
    pub(crate) accounts: Vec<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) roles: Vec<Role>,
}

/// One kind of call. In the texts `{…}` stands for: `a` account, `r` Region, `b` bucket, `k` S3 key,
/// `t` table, `q` queue, `o` topic, `y` KMS key, `s` secret, `p` parameter, `f` function, `g` log group,
/// `u` a fresh uuid, `n` a fresh number, `x` 64 fresh hex digits, `i` an instance, `F` own function,
/// `R` own role.
pub(crate) struct Kind {
    pub(crate) source: &'static str,
    pub(crate) name: &'static str,
    /// How often, of 1,000 calls of an account: the top twenty make four fifths, as in real trails.
    pub(crate) weight: u64,
    pub(crate) read_only: bool,
    pub(crate) data: bool,
    pub(crate) parameters: &'static str,
    pub(crate) response: &'static str,
    pub(crate) resources: &'static str,
    pub(crate) more: &'static str,
}

#[expect(clippy::too_many_arguments, reason = "a row of the table below")]
const fn kind(
    source: &'static str,
    name: &'static str,
    weight: u64,
    flags: &str,
    parameters: &'static str,
    response: &'static str,
    resources: &'static str,
    more: &'static str,
) -> Kind {
    let flags = flags.as_bytes();
    Kind {
        source,
        name,
        weight,
        read_only: flags[0] == b'r',
        data: flags[1] == b'd',
        parameters,
        response,
        resources,
        more,
    }
}

const S3: &str = r#"{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"{x}=","bytesTransferredOut":{n}}"#;
const OBJECT: &str = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::{b}/{k}"},{"accountId":"{a}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{b}"}]"#;
const LISTING: &str = r#"[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::{b}/"},{"accountId":"{a}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{b}"}]"#;
const TABLE: &str = r#"[{"accountId":"{a}","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:{r}:{a}:table/{t}"}]"#;
const KEY: &str =
    r#"[{"accountId":"{a}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{r}:{a}:key/{y}"}]"#;
const GET: &str = r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","key":"{k}"}"#;

/// The calls of functions and of everybody else.
#[rustfmt::skip]
pub(crate) const KINDS: [Kind; 32] = [
    kind("s3", "GetObject", 150, "rd", GET, "null", OBJECT, S3),
    kind("s3", "PutObject", 80, "wd", r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","key":"{k}","x-amz-server-side-encryption":"aws:kms"}"#, r#"{"x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:{r}:{a}:key/{y}"}"#, OBJECT, S3),
    kind("s3", "HeadObject", 40, "rd", GET, "null", OBJECT, S3),
    kind("s3", "ListObjects", 25, "rd", r#"{"list-type":"2","bucketName":"{b}","encoding-type":"url","prefix":"incoming/","delimiter":"/","Host":"{b}.s3.{r}.amazonaws.com"}"#, "null", LISTING, S3),
    kind("s3", "DeleteObject", 10, "wd", GET, "null", OBJECT, S3),
    kind("dynamodb", "GetItem", 110, "rd", r#"{"tableName":"{t}","key":{"id":"{u}"},"consistentRead":false}"#, "null", TABLE, ""),
    kind("dynamodb", "PutItem", 60, "wd", r#"{"tableName":"{t}","key":{"id":"{u}"},"items":["id","created","state"],"returnConsumedCapacity":"TOTAL"}"#, "null", TABLE, ""),
    kind("dynamodb", "Query", 50, "rd", r#"{"tableName":"{t}","indexName":"by-state","keyConditionExpression":"pk = :s AND created > :c","limit":100,"scanIndexForward":true}"#, "null", TABLE, ""),
    kind("dynamodb", "UpdateItem", 40, "wd", r#"{"tableName":"{t}","key":{"id":"{u}"},"updateExpression":"SET \"state\" = :s"}"#, "null", TABLE, ""),
    kind("dynamodb", "DescribeTable", 12, "rm", r#"{"tableName":"{t}"}"#, "null", "", ""),
    kind("sqs", "SendMessage", 45, "wd", r#"{"queueUrl":"https://sqs.{r}.amazonaws.com/{a}/{q}","messageBody":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, r#"{"messageId":"{u}"}"#, r#"[{"accountId":"{a}","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:{r}:{a}:{q}"}]"#, ""),
    kind("sqs", "ReceiveMessage", 30, "rd", r#"{"queueUrl":"https://sqs.{r}.amazonaws.com/{a}/{q}","maxNumberOfMessages":10,"waitTimeSeconds":20}"#, "null", r#"[{"accountId":"{a}","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:{r}:{a}:{q}"}]"#, ""),
    kind("sns", "Publish", 25, "wd", r#"{"topicArn":"arn:aws:sns:{r}:{a}:{o}","message":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, r#"{"messageId":"{u}"}"#, r#"[{"accountId":"{a}","type":"AWS::SNS::Topic","ARN":"arn:aws:sns:{r}:{a}:{o}"}]"#, ""),
    kind("kms", "Decrypt", 70, "rm", r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"PARAMETER_ARN":"arn:aws:ssm:{r}:{a}:parameter/{p}"}}"#, "null", KEY, r#"{"keyMaterialId":"{x}"}"#),
    kind("kms", "GenerateDataKey", 25, "rm", r#"{"keyId":"arn:aws:kms:{r}:{a}:key/{y}","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::{b}"},"keySpec":"AES_256"}"#, "null", KEY, ""),
    kind("sts", "GetCallerIdentity", 20, "rm", "null", "null", "", ""),
    kind("sts", "AssumeRole", 45, "rm", r#"{"roleArn":"arn:aws:iam::{a}:role/{R}","roleSessionName":"{F}","durationSeconds":3600}"#, r#"{"credentials":{"accessKeyId":"ASIA{i}","sessionToken":"{x}{x}{x}{x}","expiration":"Sep 30, 2026, 11:01:02 PM"},"assumedRoleUser":{"assumedRoleId":"AROA{i}:{F}","arn":"arn:aws:sts::{a}:assumed-role/{R}/{F}"}}"#, r#"[{"accountId":"{a}","type":"AWS::IAM::Role","ARN":"arn:aws:iam::{a}:role/{R}"}]"#, ""),
    kind("secretsmanager", "GetSecretValue", 30, "rm", r#"{"secretId":"arn:aws:secretsmanager:{r}:{a}:secret:{s}-a1B2c3"}"#, "null", "", ""),
    kind("ssm", "GetParameter", 30, "rm", r#"{"name":"/{p}","withDecryption":true}"#, "null", r#"[{"accountId":"{a}","ARN":"arn:aws:ssm:{r}:{a}:parameter/{p}"}]"#, ""),
    kind("ssm", "GetParametersByPath", 10, "rm", r#"{"path":"/app/","recursive":true,"withDecryption":true}"#, "null", r#"[{"accountId":"{a}","ARN":"arn:aws:ssm:{r}:{a}:parameter/app/"}]"#, ""),
    kind("lambda", "Invoke", 40, "wd", r#"{"functionName":"arn:aws:lambda:{r}:{a}:function:{f}","invocationType":"Event"}"#, "null", r#"[{"accountId":"{a}","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:{r}:{a}:function:{f}"}]"#, r#"{"functionVersion":"arn:aws:lambda:{r}:{a}:function:{f}:$LATEST"}"#),
    kind("lambda", "GetFunction20150331v2", 8, "rm", r#"{"functionName":"{f}"}"#, "null", "", ""),
    kind("logs", "CreateLogStream", 40, "wm", r#"{"logGroupName":"/aws/lambda/{F}","logStreamName":"2026/09/29/[$LATEST]{u}"}"#, "null", "", ""),
    kind("logs", "DescribeLogGroups", 10, "rm", r#"{"logGroupNamePrefix":"/aws/lambda/{f}","limit":50}"#, "null", "", ""),
    kind("ec2", "DescribeInstances", 45, "rm", r#"{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"web-{F}"}]}},{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}}]}}"#, "null", "", ""),
    kind("ec2", "DescribeNetworkInterfaces", 20, "rm", r#"{"networkInterfaceIdSet":{},"filterSet":{"items":[{"name":"attachment.instance-id","valueSet":{"items":[{"value":"i-0{i}"}]}}]}}"#, "null", "", ""),
    kind("ec2", "CreateTags", 5, "wm", r#"{"resourcesSet":{"items":[{"resourceId":"i-0{i}"}]},"tagSet":{"items":[{"key":"owner","value":"{F}"}]}}"#, r#"{"requestId":"{u}","_return":true}"#, "", ""),
    kind("monitoring", "PutMetricData", 20, "wd", r#"{"namespace":"app/{F}"}"#, "null", "", ""),
    kind("states", "StartExecution", 12, "wm", r#"{"stateMachineArn":"arn:aws:states:{r}:{a}:stateMachine:{F}","name":"{u}","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, r#"{"executionArn":"arn:aws:states:{r}:{a}:execution:{F}:{u}","startDate":"Sep 29, 2026, 11:01:02 PM"}"#, "", ""),
    kind("iam", "GetRole", 10, "rm", r#"{"roleName":"{R}"}"#, "null", "", ""),
    kind("events", "PutEvents", 10, "wd", r#"{"entries":[{"source":"app.{F}","detailType":"changed","detail":"HIDDEN_DUE_TO_SECURITY_REASONS","eventBusName":"default"}]}"#, r#"{"failedEntryCount":0,"entries":[{"eventId":"{u}"}]}"#, "", ""),
    kind("ecr", "BatchGetImage", 8, "rm", r#"{"registryId":"{a}","repositoryName":"app/{f}","imageIds":[{"imageTag":"latest"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json"]}"#, "null", r#"[{"accountId":"{a}","ARN":"arn:aws:ecr:{r}:{a}:repository/app/{f}"}]"#, ""),
];

impl World {
    pub(crate) fn new(seed: u64, lambda_roles: u64) -> Self {
        let mut random = Random::new(seed ^ 0x77_6f72_6c64);
        let accounts: Vec<String> = (0..3)
            .map(|_| format!("{}", 100_000_000_000 + random.below(899_999_999_999)))
            .collect();
        let places = accounts
            .iter()
            .flat_map(|account| {
                ["us-east-1", "eu-west-1", "ap-southeast-2"].map(|region| Place {
                    account: account.clone(),
                    region: region.to_owned(),
                })
            })
            .collect();
        let total: u64 = KINDS.iter().map(|kind| kind.weight).sum();
        let roles = (0..lambda_roles + 60)
            .map(|number| {
                let lambda = number < lambda_roles;
                let words = [
                    "order", "image", "report", "user", "invoice", "audit", "feed",
                ];
                let word = words[random.below(7) as usize];
                Role {
                    name: if lambda {
                        format!("{word}-worker-{number}-role")
                    } else {
                        format!("{word}-service-{number}")
                    },
                    account: (number % 3) as usize,
                    id: format!("AROA{}", random.text(17, KEYS)),
                    lambda,
                    region: random.zipf(3) as usize,
                    agent: random.zipf(4) as usize,
                    scoped: random.chance(60),
                    kinds: (0..3 + random.below(9))
                        .map(|_| weighted(random.below(total)))
                        .collect(),
                }
            })
            .collect();
        Self {
            accounts,
            places,
            roles,
        }
    }
}

/// The kind at a place of the summed weights.
pub(crate) fn weighted(mut at: u64) -> usize {
    for (index, kind) in KINDS.iter().enumerate() {
        match at.checked_sub(kind.weight) {
            Some(rest) => at = rest,
            None => return index,
        }
    }
    0
}

/// Seconds since 1970 as `YYYY-MM-DDTHH:MM:SSZ`.
pub(crate) fn time(at: i64) -> String {
    jiff::Timestamp::from_second(at)
        .map(|time| time.to_string())
        .unwrap_or_default()
}
