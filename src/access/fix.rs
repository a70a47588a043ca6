//! How a door opens: the least statement, and the command that puts it in place. A verdict in, a fix
//! out. Whether the function should have the access is for a person to say.

use serde::Serialize;
use serde_json::{Value, json};

use super::door::{BOUNDARY, ENDPOINT, RCP, RESOURCE, ROLE, SCP, SESSION, Verdict};
use crate::catalog::Catalog;
use crate::iam::{Action, Arn};

/// How a door opens.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Fix {
    /// The statement to add, for the policy that `note` names.
    pub statement: Option<Value>,
    /// Shell commands; file names in them are for the reader to fill.
    pub commands: Vec<String>,
    /// What to do and to mind, in words.
    pub note: String,
}

/// What the fix is for.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) role: &'a str,
    pub(super) boundary: Option<&'a str>,
    pub(super) action: &'a str,
    /// Policy patterns; empty where no record names any.
    pub(super) resources: &'a [String],
    /// Some record leaves part of the resource out, so that a pattern stands for it.
    pub(super) open: bool,
    pub(super) endpoints: &'a [String],
    pub(super) outside: bool,
}

/// The fix for a verdict, as far as there is one.
pub(super) fn fix(subject: Subject<'_>, verdict: &Verdict, catalog: &Catalog) -> Fix {
    let note = |note: String| Fix {
        note,
        ..Fix::default()
    };
    if subject.outside {
        return note("nothing to open: the credentials were used outside Lambda".into());
    }
    if verdict.allowed_today && matches!(verdict.door, ROLE | BOUNDARY) {
        return note("nothing to add: the policies of the snapshot allow it".into());
    }
    if verdict.explicit_deny == Some(true) {
        let wher = if verdict.statements.is_empty() {
            format!("the {} ", words(verdict.door))
        } else {
            format!("{} ", verdict.statements.join(", "))
        };
        return note(format!(
            "no Allow helps against a Deny: {wher}must make an exception, if the call is wanted"
        ));
    }
    if !matches!(
        verdict.door,
        ROLE | BOUNDARY | RESOURCE | ENDPOINT | SCP | RCP | SESSION
    ) {
        let doors: Vec<String> = verdict.candidates.iter().map(|door| words(door)).collect();
        return note(format!("look at the {}", doors.join(", the ")));
    }
    let Some(facts) = catalog.action(subject.action) else {
        return note(format!(
            "`{}` is no action that AWS documents, so no statement can be written",
            subject.action
        ));
    };
    let by_resource = !facts.resource_types.is_empty();
    let resources: Vec<String> = match (by_resource, subject.resources) {
        (false, _) => vec!["*".into()],
        (true, []) => vec!["RESOURCE-ARN".into()],
        (true, list) => list.to_vec(),
    };
    let mut caution = String::new();
    if by_resource && subject.resources.is_empty() {
        caution.push_str("; no record names the resource: put its ARN in place of RESOURCE-ARN");
    }
    if by_resource && subject.open && !subject.resources.is_empty() {
        caution.push_str(
            "; some record does not name the whole resource: put its ARN in place of the pattern",
        );
    }
    if !catalog.risk(&Action::new(subject.action)).is_empty() {
        caution.push_str(
            "; the action is a sensitive one: make sure that the function is meant to do it",
        );
    }
    let own = json!({"Effect": "Allow", "Action": facts.action.as_str(), "Resource": one_or_list(&resources)});
    match verdict.door {
        ROLE => Fix {
            statement: Some(own),
            commands: Vec::new(),
            note: format!("add the statement to a policy of the role{caution}"),
        },
        BOUNDARY => Fix {
            statement: Some(own),
            commands: Vec::new(),
            note: format!(
                "add the statement to the boundary {}{caution}",
                subject.boundary.unwrap_or("of the role")
            ),
        },
        RESOURCE => resource_policy(subject, facts.action.as_str(), &resources, &caution),
        ENDPOINT => endpoint_policy(subject, facts.action.as_str(), &resources, &caution),
        SESSION => {
            note("whoever assumed the role passed a session policy that leaves this out".into())
        }
        _ => note(format!(
            "who runs the organization must allow {} for this account in the {}",
            facts.action.as_str(),
            words(verdict.door)
        )),
    }
}

fn words(door: &str) -> String {
    door.replace('-', " ")
}

fn one_or_list(list: &[String]) -> Value {
    match list {
        [one] => json!(one),
        list => json!(list),
    }
}

