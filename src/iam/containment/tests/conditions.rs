//! Conditions on both sides, and questions that must end.

use super::*;

#[test]
fn conditions_count_where_they_follow() {
    let like = r#"{"StringLike":{"s3:prefix":"home/*"}}"#;
    let tight = r#"{"StringEquals":{"S3:Prefix":"home/a"},"Bool":{"aws:SecureTransport":"true"}}"#;
    let region = r#"{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-west-2"]}}"#;
    let in_region = r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#;
    let under = |short: &str, condition: &str| format!("{short} {condition}");
    for (proposed, current, expected) in [
        (
            vec![under("+ s3:a *", tight)],
            vec![under("+ s3:* *", like)],
            "contained",
        ),
        (
            vec![under("+ s3:a *", like)],
            vec!["+ s3:* *".into()],
            "contained",
        ),
        (
            vec!["+ s3:a *".into()],
            vec![under("+ s3:* *", like)],
            "s3:a arn:aws:s3:::b s3:prefix=",
        ),
        (
            vec![under("+ s3:a *", like)],
            vec![under("+ s3:* *", tight)],
            "s3:a arn:aws:s3:::b s3:prefix=home/",
        ),
        // A Deny kept with its condition, and one that was dropped.
        (
            vec!["+ s3:a *".into(), under("- * *", region)],
            vec!["+ * *".into(), under("- * *", region)],
            "contained",
        ),
        (
            vec!["+ s3:a *".into()],
            vec!["+ * *".into(), under("- * *", region)],
            "s3:a arn:aws:s3:::b aws:RequestedRegion=",
        ),
        (
            vec![under("+ s3:a *", in_region)],
            vec!["+ * *".into(), under("- * *", region)],
            "contained",
        ),
        // The proposal's own conditional Deny does not excuse what it allows.
        (
            vec!["+ s3:a *".into(), under("- * *", like)],
            vec!["+ s3:b *".into()],
            "s3:a arn:aws:s3:::b s3:prefix=",
        ),
        // A Deny follows from the conditions of the Allow: then it takes all of it away.
        (
            vec![under("+ s3:a *", tight), under("- s3:a *", like)],
            vec![],
            "contained",
        ),
    ] {
        let proposed: Vec<&str> = proposed.iter().map(String::as_str).collect();
        let current: Vec<&str> = current.iter().map(String::as_str).collect();
        assert_eq!(
            check(&proposed, &current),
            expected,
            "{proposed:?} in {current:?}"
        );
    }
    // A Deny that cannot apply where the Allow does.
    for (allow, deny) in [
        (
            r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
            r#"{"Bool":{"aws:SecureTransport":"false"}}"#,
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
        ),
        (
            r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}"#,
            r#"{"NumericGreaterThanIfExists":{"aws:MultiFactorAuthAge":"3600"}}"#,
        ),
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2029-01-01T00:00:00Z"}}"#,
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}"#,
        ),
        (
            in_region,
            r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#,
        ),
        (r#"{"Null":{"k":"false"}}"#, r#"{"Null":{"k":"true"}}"#),
        (r#"{"StringEquals":{"k":"x"}}"#, r#"{"Null":{"k":"true"}}"#),
        (
            r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
            r#"{"ForAnyValue:StringNotEquals":{"k":["a","b"]}}"#,
        ),
    ] {
        let (allow, deny) = (under("+ s3:* *", allow), under("- s3:* *", deny));
        assert_eq!(
            check(&[&allow], &["+ s3:* *", &deny]),
            "contained",
            "{allow} without {deny}"
        );
    }
    // Text and ARN operators say the same where the text is an ARN, or has no wildcards.
    for (proposed, current, expected) in [
        (
            r#"{"StringLike":{"iam:PassedToService":"lambda.amazonaws.com"}}"#,
            r#"{"StringEquals":{"iam:PassedToService":["lambda.amazonaws.com","ecs.amazonaws.com"]}}"#,
            "contained",
        ),
        (
            r#"{"StringEquals":{"aws:SourceArn":"arn:aws:s3:::b"}}"#,
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}"#,
            "contained",
        ),
        (
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}"#,
            r#"{"StringLike":{"aws:SourceArn":"arn:aws:s3:*"}}"#,
            "contained",
        ),
        // What a pattern of fewer than six parts matches is not said.
        (
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}"#,
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*"}}"#,
            "unknown",
        ),
        // Nor whether four digits are a year.
        (
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2000-01-01T00:00:00Z"}}"#,
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2020"}}"#,
            "unknown",
        ),
        (
            r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/9"}}"#,
            "s3:a arn:aws:s3:::b aws:SourceIp=10.255.255.255",
        ),
        (
            r#"{"StringLike":{"s3:prefix":"home/*"}}"#,
            r#"{"StringLike":{"s3:prefix":["home/","home/x*"]}}"#,
            "s3:a arn:aws:s3:::b s3:prefix=home/~y",
        ),
        (
            r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}"#,
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#,
            "s3:a arn:aws:s3:::b aws:TagKeys=a|other",
        ),
    ] {
        let (proposed, current) = (under("+ s3:a *", proposed), under("+ s3:* *", current));
        let answer = check(&[&proposed], &[&current]);
        let answer = answer
            .split(':')
            .next()
            .filter(|&a| a == "unknown")
            .unwrap_or(&answer);
        assert_eq!(answer, expected, "{proposed} in {current}");
    }
    // A statement per value is as good as one for all.
    let us = under(
        "+ s3:* *",
        r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#,
    );
    let eu = under("+ s3:* *", in_region);
    let both = under(
        "+ s3:a *",
        r#"{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}"#,
    );
    assert_eq!(check(&[&both], &[&us, &eu]), "contained");
    assert_eq!(
        check(&[&both], &[&us]),
        "s3:a arn:aws:s3:::b aws:RequestedRegion=eu-west-1"
    );
    // Two conditions that together always hold are not recognised, and that is said.
    let answer = check(
        &["+ s3:a *"],
        &[
            r#"+ s3:a * {"Bool":{"k":"true"}}"#,
            r#"+ s3:a * {"StringNotEquals":{"k":"true"}}"#,
        ],
    );
    assert_eq!(
        answer,
        "unknown: statement 1 of `p` allows `s3:a` on `*`, of which neither a proof nor a request \
         against it was found; the conditions of other statements do not provably follow from its own"
    );
}

/// Every question ends within its bound: that the test ends is what it shows.
#[test]
fn hostile_policies_end() {
    let denies: Vec<String> = (0..2_000)
        .map(|i| format!(r#"- s3:* arn:aws:s3:::b{i}/* {{"StringEquals":{{"k{i}":"a"}}}}"#))
        .collect();
    let mut current = vec!["+ * *"];
    current.extend(denies.iter().map(String::as_str));
    let answer = check(&["+ s3:* *"], &current);
    assert!(answer.starts_with("s3:a arn:aws:s3:::b0/"), "{answer}");
    for text in [
        "${a".repeat(100_000),
        "${a}".repeat(20_000),
        "${a,'".repeat(50_000),
    ] {
        let more = format!("arn:aws:s3:::{text}${{a}}");
        let statement = |resource: &str| {
            set(&format!(
                r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}"#
            ))
        };
        let answer = contained(
            &statement(&more),
            &statement(&format!("arn:aws:s3:::{text}")),
        );
        assert_ne!(answer, Containment::Contained);
    }
}
