//! A file that is whole or not there: written beside its place, brought to the disk, then renamed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Names of files that are not finished: hidden, of the process, with this ending.
const ENDING: &str = ".partial";

/// Writes `path` by `with`. Until all of it is on the disk, `path` holds what it held before; if anything
/// fails it keeps that, and nothing is left beside it. Gives what `with` gave.
///
/// # Errors
/// Those of the operating system, and those of `with`.
pub fn atomically<T, E: From<io::Error>>(
    path: &Path,
    with: impl FnOnce(&mut BufWriter<File>) -> Result<T, E>,
) -> Result<T, E> {
    let partial = partial(path);
    let written = (|| {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&partial)?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let value = with(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&partial, path)?;
        // The name is on the disk once its folder is. Not every system can bring a folder there.
        if let Ok(folder) = File::open(folder(path)) {
            let _ = folder.sync_all();
        }
        Ok(value)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

/// The name of a part of `path` that is gone when `path` is made.
#[must_use]
pub fn beside(path: &Path, part: usize) -> PathBuf {
    let mut own = OsString::from(".");
    own.push(name(path));
    own.push(format!(".{}.{part}{ENDING}", std::process::id()));
    folder(path).join(own)
}

/// Files that runs that were killed left beside `path`.
///
/// # Errors
/// Those of the operating system.
pub fn leftovers(path: &Path) -> io::Result<Vec<PathBuf>> {
    let begin = format!(".{}.", name(path).to_string_lossy());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let own = entry.file_name();
        let own = own.to_string_lossy();
        if own.starts_with(&begin) && own.ends_with(ENDING) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn name(path: &Path) -> OsString {
    path.file_name().unwrap_or(path.as_os_str()).to_owned()
}

fn partial(path: &Path) -> PathBuf {
    let mut own = OsString::from(".");
    own.push(name(path));
    own.push(format!(".{}{ENDING}", std::process::id()));
    folder(path).join(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_all_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let write = |text: &str, fail: bool| -> io::Result<()> {
            atomically(&path, |out| {
                out.write_all(text.as_bytes())?;
                if fail {
                    return Err(io::Error::other("no"));
                }
                Ok(())
            })
        };
        assert!(write("one", true).is_err());
        assert!(!path.exists());
        write("one", false).unwrap();
        assert!(write("two", true).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert!(leftovers(&path).unwrap().is_empty());
        fs::write(folder.path().join(".x.77.partial"), "").unwrap();
        assert_eq!(leftovers(&path).unwrap().len(), 1);
        let inside = atomically::<(), io::Error>(&path.join("y"), |_| Ok(()));
        assert!(inside.is_err());
    }
}
