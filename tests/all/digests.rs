//! Log objects held against digests, signed by keys that were made for these tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rolefit::trail::digest::Hasher;
use serde_json::{Value, json};

use crate::program::{allows, code, codes, report, role, rolefit, stderr};
use crate::world::{ACCOUNT, REGION, World, gunzip, gzip};

const BUCKET: &str = "trail-bucket";
const DAYS: u32 = 40;

fn key(name: &str) -> RsaKeyPair {
    let file = format!(
        "{}/tests/data/digest-key-{name}.pk8",
        env!("CARGO_MANIFEST_DIR")
    );
    RsaKeyPair::from_pkcs8(&fs::read(file).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.add(bytes);
    hasher.finish()
}

fn sign(key: &RsaKeyPair, text: &str) -> String {
    let mut signature = vec![0; key.public().modulus_len()];
    let dice = ring::rand::SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &dice, text.as_bytes(), &mut signature)
        .unwrap();
    hex(&signature)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .map(|group| {
            let bits = group
                .iter()
                .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - group.len()));
            let digit = |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]);
            (0..4)
                .map(|at| if at <= group.len() { digit(at) } else { '=' })
                .collect::<String>()
        })
        .collect()
}

/// `2026-09-01` and so many days.
fn day(nth: u32) -> String {
    let (month, day) = if nth < 30 {
        (9, nth + 1)
    } else {
        (10, nth - 29)
    };
    format!("2026-{month:02}-{day:02}")
}

/// A trail of an object and a digest a day, and a role that may create and delete topics and creates one.
struct Trail {
    world: World,
    logs: Vec<PathBuf>,
    digests: Vec<PathBuf>,
}

impl Trail {
    fn new() -> Self {
        let mut trail = Self {
            world: World::new(),
            logs: Vec::new(),
            digests: Vec::new(),
        };
        for nth in 0..DAYS {
            trail.world.cover(nth..nth + 1);
            trail.world.call(
                nth,
                "sns",
                "CreateTopic",
                json!({"requestParameters": {"name": "t"}}),
            );
            let path = trail.deliver(nth, "0123456789abcdef");
            trail.logs.push(path);
        }
        trail.world.write_role(&json!([{"Effect": "Allow", "Action": ["sns:CreateTopic", "sns:DeleteTopic"], "Resource": "*"}]));
        trail.world.write_selectors(&[]);
        trail.digest(&key("trail"), |_, _| {});
        trail
    }

    /// Writes an object of a day with what happened.
    fn deliver(&mut self, nth: u32, random: &str) -> PathBuf {
        let path = self.world.write_logs();
        let day = day(nth);
        let folder = self.world.path().join(format!(
            "AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{}",
            day.replace('-', "/")
        ));
        fs::create_dir_all(&folder).unwrap();
        let to = folder.join(format!(
            "{ACCOUNT}_CloudTrail_{REGION}_{}T1005Z_{random}.json.gz",
            day.replace('-', "")
        ));
        fs::rename(path, &to).unwrap();
        to
    }

