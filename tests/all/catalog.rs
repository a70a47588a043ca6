//! `rolefit catalog`: facts for people and for programs, and a folder of the AWS Service Reference.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{code, report, role, rolefit, stderr, stdout};
use crate::world::World;

fn json_of(arguments: &[&str]) -> Value {
    let output = rolefit(arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn an_action_with_all_its_facts() {
    let output = rolefit(&["catalog", "show", "S3:getobjectversion"]);
    assert_eq!(code(&output), 0);
    let text = stdout(&output);
    for wanted in [
        "s3:GetObjectVersion\n",
        "access level    Read\n",
        "arn:${Partition}:s3:::${BucketName}/${ObjectName}\n",
        "s3:versionid\n",
        "in data events of AWS::S3::Object",
        "s3 GetObject when versionId\n",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let facts = json_of(&["catalog", "show", "iam:PassRole", "--output", "json"]);
    let facts = &facts["actions"][0];
    assert_eq!(facts["visibility"]["kind"], "unknown");
    assert!(
        facts["visibility"]["reason"]
            .as_str()
            .unwrap()
            .contains("role in their parameters")
    );
    assert_eq!(facts["resource_types"][0]["name"], "role");
    assert_eq!(facts["resource_types"][0]["required"], true);
    assert_eq!(facts["risk"][0], "privilege-escalation");
    let events = facts["events"].as_array().unwrap();
    assert!(events.len() > 500, "{}", events.len());
    let lambda = json!({"service": "lambda", "event": "CreateFunction", "when": null, "certainty": "derived"});
    assert!(events.contains(&lambda));
}

#[test]
fn a_service_a_pattern_and_an_action_that_is_gone() {
    let service = json_of(&["catalog", "show", "SQS", "--output", "json"]);
    assert_eq!(service["service"], "sqs");
    assert_eq!(service["resource_types"][0]["name"], "queue");
    let actions = service["actions"].as_array().unwrap();
    assert!(actions.contains(
        &json!({"action": "sqs:SendMessage", "access_level": "Write", "visibility": "data"})
    ));
    assert!(stdout(&rolefit(&["catalog", "show", "sqs"])).starts_with("sqs: "));
    let pattern = json_of(&["catalog", "show", "dynamodb:Batch*Item", "--output", "json"]);
    assert_eq!(pattern["actions"].as_array().unwrap().len(), 2);
    let gone = rolefit(&["catalog", "show", "codestar:createproject"]);
    assert_eq!(code(&gone), 0);
    assert!(stdout(&gone).starts_with("codestar:CreateProject\n"));
    for (what, error) in [
        ("s4", "`s4` is no IAM service prefix"),
        ("s4:GetObject", "`s4:GetObject` is no IAM service prefix"),
        ("s3:Fly", "no action is called `s3:Fly`"),
    ] {
        let output = rolefit(&["catalog", "show", what]);
        assert_eq!(code(&output), 2, "{what}");
        assert!(stderr(&output).contains(error) && stderr(&output).contains("hint: "));
    }
}

#[test]
fn the_catalog_in_numbers() {
    let stats = json_of(&["catalog", "stats", "--unmapped", "--output", "json"]);
    let number = |name: &str| stats[name].as_f64().unwrap_or_else(|| panic!("{name}"));
    assert!(number("actions") > 22_000.0);
    assert!(number("operations_mapped_percent") >= 96.5);
    assert!(number("container_known_percent") >= 82.0);
    assert_eq!(stats["actions_outside_catalog"], 0);
    assert_eq!(stats["names_harmed_by_suffix_rule"], 0);
    let visible: u64 = stats["visibility"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(visible, stats["actions"].as_u64().unwrap());
    let unmapped = stats["unmapped"].as_object().unwrap().values();
    let unmapped: usize = unmapped.map(|names| names.as_array().unwrap().len()).sum();
    assert_eq!(
        unmapped as f64,
        number("operations") - number("operations_mapped")
    );
    assert!(
        stats["pins"]
            .as_array()
            .unwrap()
            .iter()
            .any(|pin| pin["package"] == "botocore")
    );
}

/// A folder of the reference becomes a file, and the file changes what `requests`, `fit` and `catalog` know.
#[test]
fn the_service_reference_of_the_user() {
    let mut world = World::new();
    let folder = world.path().join("reference");
    fs::create_dir(&folder).unwrap();
    let orchard = json!({
        "Name": "orchard", "Version": "v1.4",
        "Actions": [{
            "Name": "PickApples", "Resources": [{"Name": "tree"}], "ActionConditionKeys": ["orchard:Ripe"],
            "Annotations": {"Properties": {"IsList": false, "IsPermissionManagement": false, "IsTaggingOnly": false, "IsWrite": true}},
            "SupportedBy": {"IAM Access Analyzer Policy Generation": true, "IAM Action Last Accessed": true}
        }],
        "Resources": [{"Name": "tree", "ARNFormats": ["arn:${Partition}:orchard:${Region}:${Account}:tree/${TreeId}"]}],
        "Operations": [{
            "Name": "PickAll", "AuthorizedActions": [{"Name": "PickApples", "Service": "orchard"}, {"Name": "Fly", "Service": "air"}],
            "SDK": [{"Name": "orchard", "Method": "pick_all", "Package": "Boto3"}]
        }]
    });
    fs::write(folder.join("orchard.json"), orchard.to_string()).unwrap();
    fs::write(
        folder.join("service-list.json"),
        "[{\"service\": \"orchard\"}]",
    )
    .unwrap();
    let file = path(&world.path().join("additions.tsv"));
    let built = rolefit(&[
        "catalog",
        "build",
        "--service-reference",
        &path(&folder),
        "--out",
        &file,
    ]);
    assert_eq!(code(&built), 0, "{}", stderr(&built));
    assert!(
        stdout(&built)
            .contains("1 services read; 1 actions, 1 ARN formats, 1 operations and 1 visibilities")
    );
    assert!(stderr(&built).contains("note: left out orchard:PickAll: no action `air:Fly`"));
    assert!(stderr(&built).contains("it is a list, not the file of a service"));

    let facts = json_of(&[
        "catalog",
        "show",
        "orchard:PickApples",
        "--catalog",
        &file,
        "--output",
        "json",
    ]);
    assert_eq!(facts["actions"][0]["visibility"]["kind"], "management");
    assert_eq!(facts["actions"][0]["events"][0]["event"], "PickAll");
    let stats = json_of(&["catalog", "stats", "--catalog", &file, "--output", "json"]);
    assert_eq!(stats["operations_listed_by_reference"], 1);
    assert!(
        stats["version"]
            .as_str()
            .unwrap()
            .ends_with("of 1 services")
    );

    world.call(
        3,
        "orchard",
        "PickAll",
        json!({"requestParameters": {"treeId": "t1"}}),
    );
    world.cover(0..40);
    world.write_logs();
    world.write_role(&json!([{"Effect": "Allow", "Action": "orchard:*", "Resource": "*"}]));
    let tree = "arn:aws:orchard:us-east-1:111122223333:tree/t1";
    let without = stdout(&rolefit(&["requests", &world.logs(), "--no-progress"]));
    assert!(without.contains("\"unmapped\":true") && !without.contains(tree));
    let with = stdout(&rolefit(&[
        "requests",
        &world.logs(),
        "--no-progress",
        "--catalog",
        &file,
    ]));
    assert!(
        with.contains(tree) && !with.contains("\"unmapped\":true"),
        "{with}"
    );
    let (fitted, _) = report(&[
        &world.logs(),
        "--snapshot",
        &world.snapshot(),
        "--catalog",
        &file,
    ]);
    let policy = role(&fitted, "worker-role")["proposed"]["policy"].to_string();
    assert!(
        policy.contains("orchard:PickApples") && policy.contains(tree),
        "{policy}"
    );
}

#[test]
fn wrong_files_are_errors_with_a_hint() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file.tsv");
    let folder = temp.path().join("reference");
    fs::create_dir(&folder).unwrap();
    let fails = |arguments: &[&str], exit: i32, error: &str| {
        let output = rolefit(arguments);
        let text = stderr(&output);
        assert_eq!(code(&output), exit, "{arguments:?}: {text}");
        assert!(
            text.contains(error) && text.contains("hint: "),
            "{arguments:?}: {text}"
        );
        assert_eq!(stdout(&output), "");
    };
    let (file_name, folder_name) = (path(&file), path(&folder));
    for (text, error) in [
        ("nothing", "line 1 does not begin with `# rolefit catalog`"),
        ("# rolefit catalog 9\n", "format version `9` is not known"),
        (
            "# rolefit catalog 1\naction\ts3:*\tRead\n",
            "line 2: `s3:*` is no action",
        ),
    ] {
        fs::write(&file, text).unwrap();
        for command in [
            &["catalog", "stats", "--catalog", &file_name][..],
            &["requests", "sample-logs", "--catalog", &file_name],
            &[
                "fit",
                "sample-logs",
                "--snapshot",
                "sample-logs/snapshot",
                "--catalog",
                &file_name,
            ],
        ] {
            fails(command, 1, error);
        }
    }
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    let unreadable = rolefit(&["catalog", "stats", "--catalog", &file_name]);
    assert_eq!(code(&unreadable), 1);
    assert!(stderr(&unreadable).contains("cannot read"));

    let out = path(&temp.path().join("out.tsv"));
    let build = [
        "catalog",
        "build",
        "--service-reference",
        &folder_name,
        "--out",
        &out,
    ];
    fails(&build, 1, "no file of the AWS Service Reference");
    for (text, error) in [
        (
            "{\"Name\": \"s3\",\n\"Actions\": 1}",
            "s3.json`, line 2: invalid type",
        ),
        ("{\"Name\": \"s3\"", "s3.json`, line 1: EOF"),
        (
            "{\"Name\": \"s3\", \"Version\": \"v7\"}",
            "version `v7` of the AWS Service Reference is not known",
        ),
    ] {
        fs::write(folder.join("s3.json"), text).unwrap();
        fails(&build, 1, error);
        assert!(!Path::new(&out).exists());
    }
    let missing = [
        "catalog",
        "build",
        "--service-reference",
        "no/such/folder",
        "--out",
        &out,
    ];
    fails(&missing, 3, "cannot read `no/such/folder`");
}
