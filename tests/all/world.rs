//! Small trails and snapshots made by a test: one account, one function, what it called.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-east-1";

/// A folder with `AWSLogs/` and `snapshot/`.
pub(crate) struct World {
    folder: tempfile::TempDir,
    records: Vec<Value>,
    count: u32,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            records: Vec::new(),
            count: 0,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn logs(&self) -> String {
        self.path().join("AWSLogs").display().to_string()
    }

    pub(crate) fn snapshot(&self) -> String {
        self.path().join("snapshot").display().to_string()
    }

    pub(crate) fn role_arn(name: &str) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    /// A call of function `worker` with role `worker-role`, `day` days after 2026-09-01.
    pub(crate) fn call(
        &mut self,
        day: u32,
        source: &str,
        name: &str,
        more: impl Into<Value>,
    ) -> &mut Self {
        self.count += 1;
        let role = "worker-role";
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole", "principalId": "AROAEXAMPLEWORKER0001:worker",
                "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/worker"), "accountId": ACCOUNT,
                "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLEWORKER0001", "arn": Self::role_arn(role), "accountId": ACCOUNT, "userName": role}},
                "inScopeOf": {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker")}
            },
            "eventTime": time(day),
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": REGION,
            "sourceIPAddress": "198.51.100.7", "userAgent": "Boto3/1.40.0 exec-env/AWS_Lambda_python3.13",
            "requestParameters": null, "responseElements": null,
            "eventID": format!("00000000-0000-4000-8000-{:012}", self.count), "readOnly": name.starts_with("Get") || name.starts_with("List"),
            "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"
        });
        for (key, value) in more.into().as_object().into_iter().flatten() {
            record[key] = value.clone();
        }
        self.records.push(record);
        self
    }

    /// An event of nobody in particular, so that a day is covered.
    pub(crate) fn cover(&mut self, days: std::ops::Range<u32>) -> &mut Self {
        for day in days {
            for (read, name) in [(true, "DescribeInstances"), (false, "CreateTags")] {
                self.count += 1;
                self.records.push(json!({
                    "eventVersion": "1.11", "userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "alice"},
                    "eventTime": time(day), "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": REGION,
                    "eventID": format!("00000000-0000-4000-8000-{:012}", self.count), "readOnly": read, "eventType": "AwsApiCall",
                    "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"
                }));
            }
        }
        self
    }

    /// Writes one log object with everything so far, and gives its path.
    pub(crate) fn write_logs(&mut self) -> PathBuf {
        let records = std::mem::take(&mut self.records);
        let folder = self
            .path()
            .join(format!("AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/10/31"));
        fs::create_dir_all(&folder).unwrap();
        let number = fs::read_dir(&folder).unwrap().count();
        let path = folder.join(format!(
            "{ACCOUNT}_CloudTrail_{REGION}_20261031T2355Z_{number:016}.json.gz"
        ));
        let text = json!({ "Records": records }).to_string();
        fs::write(&path, gzip(text.as_bytes())).unwrap();
        path
    }

    /// Writes the account details with `worker-role` holding `statements` inline.
    pub(crate) fn write_role(&self, statements: &Value) {
        self.write_snapshot(
            "account-authorization-details.json",
            &json!({"RoleDetailList": [role("worker-role", statements)], "Policies": [], "UserDetailList": [], "GroupDetailList": []}),
        );
    }

    pub(crate) fn write_snapshot(&self, name: &str, content: &Value) {
        self.write_snapshot_text(name, &content.to_string());
    }

    pub(crate) fn write_snapshot_text(&self, name: &str, content: &str) {
        let path = self.path().join("snapshot").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The trail's selectors: management events, and all data events of these types.
    pub(crate) fn write_selectors(&self, data: &[&str]) {
        let mut selectors =
            vec![json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]})];
        selectors.extend(data.iter().map(|kind| {
            json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [kind]}]})
        }));
        self.write_snapshot(
            "event-selectors.json",
            &json!({"TrailARN": format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all"), "AdvancedEventSelectors": selectors}),
        );
    }
}

/// Bytes as one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// The text in a gzip member.
pub(crate) fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The `userIdentity` of a session of a role, `path` being what follows `role/` in its ARN; `scoped` to
/// a function or, as before 2025, to none.
pub(crate) fn session(path: &str, id: &str, session: &str, scoped: bool) -> Value {
    let name = path.rsplit('/').next().unwrap();
    let mut identity = json!({
        "type": "AssumedRole", "principalId": format!("{id}:{session}"), "accountId": ACCOUNT,
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": id, "arn": World::role_arn(path), "accountId": ACCOUNT, "userName": name}}
    });
    if scoped {
        identity["inScopeOf"] = json!({"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{session}")});
    }
    identity
}

/// A function as `aws lambda list-functions` prints it, with `more` of its configuration.
pub(crate) fn function(name: &str, role: &str, more: &Value) -> Value {
    let mut function = json!({
        "FunctionName": name, "FunctionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"), "Role": World::role_arn(role)
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        function[key] = value.clone();
    }
    function
}

/// A role that Lambda may take, as the AWS CLI prints it.
pub(crate) fn role(name: &str, statements: &Value) -> Value {
    json!({
        "Path": "/", "RoleName": name, "RoleId": "AROAEXAMPLEWORKER0001", "Arn": World::role_arn(name), "CreateDate": "2024-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
        "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}],
        "AttachedManagedPolicies": [], "InstanceProfileList": [], "Tags": []
    })
}

fn time(day: u32) -> String {
    let (month, day) = if day < 30 {
        (9, day + 1)
    } else {
        (10, day - 29)
    };
    format!("2026-{month:02}-{day:02}T10:00:00Z")
}
