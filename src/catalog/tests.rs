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
    assert!(catalog.actions().count() > 22_000);
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
    assert_eq!(catalog.expand("*").count(), catalog.actions().count());
    assert_eq!(catalog.expand("*:*").count(), catalog.actions().count());
    assert_eq!(catalog.expand("nosuch:*").count(), 0);
}

#[test]
fn condition_keys_of_an_action() {
    let catalog = Catalog::builtin();
    let keys = |action: &str| -> Vec<_> {
        catalog
            .condition_keys(catalog.action(action).unwrap())
            .collect()
    };
    assert!(keys("s3:ListBucket").contains(&"s3:prefix"));
    assert!(keys("lambda:CreateFunction").contains(&"lambda:VpcIds"));
    assert_eq!(keys("sqs:SendMessage"), Vec::<&str>::new());
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

const VISIBILITY: &str = include_str!("data/visibility.tsv");
const DATA_TYPES: &str = include_str!("data/data-types.tsv");
const DATA_PLANE: &str = include_str!("data/data-plane-clients.tsv");
const NEEDS: &str = include_str!("data/lambda-needs.tsv");

fn repeated<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    keys.filter(|key| !seen.insert(*key)).collect()
}

#[test]
fn hand_kept_visibility_rows_name_known_things_once() {
    let catalog = Catalog::builtin();
    let types: Vec<_> = table::rows(DATA_TYPES).map(|[name]| name).collect();
    let mut rows = 0;
    for [action, kind, detail, source, why] in table::rows(VISIBILITY) {
        rows += 1;
        assert!(
            catalog.expand(action).next().is_some(),
            "{action} is no action"
        );
        if !action.contains('*') {
            let facts = catalog.action(action).unwrap();
            assert_eq!(facts.action.as_str(), action);
        }
        assert!(
            source.starts_with(['D', 'E', 'I', 'K']) && source[1..].starts_with(": "),
            "{action} {source}"
        );
        let mut details = detail.split(',');
        match kind {
            "data" => assert!(
                details.all(|name| types.contains(&name)),
                "{action} {detail}"
            ),
            "carried" | "within" => {
                assert!(
                    details.all(|name| catalog.action(name).is_some()),
                    "{action} {detail}"
                );
            }
            "only-for" => assert!(
                details.all(|name| name.ends_with(".amazonaws.com")),
                "{action}"
            ),
            "aside" | "never" | "unknown" => {
                assert!(!why.is_empty() && detail.is_empty(), "{action}");
            }
            other => assert_eq!(other, "management", "{action}"),
        }
    }
    assert!(rows > 400);
    assert_eq!(
        repeated(table::rows(VISIBILITY).map(|[action]| action)),
        Vec::<&str>::new()
    );
    for text in [VISIBILITY, DATA_TYPES, DATA_PLANE] {
        assert!(table::rows(text).map(|[key]| key).is_sorted());
    }
}

#[test]
fn data_event_types_belong_to_known_services() {
    let catalog = Catalog::builtin();
    for [name, service, coverage, _] in table::rows(DATA_TYPES) {
        assert!(
            service.is_empty() || !catalog.service_actions(service).is_empty(),
            "{name} {service}"
        );
        assert!(coverage == "named" || coverage == "open", "{name}");
    }
    assert_eq!(
        repeated(table::rows(DATA_TYPES).map(|[name]| name)),
        Vec::<&str>::new()
    );
    for [client] in table::rows(DATA_PLANE) {
        assert!(
            catalog.clients().iter().any(|known| known.name == client),
            "{client}"
        );
    }
}

