use super::*;

fn file(name: &str, text: &str) -> ReferenceFile {
    ReferenceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

/// The rows that files of the reference add to the catalog of the program.
fn rows(texts: &[&str]) -> Vec<String> {
    let files: Vec<_> = texts.iter().map(|text| file("a.json", text)).collect();
    let built = Catalog::builtin().additions(&files).unwrap();
    let rows = built.text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| row.replace('\t', " | ")).collect()
}

#[test]
fn a_new_service_with_all_its_facts() {
    assert_eq!(
        rows(&[r#"{"Name": "orchard", "Version": "v1.4",
            "Actions": [
                {"Name": "PickApples", "ActionConditionKeys": ["orchard:Ripe", "aws:ResourceTag/${TagKey}"],
                 "Annotations": {"Properties": {"IsList": false, "IsPermissionManagement": false, "IsTaggingOnly": false, "IsWrite": true}},
                 "Resources": [{"Name": "tree"}],
                 "SupportedBy": {"IAM Access Analyzer Policy Generation": true, "IAM Action Last Accessed": true}},
                {"Name": "ListTrees", "Annotations": {"Properties": {"IsList": true}},
                 "SupportedBy": {"IAM Access Analyzer Policy Generation": false}}
            ],
            "Operations": [
                {"Name": "PickApples", "AuthorizedActions": [{"Name": "PickApples", "Service": "orchard"}],
                 "SDK": [{"Name": "orchard", "Method": "pick_apples", "Package": "Boto3"}]},
                {"Name": "PickManyApples", "AuthorizedActions": [{"Name": "PickApples", "Service": "orchard"}, {"Name": "Decrypt", "Service": "kms"}]},
                {"Name": "Rest", "AuthorizedActions": []}
            ],
            "Resources": [{"Name": "tree", "ARNFormats": ["arn:${Partition}:orchard:${Region}:${Account}:tree/${TreeId}"]}]}"#]),
        [
            "action | orchard:ListTrees | List",
            "action | orchard:PickApples | Write | tree | aws:ResourceTag/${TagKey} orchard:Ripe",
            "operation | orchard | PickManyApples | orchard:PickApples,kms:Decrypt",
            "source | orchard | v1.4",
            "type | orchard | tree | arn:${Partition}:orchard:${Region}:${Account}:tree/${TreeId}",
            "visibility | orchard:PickApples | management",
        ]
    );
}

#[test]
fn of_a_known_service_only_what_is_new() {
    // The queue's ARN with another name of its variable is not new.
    assert_eq!(
        rows(&[r#"{"Name": "sqs",
            "Actions": [
                {"Name": "SendMessage", "Resources": [{"Name": "queue"}]},
                {"Name": "receivemessage", "Resources": [{"Name": "queue"}, {"Name": "shelf"}], "ActionConditionKeys": ["sqs:Shelf"]}
            ],
            "Resources": [{"Name": "queue", "ARNFormats": ["arn:${Partition}:sqs:${Region}:${Account}:${Name}"]},
                          {"Name": "shelf", "ARNFormats": ["arn:${Partition}:sqs:${Region}:${Account}:shelf/${Name}"]}]}"#]),
        [
            "action | sqs:ReceiveMessage | Read | shelf | sqs:Shelf",
            "source | sqs | ",
            "type | sqs | shelf | arn:${Partition}:sqs:${Region}:${Account}:shelf/${Name}",
        ]
    );
}

/// A no says something only beside a yes, and nothing against a row that is kept by hand.
#[test]
fn what_policy_generation_knows_of_visibility() {
    let with = |flags: &[(&str, bool)]| {
        let actions: Vec<_> = flags
            .iter()
            .map(|(name, flag)| {
                serde_json::json!({"Name": name, "SupportedBy": {"IAM Access Analyzer Policy Generation": flag}})
            })
            .collect();
        let text = serde_json::json!({"Name": "codecommit", "Actions": actions}).to_string();
        let mut rows = rows(&[&text]);
        rows.retain(|row| row.starts_with("visibility"));
        rows
    };
    assert_eq!(
        with(&[("GetBranch", false), ("ListBranches", false)]),
        Vec::<String>::new()
    );
    assert_eq!(
        with(&[("GetBranch", false), ("ListBranches", true)]),
        ["visibility | codecommit:GetBranch | unknown"]
    );
    // The console asks for it; a row that is kept by hand says so.
    let by_hand = rows(&[r#"{"Name": "logs", "Actions": [
        {"Name": "FilterLogEvents", "SupportedBy": {"IAM Access Analyzer Policy Generation": false}},
        {"Name": "PutLogEvents", "SupportedBy": {"IAM Access Analyzer Policy Generation": true}},
        {"Name": "CreateLogGroup", "SupportedBy": {"IAM Access Analyzer Policy Generation": true}}]}"#]);
    assert_eq!(by_hand, ["source | logs | "]);
}

#[test]
fn actions_and_types_that_nobody_knows_are_left_out() {
    let built = Catalog::builtin()
        .additions(&[file(
            "sqs.json",
            r#"{"Name": "sqs", "Actions": [{"Name": "Peek", "Resources": [{"Name": "lake"}]}],
                "Operations": [{"Name": "PeekAll", "AuthorizedActions": [{"Name": "Fly", "Service": "air"}, {"Name": "Peek", "Service": "sqs"}]}]}"#,
        )])
        .unwrap();
    assert_eq!(
        built.notes,
        [
            "sqs:Peek: no ARN format of resource type `lake`",
            "sqs:PeekAll: no action `air:Fly`"
        ]
    );
    assert!(built.text.contains("\naction\tsqs:Peek\tRead\n"));
    assert!(built.text.contains("\noperation\tsqs\tPeekAll\tsqs:Peek\n"));
    assert_eq!(built.rows["operation"], 1);
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let (a, b) = (
        file(
            "a.json",
            r#"{"Name": "sqs", "Actions": [{"Name": "Peek"}]}"#,
        ),
        file(
            "b.json",
            r#"{"Name": "sns", "Operations": [{"Name": "Look", "AuthorizedActions": [{"Name": "Peek", "Service": "sqs"}]}]}"#,
        ),
    );
    let catalog = Catalog::builtin();
    let one = catalog.additions(&[a.clone(), b.clone()]).unwrap();
    assert_eq!(one, catalog.additions(&[b, a]).unwrap());
    assert!(one.text.contains("operation\tsns\tLook\tsqs:Peek"));
}

#[test]
fn malformed_files_say_where() {
    for (text, wanted) in [
        ("", "`x.json`, line 1: EOF while parsing a value"),
        (
            "{\"Name\": \"sqs\",\n \"Actions\": 3}",
            "`x.json`, line 2: invalid type: integer `3`, expected a sequence",
        ),
        (
            "{\"Name\": \"sqs\",\n\n \"Actions\": [{}]}",
            "`x.json`, line 3: missing field `Name`",
        ),
        (
            "{\"Actions\": []}",
            "`x.json`, line 1: missing field `Name`",
        ),
        (
            "{\"Name\": \"S3 bucket\"}",
            "`x.json`, line 1: `S3 bucket` is no service prefix",
        ),
        (
            "{\"Name\": \"sqs\", \"Actions\": [\n{\"Name\": \"Get\\tAll\"}]}",
            "`x.json`, line 2: `Get\tAll` is no action name",
        ),
        (
            "{\"Name\": \"sqs\", \"Actions\": [\n{\"Name\": \"Get*\"}]}",
            "`x.json`, line 2: `Get*` is no action name",
        ),
        (
            "{\"Name\": \"sqs\", \"Actions\": [{\"Name\": \"Get\"}, {\"Name\": \"get\"}]}",
            "`x.json`, line 1: `get` is there twice",
        ),
        (
            "{\"Name\": \"sqs\", \"Resources\": [{\"Name\": \"q\", \"ARNFormats\": [\n\"arn:aws\"]}]}",
            "`x.json`, line 2: `arn:aws` is no ARN format",
        ),
        (
            "{\"Name\": \"sqs\", \"Resources\": [{\"Name\": \"a,b\"}]}",
            "`x.json`, line 1: `a,b` is no resource type",
        ),
        (
            "{\"Name\": \"sqs\", \"Version\": \"v2\"}",
            "`x.json`: version `v2` of the AWS Service Reference is not known, only v1 is",
        ),
        (
            "{\"Name\": \"sqs\", \"Version\": \"v1.\\nsource\"}",
            "`x.json`: version `v1.\nsource` of the AWS Service Reference is not known, only v1 is",
        ),
    ] {
        let error = Catalog::builtin()
            .additions(&[file("x.json", text)])
            .unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
    assert_eq!(
        Catalog::builtin().additions(&[]),
        Err(ReferenceError::Empty)
    );
    let twice = [
        file("a.json", r#"{"Name": "sqs"}"#),
        file("b.json", r#"{"Name": "sqs"}"#),
    ];
    let error = Catalog::builtin().additions(&twice).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a.json` and `b.json` are both of service `sqs`"
    );
}
