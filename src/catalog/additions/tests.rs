use super::*;
use crate::catalog::{Certainty, Mapping, Visibility};
use crate::trail::Record;

/// A catalog with rows, their cells between ` | `.
fn with(rows: &[&str]) -> Result<Catalog, AdditionsError> {
    let rows: Vec<String> = rows.iter().map(|row| row.replace(" | ", "\t")).collect();
    Catalog::with_additions(&format!(
        "# rolefit catalog 1\n# a comment\n\n{}\n",
        rows.join("\n")
    ))
}

const ORCHARD: &[&str] = &[
    "action | orchard:PickApples | Write | tree | orchard:Ripe",
    "action | orchard:TagResource | Tagging | tree",
    "type | orchard | tree | arn:${Partition}:orchard:${Region}:${Account}:tree/${TreeId}",
    "operation | orchard | PickManyApples | orchard:PickApples,kms:Decrypt,iam:PassRole,orchard:TagResource",
    "visibility | orchard:PickApples | management",
    "source | orchard | v1.4",
];

fn map(catalog: &Catalog, source: &str, event: &str, params: &str) -> Vec<String> {
    let record = format!(
        r#"{{"eventSource": "{source}.amazonaws.com", "eventName": "{event}", "awsRegion": "eu-west-1",
            "userIdentity": {{"type": "AssumedRole", "accountId": "111122223333"}}, "requestParameters": {params}}}"#
    );
    let record: Record<'_> = serde_json::from_str(&record).unwrap();
    match catalog.map(&record) {
        Mapping::Requests(requests) => requests
            .iter()
            .map(|request| {
                let certainty = request.certainty.as_str();
                format!("{certainty} {} {}", request.action, request.resource)
            })
            .collect(),
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn a_new_service_is_known_like_any_other() {
    let catalog = with(ORCHARD).unwrap();
    let facts = catalog.action("ORCHARD:pickapples").unwrap();
    assert_eq!(facts.action.as_str(), "orchard:PickApples");
    assert_eq!(facts.access, AccessLevel::Write);
    assert_eq!(
        catalog.condition_keys(facts).collect::<Vec<_>>(),
        ["orchard:Ripe"]
    );
    assert_eq!(catalog.visibility(facts), Visibility::Management);
    assert_eq!(catalog.expand("orchard:*").count(), 2);
    assert!(catalog.services().any(|name| name == "orchard"));
    assert!(
        catalog
            .version()
            .ends_with("with the AWS Service Reference of 1 services")
    );
    assert_eq!(
        catalog.actions().count(),
        Catalog::builtin().actions().count() + 2
    );
    assert!(Catalog::builtin().action("orchard:PickApples").is_none());
}

/// The action of the event's name or the first of the list is sure, the rest is possible; what parameters
/// show, roles and tags, is not asked of the list.
#[test]
fn events_map_by_the_listed_actions() {
    let catalog = with(ORCHARD).unwrap();
    let tree = "arn:aws:orchard:eu-west-1:111122223333:tree/t1";
    for (event, params, wanted) in [
        (
            "PickApples",
            r#"{"treeId": "t1"}"#,
            vec![format!("seen orchard:PickApples {tree}")],
        ),
        (
            "PickManyApples",
            r#"{"treeId": "t1"}"#,
            vec![
                format!("seen orchard:PickApples {tree}"),
                "possible kms:Decrypt arn:aws:kms:eu-west-1:111122223333:key/*".to_owned(),
            ],
        ),
        (
            "PickManyApples",
            r#"{"treeId": "t1", "roleArn": "arn:aws:iam::111122223333:role/picker"}"#,
            vec![
                format!("seen orchard:PickApples {tree}"),
                "possible kms:Decrypt arn:aws:kms:eu-west-1:111122223333:key/*".to_owned(),
                "derived iam:PassRole arn:aws:iam::111122223333:role/picker".to_owned(),
            ],
        ),
        ("PlantTree", "{}", vec!["Unmapped".to_owned()]),
    ] {
        assert_eq!(map(&catalog, "orchard", event, params), wanted, "{event}");
    }
    assert_eq!(
        map(Catalog::builtin(), "orchard", "PickApples", "{}"),
        ["Unmapped"]
    );
}

#[test]
fn a_known_service_grows_and_keeps_what_it_has() {
    let catalog = with(&[
        "action | sqs:PeekMessage | Read | queue",
        "action | sqs:SendMessage | Write | shelf | sqs:Shelf",
        "operation | sqs | PeekMessageBatch | sqs:PeekMessage",
        "operation | sqs | SendMessage | sqs:SendMessage,kms:GenerateDataKey",
        "operation | sqs | SendMessageBatch | kms:Decrypt",
        "type | sqs | shelf | arn:${Partition}:sqs:${Region}:${Account}:shelf/${ShelfName}",
        "visibility | sqs:SendMessage | management",
    ])
    .unwrap();
    let queue = r#"{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"}"#;
    let jobs = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    let peek = map(
        &catalog,
        "sqs",
        "PeekMessageBatch",
        r#"{"queueName": "jobs"}"#,
    );
    assert_eq!(peek, [format!("seen sqs:PeekMessage {jobs}")]);
    // The list adds to the name; the table that is kept by hand is not asked again.
    assert_eq!(
        map(&catalog, "sqs", "SendMessage", queue),
        [
            format!("seen sqs:SendMessage {jobs}"),
            "possible kms:GenerateDataKey arn:aws:kms:eu-west-1:111122223333:key/*".to_owned()
        ]
    );
    assert_eq!(
        map(&catalog, "sqs", "SendMessageBatch", queue),
        [format!("seen sqs:SendMessage {jobs}")]
    );
    let send = catalog.action("sqs:SendMessage").unwrap();
    assert_eq!(
        send.resource_types
            .iter()
            .map(|kind| kind.name)
            .collect::<Vec<_>>(),
        ["queue", "shelf"]
    );
    assert_eq!(
        catalog.condition_keys(send).collect::<Vec<_>>(),
        ["sqs:Shelf"]
    );
    assert!(
        matches!(catalog.visibility(send), Visibility::Data(_)),
        "kept by hand"
    );
    assert_eq!(catalog.survey().outside, 0);
    let events = catalog.events();
    let peek = &events[&catalog.action("sqs:PeekMessage").unwrap().action];
    assert_eq!(
        (peek[0].event, peek[0].certainty),
        ("PeekMessageBatch", Certainty::Seen)
    );
}

#[test]
fn actions_stay_sorted_so_that_each_is_found() {
    let catalog = with(&[
        "action | s3:Aardvark | Read",
        "action | s3:zebra | List",
        "action | s3:getobjectz | Read",
    ])
    .unwrap();
    for facts in catalog.service_actions("s3") {
        assert!(
            catalog.action(facts.action.as_str()).is_some(),
            "{}",
            facts.action
        );
    }
}

#[test]
fn wrong_files_are_refused_with_the_line() {
    for (text, wanted) in [
        (
            "",
            "not a catalog file: line 1 does not begin with `# rolefit catalog`",
        ),
        (
            "{\"Name\": \"s3\"}",
            "not a catalog file: line 1 does not begin with `# rolefit catalog`",
        ),
        (
            "# rolefit catalog 2\n",
            "format version `2` is not known, only version 1 is",
        ),
        (
            "# rolefit catalog \n",
            "format version `` is not known, only version 1 is",
        ),
    ] {
        assert_eq!(
            Catalog::with_additions(text).unwrap_err().to_string(),
            wanted
        );
    }
    for (row, wanted) in [
        ("thing | a", "`thing` is no kind of row"),
        ("action", "`` is no action"),
        ("action | s3:Get* | Read", "`s3:Get*` is no action"),
        ("action | S3:GetX | Read", "`S3:GetX` is no action"),
        ("action | s3:GetX | Reads", "`Reads` is no access level"),
        (
            "action | s3:GetX | Read | lake",
            "no ARN format of resource type `lake`",
        ),
        (
            "action | s3:GetX | Read | bucket | a:b | more",
            "more than 5 cells",
        ),
        ("type | s3 | lake", "`` is no ARN format"),
        (
            "type | s3 | lake | arn:${Partition:s3:::a",
            "`arn:${Partition:s3:::a` is no ARN format",
        ),
        (
            "type | s3 | la*ke | arn:aws:s3:::a",
            "`la*ke` is no resource type",
        ),
        (
            "type | S3 | lake | arn:aws:s3:::a",
            "`S3` is no service prefix",
        ),
        ("operation | s3 | Look | s3:NoSuch", "no action `s3:NoSuch`"),
        ("operation | s3 | Look", "no action ``"),
        (
            "operation | s3 | Look Up | s3:GetObject",
            "`Look Up` is no operation",
        ),
        ("visibility | s3:NoSuch | unknown", "no action `s3:NoSuch`"),
        (
            "visibility | s3:GetObject | dark",
            "`dark` is neither `management` nor `unknown`",
        ),
        ("source | s 3", "`s 3` is no service prefix"),
    ] {
        let error = with(&["source | sqs | v1", row]).unwrap_err();
        assert_eq!(error.to_string(), format!("line 5: {wanted}"));
    }
    let twice = with(&[
        "visibility | s3:GetObject | unknown",
        "visibility | s3:GetObject | management",
    ]);
    assert_eq!(
        twice.unwrap_err().to_string(),
        "line 5: `s3:GetObject` is given twice"
    );
}
