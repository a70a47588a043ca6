use super::*;

fn names<'a>(found: impl Iterator<Item = &'a ActionFacts>) -> Vec<&'a str> {
    found.map(|facts| facts.action.as_str()).collect()
}

#[test]
fn an_action_is_found_in_any_case() {
    let catalog = Catalog::builtin();
    for (asked, found) in [
        ("s3:getobject", Some("s3:GetObject")),
        ("S3:GetBucketCors", Some("s3:GetBucketCORS")),
        ("lambda:Invoke", None),
        ("s3:Get*", None),
        ("s3", None),
        ("", None),
    ] {
        let facts = catalog.action(asked);
        assert_eq!(facts.map(|facts| facts.action.as_str()), found, "{asked}");
    }
}

#[test]
fn every_action_finds_itself() {
    let catalog = Catalog::builtin();
    assert!(catalog.actions().len() > 22_000);
    for facts in catalog.actions() {
        let found = catalog.action(&facts.action.as_str().to_ascii_uppercase());
        assert_eq!(found.map(|found| &found.action), Some(&facts.action));
    }
}

#[test]
fn patterns_expand_like_iam_reads_them() {
    let catalog = Catalog::builtin();
    assert_eq!(
        names(catalog.expand("sqs:*messagebatch")),
        Vec::<&str>::new(),
        "the batch calls have no action of their own"
    );
    assert_eq!(
        names(catalog.expand("SQS:?e*Message")),
        ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]
    );
    assert_eq!(catalog.expand("*").count(), catalog.actions().len());
    assert_eq!(catalog.expand("*:*").count(), catalog.actions().len());
    assert_eq!(catalog.expand("nosuch:*").count(), 0);
}

#[test]
fn resource_types_of_actions_have_arn_formats() {
    let catalog = Catalog::builtin();
    assert_eq!(
        catalog.arn_formats("s3", "object"),
        ["arn:${Partition}:s3:::${BucketName}/${ObjectName}"]
    );
    assert_eq!(catalog.arn_formats("apigateway", "Stage").len(), 2);
    let unknown: Vec<_> = catalog
        .actions()
        .iter()
        .flat_map(|facts| facts.resource_types.iter().map(move |kind| (facts, kind)))
        .filter(|(facts, kind)| {
            catalog
                .arn_formats(facts.action.service(), kind.name)
                .is_empty()
        })
        .map(|(facts, kind)| format!("{} {}", facts.action, kind.name))
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn operations_know_their_action_and_their_arn() {
    let catalog = Catalog::builtin();
    let send = catalog
        .operations_named("sqs", "sendmessage")
        .next()
        .unwrap();
    assert_eq!(send.same_named_action, Some("SendMessage"));
    assert_eq!(send.templates[0].class, MatchClass::Stem);
    assert_eq!(send.templates[0].bindings, [("QueueName", "QueueUrl")]);

    let create = catalog
        .operations_named("lambda", "CreateFunction")
        .next()
        .unwrap();
    assert_eq!(create.role_members, ["Role"]);
    assert_eq!(create.tag_member, Some("Tags"));

    let stage = catalog
        .operations_named("apigateway", "GetStage")
        .next()
        .unwrap();
    assert_eq!(
        stage.http,
        Some(("GET", "/restapis/{restapi_id}/stages/{stage_name}"))
    );
}

#[test]
fn every_operation_is_read() {
    let catalog = Catalog::builtin();
    let rows = table::rows::<1>(include_str!("data/operations.tsv")).count();
    assert_eq!(catalog.operations().count(), rows);
    let templates = table::rows::<1>(include_str!("data/templates.tsv")).count();
    assert_eq!(
        catalog
            .operations()
            .map(|o| o.templates.len())
            .sum::<usize>(),
        templates
    );
    for operation in catalog.operations() {
        if let Some(name) = operation.same_named_action {
            let action = format!("{}:{name}", operation.prefix);
            let facts = catalog.action(&action);
            assert!(
                facts.is_some_and(|facts| facts.action.as_str() == action),
                "{action}"
            );
        }
        for template in &operation.templates {
            let formats = catalog.arn_formats(operation.prefix, template.resource_type);
            let format = formats.get(template.format);
            assert!(
                format.is_some(),
                "{} {}",
                operation.name,
                template.resource_type
            );
            for (variable, _) in &template.bindings {
                let holds =
                    format.is_some_and(|format| format.contains(&format!("${{{variable}}}")));
                assert!(holds || *variable == "arn", "{} {variable}", operation.name);
            }
        }
    }
}
