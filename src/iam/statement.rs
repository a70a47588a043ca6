//! One statement of a policy: what it says, beside the JSON it was read from.

use std::collections::BTreeSet;

use super::condition::operator::Operator;
use super::json::{Json, Step};
use super::pattern;
use super::template::{Colons, has_variables, parts, resource_tokens};

/// What a statement does with the requests it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Allows them, unless something denies them.
    Allow,
    /// Denies them, whatever allows them.
    Deny,
}

impl Effect {
    /// The word IAM uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}

/// The `Action` or `NotAction` element: patterns compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionMatch {
    /// Actions that one of the patterns matches.
    Action(Vec<String>),
    /// Actions that none of the patterns matches.
    NotAction(Vec<String>),
}

impl ActionMatch {
    /// Whether the statement is about this action, such as `s3:GetObject`.
    #[must_use]
    pub fn matches(&self, action: &str) -> bool {
        let any = |patterns: &[String]| {
            patterns
                .iter()
                .any(|p| pattern::matches_ignore_case(p, action))
        };
        match self {
            ActionMatch::Action(patterns) => any(patterns),
            ActionMatch::NotAction(patterns) => !any(patterns),
        }
    }

    /// The patterns as they are written, of either element.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match self {
            ActionMatch::Action(patterns) | ActionMatch::NotAction(patterns) => patterns,
        }
    }

    /// Whether it is `NotAction`.
    #[must_use]
    pub fn negated(&self) -> bool {
        matches!(self, ActionMatch::NotAction(_))
    }
}

/// The `Resource` or `NotResource` element: patterns compared with regard to case.
///
/// How wildcards and the colons of an ARN go together is said by the IAM user guide (the `Resource`
/// element): wildcards are used within segments, and a `*` that is the last character of a segment
/// can match beyond the colon. So here: the first five colons of a pattern part segments; a `?`, or
/// a `*` that something else of the segment follows, does not match a colon there; behind a `*` that
/// ends a segment, and in the resource part, which is everything after the fifth colon, wildcards
/// match every character. [`pattern`] knows none of this. [`crate::iam::contained`] asks for both
/// this reading and the one where wildcards match colons everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceMatch {
    /// Resources that one of the patterns matches.
    Resource(Vec<String>),
    /// Resources that none of the patterns matches.
    NotResource(Vec<String>),
    /// No such element, as in trust policies: every resource.
    None,
}

impl ResourceMatch {
    /// Whether the statement is about this resource, an ARN or `*`. Policy variables are not
    /// replaced here but taken as text; [`crate::iam::evaluate()`] replaces them.
    #[must_use]
    pub fn matches(&self, resource: &str) -> bool {
        let text: Vec<char> = resource.chars().collect();
        let any = |patterns: &[String]| {
            patterns.iter().any(|p| {
                let tokens = resource_tokens(&parts(p, false), Colons::Segments, |_| Vec::new());
                pattern::token::matches(&tokens, &text)
            })
        };
        match self {
            ResourceMatch::Resource(patterns) => any(patterns),
            ResourceMatch::NotResource(patterns) => !any(patterns),
            ResourceMatch::None => true,
        }
    }

    /// The patterns as they are written, of either element; none for [`ResourceMatch::None`].
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match self {
            ResourceMatch::Resource(patterns) | ResourceMatch::NotResource(patterns) => patterns,
            ResourceMatch::None => &[],
        }
    }

    /// Whether it is `NotResource`.
    #[must_use]
    pub fn negated(&self) -> bool {
        matches!(self, ResourceMatch::NotResource(_))
    }
}

/// One operator on one key, such as `StringLike` on `s3:prefix`, with the values it is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionBlock {
    /// The operator as it is written, with `ForAllValues:` and `IfExists` where it has them.
    pub operator: String,
    /// The context key as it is written.
    pub key: String,
    /// The values; booleans and numbers as they are spelled.
    pub values: Vec<String>,
}

/// The `Condition` element: all blocks must hold; in each block one value must (for the negated
/// operators: no value may) match. Without blocks it always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The blocks in the order of the document.
    pub blocks: Vec<ConditionBlock>,
}

impl Conditions {
    /// No conditions: always holds.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there are no conditions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Adds a block. False, and nothing is added, where the same operator on the same key stands
    /// there already with other values: JSON has no place for both.
    #[must_use]
    pub fn add(&mut self, block: ConditionBlock) -> bool {
        let same = self.blocks.iter().find(|own| {
            own.operator.eq_ignore_ascii_case(&block.operator)
                && own.key.eq_ignore_ascii_case(&block.key)
        });
        match same {
            None => {
                self.blocks.push(block);
                true
            }
            Some(own) => {
                own.values.iter().collect::<BTreeSet<_>>() == block.values.iter().collect()
            }
        }
    }

