//! When the machine fails: what is read says so, what is written is whole or is not there.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rolefit::catalog::Catalog;
use rolefit::event::{Observer, Silent};
use rolefit::pipeline::scan;
use rolefit::read::{Disk, Listing, ObjectRef, Selection, Source};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::program::{code, codes, home, report, role, rolefit, stderr};
use crate::world::World;

/// Objects of a disk that fails.
struct Failing(Disk);

/// Gives some bytes, then fails.
struct Short<R>(io::Take<R>, Option<Fault>);

#[derive(Clone, Copy)]
enum Fault {
    Eio,
    Panic,
}

impl<R: Read> Read for Short<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match (self.0.read(out)?, self.1) {
            (0, Some(Fault::Eio)) => Err(io::Error::from_raw_os_error(5)),
            (0, Some(Fault::Panic)) => panic!("a worker fails, as the test wants it to"),
            (count, _) => Ok(count),
        }
    }
}

impl Source for Failing {
    fn list(&self, observer: &dyn Observer) -> Listing {
        self.0.list(observer)
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        // The last digit of the name says what happens.
        let fault = match object.name.as_bytes()[object.name.len() - ".json.gz".len() - 1] {
            b'1' => Fault::Eio,
            b'2' => Fault::Panic,
            b'3' => return Err(io::ErrorKind::NotFound.into()),
            b'4' => return Err(io::Error::from_raw_os_error(24)),
            _ => return self.0.open(object),
        };
        Ok(Box::new(Short(self.0.open(object)?.take(64), Some(fault))))
    }
}

fn world() -> World {
    let mut world = World::new();
    for object in 0..6 {
        world.cover(object * 10..object * 10 + 10);
        world.call(
            object * 10,
            "sns",
            "CreateTopic",
            json!({"requestParameters": {"name": "t"}}),
        );
        world.write_logs();
    }
    world.write_role(&json!([{"Effect": "Allow", "Action": ["sns:CreateTopic", "sns:DeleteTopic"], "Resource": "*"}]));
    world.write_selectors(&[]);
    world
}

#[test]
fn objects_that_fail_are_told_and_lose_no_other() {
    let world = world();
    let source = Failing(Disk::new(&[world.logs()], &[]).unwrap());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    let read = scan(
        &source,
        &Selection::default(),
        Catalog::builtin(),
        &pool,
        &Silent,
    );
    let reasons: Vec<&str> = read
        .objects
        .failed
        .iter()
        .map(|(_, why)| why.as_str())
        .collect();
    assert_eq!(read.objects.listed, 6);
    assert_eq!(read.objects.read, 2);
    let expected = [
        "read failed: Input/output error",
        "internal error while decoding it",
        "cannot be opened: entity not found",
        "cannot be opened: Too many open files",
    ];
    assert_eq!(reasons.len(), expected.len());
    for (why, expected) in reasons.iter().zip(expected) {
        assert!(why.starts_with(expected), "{why}");
    }
    let usage = &read.usage.roles[&World::role_arn("worker-role")];
    assert_eq!(usage.seen.count, 2);
    let place = read.usage.coverage.places().next().unwrap().2;
    assert_eq!(place.failed, 4, "each leaves a hole where it was delivered");
}

/// Runs the program under a limit of the shell's.
fn under(limit: &str, arguments: &[&str]) -> std::process::Output {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_rolefit")])
        .args(arguments)
        .current_dir(home())
        .env_clear()
        .output()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn without_file_descriptors_nothing_is_trusted() {
    let world = world();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let fit = [
        "fit",
        &logs,
        "--snapshot",
        &snapshot,
        "--output",
        "json",
        "--threads",
        "2",
    ];
    for descriptors in [3, 4, 5, 6, 7, 8] {
        let output = under(&format!("-n {descriptors}"), &fit);
        let said = stderr(&output);
        assert!(!said.contains("panicked"), "{said}");
        match code(&output) {
            0 => assert!(descriptors > 4, "{descriptors}"),
            1 => assert!(
                said.contains("Too many open files") || said.contains("No file descriptors"),
                "{said}"
            ),
            4 => {
                let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert!(codes(role(&report, "worker-role")).contains(&"partial-input"));
            }
            // The dynamic linker itself may find none.
            127 => {}
            other => panic!("{descriptors}: {other}: {said}"),
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let world = world();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    for format in ["text", "json", "markdown", "html", "sarif"] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_rolefit"))
            .args(["fit", &logs, "--snapshot", &snapshot, "--output", format])
            .env_clear()
            .stdout(Stdio::from(full))
            .output()
            .unwrap();
        assert_eq!(code(&output), 1, "{format}");
        assert!(
            stderr(&output).contains("No space left on device"),
            "{format}: {}",
            stderr(&output)
        );
    }
    // A file may have 4 blocks: the signal of the kernel would kill, as a user's would; ignored, writing fails.
    let out = world.path().join("out");
    let script = "trap '' XFSZ; ulimit -f 4 && exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_rolefit"),
            "fit",
            "sample-logs",
            "--snapshot",
            "sample-logs/snapshot",
            "--out-dir",
        ])
        .arg(&out)
        .current_dir(home())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("File too large"),
        "{}",
        stderr(&output)
    );
    assert!(
        !out.join("report.json").exists(),
        "what is not whole has no report"
    );
    whole_files(&out);
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Every file under its final name is whole; returns how many there are.
fn whole_files(out: &Path) -> usize {
    let mut files = Vec::new();
    walk(out, &mut files);
    files.retain(|file| file.extension().is_none_or(|end| end != "part"));
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.is_empty(), "{}", file.display());
        match file.extension().and_then(|end| end.to_str()) {
            Some("json") => {
                serde_json::from_str::<Value>(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            }
            Some("html") => assert!(text.trim_end().ends_with("</html>"), "{}", file.display()),
            _ => assert!(
                text.ends_with('\n') || file.ends_with("policy.diff"),
                "{}",
                file.display()
            ),
        }
    }
    files.len()
}

