//! What log objects are held against: public keys as `aws cloudtrail list-public-keys` prints them, and which
//! accounts' trails write digests, as `describe-trails` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::snapshot::read_json;
use crate::iam::Arn;
use crate::read::Vouchers;

/// Reads `cloudtrail-public-keys*.json` and `trails*.json` of folders; a path that is a file holds keys.
///
/// # Errors
/// The first file that cannot be used, and why.
pub fn vouchers(paths: &[PathBuf]) -> Result<Vouchers, String> {
    let mut vouchers = Vouchers::default();
    // Account → whether all of its trails write digests.
    let mut validated: BTreeMap<String, bool> = BTreeMap::new();
    for path in paths {
        if !path.is_dir() {
            if path.exists() {
                add_keys(&mut vouchers, path)?;
            }
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if !name.ends_with(".json") {
                continue;
            }
            if name.starts_with("cloudtrail-public-keys") {
                add_keys(&mut vouchers, &file)?;
            } else if name.starts_with("trails") {
                let told = |message| format!("{}: {message}", file.display());
                add_trails(
                    &read_json(&file).map_err(told)?,
                    &mut vouchers.buckets,
                    &mut validated,
                );
            }
        }
    }
    let whole = validated.into_iter().filter(|(_, all)| *all);
    vouchers.whole = whole.map(|(account, _)| account).collect();
    Ok(vouchers)
}

fn add_keys(vouchers: &mut Vouchers, file: &Path) -> Result<(), String> {
    let told = |message: &str| format!("{}: {message}", file.display());
    let value = read_json(file).map_err(|error| told(&error))?;
    let pages = match &value {
        Value::Array(pages) => pages.as_slice(),
        page => std::slice::from_ref(page),
    };
    for page in pages {
        let keys = page.get("PublicKeyList").and_then(Value::as_array).ok_or_else(|| {
            told("expected the output of `aws cloudtrail list-public-keys`: no `PublicKeyList` in it")
        })?;
        for key in keys {
            let text = |name: &str| key.get(name).and_then(Value::as_str);
            let (Some(fingerprint), Some(value)) = (text("Fingerprint"), text("Value")) else {
                return Err(told("a key has no `Fingerprint` or no `Value`"));
            };
            let der = base64(value).ok_or_else(|| told("a key is not base64"))?;
            vouchers.keys.insert(fingerprint.to_owned(), der);
        }
    }
    Ok(())
}

/// An organisation's trail delivers for every member: only its own account is known to have no others.
fn add_trails(
    value: &Value,
    buckets: &mut BTreeSet<String>,
    validated: &mut BTreeMap<String, bool>,
) {
    let pages = match value {
        Value::Array(pages) => pages.as_slice(),
        page => std::slice::from_ref(page),
    };
    let trails = pages
        .iter()
        .filter_map(|page| page.get("trailList")?.as_array());
    for trail in trails.flatten() {
        buckets.extend(
            trail
                .get("S3BucketName")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        let arn = trail
            .get("TrailARN")
            .and_then(Value::as_str)
            .and_then(Arn::parse);
        if let Some(arn) = arn {
            let writes = trail
                .get("LogFileValidationEnabled")
                .and_then(Value::as_bool)
                == Some(true);
            *validated.entry(arn.account).or_insert(true) &= writes;
        }
    }
}

/// Standard base64 with padding, white space passed over.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    for (at, group) in digits.chunks(4).enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || padding > 0 && (at + 1) * 4 != digits.len() {
            return None;
        }
        let mut bits = 0_u32;
        for byte in group.iter().take(4 - padding) {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * padding;
        out.extend(bits.to_be_bytes().into_iter().skip(1).take(3 - padding));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_read() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9v\nYmE=", b"fooba"),
            ("+/+/", b"\xfb\xff\xbf"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
        }
        for wrong in ["Z", "Zg=", "Z===", "Zg==Zm9v", "Zm9-", "=Zm9"] {
            assert_eq!(base64(wrong), None, "{wrong}");
        }
    }
}