    /// The element as JSON: operators in order of first use, one value as a string, several as a
    /// list.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut operators: Vec<(String, Json)> = Vec::new();
        for block in &self.blocks {
            let entry = (block.key.clone(), one_or_list(&block.values));
            match operators.iter_mut().find(|(o, _)| *o == block.operator) {
                Some((_, Json::Object(keys))) => keys.push(entry),
                _ => operators.push((block.operator.clone(), Json::Object(vec![entry]))),
            }
        }
        Json::Object(operators)
    }
}

/// The elements of a statement (IAM user guide, grammar of the policy language).
pub const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// One statement of a policy document.
///
/// The fields say what [`Statement::raw`] says; a statement is changed by making a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The name the author gave it.
    pub sid: Option<String>,
    /// Allow or deny.
    pub effect: Effect,
    /// The actions it is about.
    pub actions: ActionMatch,
    /// The resources it is about.
    pub resources: ResourceMatch,
    /// When it applies.
    pub conditions: Conditions,
    /// Whether policy variables are replaced: true in policies of version 2012-10-17.
    pub variables: bool,
    /// The statement as it was written.
    pub raw: Json,
}

impl Statement {
    /// A statement that allows `actions` on `resources` under `conditions`, as a policy of version
    /// 2012-10-17 has it. One action or resource is printed as a string, several as a list.
    #[must_use]
    pub fn allow(
        sid: Option<&str>,
        actions: Vec<String>,
        resources: Vec<String>,
        conditions: Conditions,
    ) -> Self {
        Self::new(
            sid,
            Effect::Allow,
            ActionMatch::Action(actions),
            ResourceMatch::Resource(resources),
            conditions,
        )
    }

    /// Any statement of a policy of version 2012-10-17, printed in the conventional order of keys.
    #[must_use]
    pub fn new(
        sid: Option<&str>,
        effect: Effect,
        actions: ActionMatch,
        resources: ResourceMatch,
        conditions: Conditions,
    ) -> Self {
        let mut fields = Vec::new();
        let mut field = |key: &str, value: Json| fields.push((key.to_owned(), value));
        if let Some(sid) = sid {
            field("Sid", Json::String(sid.to_owned()));
        }
        field("Effect", Json::String(effect.as_str().to_owned()));
        let element = if actions.negated() {
            "NotAction"
        } else {
            "Action"
        };
        field(element, one_or_list(actions.patterns()));
        match &resources {
            ResourceMatch::Resource(patterns) => field("Resource", one_or_list(patterns)),
            ResourceMatch::NotResource(patterns) => field("NotResource", one_or_list(patterns)),
            ResourceMatch::None => {}
        }
        if !conditions.is_empty() {
            field("Condition", conditions.to_json());
        }
        Self {
            sid: sid.map(ToOwned::to_owned),
            effect,
            actions,
            resources,
            conditions,
            variables: true,
            raw: Json::Object(fields),
        }
    }

    /// The `Principal` or `NotPrincipal` element, which trust and resource policies have.
    #[must_use]
    pub fn principal(&self) -> Option<&Json> {
        self.raw
            .get("Principal")
            .or_else(|| self.raw.get("NotPrincipal"))
    }

    /// The same statement for a policy of version 2012-10-17: where the version before took `${…}`
    /// as text, the dollar sign is escaped.
    pub(crate) fn with_variables(&self) -> Self {
        if self.variables {
            return self.clone();
        }
        let escape = |texts: &[String]| texts.iter().map(|t| t.replace("${", "${$}{")).collect();
        let touched = self.resources.patterns().iter().any(|t| has_variables(t))
            || self
                .conditions
                .blocks
                .iter()
                .any(|b| takes_variables(b) && b.values.iter().any(|v| has_variables(v)));
        if !touched {
            let variables = true;
            return Self {
                variables,
                ..self.clone()
            };
        }
        let resources = match &self.resources {
            ResourceMatch::Resource(p) => ResourceMatch::Resource(escape(p)),
            ResourceMatch::NotResource(p) => ResourceMatch::NotResource(escape(p)),
            ResourceMatch::None => ResourceMatch::None,
        };
        let mut conditions = self.conditions.clone();
        for block in conditions.blocks.iter_mut().filter(|b| takes_variables(b)) {
            block.values = escape(&block.values);
        }
        let sid = self.sid.as_deref();
        Self::new(
            sid,
            self.effect,
            self.actions.clone(),
            resources,
            conditions,
        )
    }

