//! Why a line is there or gone: the evidence on one role's actions, read out of its report.

use serde_json::Value;

use crate::catalog::{Catalog, Visibility};
use crate::iam::pattern;
use crate::render::{Explanation, RoleExplanation};

/// The roles of a `rolefit.report/1` that a name or ARN pattern matches, with what their report says of
/// `action` (an action, a pattern, or `None` for everything granted).
#[must_use]
pub fn explain(
    report: &Value,
    role: &str,
    action: Option<&str>,
    catalog: &Catalog,
) -> Vec<RoleExplanation> {
    rows(report, "roles")
        .iter()
        .filter(|row| {
            let arn = text(row, "arn");
            pattern::matches(role, arn)
                || pattern::matches(role, arn.rsplit('/').next().unwrap_or(arn))
        })
        .map(|row| RoleExplanation {
            role: text(row, "arn").to_owned(),
            status: text(row, "status").to_owned(),
            window: report.get("window").cloned().unwrap_or_default(),
            reasons: rows(row, "reasons").to_vec(),
            functions: strings(row, "functions"),
            actions: actions(row, action, catalog),
        })
        .collect()
}

fn actions(role: &Value, wanted: Option<&str>, catalog: &Catalog) -> Vec<Explanation> {
    let decisions = rows(role, "decisions");
    match wanted {
        Some(action) if !action.contains(['*', '?']) => {
            // A service of which nothing stays is one row.
            let exact = decisions
                .iter()
                .find(|row| text(row, "action").eq_ignore_ascii_case(action));
            let row = exact.or_else(|| {
                decisions
                    .iter()
                    .find(|row| pattern::matches_ignore_case(text(row, "action"), action))
            });
            vec![explanation(role, action, row, catalog)]
        }
        _ => decisions
            .iter()
            .filter(|row| {
                wanted.is_none_or(|wanted| {
                    let action = text(row, "action");
                    pattern::matches_ignore_case(wanted, action)
                        || pattern::matches_ignore_case(action, wanted)
                })
            })
            .map(|row| explanation(role, text(row, "action"), Some(row), catalog))
            .collect(),
    }
}

fn explanation(role: &Value, action: &str, row: Option<&Value>, catalog: &Catalog) -> Explanation {
    let known = catalog.action(action);
    let action = known.map_or_else(|| action.to_owned(), |facts| facts.action.to_string());
    let of = |key: &str| -> Vec<Value> {
        rows(role, key)
            .iter()
            .filter(|row| {
                let named = text(row, "action");
                named.eq_ignore_ascii_case(&action) || pattern::matches_ignore_case(named, &action)
            })
            .cloned()
            .collect()
    };
    let whole = action.contains('*');
    let (verdict, reason) = match row {
        Some(row) => (text(row, "verdict"), text(row, "reason").to_owned()),
        None if known.is_none() && !whole => (
            "unknown-action",
            format!(
                "no action of this name is in the catalog of {}",
                catalog.version()
            ),
        ),
        None => (
            "not-granted",
            "no policy of the role names it today, so the proposal does not either".into(),
        ),
    };
    Explanation {
        verdict: verdict.to_owned(),
        reason,
        visibility: known.map(|facts| visibility(&catalog.visibility(facts))),
        count: row.and_then(|row| row.get("count")?.as_u64()).unwrap_or(0),
        first_seen: row.and_then(|row| optional(row, "first_seen")),
        last_seen: row.and_then(|row| optional(row, "last_seen")),
        event_ids: row.map(|row| strings(row, "event_ids")).unwrap_or_default(),
        functions: row.map(|row| strings(row, "functions")).unwrap_or_default(),
        resources: row.map(|row| strings(row, "resources")).unwrap_or_default(),
        granted_by: row.map(|row| strings(row, "from")).unwrap_or_default(),
        removed: of("removed"),
        denied: of("denied"),
        missing: of("missing"),
        allowed_elsewhere: of("allowed_elsewhere"),
        action,
    }
}

/// Where CloudTrail would show it, in words.
fn visibility(seen: &Visibility) -> String {
    match seen {
        Visibility::Management => "management events, which every trail may log".into(),
        Visibility::Data(types) => format!("data events of {}, off by default", types.join(", ")),
        Visibility::Carried { by, shown: true } => {
            format!("the parameters of {} events", by.join(", "))
        }
        Visibility::Carried { by, shown: false } => {
            format!("only beside {}, whose events do not tell", by.join(", "))
        }
        Visibility::OnlyFor(services) => format!("only {} use it", services.join(", ")),
        Visibility::Aside(why) => format!("no event of its own: {why}"),
        Visibility::Never(why) => format!("never: {why}"),
        Visibility::Unknown(why) => format!("not known: {why}"),
    }
}

fn rows<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn optional(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    rows(value, key)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