/// In single quotes, as a shell takes it literally.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn resource_policy(subject: Subject<'_>, action: &str, resources: &[String], caution: &str) -> Fix {
    let service = action.split(':').next().unwrap_or_default();
    let first = resources.first().map(String::as_str).unwrap_or_default();
    let region = Arn::parse(first)
        .map(|arn| arn.region)
        .filter(|region| !region.is_empty() && !region.contains(['*', '?']));
    let region = region.map_or_else(String::new, |region| {
        format!(" --region {}", quoted(&region))
    });
    let name = |kind: &str| {
        let after = first.split_once(kind).map_or("", |(_, after)| after);
        quoted(after.split([':', '/']).next().unwrap_or_default())
    };
    let role = quoted(subject.role);
    let mut statement = json!({
        "Effect": "Allow", "Principal": {"AWS": subject.role}, "Action": action, "Resource": one_or_list(resources)
    });
    let merge =
        "the command replaces the whole policy: merge the statement into the present one first";
    let (commands, what): (Vec<String>, &str) = match service {
        "lambda" => {
            let sid = format!(
                "allow-{}",
                subject.role.rsplit('/').next().unwrap_or_default()
            );
            let command = resources.iter().map(|function| {
                format!(
                    "aws lambda add-permission --function-name {} --statement-id {} --action {action} --principal {role}{region}",
                    quoted(function.trim_end_matches(":*")),
                    quoted(&sid)
                )
            });
            return Fix {
                statement: Some(statement),
                commands: command.collect(),
                note: format!("add the permission to the policy of the function{caution}"),
            };
        }
        "s3" => (
            vec![
                format!(
                    "aws s3api get-bucket-policy --bucket {} --query Policy --output text > bucket-policy.json",
                    name(":::")
                ),
                format!(
                    "aws s3api put-bucket-policy --bucket {} --policy file://bucket-policy.json",
                    name(":::")
                ),
            ],
            "the bucket",
        ),
        "kms" => {
            // In a key policy the key is `*`.
            statement["Resource"] = json!("*");
            (
                vec![
                    format!(
                        "aws kms get-key-policy --key-id {} --policy-name default --query Policy --output text{region} > key-policy.json",
                        quoted(first)
                    ),
                    format!(
                        "aws kms put-key-policy --key-id {} --policy-name default --policy file://key-policy.json{region}",
                        quoted(first)
                    ),
                ],
                "the key",
            )
        }
        "sqs" => (
            vec![format!(
                "aws sqs set-queue-attributes --queue-url QUEUE-URL --attributes file://attributes.json{region}"
            )],
            "the queue",
        ),
        "sns" => (
            vec![format!(
                "aws sns set-topic-attributes --topic-arn {} --attribute-name Policy --attribute-value file://topic-policy.json{region}",
                quoted(first)
            )],
            "the topic",
        ),
        "secretsmanager" => {
            statement["Resource"] = json!("*");
            (
                vec![format!(
                    "aws secretsmanager put-resource-policy --secret-id {} --resource-policy file://secret-policy.json{region}",
                    quoted(first.trim_end_matches("-??????"))
                )],
                "the secret",
            )
        }
        "dynamodb" => (
            vec![format!(
                "aws dynamodb put-resource-policy --resource-arn {} --policy file://table-policy.json{region}",
                quoted(first.split("/index/").next().unwrap_or(first))
            )],
            "the table",
        ),
        "sts" => {
            if let Some(map) = statement.as_object_mut() {
                map.remove("Resource");
            }
            (
                vec![format!(
                    "aws iam update-assume-role-policy --role-name {} --policy-document file://trust-policy.json",
                    quoted(first.rsplit('/').next().unwrap_or_default())
                )],
                "the role that is assumed (its trust policy)",
            )
        }
        _ => (Vec::new(), "the resource"),
    };
    let merge = if commands.is_empty() { "" } else { merge };
    Fix {
        statement: Some(statement),
        commands,
        note: format!(
            "add the statement to the policy of {what}{}{merge}{caution}",
            if merge.is_empty() { "" } else { "; " }
        ),
    }
}

fn endpoint_policy(subject: Subject<'_>, action: &str, resources: &[String], caution: &str) -> Fix {
    let statement = json!({
        "Effect": "Allow", "Principal": "*", "Action": action, "Resource": one_or_list(resources),
        "Condition": {"ArnEquals": {"aws:PrincipalArn": subject.role}}
    });
    let commands = subject.endpoints.iter().map(|endpoint| {
        format!(
            "aws ec2 modify-vpc-endpoint --vpc-endpoint-id {} --policy-document file://endpoint-policy.json",
            quoted(endpoint)
        )
    });
    Fix {
        statement: Some(statement),
        commands: commands.collect(),
        note: format!(
            "add the statement to the policy of the VPC endpoint; the command replaces the whole policy{caution}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_from_logs_stay_words_of_a_shell() {
        assert_eq!(quoted("arn:aws:s3:::b"), "arn:aws:s3:::b");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(rm -rf x)'"), r"'$(rm -rf x)'\'''");
        assert_eq!(quoted(""), "''");
    }
}
