//! Writes the records of one log object.

use std::io::Write;

use crate::random::{HEX, KEYS, Random};
use crate::words::{self, KINDS, Kind, Place, World};

/// Agents of code in Lambda and of others; rare ones carry a number of their own.
const LAMBDA_AGENTS: [&str; 4] = [
    "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.252-285.992.amzn2.x86_64 md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython exec-env/AWS_Lambda_python3.13 m/Z,b cfg/retry-mode#legacy Botocore/1.40.4",
    "aws-sdk-js/3.830.0 ua/2.1 os/linux#5.10.252-285.992.amzn2.x86_64 lang/js md/nodejs#22.16.0 md/crt-avail exec-env/AWS_Lambda_nodejs22.x api/dynamodb#3.830.0 m/E,T",
    "aws-sdk-java/2.31.63 md/io#sync md/http#UrlConnection ua/2.1 os/Linux#5.10.252-285.992.amzn2.x86_64 lang/java#21.0.7 exec-env/AWS_Lambda_java21 m/D,E",
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.4 md/GOOS#linux md/GOARCH#arm64 api/s3#1.80.3 m/E,g",
];
const OTHER_AGENTS: [&str; 5] = [
    "aws-sdk-go/1.55.7 (go1.23.4; linux; amd64)",
    "aws-cli/2.27.41 md/awscrt#0.26.1 ua/2.1 os/linux#6.1.140-154.222.amzn2023.x86_64 md/arch#x86_64 lang/python#3.13.3 cfg/retry-mode#standard",
    "Boto3/1.38.36 md/Botocore#1.38.36 ua/2.1 os/linux#6.8.0-1031-aws md/arch#x86_64 lang/python#3.12.3 Botocore/1.38.36",
    "HashiCorp Terraform/1.12.2 (+https://www.terraform.io) terraform-provider-aws/5.100.0 aws-sdk-go-v2/1.36.3 os/linux lang/go#1.23.8",
    "AWS-SDK-Ruby/3.226 ruby/3.4.4 x86_64-linux",
];

/// Who makes the next records: a session, kept for a burst.
struct Session {
    /// Index of the role; `None` for a user, a service or another account.
    role: Option<usize>,
    identity: Vec<u8>,
    agent: String,
    address: String,
    function: String,
    name: String,
    lambda: bool,
}

