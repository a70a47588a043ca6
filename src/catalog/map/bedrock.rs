//! Bedrock: a model is named by its identifier, an inference profile, or any of several ARNs.

use super::Call;
use super::arns::{self, Part, Scope};
use super::resolve::Found;
use super::resource::ResourceRef;
use crate::catalog::ActionFacts;

/// Prefixes of system inference profiles. (Bedrock user guide, "supported Regions and models for
/// inference profiles".)
const GEOGRAPHIES: [&str; 9] = [
    "us", "us-gov", "eu", "apac", "jp", "au", "ca", "global", "sa",
];

/// A model or profile named by its ARN. IAM checks the model behind a profile too, in whichever Region
/// the profile sends the call to; an application's profile does not say which. (Bedrock user guide,
/// "prerequisites for inference profiles".)
fn by_arn(model: &str) -> Vec<Found> {
    let partition = model.split(':').nth(1).unwrap_or("aws");
    let behind = match model.split_once("inference-profile/") {
        None => None,
        Some((before, _)) if before.ends_with("application-") => Some("*".to_owned()),
        Some((_, profile)) => Some(
            profile
                .split_once('.')
                .map_or(profile, |(_, base)| base)
                .to_owned(),
        ),
    };
    let foundation = behind.map(|model| {
        ResourceRef::Pattern(format!(
            "arn:{partition}:bedrock:*::foundation-model/{model}"
        ))
    });
    std::iter::once(ResourceRef::Literal(model.to_owned()))
        .chain(foundation)
        .map(Found::from)
        .collect()
}

/// The models of a call; `None` for actions on other things.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Option<Vec<Found>> {
    let takes = |name: &str| facts.resource_types.iter().any(|kind| kind.name == name);
    if !takes("foundation-model") || (!takes("inference-profile") && facts.resource_types.len() > 1)
    {
        return None;
    }
    let model = call
        .text("modelId")
        .or_else(|| call.text("modelIdentifier"))
        .or_else(|| {
            let paths = [
                "retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.modelArn",
                "retrieveAndGenerateConfiguration.externalSourcesConfiguration.modelArn",
                "rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration.modelArn",
            ];
            paths.iter().find_map(|path| call.text(path))
        })?;
    if model.starts_with("arn:") {
        return Some(by_arn(&model));
    }
    let profile = "arn:${Partition}:bedrock:${Region}:${Account}:inference-profile/${ResourceId}";
    let foundation = "arn:${Partition}:bedrock:${Region}::foundation-model/${ResourceId}";
    let geography = model
        .split_once('.')
        .filter(|(first, _)| GEOGRAPHIES.contains(first));
    let found = match geography {
        // The profile itself, and the model in whichever region the profile sends the call to.
        Some((_, base)) => {
            let anywhere = Scope {
                region: String::new(),
                ..call.scope.clone()
            };
            vec![
                arns::fill(profile, &call.scope, |_| Part::Text(model.to_owned())),
                arns::fill(foundation, &anywhere, |_| Part::Text(base.to_owned())),
            ]
        }
        None => vec![arns::fill(foundation, &call.scope, |_| {
            Part::Text(model.clone())
        })],
    };
    Some(found.into_iter().map(Found::from).collect())
}
