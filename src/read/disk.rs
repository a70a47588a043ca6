//! Log objects on disk and on standard input: paths, globs and `-` in, files out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::vouched::{SIDECAR, signature_of_metadata};
use super::{Listing, ObjectRef, Source, SourceError};
use crate::event::Observer;
use crate::trail::key::LogKey;

/// What stands for standard input.
const STDIN: &str = "-";

/// Files, folders, globs and standard input, as given on a command line.
#[derive(Debug)]
pub struct Disk {
    /// What to list, sorted: the order of the arguments must not show.
    paths: BTreeSet<String>,
    /// Files that the user named: always tried, whatever their names say.
    named: BTreeSet<String>,
    /// Folders (and files) to leave out, in their canonical form.
    excluded: BTreeSet<PathBuf>,
}

impl Disk {
    /// Takes arguments as the user gave them, and the folders to leave out, such as the one that is
    /// written to. A name that exists is taken as it is, even where it could be a glob.
    ///
    /// # Errors
    /// [`SourceError`] for the first argument that leads nowhere.
    pub fn new(arguments: &[String], excluded: &[PathBuf]) -> Result<Self, SourceError> {
        let mut disk = Self {
            paths: BTreeSet::new(),
            named: BTreeSet::new(),
            excluded: excluded
                .iter()
                .filter_map(|path| path.canonicalize().ok())
                .collect(),
        };
        for argument in arguments {
            disk.add(argument)?;
        }
        Ok(disk)
    }

    fn add(&mut self, argument: &str) -> Result<(), SourceError> {
        if argument == STDIN {
            self.paths.insert(argument.to_owned());
            return Ok(());
        }
        if argument.starts_with("s3://") {
            return Err(SourceError::NoS3(argument.to_owned()));
        }
        match fs::metadata(argument) {
            Ok(found) => {
                self.paths.insert(argument.to_owned());
                if !found.is_dir() {
                    self.named.insert(argument.to_owned());
                }
                Ok(())
            }
            Err(_) if argument.contains(['*', '?', '[']) => self.add_glob(argument),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SourceError::NoSuchPath(argument.to_owned()))
            }
            Err(error) => Err(SourceError::Unreadable {
                path: argument.to_owned(),
                error,
            }),
        }
    }

    fn add_glob(&mut self, pattern: &str) -> Result<(), SourceError> {
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            ..glob::MatchOptions::new()
        };
        let matches =
            glob::glob_with(pattern, options).map_err(|error| SourceError::BadPattern {
                pattern: pattern.to_owned(),
                message: error.msg.to_owned(),
            })?;
        let mut any = false;
        for found in matches {
            // A folder that cannot be searched is an entry too: listing it says that it failed.
            let path = found.unwrap_or_else(|error| error.path().to_owned());
            self.paths.insert(path.to_string_lossy().into_owned());
            any = true;
        }
        if any {
            Ok(())
        } else {
            Err(SourceError::NoMatch(pattern.to_owned()))
        }
    }
}

impl Source for Disk {
    fn list(&self, _: &dyn Observer) -> Listing {
        let mut walk = Walk {
            disk: self,
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            out: Listing::default(),
        };
        for path in &self.paths {
            if path == STDIN {
                walk.out.objects.push(ObjectRef {
                    name: path.clone(),
                    key: None,
                    size: 0,
                });
            } else {
                walk.visit(Path::new(path), true);
            }
        }
        let Walk { files, mut out, .. } = walk;
        out.objects.extend(files.into_values());
        out.settle(&|object| self.named.contains(&object.name));
        out
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        if object.name == STDIN {
            return Ok(Box::new(io::stdin()));
        }
        Ok(Box::new(File::open(&object.name)?))
    }

    fn signature(&self, object: &ObjectRef) -> Option<String> {
        let metadata = fs::read(format!("{}{SIDECAR}", object.name)).ok()?;
        signature_of_metadata(&metadata)
    }
}

struct Walk<'d> {
    disk: &'d Disk,
    /// By canonical path: what two arguments or links lead to is one object.
    files: BTreeMap<PathBuf, ObjectRef>,
    folders: BTreeSet<PathBuf>,
    out: Listing,
}

impl Walk<'_> {
    /// `given` is an argument; everything else was found in a folder.
    fn visit(&mut self, path: &Path, given: bool) {
        let Some(name) = path.to_str() else {
            let name = path.to_string_lossy().into_owned();
            self.out
                .failed
                .push((name, "its name is not UTF-8".to_owned()));
            return;
        };
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) => {
                let reason = match fs::symlink_metadata(path) {
                    Ok(link) if link.is_symlink() => format!("a link that leads nowhere: {error}"),
                    _ => error.to_string(),
                };
                self.out.failed.push((name.to_owned(), reason));
                return;
            }
        };
        // Pipes have no canonical path, and stand for themselves.
        let identity = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.disk.excluded.contains(&identity) {
            return;
        }
        if found.is_dir() {
            if self.folders.insert(identity) {
                self.enter(path, name);
            }
        } else if found.is_file() || given && self.disk.named.contains(name) {
            let object = ObjectRef {
                name: name.to_owned(),
                key: LogKey::parse(name),
                size: found.len(),
            };
            let known = self.files.entry(identity).or_insert_with(|| object.clone());
            // A file that was also named is tried under the name it was given.
            if !self.disk.named.contains(&known.name)
                && (self.disk.named.contains(name) || known.name > object.name)
            {
                *known = object;
            }
        } else {
            self.out
                .skipped
                .push((name.to_owned(), "neither a file nor a folder".to_owned()));
        }
    }

    fn enter(&mut self, path: &Path, name: &str) {
        let mut entries = Vec::new();
        match fs::read_dir(path) {
            Ok(found) => {
                for entry in found {
                    match entry {
                        Ok(entry) => entries.push(entry.path()),
                        Err(error) => self.out.failed.push((name.to_owned(), error.to_string())),
                    }
                }
            }
            Err(error) => self.out.failed.push((name.to_owned(), error.to_string())),
        }
        entries.sort();
        for entry in entries {
            if entry
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
            {
                self.out
                    .skipped
                    .push((entry.to_string_lossy().into_owned(), "hidden".to_owned()));
            } else {
                self.visit(&entry, false);
            }
        }
    }
}