#[cfg(unix)]
#[test]
fn a_signal_at_any_moment_leaves_no_partial_file_looking_whole() {
    let rounds = if std::env::var_os("ROLEFIT_FULL").is_some() {
        60
    } else {
        4
    };
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(7);
    let start = std::time::Instant::now();
    let first = folder.path().join("whole");
    let arguments = |out: &Path| {
        let out = out.display().to_string();
        [
            "fit",
            "sample-logs",
            "--snapshot",
            "sample-logs/snapshot",
            "--out-dir",
            &out,
            "--no-progress",
        ]
        .map(str::to_owned)
    };
    assert_eq!(code(&rolefit(&arguments(&first))), 4);
    let span = usize::try_from(start.elapsed().as_micros()).unwrap();
    let all = whole_files(&first);
    let (mut killed, mut partly) = (0, 0);
    for round in 0..rounds {
        let out = folder.path().join(format!("out-{round}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_rolefit"))
            .args(arguments(&out))
            .current_dir(home())
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Most of the time goes into reading; the files are written at the end.
        let after = if round % 2 == 0 {
            dice.roll(span)
        } else {
            span * 9 / 10 + dice.roll(span / 5)
        };
        std::thread::sleep(Duration::from_micros(after as u64));
        let signal = if round % 3 == 0 { "-INT" } else { "-TERM" };
        let _ = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        let status = child.wait().unwrap();
        killed += usize::from(status.code() != Some(4));
        let files = whole_files(&out);
        let report = out.join("report.json").exists();
        partly += usize::from(files > 0 && !report);
        if report {
            assert!(
                files + 1 >= all,
                "the report is written when all else is: {files} of {all}"
            );
        }
        // Before the program listens for it the signal ends it, later it ends as a failure.
        let ended = matches!(status.code(), None | Some(1 | 4));
        assert!(ended, "{status}");
    }
    println!("{rounds} signals: {killed} ended the run, {partly} while it wrote");
    assert!(killed > 0, "some came in time");
}

/// A file that grows while it is read, one that shrinks, one that goes.
#[test]
fn files_that_change_are_read_as_they_were_or_fail() {
    let world = world();
    let (before, _) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(role(&before, "worker-role")["status"], "ready");
    let mut objects = Vec::new();
    walk(&world.path().join("AWSLogs"), &mut objects);
    objects.sort();
    struct Changing(Disk);
    impl Source for Changing {
        fn list(&self, observer: &dyn Observer) -> Listing {
            let listing = self.0.list(observer);
            for (at, object) in listing.objects.iter().enumerate() {
                let bytes = fs::read(&object.name).unwrap();
                match at {
                    0 => fs::remove_file(&object.name).unwrap(),
                    1 => fs::write(&object.name, &bytes[..bytes.len() / 2]).unwrap(),
                    2 => fs::write(&object.name, [bytes.clone(), bytes].concat()).unwrap(),
                    3 => fs::write(&object.name, [&bytes[..], b"more"].concat()).unwrap(),
                    _ => {}
                }
            }
            listing
        }

        fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
            self.0.open(object)
        }
    }
    let source = Changing(Disk::new(&[world.logs()], &[]).unwrap());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let read = scan(
        &source,
        &Selection::default(),
        Catalog::builtin(),
        &pool,
        &Silent,
    );
    assert_eq!(
        (
            read.objects.listed,
            read.objects.read,
            read.objects.failed.len()
        ),
        (6, 3, 3)
    );
    // Whole members behind each other are one log: the copies in it count once.
    assert_eq!(read.usage.records.duplicate, 21);
}
