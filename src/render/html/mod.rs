//! `report.html`: one file that needs nothing else, opens no connection and runs no script but its own.
//!
//! The page is a shell with data beside it: the overview in one block, each role in a block of its own
//! that is read when the role is opened, so that thousands of roles stay quick. What comes from logs is
//! only ever JSON in a data block, and reaches the page as text, never as markup.

mod data;

use std::io;

use sha2::{Digest, Sha256};

use super::Report;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const BODY: &str = include_str!("page.html");

/// Writes the page.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_html(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>rolefit report</title>\n<style>{STYLE}</style>\n</head>\n{BODY}",
        hash(SCRIPT),
        hash(STYLE)
    )?;
    block(out, "overview", &data::overview(report))?;
    let room = data::room(report.roles.len());
    for (index, role) in report.roles.iter().enumerate() {
        block(out, &format!("role-{index}"), &data::role(role, room))?;
    }
    write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// A data block. Nothing in it can end the element or start a comment in it.
fn block(out: &mut impl io::Write, id: &str, json: &str) -> io::Result<()> {
    let safe = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    writeln!(
        out,
        "<script type=\"application/json\" id=\"{id}\">{safe}</script>"
    )
}

/// The SHA-256 of a script or style as a content security policy names it.
fn hash(text: &str) -> String {
    base64(&Sha256::digest(text))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let mut bits = 0;
        for at in 0..3 {
            bits = bits << 8 | usize::from(three.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            if at <= three.len() {
                out.push(char::from(DIGITS[bits >> (18 - 6 * at) & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_browsers_compute() {
        // From the specification of Content Security Policy Level 2, section 7.17.5.
        assert_eq!(
            hash("alert('Hello, world.');"),
            "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }

    #[test]
    fn a_data_block_cannot_be_left() {
        let mut out = Vec::new();
        let json = serde_json::json!({"a": "</script><script>alert(1)</script><!--"}).to_string();
        block(&mut out, "x", &json).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('<').count(), 2, "{text}");
        let inside = text
            .split_once('>')
            .unwrap()
            .1
            .rsplit_once("</script>")
            .unwrap()
            .0;
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(inside).unwrap()["a"],
            "</script><script>alert(1)</script><!--"
        );
    }
}
