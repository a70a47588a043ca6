use super::*;
use crate::iam::PolicyDocument;

fn policy(name: &str, statements: &str) -> NamedPolicy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    NamedPolicy {
        name: name.into(),
        document: PolicyDocument::parse(&text).unwrap(),
    }
}

fn set(statements: &str) -> PolicySet {
    PolicySet {
        identity: vec![policy("p", statements)],
        boundary: None,
    }
}

fn request(action: &str, resource: &str, context: &[(&str, &str)]) -> Request {
    let mut request = Request::new(action, resource);
    for (key, value) in context {
        request.context.insert((*key).into(), vec![(*value).into()]);
    }
    request
}

const READ: &str =
    r#"{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}"#;

#[test]
fn allow_deny_and_neither() {
    let deny = r#"{"Sid":"No","Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::b/secret*"}"#;
    let policies = set(&format!("{READ},{deny}"));
    for (action, resource, decision, sids) in [
        (
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            Decision::Allowed,
            &["Read"][..],
        ),
        (
            "S3:getobject",
            "arn:aws:s3:::b/x",
            Decision::Allowed,
            &["Read"],
        ),
        (
            "s3:GetObject",
            "arn:aws:s3:::B/x",
            Decision::ImplicitDeny,
            &[],
        ),
        (
            "s3:PutObject",
            "arn:aws:s3:::b/x",
            Decision::ImplicitDeny,
            &[],
        ),
        (
            "s3:GetObject",
            "arn:aws:s3:::b/secret/1",
            Decision::ExplicitDeny,
            &["No"],
        ),
        (
            "s3:PutObject",
            "arn:aws:s3:::b/secret/1",
            Decision::ExplicitDeny,
            &["No"],
        ),
    ] {
        let answer = evaluate(&policies, &request(action, resource, &[]));
        assert_eq!(answer.decision, decision, "{action} on {resource}");
        let found: Vec<_> = answer
            .statements
            .iter()
            .filter_map(|s| s.sid.as_deref())
            .collect();
        assert_eq!(found, sids, "{action} on {resource}");
    }
}

#[test]
fn not_action_and_not_resource() {
    let policies = set(
        r#"{"Effect":"Allow","NotAction":["iam:*","sts:*"],"NotResource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}"#,
    );
    for (action, resource, decision) in [
        ("s3:GetObject", "arn:aws:s3:::c/x", Decision::Allowed),
        ("s3:GetObject", "*", Decision::Allowed),
        ("s3:GetObject", "arn:aws:s3:::b/x", Decision::ImplicitDeny),
        ("IAM:GetRole", "arn:aws:s3:::c/x", Decision::ImplicitDeny),
    ] {
        assert_eq!(
            evaluate(&policies, &request(action, resource, &[])).decision,
            decision,
            "{action} on {resource}"
        );
    }
}