    /// Writes the chain of digests, each as `change` leaves it before it is signed.
    fn digest(&mut self, key: &RsaKeyPair, change: impl Fn(u32, &mut Value)) {
        self.digests.clear();
        let mut previous: Option<(String, String, String)> = None;
        for nth in 0..DAYS {
            let (start, end) = (day(nth), day(nth + 1));
            let object = format!(
                "AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{}/{ACCOUNT}_CloudTrail-Digest_{REGION}_all_{REGION}_{}T000000Z.json.gz",
                end.replace('-', "/"),
                end.replace('-', "")
            );
            let log = &self.logs[nth as usize];
            let log_key = log
                .strip_prefix(self.world.path())
                .unwrap()
                .display()
                .to_string();
            let before = |at: fn(&(String, String, String)) -> &String| previous.as_ref().map(at);
            let mut digest = json!({
                "awsAccountId": ACCOUNT, "digestStartTime": format!("{start}T00:00:00Z"), "digestEndTime": format!("{end}T00:00:00Z"),
                "digestS3Bucket": BUCKET, "digestS3Object": object, "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
                "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": null, "oldestEventTime": null,
                "previousDigestS3Bucket": previous.as_ref().map(|_| BUCKET), "previousDigestS3Object": before(|p| &p.0),
                "previousDigestHashValue": before(|p| &p.1), "previousDigestHashAlgorithm": previous.as_ref().map(|_| "SHA-256"),
                "previousDigestSignature": before(|p| &p.2),
                "logFiles": [{"s3Bucket": BUCKET, "s3Object": log_key, "hashValue": sha256(gunzip(&fs::read(log).unwrap()).as_bytes()),
                    "hashAlgorithm": "SHA-256", "newestEventTime": format!("{start}T10:00:00Z"), "oldestEventTime": format!("{start}T10:00:00Z")}]
            });
            change(nth, &mut digest);
            let text = digest.to_string();
            let signature = sign(
                key,
                &format!(
                    "{end}T00:00:00Z\n{}/{object}\n{}\n{}",
                    digest["digestS3Bucket"].as_str().unwrap(),
                    sha256(text.as_bytes()),
                    digest["previousDigestSignature"].as_str().unwrap_or("null")
                ),
            );
            let path = self.world.path().join(&object);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, gzip(text.as_bytes())).unwrap();
            if nth + 1 == DAYS {
                let head = json!({"ContentType": "application/json", "Metadata": {"signature": signature, "signature-algorithm": "SHA256withRSA"}});
                fs::write(
                    format!("{}.metadata.json", path.display()),
                    head.to_string(),
                )
                .unwrap();
            }
            self.digests.push(path);
            previous = Some((object, sha256(text.as_bytes()), signature));
        }
        self.keys("trail");
    }

    fn keys(&self, name: &str) {
        let value = base64(key(name).public_key().as_ref());
        self.world.write_snapshot(
            "cloudtrail-public-keys.json",
            &json!({"PublicKeyList": [{"Value": value, "ValidityStartTime": "2026-08-01T00:00:00Z", "ValidityEndTime": "2026-12-01T00:00:00Z", "Fingerprint": "31e8b5433410dfb61a9dc45cc65b22ff"}]}),
        );
    }

    /// The account's one trail, which writes digests.
    fn describe(&self, validated: bool) {
        self.world.write_snapshot("trails.json", &json!({"trailList": [{"Name": "all", "S3BucketName": BUCKET, "HomeRegion": REGION, "IsMultiRegionTrail": true,
            "IsOrganizationTrail": false, "LogFileValidationEnabled": validated, "TrailARN": format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all")}]}));
    }

    /// An object that CloudTrail did not deliver: the role deletes a topic.
    fn plant(&mut self, nth: u32) -> PathBuf {
        self.world.call(
            nth,
            "sns",
            "DeleteTopic",
            json!({"requestParameters": {"topicArn": format!("arn:aws:sns:{REGION}:{ACCOUNT}:t")}}),
        );
        self.deliver(nth, "fedcba9876543210")
    }

    /// The report with further options, the role in it, and the exit code.
    fn fit(&self, options: &[&str]) -> (Value, Value, i32) {
        let (logs, snapshot) = (self.world.logs(), self.world.snapshot());
        let mut arguments = vec![logs.as_str(), "--snapshot", &snapshot];
        arguments.extend(options);
        let (report, code) = report(&arguments);
        let worker = role(&report, "worker-role").clone();
        (report, worker, code)
    }
}

fn kept(worker: &Value) -> BTreeSet<String> {
    let lines = allows(&worker["proposed"]["policy"]);
    lines
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

fn note<'r>(report: &'r Value, code: &str) -> Vec<&'r str> {
    let notes = report["notes"].as_array().unwrap().iter();
    notes
        .filter(|note| note["code"] == code)
        .map(|note| note["message"].as_str().unwrap())
        .collect()
}

fn failures(report: &Value) -> Vec<&str> {
    let failures = report["input"]["objects"]["failures"]
        .as_array()
        .unwrap()
        .iter();
    failures
        .map(|failure| failure["reason"].as_str().unwrap())
        .collect()
}

const BOTH: [&str; 2] = ["sns:CreateTopic", "sns:DeleteTopic"];

fn both() -> BTreeSet<String> {
    BOTH.iter().map(|action| (*action).to_owned()).collect()
}

#[test]
fn a_valid_chain_changes_nothing() {
    let trail = Trail::new();
    let (plain, worker, code) = trail.fit(&[]);
    assert_eq!((worker["status"].as_str(), code), (Some("ready"), 0));
    for option in ["--verify-digests", "--require-digests"] {
        let (report, same, code) = trail.fit(&[option]);
        assert_eq!(same, worker);
        assert_eq!(code, 0);
        assert_eq!(report["input"]["records"], plain["input"]["records"]);
        assert_eq!(report["input"]["bytes"], plain["input"]["bytes"]);
        assert_eq!(
            note(&report, "digests"),
            [
                "40 digests are CloudTrail's and list 40 log objects, of which 0 are gone; no digest lists 0 that are there"
            ]
        );
        assert!(note(&report, "uncovered-events").is_empty());
    }
}

#[test]
fn an_altered_object_is_not_read() {
    let trail = Trail::new();
    let path = &trail.logs[7];
    let altered = gunzip(&fs::read(path).unwrap()).replace("CreateTopic", "DeleteTopic");
    fs::write(path, gzip(altered.as_bytes())).unwrap();
    let (_, fooled, _) = trail.fit(&[]);
    assert_eq!(
        kept(&fooled),
        both(),
        "without digests it passes for the truth"
    );
    let (report, worker, code) = trail.fit(&["--verify-digests"]);
    assert_eq!(code, 4);
    assert_eq!(
        failures(&report),
        ["cannot be opened: altered since CloudTrail delivered it, as its digest shows"]
    );
    assert!(codes(&worker).contains(&"partial-input"));
    let delete = worker["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["action"] == "sns:DeleteTopic")
        .unwrap();
    assert_eq!(
        delete["verdict"], "unseen",
        "it counts as unread, neither as used nor as unused"
    );
}

#[test]
fn a_removed_object_is_unread() {
    let trail = Trail::new();
    fs::remove_file(&trail.logs[7]).unwrap();
    let (_, fooled, _) = trail.fit(&[]);
    assert_eq!(
        kept(&fooled).len(),
        1,
        "a day without events is for a person, and no more"
    );
    let (report, worker, code) = trail.fit(&["--verify-digests"]);
    assert_eq!(code, 4);
    assert_eq!(
        failures(&report),
        ["a digest lists it, and it is not there"]
    );
    assert_eq!(kept(&worker), both());
    // What was not asked for is not missed.
    let (report, ..) = trail.fit(&["--verify-digests", "--from", "2026-09-10"]);
    assert_eq!(failures(&report), Vec::<&str>::new());
}

#[test]
fn an_added_object_wins_and_keeps_nothing() {
    let mut trail = Trail::new();
    trail.plant(7);
    let (_, fooled, _) = trail.fit(&[]);
    assert_eq!(kept(&fooled), both());
    let (report, ..) = trail.fit(&["--verify-digests"]);
    let told = note(&report, "uncovered-events");
    assert!(
        told[0].starts_with("1 records of 1 log objects count though"),
        "{told:?}"
    );
    // Another trail of the account may have delivered it: it is unread.
    let (report, worker, code) = trail.fit(&["--require-digests"]);
    assert_eq!(
        (failures(&report), code),
        (vec!["no digest vouches for it"], 4)
    );
    assert_eq!(kept(&worker), both());
    assert_eq!(worker["status"], "review");
    trail.describe(false);
    let (report, worker, _) = trail.fit(&["--require-digests"]);
    assert_eq!(failures(&report), ["no digest vouches for it"]);
    assert_eq!(kept(&worker), both());
    // All trails write digests: CloudTrail did not deliver it.
    trail.describe(true);
    let (report, worker, code) = trail.fit(&["--require-digests"]);
    assert_eq!((failures(&report), code), (Vec::new(), 0));
    assert_eq!(worker["status"], "ready");
    assert_eq!(kept(&worker).len(), 1);
    let skipped = &report["input"]["objects"]["skipped_reasons"];
    assert_eq!(
        skipped["CloudTrail did not deliver it: no digest lists it"],
        1
    );
}

#[test]
fn what_no_digest_can_list_yet_is_unread() {
    let mut trail = Trail::new();
    trail.describe(true);
    trail.plant(DAYS - 1);
    let (report, worker, _) = trail.fit(&["--require-digests"]);
    assert_eq!(
        failures(&report),
        ["no digest vouches for it"],
        "a later digest may list it"
    );
    assert_eq!(kept(&worker), both());
}

#[test]
fn an_altered_digest_vouches_for_nothing_and_breaks_the_chain() {
    let trail = Trail::new();
    let path = &trail.digests[7];
    let altered = gunzip(&fs::read(path).unwrap()).replace("\"hashValue\":\"", "\"hashValue\":\"0");
    fs::write(path, gzip(altered.as_bytes())).unwrap();
    let (report, worker, code) = trail.fit(&["--verify-digests"]);
    assert_eq!(
        (failures(&report), code),
        (
            vec!["digest: its signature does not fit: it was altered"],
            4
        )
    );
    assert_eq!(kept(&worker), both());
    assert!(
        note(&report, "digests")[0]
            .starts_with("39 digests are CloudTrail's and list 39 log objects")
    );
    let (report, ..) = trail.fit(&["--require-digests"]);
    assert_eq!(
        failures(&report),
        [
            "digest: its signature does not fit: it was altered",
            "no digest vouches for it"
        ]
    );
}

#[test]
fn a_missing_digest_is_a_gap() {
    let trail = Trail::new();
    fs::remove_file(&trail.digests[7]).unwrap();
    let (report, worker, code) = trail.fit(&["--verify-digests"]);
    assert_eq!(code, 4);
    // The one before it has lost the only place of its signature.
    assert_eq!(
        failures(&report),
        ["digest: the one after it names it, and it is not there"]
    );
    assert!(
        note(&report, "digests")[1].ends_with(
            "vouches for nothing: no digest after it and no metadata holds its signature"
        )
    );
    assert_eq!(kept(&worker), both());
}

#[test]
fn a_digest_signed_by_another_or_of_another_is_none() {
    let forged = |change: &dyn Fn(u32, &mut Value), key_name: &str| {
        let mut trail = Trail::new();
        trail.digest(&key(key_name), change);
        trail
    };
    let first = |trail: &Trail| {
        let (report, _, code) = trail.fit(&["--require-digests", "--to", "2026-09-20"]);
        assert_ne!(code, 0);
        note(&report, "digests").join("\n")
    };
    let by_another = forged(&|_, _| {}, "other");
    by_another.describe(true);
    let output = rolefit(&[
        "fit",
        &by_another.world.logs(),
        "--snapshot",
        &by_another.world.snapshot(),
        "--require-digests",
    ]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("none of 40 log objects could be read"),
        "{}",
        stderr(&output)
    );

    let account = forged(
        &|nth, digest| {
            if nth == 5 {
                digest["awsAccountId"] = json!("999988887777");
            }
        },
        "trail",
    );
    assert!(
        first(&account).contains("it names another account than its key"),
        "{}",
        first(&account)
    );
    let bucket = forged(
        &|nth, digest| {
            if nth == 5 {
                digest["digestS3Bucket"] = json!("elsewhere");
            }
        },
        "trail",
    );
    bucket.describe(true);
    assert!(
        first(&bucket)
            .contains("it is of bucket `elsewhere`, which no trail of the snapshot delivers to"),
        "{}",
        first(&bucket)
    );
    let moved = Trail::new();
    fs::copy(&moved.digests[3], &moved.digests[5]).unwrap();
    assert!(
        first(&moved).contains("it is not where CloudTrail delivered it"),
        "{}",
        first(&moved)
    );
    let unknown = Trail::new();
    unknown.keys("other");
    let output = rolefit(&[
        "fit",
        &unknown.world.logs(),
        "--snapshot",
        &unknown.world.snapshot(),
        "--require-digests",
    ]);
    assert_eq!(code(&output), 1);
}

#[test]
fn without_keys_nothing_is_verified() {
    let trail = Trail::new();
    let keys = trail
        .world
        .path()
        .join("snapshot/cloudtrail-public-keys.json");
    let elsewhere = trail.world.path().join("keys.json");
    fs::rename(&keys, &elsewhere).unwrap();
    let fit = |more: &[&str]| {
        let (logs, snapshot) = (trail.world.logs(), trail.world.snapshot());
        let mut arguments = vec!["fit", &logs, "--snapshot", &snapshot, "--verify-digests"];
        arguments.extend(more);
        rolefit(&arguments)
    };
    let output = fit(&[]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("no public keys to verify digests with"),
        "{}",
        stderr(&output)
    );
    let output = fit(&["--public-keys", &elsewhere.display().to_string()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    fs::write(
        &keys,
        "{\"PublicKeyList\":[{\"Value\":\"!\",\"Fingerprint\":\"f\"}]}",
    )
    .unwrap();
    let output = fit(&[]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("a key is not base64"),
        "{}",
        stderr(&output)
    );
}
