//! The snapshot folder: files appear whole, and a run that was cut short goes on where it stopped.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::aws::AwsError;

/// Lists what a run has finished, a line each; a last line tells that it finished all.
const JOURNAL: &str = ".rolefit-collect";
const DONE: &str = "done";

/// The folder that is filled.
pub(super) struct Files {
    folder: PathBuf,
    finished: BTreeSet<String>,
    /// Parts that an earlier run had finished.
    pub(super) kept: usize,
}

impl Files {
    /// Takes an empty folder, or one that a run of the same `title` was cut short in; with `force` any.
    pub(super) fn open(folder: &Path, title: &str, force: bool) -> Result<Self, AwsError> {
        let files = Self {
            folder: folder.to_owned(),
            finished: BTreeSet::new(),
            kept: 0,
        };
        fs::create_dir_all(folder).map_err(|error| files.fault(folder, &error))?;
        let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        let journal = fs::read_to_string(folder.join(JOURNAL)).unwrap_or_default();
        let mut lines = journal.lines();
        let same = lines.next() == Some(title);
        let finished: BTreeSet<String> = lines.map(str::to_owned).collect();
        if occupied && !force {
            if !same || finished.contains(DONE) {
                return Err(AwsError::plain(format!(
                    "`{}` is not empty",
                    folder.display()
                )));
            }
            return Ok(Self {
                kept: finished.len(),
                finished,
                ..files
            });
        }
        files.put(JOURNAL, format!("{title}\n").as_bytes())?;
        Ok(files)
    }

    fn fault(&self, path: &Path, error: &io::Error) -> AwsError {
        AwsError::plain(format!("cannot write `{}`: {error}", path.display()))
    }

    /// Whether an earlier run has finished this part.
    pub(super) fn has(&self, part: &str) -> bool {
        self.finished.contains(part)
    }

    /// Writes JSON as the AWS CLI prints it.
    pub(super) fn write(&self, name: &str, value: &Value) -> Result<(), AwsError> {
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut out = serde_json::Serializer::with_formatter(&mut text, indent);
        serde::Serialize::serialize(value, &mut out)
            .map_err(|error| AwsError::plain(format!("cannot write `{name}`: {error}")))?;
        text.push(b'\n');
        self.put(name, &text)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), AwsError> {
        let path = self.folder.join(name);
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&part, bytes))
            .and_then(|()| fs::rename(&part, &path));
        written.map_err(|error| self.fault(&path, &error))
    }

    /// Notes that a part is there whole.
    pub(super) fn finish(&mut self, part: &str) -> Result<(), AwsError> {
        let path = self.folder.join(JOURNAL);
        let noted = fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{part}"));
        noted.map_err(|error| self.fault(&path, &error))?;
        self.finished.insert(part.to_owned());
        Ok(())
    }

    /// Notes that all parts are there.
    pub(super) fn done(&mut self) -> Result<(), AwsError> {
        self.finish(DONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_that_was_cut_short_goes_on_and_a_finished_one_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Files::open(folder.path(), "111122223333", false).unwrap();
        first.write("a.json", &json!({"A": [1]})).unwrap();
        first.finish("a").unwrap();
        assert!(Files::open(folder.path(), "another account", false).is_err());
        let mut second = Files::open(folder.path(), "111122223333", false).unwrap();
        assert!(second.has("a") && !second.has("b"));
        assert_eq!(second.kept, 1);
        second.done().unwrap();
        assert!(Files::open(folder.path(), "111122223333", false).is_err());
        assert!(
            !Files::open(folder.path(), "111122223333", true)
                .unwrap()
                .has("a")
        );
        let text = fs::read_to_string(folder.path().join("a.json")).unwrap();
        assert_eq!(text, "{\n    \"A\": [\n        1\n    ]\n}\n");
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), "").unwrap();
        assert!(Files::open(folder.path(), "111122223333", false).is_err());
    }
}