#[test]
fn a_boundary_must_allow_too_and_may_deny() {
    let mut policies = set(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    policies.boundary = Some(policy(
        "boundary",
        &format!(r#"{READ},{{"Effect":"Deny","Action":"s3:GetObjectAcl","Resource":"*"}}"#),
    ));
    let object = "arn:aws:s3:::b/x";
    let decision = |action| evaluate(&policies, &request(action, object, &[])).decision;
    assert_eq!(decision("s3:GetObject"), Decision::Allowed);
    assert_eq!(decision("s3:PutObject"), Decision::ImplicitDeny);
    assert_eq!(decision("s3:GetObjectAcl"), Decision::ExplicitDeny);
    let answer = evaluate(&policies, &request("s3:GetObject", object, &[]));
    let documents: Vec<_> = answer
        .statements
        .iter()
        .map(|s| s.document.as_str())
        .collect();
    assert_eq!(documents, ["p", "boundary"]);
}

#[test]
fn variables_in_resources_are_replaced_in_the_newer_version() {
    let home =
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::h/${aws:username}/*"}"#;
    let not_home = home.replace("Resource", "NotResource");
    let object = "arn:aws:s3:::h/ann/x";
    let on = |statement: &str, who: Option<&str>| {
        let mut request = Request::new("s3:GetObject", object);
        if let Some(who) = who {
            let values = Some(who).filter(|w| !w.is_empty()).map(ToOwned::to_owned);
            request
                .context
                .insert("AWS:username".into(), values.into_iter().collect());
        }
        evaluate(&set(statement), &request)
    };
    assert_eq!(on(home, Some("ann")).decision, Decision::Allowed);
    assert_eq!(on(home, Some("bob")).decision, Decision::ImplicitDeny);
    assert_eq!(on(home, Some("*")).decision, Decision::ImplicitDeny);
    assert_eq!(on(home, Some("")).decision, Decision::ImplicitDeny);
    assert_eq!(on(&not_home, Some("ann")).decision, Decision::ImplicitDeny);
    assert_eq!(on(&not_home, Some("bob")).decision, Decision::Allowed);
    let open = on(home, None);
    assert_eq!(open.decision, Decision::Depends);
    assert_eq!(open.missing_context, ["aws:username"]);

    let old = PolicySet::of(
        "old",
        PolicyDocument::parse(&format!(r#"{{"Statement":[{home}]}}"#)).unwrap(),
    );
    let literal = request("s3:GetObject", "arn:aws:s3:::h/${aws:username}/x", &[]);
    assert_eq!(evaluate(&old, &literal).decision, Decision::Allowed);
    let ann = request("s3:GetObject", object, &[("aws:username", "ann")]);
    assert_eq!(evaluate(&old, &ann).decision, Decision::ImplicitDeny);
}

#[test]
fn it_depends_only_where_the_answer_turns_on_it() {
    let plain = r#"{"Sid":"P","Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let tagged = r#"{"Sid":"T","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:Tag":"x"}}}"#;
    let unless = r#"{"Sid":"U","Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:Secure":"false"}}}"#;
    let always = r#"{"Sid":"A","Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
    for (statements, context, decision, missing, sids) in [
        (
            vec![tagged],
            &[][..],
            Decision::Depends,
            &["aws:Tag"][..],
            &["T"][..],
        ),
        (vec![tagged, plain], &[], Decision::Allowed, &[], &["P"]),
        (
            vec![plain, unless],
            &[],
            Decision::Depends,
            &["aws:Secure"],
            &["U", "P"],
        ),
        (
            vec![tagged, unless],
            &[],
            Decision::Depends,
            &["aws:Secure", "aws:Tag"],
            &["T", "U"],
        ),
        (
            vec![tagged, plain, unless],
            &[],
            Decision::Depends,
            &["aws:Secure"],
            &["P", "U"],
        ),
        (vec![unless], &[], Decision::ImplicitDeny, &[], &[]),
        (
            vec![plain, unless, always],
            &[],
            Decision::ExplicitDeny,
            &[],
            &["A"],
        ),
        (
            vec![plain, unless],
            &[("AWS:secure", "true")],
            Decision::Allowed,
            &[],
            &["P"],
        ),
        (
            vec![tagged, unless],
            &[("aws:secure", "true"), ("aws:tag", "y")],
            Decision::ImplicitDeny,
            &[],
            &[],
        ),
    ] {
        let answer = evaluate(&set(&statements.join(",")), &request("s3:X", "*", context));
        assert_eq!(answer.decision, decision, "{statements:?}");
        assert_eq!(answer.missing_context, missing, "{statements:?}");
        let mut found: Vec<_> = answer
            .statements
            .iter()
            .filter_map(|s| s.sid.as_deref())
            .collect();
        let mut sids = sids.to_vec();
        found.sort_unstable();
        sids.sort_unstable();
        assert_eq!(found, sids, "{statements:?}");
    }
    let closed = evaluate_complete(&set(&[plain, unless].join(",")), &Request::new("s3:X", "*"));
    assert_eq!(closed.decision, Decision::Allowed);
}
