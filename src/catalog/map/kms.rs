//! KMS: the two keys of ReEncrypt, and the service that asked for the caller.

use super::Call;
use super::resolve::{self, Found};
use super::resource::{ResourceRef, escape};
use super::tables;

/// The key that ReEncrypt reads from (`destination` false) or writes to. The event lists both keys; the
/// parameters tell which is which.
pub(super) fn re_encrypt(call: &Call<'_>, destination: bool) -> Vec<Found> {
    let keys: Vec<ResourceRef> = resolve::reported(call, "kms")
        .into_iter()
        .filter(|(_, kinds)| kinds.contains(&"key"))
        .map(|(resource, _)| resource)
        .collect();
    let (own, other) = if destination {
        ("destinationKeyId", "sourceKeyId")
    } else {
        ("sourceKeyId", "destinationKeyId")
    };
    let id = |name: &str| {
        call.text(name)
            .map(|key| key.rsplit('/').next().unwrap_or(&key).to_owned())
    };
    let is = |key: &ResourceRef, id: &str| key.as_arn().is_some_and(|arn| arn.ends_with(id));
    let by_own = id(own).and_then(|id| keys.iter().find(|key| is(key, &id)).cloned());
    let by_other = || {
        id(other).and_then(|id| {
            let mut rest = keys.iter().filter(|key| !is(key, &id));
            rest.next()
                .cloned()
                .filter(|_| keys.iter().any(|key| is(key, &id)))
        })
    };
    let by_order = || match (&keys[..], destination) {
        ([source, ..], false) => Some(source.clone()),
        ([.., destination], true) => Some(destination.clone()),
        _ => None,
    };
    match by_own.or_else(by_other).or_else(by_order) {
        Some(key) => vec![key.into()],
        None => {
            let named = call
                .text(own)
                .filter(|key| key.starts_with("arn:") && key.contains(":key/"));
            match named {
                Some(arn) => vec![ResourceRef::Literal(arn).into()],
                None => any_key_of(call, call.text(own).as_deref()),
            }
        }
    }
}

/// Every key of the account that owns an alias's ARN, else of the caller's.
fn any_key_of(call: &Call<'_>, alias: Option<&str>) -> Vec<Found> {
    let front = alias.and_then(|alias| alias.strip_prefix("arn:")?.split_once(":alias/"));
    match front {
        Some((front, _)) => {
            vec![ResourceRef::Pattern(format!("arn:{}:key/*", escape(front))).into()]
        }
        None => any_key(call),
    }
}

/// Every key of the account and region.
pub(super) fn any_key(call: &Call<'_>) -> Vec<Found> {
    resolve::container(call, "kms", "key")
        .into_iter()
        .map(Found::from)
        .collect()
}

/// What `kms:ViaService` held, where the event says it for sure: `invokedBy` names a service that calls
/// KMS for its callers, or the call came from inside AWS for an S3 object.
pub(super) fn via_service(call: &Call<'_>) -> Option<String> {
    let invoked_by = call.record.user_identity.invoked_by.as_deref()?;
    let region = call.scope.region.as_str();
    let label = match invoked_by {
        "AWS Internal" | "internal.amazonaws.com" => {
            let context = super::params::member(call.params(), "encryptionContext")?;
            super::params::member(context, "aws:s3:arn").map(|_| "s3")?
        }
        service => {
            let host = service
                .strip_suffix(".cn")
                .unwrap_or(service)
                .strip_suffix(".amazonaws.com")?;
            let (label, rest) = host.split_once('.').unwrap_or((host, ""));
            if !rest.is_empty() && rest != region {
                return None;
            }
            tables::tables().via.get(label).copied()?
        }
    };
    via(label, region)
}

/// `s3.us-east-1.amazonaws.com`.
pub(super) fn via(label: &str, region: &str) -> Option<String> {
    // What it holds in China is not written down: no condition there rather than a wrong one.
    (!region.is_empty() && !region.starts_with("cn-"))
        .then(|| format!("{label}.{region}.amazonaws.com"))
}
