//! The invariants of ARCHITECTURE.md, read off the source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The import table, top to bottom. A module may import modules of lower lines, never of its own line.
const TABLE: [&[&str]; 8] = [
    &["cli"],
    &["aws", "pipeline"],
    &["render"],
    &["access", "diff", "verify"],
    &["synthesize"],
    &["usage", "grants"],
    &["read", "catalog"],
    &["trail", "iam"],
];
/// Imports nothing, and anyone may import it.
const LEAF: &str = "event";

fn sources() -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, out: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_test(&path) {
                // Prose may name any module.
                let text = fs::read_to_string(&path).unwrap();
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                out.insert(path.clone(), code.collect::<Vec<_>>().join("\n"));
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 40, "the source is there");
    out
}

/// Test files check any module's work, and print.
fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs")
        || path
            .parent()
            .is_some_and(|folder| folder.ends_with("tests"))
}

fn module(path: &Path) -> String {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn line_of(module: &str) -> Option<usize> {
    TABLE.iter().position(|line| line.contains(&module))
}

/// The modules that a text names as `crate::x`.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = &list[..list.find('}').unwrap_or(list.len())];
            found.extend(list.split(',').map(|part| first_word(part.trim())));
        } else {
            found.push(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn imports_go_down_only() {
    let mut seen = 0;
    for (path, text) in sources() {
        let own = module(&path);
        if own == "lib" || own == "main" {
            continue;
        }
        for import in imports(&text) {
            let (Some(to), from) = (line_of(&import), line_of(&own)) else {
                continue;
            };
            if import == own {
                continue;
            }
            seen += 1;
            match from {
                Some(from) => assert!(
                    to > from,
                    "{}: `{own}` must not import `{import}`",
                    path.display()
                ),
                None => panic!(
                    "{}: `{own}` is not in the table, or is the leaf, and imports `{import}`",
                    path.display()
                ),
            }
        }
    }
    assert!(seen > 50, "imports were found: {seen}");
}

#[test]
fn every_module_is_in_the_table() {
    for path in sources().keys() {
        let own = module(path);
        let known = ["lib", "main", LEAF].contains(&own.as_str()) || line_of(&own).is_some();
        assert!(known, "`{own}` is not in the import table");
    }
}

#[test]
fn only_the_border_names_the_sdk() {
    for (path, text) in sources() {
        let own = module(&path);
        let names = ["aws_sdk", "aws_config", "tokio::"]
            .iter()
            .any(|name| text.contains(name));
        assert!(
            !names || own == "aws",
            "{} names an AWS SDK",
            path.display()
        );
    }
}

#[test]
fn only_the_command_line_prints() {
    for (path, text) in sources() {
        if module(&path) == "cli" {
            continue;
        }
        for name in ["println!", "eprintln!", "io::stdout", "io::stderr"] {
            assert!(!text.contains(name), "{} uses {name}", path.display());
        }
    }
}

#[test]
fn no_file_grows_past_500_lines() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(
            lines <= 500,
            "{} has {lines} lines: what room is missing?",
            path.display()
        );
    }
}