#[test]
fn visibility_of_what_lambda_functions_call() {
    use Visibility::{Carried, Data, Management, Never, OnlyFor, Unknown};
    let catalog = Catalog::builtin();
    let of = |action: &str| catalog.visibility(catalog.action(action).unwrap());
    let object = "AWS::S3::Object";
    for action in [
        "s3:GetObject",
        "s3:PutObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
    ] {
        assert!(
            matches!(of(action), Data(types) if types[0] == object),
            "{action}"
        );
    }
    for action in [
        "dynamodb:GetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:PartiQLSelect",
    ] {
        assert_eq!(of(action), Data(vec!["AWS::DynamoDB::Table"]), "{action}");
    }
    for action in [
        "dynamodb:DescribeTable",
        "s3:CreateBucket",
        "s3:ListAllMyBuckets",
        "s3:GetLifecycleConfiguration",
        "kms:Decrypt",
        "kms:ReEncryptFrom",
        "sts:AssumeRole",
        "ssm:GetParameter",
        "secretsmanager:GetSecretValue",
        "logs:CreateLogStream",
        "logs:FilterLogEvents",
        "states:StartExecution",
        "states:SendTaskSuccess",
        "sqs:CreateQueue",
        "bedrock:InvokeModel",
        "apigateway:GET",
        "ec2:CreateNetworkInterface",
        "xray:GetSamplingRules",
        "kinesis:ListShards",
        "dynamodb:DescribeStream",
    ] {
        assert_eq!(of(action), Management, "{action}");
    }
    for action in [
        "logs:PutLogEvents",
        "events:PutEvents",
        "execute-api:Invoke",
        "lambda:InvokeFunctionUrl",
        "rds-db:connect",
        "elasticfilesystem:ClientMount",
    ] {
        assert!(matches!(of(action), Never(_)), "{action}");
    }
    for action in [
        "iam:PassRole",
        "sagemaker:InvokeEndpoint",
        "iot:Publish",
        "personalize:PutEvents",
    ] {
        assert!(matches!(of(action), Unknown(_)), "{action}");
    }
    assert_eq!(
        of("s3:ReplicateObject"),
        OnlyFor(vec!["s3.amazonaws.com", "batchoperations.s3.amazonaws.com"])
    );
    assert!(matches!(of("sts:TagSession"), Carried { shown: true, .. }));
    assert!(matches!(of("logs:Unmask"), Carried { shown: false, .. }));
    assert!(matches!(of("xray:Link"), Carried { shown: false, .. }));
}

#[test]
fn little_is_unknown_in_the_services_that_functions_call_most() {
    let catalog = Catalog::builtin();
    let unknown = |service: &str| {
        let actions = catalog.service_actions(service).iter();
        let unknown = actions.filter(|f| matches!(catalog.visibility(f), Visibility::Unknown(_)));
        names(unknown)
    };
    for service in [
        "dynamodb",
        "logs",
        "sqs",
        "sns",
        "kms",
        "secretsmanager",
        "kinesis",
        "firehose",
    ] {
        assert_eq!(unknown(service), Vec::<&str>::new());
    }
    assert_eq!(unknown("s3"), Vec::<&str>::new());
    assert_eq!(unknown("states"), ["states:TestState"]);
}

#[test]
fn a_service_with_unnamed_data_events_is_read_with_care() {
    let catalog = Catalog::builtin();
    let of = |action: &str| catalog.visibility(catalog.action(action).unwrap());
    assert!(matches!(
        of("s3vectors:QueryVectors"),
        Visibility::Unknown(_)
    ));
    assert!(matches!(
        of("deadline:UpdateWorker"),
        Visibility::Unknown(_)
    ));
    assert_eq!(of("deadline:CreateFarm"), Visibility::Management);
    assert_eq!(of("deadline:TagResource"), Visibility::Management);
}

