//! CloudTrail's digest files: what each says of the log objects delivered in its hour, and whether its
//! signature fits.
//!
//! In come the inflated bytes of a digest, a public key and a signature; out comes what the digest lists, and
//! yes or no. CloudTrail signs with RSA (PKCS #1, SHA-256) a text made of the end of the hour, the digest's
//! own place, the SHA-256 of its inflated bytes and the signature of the digest before it. (CloudTrail user
//! guide, "CloudTrail digest file structure" and "Custom implementations of log file integrity validation".)

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Public keys by fingerprint: `RSAPublicKey` of PKCS #1, in DER.
pub type PublicKeys = BTreeMap<String, Vec<u8>>;

/// One digest file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// Twelve digits.
    #[serde(rename = "awsAccountId")]
    pub account: String,
    /// ISO 8601.
    pub digest_start_time: String,
    /// ISO 8601.
    pub digest_end_time: String,
    /// Where CloudTrail delivered it.
    #[serde(rename = "digestS3Bucket")]
    pub bucket: String,
    /// The same, the key.
    #[serde(rename = "digestS3Object")]
    pub object: String,
    /// Of the key that signed it.
    #[serde(rename = "digestPublicKeyFingerprint")]
    pub fingerprint: String,
    /// `SHA256withRSA`.
    #[serde(rename = "digestSignatureAlgorithm")]
    pub algorithm: String,
    /// The key of the digest before it; `None` for the first of a chain.
    #[serde(rename = "previousDigestS3Object")]
    pub previous: Option<String>,
    /// The SHA-256 of the inflated bytes of the digest before it.
    #[serde(rename = "previousDigestHashValue")]
    pub previous_hash: Option<String>,
    /// The signature of the digest before it.
    #[serde(rename = "previousDigestSignature")]
    pub previous_signature: Option<String>,
    /// The log objects delivered in its hour.
    pub log_files: Vec<LogFile>,
}

/// One log object that a digest lists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// Its key.
    #[serde(rename = "s3Object")]
    pub object: String,
    /// The SHA-256 of its inflated bytes, hexadecimal.
    pub hash_value: String,
    /// `SHA-256`.
    pub hash_algorithm: String,
}

impl Digest {
    /// Reads the inflated bytes of a digest.
    ///
    /// # Errors
    /// What is missing or wrong, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let digest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if digest.algorithm != "SHA256withRSA" {
            return Err(format!("it is signed by `{}`", digest.algorithm));
        }
        let other = |log: &&LogFile| log.hash_algorithm != "SHA-256";
        if let Some(log) = digest.log_files.iter().find(other) {
            return Err(format!("it hashes by `{}`", log.hash_algorithm));
        }
        Ok(digest)
    }

    /// Whether `signature` (hexadecimal) is CloudTrail's on these inflated bytes. A signature that is no
    /// hexadecimal text or a key that is none is not.
    #[must_use]
    pub fn is_signed(&self, bytes: &[u8], signature: &str, key: &[u8]) -> bool {
        let mut hasher = Hasher::default();
        hasher.add(bytes);
        let text = format!(
            "{}\n{}/{}\n{}\n{}",
            self.digest_end_time,
            self.bucket,
            self.object,
            hasher.finish(),
            self.previous_signature.as_deref().unwrap_or("null"),
        );
        unhex(signature).is_some_and(|signature| {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
            key.verify(text.as_bytes(), &signature).is_ok()
        })
    }
}

/// The SHA-256 of bytes that come in parts.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds a part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The hash, as lower-case hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to memory cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
