//! Cutting what was used to what a grant allows.

use super::Target;
use crate::catalog::ResourceRef;
use crate::iam::{ResourceMatch, pattern};

/// A policy variable (`${aws:username}`) makes a grant's resource depend on the caller. Comparing it as
/// text would be wrong, so it is compared with the variable as `*` and emitted unchanged.
fn has_variable(resource: &str) -> bool {
    resource.contains("${")
}

/// `resource` with each `${…}` as `*`.
pub(super) fn without_variables(resource: &str) -> String {
    let mut out = String::new();
    let mut rest = resource;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        out.push_str(&rest[..start]);
        out.push('*');
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

/// Whether the grant's resources allow a resource that was used, or may have allowed it where only a
/// pattern of it is known. `resource_level` is false for actions that IAM checks against `*` alone.
pub(super) fn allows(grant: &ResourceMatch, used: &ResourceRef, resource_level: bool) -> bool {
    let hit = |wanted: &String| match used {
        ResourceRef::Literal(arn) if has_variable(wanted) => {
            pattern::matches(&without_variables(wanted), arn)
        }
        ResourceRef::Literal(arn) => pattern::matches(wanted, arn),
        ResourceRef::Pattern(used) => pattern::overlaps(&without_variables(wanted), used),
        ResourceRef::Any if resource_level => true,
        ResourceRef::Any => pattern::matches(wanted, "*"),
    };
    match grant {
        ResourceMatch::Resource(list) => list.iter().any(hit),
        ResourceMatch::NotResource(list) => match used {
            ResourceRef::Literal(_) => !list.iter().any(hit),
            // Some of what the pattern stands for may be excluded, not all of it.
            ResourceRef::Pattern(used) => !list
                .iter()
                .any(|out| !has_variable(out) && pattern::covers(out, used)),
            ResourceRef::Any => true,
        },
        ResourceMatch::None => false,
    }
}

/// What of `wanted` (a policy pattern) the grant allows. Empty where they are disjoint.
pub(super) fn clip(grant: &ResourceMatch, wanted: &str, resource_level: bool) -> Vec<Target> {
    match grant {
        ResourceMatch::Resource(_) if !resource_level => vec![Target::Resource("*".to_owned())],
        ResourceMatch::Resource(list) => {
            // One grant that covers all of it says it shortest.
            if list
                .iter()
                .any(|allowed| !has_variable(allowed) && pattern::covers(allowed, wanted))
            {
                return vec![Target::Resource(wanted.to_owned())];
            }
            let mut targets: Vec<Target> = list
                .iter()
                .flat_map(|allowed| {
                    if has_variable(allowed) || has_variable(wanted) {
                        let meet = pattern::overlaps(
                            &without_variables(allowed),
                            &without_variables(wanted),
                        );
                        return if meet {
                            vec![allowed.clone()]
                        } else {
                            Vec::new()
                        };
                    }
                    pattern::intersect(allowed, wanted)
                })
                .map(Target::Resource)
                .collect();
            targets.sort();
            targets.dedup();
            targets
        }
        ResourceMatch::NotResource(list) => {
            let touches = list
                .iter()
                .any(|out| has_variable(out) || pattern::overlaps(out, wanted));
            if touches {
                vec![Target::NotResource(list.clone())]
            } else {
                vec![Target::Resource(wanted.to_owned())]
            }
        }
        ResourceMatch::None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(list: &[&str]) -> ResourceMatch {
        ResourceMatch::Resource(list.iter().map(|s| (*s).to_owned()).collect())
    }

    fn clipped(grant: &ResourceMatch, wanted: &str) -> Vec<String> {
        clip(grant, wanted, true)
            .into_iter()
            .map(|target| match target {
                Target::Resource(resource) => resource,
                Target::NotResource(list) => format!("!{}", list.join(",")),
            })
            .collect()
    }

    #[test]
    fn a_pattern_is_never_wider_than_the_grant() {
        let bucket = grant(&["arn:aws:s3:::b/in/*"]);
        assert_eq!(
            clipped(&bucket, "arn:aws:s3:::b/in/*.json"),
            ["arn:aws:s3:::b/in/*.json"]
        );
        assert_eq!(
            clipped(&bucket, "arn:aws:s3:::b/*"),
            ["arn:aws:s3:::b/in/*"]
        );
        assert_eq!(clipped(&bucket, "arn:aws:s3:::other/*"), [] as [&str; 0]);
        assert_eq!(
            clipped(
                &grant(&["arn:aws:s3:::b/${aws:username}/*"]),
                "arn:aws:s3:::b/x/*"
            ),
            ["arn:aws:s3:::b/${aws:username}/*"]
        );
    }

    #[test]
    fn an_excluded_resource_stays_excluded() {
        let grant = ResourceMatch::NotResource(vec!["arn:aws:s3:::secret/*".into()]);
        assert_eq!(clipped(&grant, "arn:aws:s3:::b/*"), ["arn:aws:s3:::b/*"]);
        assert_eq!(
            clipped(&grant, "arn:aws:s3:::*"),
            ["!arn:aws:s3:::secret/*"]
        );
        assert!(!allows(
            &grant,
            &ResourceRef::Literal("arn:aws:s3:::secret/x".into()),
            true
        ));
        assert!(allows(
            &grant,
            &ResourceRef::Literal("arn:aws:s3:::b/x".into()),
            true
        ));
    }

    #[test]
    fn an_action_without_resources_needs_a_star() {
        assert!(!allows(
            &grant(&["arn:aws:dynamodb:*:*:table/*"]),
            &ResourceRef::Any,
            false
        ));
        assert!(allows(&grant(&["*"]), &ResourceRef::Any, false));
        assert!(allows(
            &grant(&["arn:aws:dynamodb:*:*:table/*"]),
            &ResourceRef::Any,
            true
        ));
    }
}