#[test]
fn needs_of_lambda_features_name_known_actions() {
    let catalog = Catalog::builtin();
    let placeholders = "partition region account log_group queue stream consumer cluster group topic \
                        registry secret key broker db_cluster function bus bucket file_system";
    for [feature, action, resource, optional, _] in table::rows(NEEDS) {
        let facts = catalog.action(action);
        assert!(
            facts.is_some_and(|facts| facts.action.as_str() == action),
            "{feature} {action}"
        );
        let only_star = facts.is_some_and(|facts| facts.resource_types.is_empty());
        assert!(
            !only_star || resource == "*",
            "{feature} {action} takes only *"
        );
        assert!(
            optional == "needed" || optional == "optional",
            "{feature} {action}"
        );
        for name in resource
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
        {
            assert!(
                placeholders.split(' ').any(|known| known == name),
                "{resource}"
            );
        }
    }
    let rows: Vec<_> = table::rows(NEEDS)
        .map(|[f, a, r]| format!("{f} {a} {r}"))
        .collect();
    assert!(rows.is_sorted());
    assert_eq!(
        repeated(rows.iter().map(String::as_str)),
        Vec::<&str>::new()
    );
}

#[test]
fn needs_cover_the_managed_policies_for_their_feature() {
    let catalog = Catalog::builtin();
    for (feature, policy) in [
        ("vpc", "AWSLambdaVPCAccessExecutionRole"),
        ("sqs", "AWSLambdaSQSQueueExecutionRole"),
        ("kinesis", "AWSLambdaKinesisExecutionRole"),
        ("dynamodb-stream", "AWSLambdaDynamoDBExecutionRole"),
        ("msk", "AWSLambdaMSKExecutionRole"),
        ("durable", "AWSLambdaBasicDurableExecutionRolePolicy"),
        ("xray", "AWSXRayDaemonWriteAccess"),
        ("logging", "AWSLambdaBasicExecutionRole"),
        ("insights", "CloudWatchLambdaInsightsExecutionRolePolicy"),
        (
            "app-signals",
            "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
        ),
        ("object-lambda", "AmazonS3ObjectLambdaExecutionRolePolicy"),
    ] {
        let document = catalog.managed_policy(policy).unwrap().document;
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let mut actions = 0;
        for statement in document["Statement"].as_array().unwrap() {
            let listed = &statement["Action"];
            let listed = listed
                .as_array()
                .map_or(std::slice::from_ref(listed), Vec::as_slice);
            for action in listed {
                let action = action.as_str().unwrap();
                let needs = catalog
                    .needs(feature)
                    .iter()
                    .chain(catalog.needs("logging"));
                assert!(
                    needs.map(|need| need.action).any(|need| need == action),
                    "{feature} {action}"
                );
                actions += 1;
            }
        }
        assert!(actions > 0, "{policy}");
    }
    assert_eq!(catalog.needs("no-such-feature"), []);
}

#[test]
fn risk_retired_and_dependent_actions() {
    let catalog = Catalog::builtin();
    let risk = |name: &str| catalog.risk(&Action::new(name)).to_vec();
    assert!(risk("iam:CreateAccessKey").contains(&RiskClass::CredentialExposure));
    assert!(risk("iam:CreateAccessKey").contains(&RiskClass::PrivilegeEscalation));
    assert!(risk("lambda:CreateFunction").contains(&RiskClass::PrivilegeEscalationStep));
    assert!(risk("s3:PutBucketPolicy").contains(&RiskClass::ResourceExposure));
    assert_eq!(risk("sqs:GetQueueUrl"), []);
    assert_eq!(
        catalog.retired("CODESTAR:createproject"),
        Some("codestar:CreateProject")
    );
    assert_eq!(catalog.retired("s3:GetObject"), None);
    let hints: Vec<_> = catalog
        .dependents(&Action::new("lambda:CreateFunction"))
        .collect();
    assert!(hints.contains(&"iam:PassRole"));
    assert_eq!(
        catalog.dependents(&Action::new("sqs:GetQueueUrl")).count(),
        0
    );
    for policy in table::rows(include_str!("data/managed-policies.tsv")).map(|[name]: [_; 1]| name)
    {
        assert!(catalog.managed_policy(policy).is_some(), "{policy}");
    }
    assert!(catalog.version().starts_with("2026-10-27 (botocore 1.44.5"));
}
