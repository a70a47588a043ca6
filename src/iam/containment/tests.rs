use super::*;
use crate::iam::PolicyDocument;

mod conditions;
mod samples;

fn document(statements: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    PolicyDocument::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn set(statements: &str) -> PolicySet {
    PolicySet::of("p", document(statements))
}

/// A statement written shortly: `+` or `-`, actions, resources (each with `!` before for Not…) and
/// conditions as JSON.
fn statement(short: &str) -> String {
    let mut words = short.splitn(4, ' ');
    let effect = if words.next() == Some("+") {
        "Allow"
    } else {
        "Deny"
    };
    let mut element = |name: &str| {
        let word = words.next().unwrap_or("*");
        let (not, list) = word.strip_prefix('!').map_or(("", word), |l| ("Not", l));
        let list: Vec<String> = list
            .split(',')
            .filter(|s| !s.is_empty())
            .map(|s| format!("\"{s}\""))
            .collect();
        format!(r#""{not}{name}":[{}]"#, list.join(","))
    };
    let (actions, resources) = (element("Action"), element("Resource"));
    let condition = words
        .next()
        .map_or(String::new(), |c| format!(r#","Condition":{c}"#));
    format!(r#"{{"Effect":"{effect}",{actions},{resources}{condition}}}"#)
}

fn short(statements: &[&str]) -> PolicySet {
    let statements: Vec<String> = statements.iter().map(|s| statement(s)).collect();
    set(&statements.join(","))
}

fn check(proposed: &[&str], current: &[&str]) -> String {
    match contained(&short(proposed), &short(current)) {
        Containment::Contained => "contained".into(),
        Containment::NotContained(w) => {
            let context: Vec<String> = w
                .context
                .iter()
                .map(|(k, v)| format!(" {k}={}", v.join("|")))
                .collect();
            format!("{} {}{}", w.action, w.resource, context.concat())
        }
        Containment::Unknown(why) => format!("unknown: {why}"),
    }
}

#[test]
fn a_proposal_may_only_shrink() {
    for (proposed, current, expected) in [
        (
            &["+ s3:GetObject arn:aws:s3:::b/*"][..],
            &["+ * *"][..],
            "contained",
        ),
        (
            &["+ s3:GetObject arn:aws:s3:::b/*"],
            &["+ s3:getobject *"],
            "contained",
        ),
        (
            &["+ s3:Get* *"],
            &["+ s3:GetObject *"],
            "s3:get arn:aws:s3:::b",
        ),
        (
            &["+ s3:GetObject *"],
            &["+ s3:GetObject arn:aws:s3:::*"],
            "s3:getobject arn:aws:s3:b::b",
        ),
        (
            &["+ s3:GetObject arn:aws:s3:::*"],
            &["+ s3:GetObject arn:aws:s3:::b*"],
            "s3:getobject arn:aws:s3:::",
        ),
        // Nothing that is there already, however it is written.
        (&[], &[], "contained"),
        (&["+ * *"], &["+ *:* *"], "contained"),
        (&["- * *"], &[], "contained"),
        (&["+ s3:a *", "- s3:* *"], &[], "contained"),
        // Unions: no single statement holds it.
        (
            &["+ s3:?* *"],
            &["+ s3:a*,s3:b* *", "+ s3:*c *"],
            "s3:d arn:aws:s3:::b",
        ),
        (&["+ s3:a* *"], &["+ s3:a *", "+ s3:a?* *"], "contained"),
        (
            &["+ s3:a* arn:aws:s3:::b/*"],
            &[
                "+ s3:a arn:aws:s3:::b/?*",
                "+ s3:a?* *",
                "+ s3:* arn:aws:s3:::b/",
            ],
            "contained",
        ),
        (
            &["+ s3:a* arn:aws:s3:::b/*"],
            &["+ s3:a arn:aws:s3:::b/?*", "+ s3:a?* *"],
            "s3:a arn:aws:s3:::b/",
        ),
        (&["+ * *"], &["+ s3:* *", "+ !s3:* *"], "contained"),
        (
            &["+ * *"],
            &["+ * arn:aws:s3:::b", "+ * !arn:aws:s3:::b"],
            "contained",
        ),
        (
            &["+ * *"],
            &["+ * arn:aws:s3:::b", "+ * !arn:aws:s3:::?"],
            "a:a arn:aws:s3:::c",
        ),
        // NotAction and NotResource.
        (&["+ s3:* *"], &["+ !iam:*,sts:* *"], "contained"),
        (&["+ i* *"], &["+ !iam:*,sts:* *"], "iam:b arn:aws:iam:::b"),
        (&["+ !iam:*,s3:* *"], &["+ !iam:* *"], "contained"),
        (&["+ !iam:* *"], &["+ !iam:*,s3:* *"], "s3:b arn:aws:s3:::b"),
        (
            &["+ !iam:* !arn:aws:s3:::b/*"],
            &["+ !iam:Get* !arn:aws:s3:::b/x"],
            "contained",
        ),
        (
            &["+ s3:* !arn:aws:s3:::b/x"],
            &["+ s3:* !arn:aws:s3:::b/*"],
            "s3:a arn:aws:s3:::b/",
        ),
        // Deny on the right: kept, kept in other words, taken away.
        (
            &["+ s3:* *", "- s3:Delete* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:* *", "- s3:Del* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:* *", "- s3:Delete?* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "s3:delete arn:aws:s3:::b",
        ),
        (
            &["+ s3:* *", "- s3:Delete?*,s3:Delete *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:Get* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:Get* *"],
            &["+ s3:* *", "- !s3:GetObject *"],
            "s3:get arn:aws:s3:::b",
        ),
        (
            &["+ s3:GetObject *"],
            &["+ s3:* *", "- !s3:GetObject *"],
            "contained",
        ),
        (
            &["+ s3:* *"],
            &["+ s3:* *", "- s3:* arn:aws:s3:::b"],
            "s3:a arn:aws:s3:::b",
        ),
        (
            &["+ s3:* !arn:aws:s3:::b"],
            &["+ s3:* *", "- s3:* arn:aws:s3:::b"],
            "contained",
        ),
        // Deny on the left makes room.
        (&["+ * *", "- !s3:* *"], &["+ s3:* *"], "contained"),
        (
            &["+ * *", "- !s3:* *"],
            &["+ s3:Get* *"],
            "s3:a arn:aws:s3:::b",
        ),
        // Colons in wildcards: yes only if yes in both readings.
        (
            &["+ s3:a arn:aws:s3:eu-*-1:1:x"],
            &["+ s3:a arn:aws:s3:eu-*:1:x"],
            "contained",
        ),
        (
            &["+ s3:a arn:aws:s3:*:x"],
            &["+ s3:a arn:aws:s3:*:*:x"],
            "s3:a arn:aws:s3::x",
        ),
        (
            &["+ s3:a arn:aws:s3:e*1:1:x"],
            &["+ s3:a arn:aws:s3:e?*1:1:x,arn:aws:s3:e1:1:x"],
            "contained",
        ),
    ] {
        assert_eq!(
            check(proposed, current),
            expected,
            "{proposed:?} in {current:?}"
        );
    }
}

#[test]
fn where_the_readings_of_colons_differ_it_is_unknown() {
    // Within a segment `e*1` holds no colon; across segments it does.
    let answer = check(
        &["+ s3:a arn:aws:s3:e*1:1:x"],
        &["+ s3:a arn:aws:s3:e*1:1:x,arn:aws:s3:e*1:1:y"],
    );
    assert_eq!(answer, "contained");
    let answer = check(
        &["+ s3:a arn:aws:s3:e*1:x:y"],
        &["+ s3:a arn:aws:s3:*", "- s3:a arn:aws:s3:*:*:*:y"],
    );
    assert!(answer.starts_with("unknown"), "{answer}");
}

#[test]
fn policy_variables_are_the_same_for_both() {
    for (proposed, current, expected) in [
        (
            "arn:aws:s3:::b/${aws:username}/*",
            "arn:aws:s3:::b/${AWS:UserName}/*",
            "contained",
        ),
        (
            "arn:aws:s3:::b/${aws:username}/x",
            "arn:aws:s3:::b/${aws:username}/*",
            "contained",
        ),
        (
            "arn:aws:s3:::b/${aws:username}/x",
            "arn:aws:s3:::b/*",
            "contained",
        ),
        (
            "arn:aws:s3:::b/${aws:username}",
            "arn:aws:s3:::b/?",
            "s3:a arn:aws:s3:::b/a aws:username=a",
        ),
        (
            "arn:aws:s3:::b/${aws:username}",
            "arn:aws:s3:::b/${aws:userid}",
            "s3:a arn:aws:s3:::b/c aws:userid= aws:username=c",
        ),
        (
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b/${aws:username}*",
            "s3:a arn:aws:s3:::b/ aws:username=",
        ),
    ] {
        let answer = check(
            &[&format!("+ s3:a {proposed}")],
            &[&format!("+ s3:a {current}")],
        );
        if expected == "contained" {
            assert_eq!(answer, expected, "{proposed} in {current}");
        } else {
            assert!(
                answer.starts_with("s3:a arn:aws:s3:::b/"),
                "{proposed} in {current}: {answer}"
            );
        }
    }
    // A Deny through a variable may hit anything of its shape.
    let deny = "- s3:* arn:aws:s3:::b/${aws:username}";
    assert_eq!(check(&["+ s3:a *", deny], &["+ * *", deny]), "contained");
    assert_eq!(
        check(&["+ s3:a arn:aws:s3:::c"], &["+ * *", deny]),
        "contained"
    );
    let answer = check(&["+ s3:a arn:aws:s3:::b/x"], &["+ * *", deny]);
    assert_eq!(answer, "s3:a arn:aws:s3:::b/x aws:username=x");
}

#[test]
fn boundaries_of_either_side_count() {
    let named = |statements: &[&str]| {
        let statements: Vec<String> = statements.iter().map(|s| statement(s)).collect();
        NamedPolicy {
            name: "boundary".into(),
            document: document(&statements.join(",")),
        }
    };
    let with = |statements: &[&str], boundary: &[&str]| PolicySet {
        boundary: Some(named(boundary)),
        ..short(statements)
    };
    let all = short(&["+ * *"]);
    let get = short(&["+ s3:Get* *"]);
    let bounded = with(
        &["+ * *"],
        &["+ s3:Get* *", "+ sqs:* *", "- sqs:DeleteQueue *"],
    );
    assert_eq!(contained(&bounded, &all), Containment::Contained);
    assert_eq!(contained(&get, &bounded), Containment::Contained);
    assert_eq!(contained(&bounded, &bounded), Containment::Contained);
    for (proposed, current, action) in [
        (&all, &bounded, "a:a"),
        (&bounded, &get, "sqs:a"),
        (&short(&["+ sqs:D* *"]), &bounded, "sqs:deletequeue"),
    ] {
        let Containment::NotContained(witness) = contained(proposed, current) else {
            panic!("{action}: {:?}", contained(proposed, current));
        };
        assert_eq!(witness.action, action);
    }
    assert_eq!(
        contained(&bounded, &short(&["+ s3:* *", "+ sqs:?* *", "+ sqs: *"])),
        Containment::Contained
    );
    assert_eq!(
        contained(&bounded, &short(&["+ !iam:* *"])),
        Containment::Contained
    );
}

#[test]
fn what_is_no_policy_of_a_role_is_unknown() {
    let trust = set(
        r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
    );
    let bucket = set(r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#);
    for set in [&trust, &bucket] {
        assert!(matches!(
            contained(set, &short(&["+ * *"])),
            Containment::Unknown(_)
        ));
        assert!(matches!(
            contained(&short(&["+ a:b *"]), set),
            Containment::Unknown(_)
        ));
    }
}