pub(crate) struct Writer<'w> {
    world: &'w World,
    place: &'w Place,
    assumed: u64,
    lambda: u64,
    at: i64,
    step: f64,
    weights: u64,
    own: Vec<usize>,
    out: Vec<u8>,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(
        world: &'w World,
        place: &'w Place,
        assumed: u64,
        lambda: u64,
        at: i64,
        records: u64,
    ) -> Self {
        let regions = world
            .places
            .iter()
            .filter(|other| other.account == place.account);
        let region = regions
            .take_while(|other| other.region != place.region)
            .count();
        // A function runs in one Region; everything else may call from anywhere.
        let own = (0..world.roles.len())
            .filter(|role| {
                let role = &world.roles[*role];
                let here = role.region == region || !role.lambda;
                here && world.accounts[role.account] == place.account
            })
            .collect();
        Self {
            world,
            place,
            assumed,
            lambda,
            at,
            step: 300.0 / records.max(1) as f64,
            weights: KINDS.iter().map(|kind| kind.weight).sum(),
            own,
            out: Vec::with_capacity(records as usize * 1800),
        }
    }

    /// The text of an object with this many records.
    pub(crate) fn object(&mut self, random: &mut Random, records: u64) -> &[u8] {
        self.out.extend_from_slice(b"{\"Records\":[");
        let mut session = self.session(random);
        for number in 0..records {
            // Sessions make bursts of calls: 65 of 100 records go on with the one before.
            if number > 0 {
                self.out.push(b',');
                if !random.chance(65) {
                    session = self.session(random);
                }
            }
            let at = self.at + (self.step * number as f64) as i64;
            self.record(random, &session, at);
        }
        self.out.extend_from_slice(b"]}");
        &self.out
    }

    fn session(&self, random: &mut Random) -> Session {
        let pick = random.below(100);
        if pick >= self.assumed.max(self.lambda) {
            return self.other(random);
        }
        let lambda = pick < self.lambda;
        let mut roles = self.own.iter().copied();
        let count = roles
            .clone()
            .filter(|r| self.world.roles[*r].lambda == lambda)
            .count();
        let Some(index) = roles
            .by_ref()
            .filter(|role| self.world.roles[*role].lambda == lambda)
            .nth(random.zipf(count as u64) as usize)
        else {
            return self.other(random);
        };
        let role = &self.world.roles[index];
        let (account, region) = (&self.place.account, &self.place.region);
        let function = role.name.trim_end_matches("-role").to_owned();
        let name = if lambda {
            function.clone()
        } else {
            format!("i-0{}", random.text(16, HEX))
        };
        let id = &role.id;
        let key = random.text(16, KEYS);
        let began = words::time(self.at - random.below(3_000) as i64);
        let mut identity = format!(
            r#"{{"type":"AssumedRole","principalId":"{id}:{name}","arn":"arn:aws:sts::{account}:assumed-role/{}/{name}","accountId":"{account}","accessKeyId":"ASIA{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{id}","arn":"arn:aws:iam::{account}:role/{}","accountId":"{account}","userName":"{}"}},"attributes":{{"creationDate":"{began}","mfaAuthenticated":"false"}}}}"#,
            role.name, role.name, role.name
        );
        if lambda && role.scoped {
            let _ = write_to(
                &mut identity,
                &format!(
                    r#","inScopeOf":{{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:{region}:{account}:function:{function}"}}"#
                ),
            );
        }
        identity.push('}');
        let agents: &[&str] = if lambda {
            &LAMBDA_AGENTS
        } else {
            &OTHER_AGENTS
        };
        Session {
            role: Some(index),
            identity: identity.into_bytes(),
            agent: agents[role.agent].to_owned(),
            address: address(random),
            function,
            name: role.name.clone(),
            lambda,
        }
    }

    fn other(&self, random: &mut Random) -> Session {
        let account = &self.place.account;
        let service = [
            "lambda",
            "ec2",
            "elasticloadbalancing",
            "config",
            "autoscaling",
        ][random.zipf(5) as usize];
        let (identity, agent, address) = match random.below(10) {
            0..6 => (
                format!(r#"{{"type":"AWSService","invokedBy":"{service}.amazonaws.com"}}"#),
                format!("{service}.amazonaws.com"),
                format!("{service}.amazonaws.com"),
            ),
            6..9 => {
                let (id, key) = (random.text(17, KEYS), random.text(16, KEYS));
                let user = ["deploy", "monitoring", "backup", "alice"][random.zipf(4) as usize];
                (
                    format!(
                        r#"{{"type":"IAMUser","principalId":"AIDA{id}","arn":"arn:aws:iam::{account}:user/{user}","accountId":"{account}","accessKeyId":"AKIA{key}","userName":"{user}"}}"#
                    ),
                    OTHER_AGENTS[random.zipf(5) as usize].to_owned(),
                    address(random),
                )
            }
            _ => (
                format!(
                    r#"{{"type":"AWSAccount","principalId":"AROA{}:session","accountId":"{}"}}"#,
                    random.text(17, KEYS),
                    100_000_000_000 + random.below(899_999_999_999)
                ),
                OTHER_AGENTS[random.zipf(5) as usize].to_owned(),
                address(random),
            ),
        };
        // Lambda takes its execution roles, other services take others.
        let mut taken = self.own[random.zipf(self.own.len() as u64) as usize];
        let by_lambda = identity.contains("lambda.");
        if self.world.roles[taken].lambda != by_lambda {
            let fits = |role: &&usize| self.world.roles[**role].lambda == by_lambda;
            taken = self.own.iter().find(fits).copied().unwrap_or(taken);
        }
        let name = self.world.roles[taken].name.clone();
        Session {
            role: None,
            identity: identity.into_bytes(),
            agent,
            address,
            function: name.trim_end_matches("-role").to_owned(),
            name,
            lambda: false,
        }
    }

    fn record(&mut self, random: &mut Random, session: &Session, at: i64) {
        let by_service = session.identity.starts_with(br#"{"type":"AWSService"#);
        let kind = match session.role {
            // The runtime's own call with each cold start, among those of the code.
            Some(_) if session.lambda && random.chance(4) => named("CreateLogStream"),
            Some(role) => {
                let kinds = &self.world.roles[role].kinds;
                &KINDS[kinds[random.zipf(kinds.len() as u64) as usize]]
            }
            None if by_service => named("AssumeRole"),
            None => &KINDS[words::weighted(random.below(self.weights))],
        };
        // Fewer are refused than fail: 1 and 2 of 100.
        let failure = match random.below(100) {
            0 => Some(("AccessDenied", "null")),
            1..3 => Some(("ThrottlingException", kind.parameters)),
            _ => None,
        };
        let seeds = [random.next(), random.next()];
        self.text(r#"{"eventVersion":"1.11","userIdentity":"#);
        self.out.extend_from_slice(&session.identity);
        self.text(r#","eventTime":""#);
        self.text(&words::time(at));
        self.text(r#"","eventSource":""#);
        self.text(kind.source);
        self.text(r#".amazonaws.com","eventName":""#);
        self.text(kind.name);
        self.text(r#"","awsRegion":""#);
        self.text(&self.place.region);
        self.text(r#"","sourceIPAddress":""#);
        self.text(&session.address);
        self.text(r#"","userAgent":""#);
        let runtime = kind.name == "CreateLogStream" && session.lambda;
        match (runtime, kind.source) {
            (true, _) => self.text("awslambda-worker/1.0  rusoto/0.48.0 rust/1.88.0 linux"),
            (false, "s3") => {
                self.out.push(b'[');
                self.text(&session.agent);
                self.out.push(b']');
            }
            _ => self.text(&session.agent),
        }
        self.text("\",");
        if let Some((code, _)) = failure {
            let _ = write!(
                self.out,
                r#""errorCode":"{code}","errorMessage":"User: {} is not authorized to perform: {}:{} because no identity-based policy allows the action","#,
                session.name, kind.source, kind.name
            );
        }
        self.text(r#""requestParameters":"#);
        self.fill(
            random,
            session,
            failure.map_or(kind.parameters, |(_, shown)| shown),
            seeds,
        );
        self.text(r#","responseElements":"#);
        self.response(
            random,
            session,
            if failure.is_some() {
                "null"
            } else {
                kind.response
            },
            seeds,
        );
        if !kind.more.is_empty() {
            self.text(r#","additionalEventData":"#);
            self.fill(random, session, kind.more, seeds);
        }
        self.text(r#","requestID":""#);
        random.uuid(&mut self.out);
        self.text(r#"","eventID":""#);
        random.uuid(&mut self.out);
        self.text(if kind.read_only {
            r#"","readOnly":true,"#
        } else {
            r#"","readOnly":false,"#
        });
        if !kind.resources.is_empty() {
            self.text(r#""resources":"#);
            self.fill(random, session, kind.resources, seeds);
            self.out.push(b',');
        }
        let (management, category) = if kind.data {
            ("false", "Data")
        } else {
            ("true", "Management")
        };
        let _ = write!(
            self.out,
            r#""eventType":"AwsApiCall","managementEvent":{management},"recipientAccountId":"{}","#,
            self.place.account
        );
        if by_service {
            self.text(r#""sharedEventID":""#);
            random.uuid(&mut self.out);
            self.text("\",");
        }
        let _ = write!(self.out, r#""eventCategory":"{category}""#);
        if !by_service {
            let _ = write!(
                self.out,
                r#","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{}.{}.amazonaws.com"}}"#,
                kind.source, self.place.region
            );
        }
        self.out.push(b'}');
    }

    /// What the call answered; one in 1,000 is long, one in 10,000 very long, as services write them.
    fn response(&mut self, random: &mut Random, session: &Session, text: &str, seeds: [u64; 2]) {
        let length = match random.below(10_000) {
            0 => 100_000 + random.below(150_000),
            1..11 => 5_000 + random.below(45_000),
            _ => return self.fill(random, session, text, seeds),
        };
        self.text(r#"{"items":["#);
        let end = self.out.len() + length as usize;
        while self.out.len() < end {
            self.text(r#"{"id":""#);
            random.uuid(&mut self.out);
            self.text(r#"","state":"available","note":"a \"quoted\" word","size":"#);
            random.number(&mut self.out, 1_000_000);
            self.text("},");
        }
        self.text("{}]}");
    }

    /// Writes a text with its `{…}` filled; `seeds` make the resource the same in all parts of a record.
    fn fill(&mut self, random: &mut Random, session: &Session, text: &str, seeds: [u64; 2]) {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, hole) = rest.split_at(at);
            self.text(before);
            let (letter, closed) = (hole.as_bytes().get(1), hole.as_bytes().get(2));
            if let (Some(letter), Some(b'}')) = (letter, closed) {
                self.hole(random, session, *letter, seeds);
                rest = &hole[3..];
            } else {
                self.out.push(b'{');
                rest = &hole[1..];
            }
        }
        self.text(rest);
    }

    fn hole(&mut self, random: &mut Random, session: &Session, letter: u8, seeds: [u64; 2]) {
        // Code works with few resources of a kind, other code with others: here four of forty.
        let mut same = Random::new(seeds[0]);
        let own = Random::new(session.role.map_or(0, |role| role as u64) << 8 | u64::from(letter));
        let one = match session.role {
            Some(_) => Random::new(own.seed() ^ same.zipf(4)).zipf(40),
            None => same.zipf(40),
        };
        match letter {
            b'a' => self.text(&self.place.account),
            b'r' => self.text(&self.place.region),
            b'F' => self.text(&session.function),
            b'R' => self.text(&session.name),
            b'u' => random.uuid(&mut self.out),
            b'n' => random.number(&mut self.out, 100_000),
            b'x' => random.write(&mut self.out, 64, HEX),
            b'i' => random.write(&mut self.out, 16, KEYS),
            b'k' => self.key(seeds[1]),
            b'y' => {
                let mut key = Random::new(one + 7);
                key.uuid(&mut self.out);
            }
            _ => {
                let word = match letter {
                    b'b' => "acme-data-bucket",
                    b't' => "Orders-table",
                    b'q' => "jobs-queue",
                    b'o' => "alerts-topic",
                    b's' => "app/database",
                    b'p' => "app/setting",
                    b'f' => "task-runner",
                    _ => "thing",
                };
                let _ = write!(self.out, "{word}-{one}");
            }
        }
    }

    /// An S3 key: one in five is new, the others come from ten thousand that stand.
    fn key(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        if !random.chance(20) {
            random = Random::new(random.zipf(10_000) + 11);
        }
        match random.below(4) {
            0 => {
                self.text("incoming/2026/09/");
                random.number(&mut self.out, 30);
                self.out.push(b'/');
                random.uuid(&mut self.out);
                self.text(".json");
            }
            1 => {
                self.text("receipts/order-");
                random.number(&mut self.out, 10_000_000);
                self.text(".pdf");
            }
            2 => {
                self.text("users/");
                random.number(&mut self.out, 100_000);
                self.text("/avatar.png");
            }
            _ => {
                self.text("dt=2026-09-");
                random.number(&mut self.out, 30);
                self.text("/part-");
                random.number(&mut self.out, 1_000_000);
                self.text(".parquet");
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

fn write_to(text: &mut String, more: &str) -> std::fmt::Result {
    std::fmt::Write::write_str(text, more)
}

fn named(name: &str) -> &'static Kind {
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .unwrap_or(&KINDS[0])
}

fn address(random: &mut Random) -> String {
    format!(
        "{}.{}.{}.{}",
        3 + random.below(200),
        random.below(256),
        random.below(256),
        random.below(256)
    )
}