    /// Reads a statement; the error says what is wrong and where within the statement.
    pub(crate) fn read(raw: &Json, variables: bool) -> Result<Self, (Vec<Step>, String)> {
        let key = |k: &str| vec![Step::Key(k.to_owned())];
        let Json::Object(fields) = raw else {
            return Err((
                Vec::new(),
                format!("expected a statement object, found {}", raw.kind()),
            ));
        };
        // AWS refuses such a statement; to pass over a `condition` would widen it.
        for (found, _) in fields {
            let known = ELEMENTS.iter().find(|e| e.eq_ignore_ascii_case(found));
            if let Some(element) = known.filter(|e| *e != found) {
                let message = format!("expected `{element}`, found `{found}`");
                return Err((key(found), message));
            }
        }
        let sid = match raw.get("Sid") {
            None => None,
            Some(Json::String(sid)) => Some(sid.clone()),
            Some(other) => {
                return Err((
                    key("Sid"),
                    format!("expected a string, found {}", other.kind()),
                ));
            }
        };
        let effect = match raw.get("Effect") {
            Some(Json::String(word)) if word == "Allow" => Effect::Allow,
            Some(Json::String(word)) if word == "Deny" => Effect::Deny,
            Some(other) => {
                return Err((
                    key("Effect"),
                    format!("expected `Allow` or `Deny`, found {}", other.kind()),
                ));
            }
            None => return Err((Vec::new(), "expected `Effect` in the statement".into())),
        };
        let actions = match (raw.get("Action"), raw.get("NotAction")) {
            (Some(list), None) => ActionMatch::Action(strings(list, "Action")?),
            (None, Some(list)) => ActionMatch::NotAction(strings(list, "NotAction")?),
            (None, None) => {
                return Err((
                    Vec::new(),
                    "expected `Action` or `NotAction` in the statement".into(),
                ));
            }
            (Some(_), Some(_)) => {
                return Err((
                    key("NotAction"),
                    "expected `Action` or `NotAction`, found both".into(),
                ));
            }
        };
        let resources = match (raw.get("Resource"), raw.get("NotResource")) {
            (Some(list), None) => ResourceMatch::Resource(strings(list, "Resource")?),
            (None, Some(list)) => ResourceMatch::NotResource(strings(list, "NotResource")?),
            (None, None) => ResourceMatch::None,
            (Some(_), Some(_)) => {
                return Err((
                    key("NotResource"),
                    "expected `Resource` or `NotResource`, found both".into(),
                ));
            }
        };
        Ok(Self {
            sid,
            effect,
            actions,
            resources,
            conditions: conditions(raw.get("Condition"))?,
            variables,
            raw: raw.clone(),
        })
    }
}

fn takes_variables(block: &ConditionBlock) -> bool {
    Operator::parse(&block.operator).is_none_or(|o| o.kind.takes_variables())
}

/// One text as a string, none or several as a list.
fn one_or_list(texts: &[String]) -> Json {
    match texts {
        [one] => Json::String(one.clone()),
        several => Json::Array(several.iter().cloned().map(Json::String).collect()),
    }
}

fn strings(value: &Json, element: &str) -> Result<Vec<String>, (Vec<Step>, String)> {
    let key = Step::Key(element.to_owned());
    match value {
        Json::String(one) => Ok(vec![one.clone()]),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(number, item)| match item {
                Json::String(one) => Ok(one.clone()),
                other => Err((
                    vec![key.clone(), Step::Index(number)],
                    format!("expected a string, found {}", other.kind()),
                )),
            })
            .collect(),
        other => Err((
            vec![key],
            format!(
                "expected a string or a list of strings, found {}",
                other.kind()
            ),
        )),
    }
}

fn conditions(element: Option<&Json>) -> Result<Conditions, (Vec<Step>, String)> {
    let mut out = Conditions::none();
    let at = |path: &[&str]| -> Vec<Step> {
        let keys = std::iter::once(&"Condition").chain(path);
        keys.map(|k| Step::Key((*k).to_owned())).collect()
    };
    let operators = match element {
        None => return Ok(out),
        Some(Json::Object(operators)) => operators,
        Some(other) => {
            return Err((
                at(&[]),
                format!("expected an object of operators, found {}", other.kind()),
            ));
        }
    };
    for (operator, keys) in operators {
        let Json::Object(keys) = keys else {
            return Err((
                at(&[operator]),
                format!(
                    "expected an object of condition keys, found {}",
                    keys.kind()
                ),
            ));
        };
        for (key, values) in keys {
            let listed = match values {
                Json::Array(items) => items.iter().collect(),
                one => vec![one],
            };
            let mut texts = Vec::with_capacity(listed.len());
            for value in listed {
                texts.push(match value {
                    Json::String(s) => s.clone(),
                    Json::Bool(b) => b.to_string(),
                    Json::Number(n) => n.to_string(),
                    other => {
                        return Err((
                            at(&[operator, key]),
                            format!("expected a string, a number, `true`, `false` or a list of them, found {}", other.kind()),
                        ));
                    }
                });
            }
            out.blocks.push(ConditionBlock {
                operator: operator.clone(),
                key: key.clone(),
                values: texts,
            });
        }
    }
    Ok(out)
}
