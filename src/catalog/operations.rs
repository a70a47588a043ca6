//! API operations: which action carries the operation's name, and which input members fill the ARN of
//! the action's resource types. All by name alone; what names cannot tell is in the event tables.

use std::sync::OnceLock;

use super::table;

const OPERATIONS: &str = include_str!("data/operations.tsv");
const TEMPLATES: &str = include_str!("data/templates.tsv");

/// One API client of the SDKs.
#[derive(Debug)]
pub struct Client {
    /// The SDK's name for it, `s3control`.
    pub name: &'static str,
    /// The IAM prefix of its actions; empty where IAM has none.
    pub prefix: &'static str,
    /// The first label of its endpoint's host name.
    pub endpoint: &'static str,
    /// The service name in request signatures; empty where it is the endpoint's.
    pub signing_name: &'static str,
    operations: OnceLock<Vec<Operation>>,
}

/// One operation of a client.
#[derive(Debug)]
pub struct Operation {
    /// The client it belongs to.
    pub client: &'static str,
    /// The IAM prefix of the client.
    pub prefix: &'static str,
    /// The name in the SDK's spelling.
    pub name: &'static str,
    /// The name of the action that is called like the operation, in the action's spelling.
    pub same_named_action: Option<&'static str>,
    /// HTTP verb and path with `{parameters}`, for the clients whose actions are verbs.
    pub http: Option<(&'static str, &'static str)>,
    /// Paths of input members that hold a role or an instance profile (`Config.RoleArn`).
    pub role_members: Vec<&'static str>,
    /// The input member that holds tags.
    pub tag_member: Option<&'static str>,
    /// How its input fills ARNs: per resource type of the same-named action, the surest way first.
    pub templates: Vec<Template>,
}

/// One way to make the ARN of a resource type from an operation's input.
#[derive(Debug)]
pub struct Template {
    /// The resource type, a name within the service.
    pub resource_type: &'static str,
    /// How the names were matched.
    pub class: MatchClass,
    /// Which of the type's ARN formats it fills.
    pub format: usize,
    /// (ARN variable, path of the input member). Members below others are joined by `.`, lists are
    /// marked `[]`: `Items[].TableName`. For [`MatchClass::Whole`] the variable is `arn`.
    pub bindings: Vec<(&'static str, &'static str)>,
}

/// How sure a template is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchClass {
    /// The ARN has no variable to fill.
    Fixed,
    /// Every variable is an input member of the same name.
    Exact,
    /// An input member holds the whole ARN.
    Whole,
    /// Some names differ in a prefix or suffix: `QueueName` and `QueueUrl`.
    Stem,
    /// A bare `Name` or `Id`, or the only member that holds an ARN.
    Generic,
    /// Some variables stay open.
    Partial,
}

impl Client {
    /// Its operations, sorted by name.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        self.operations.get_or_init(|| parse_operations(self))
    }

    /// The operation of that name, in any case.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let operations = self.operations();
        // CloudTrail nearly always writes the SDK's spelling.
        match operations.binary_search_by(|operation| operation.name.cmp(name)) {
            Ok(at) => Some(&operations[at]),
            Err(_) => operations
                .iter()
                .find(|operation| operation.name.eq_ignore_ascii_case(name)),
        }
    }
}

pub(super) fn parse_clients(text: &'static str) -> Vec<Client> {
    table::rows(text)
        .map(|[name, prefix, endpoint, signing_name]| Client {
            name,
            prefix,
            endpoint,
            signing_name,
            operations: OnceLock::new(),
        })
        .collect()
}

fn parse_operations(client: &Client) -> Vec<Operation> {
    let mut templates = table::section(TEMPLATES, client.name).peekable();
    table::section(OPERATIONS, client.name)
        .map(|[_, name, action, http, roles, tags]: [&str; 6]| {
            let mut own = Vec::new();
            while let Some([_, _, kind, class, format, bindings]) =
                templates.next_if(|row: &[&str; 6]| row[1] == name)
            {
                own.push(Template {
                    resource_type: kind,
                    class: MatchClass::parse(class),
                    format: format.parse().unwrap_or_default(),
                    bindings: bindings.split_ascii_whitespace().map(binding).collect(),
                });
            }
            Operation {
                client: client.name,
                prefix: client.prefix,
                name,
                same_named_action: match action {
                    "-" => None,
                    "=" => Some(name),
                    other => Some(other),
                },
                http: http.split_once(' '),
                role_members: roles.split_ascii_whitespace().collect(),
                tag_member: Some(tags).filter(|tags| !tags.is_empty()),
                templates: own,
            }
        })
        .collect()
}

fn binding(cell: &'static str) -> (&'static str, &'static str) {
    cell.split_once('=').unwrap_or((cell, cell))
}

impl MatchClass {
    fn parse(text: &str) -> Self {
        match text {
            "fixed" => Self::Fixed,
            "exact" => Self::Exact,
            "whole" => Self::Whole,
            "stem" => Self::Stem,
            "generic" => Self::Generic,
            _ => Self::Partial,
        }
    }
}
