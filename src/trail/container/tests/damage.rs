//! Broken, cut, hostile.

use super::*;

#[test]
fn a_broken_tail_keeps_what_came_before() {
    let (a, b) = (record("A"), record("B"));
    for text in [
        format!(r#"{{"Records":[{a},{b}"#),
        format!(r#"{{"Records":[{a},{b}]"#),
        format!(r#"{{"Records":[{a},{b},{{"eventSource":"#),
        format!(r#"[{a},{b},"eventSou"#),
        format!("{a}{b}{{"),
    ] {
        check(&text, &["A", "B"], "failed: ends in the middle of a record");
    }
    let text = format!("{a}\n{b}\n<html>");
    let (names, outcome) = read(text.as_bytes());
    assert_eq!(names, ["A", "B"]);
    assert_eq!(
        describe(&outcome),
        format!("failed: not valid JSON at byte {}", text.len() - 6)
    );
    let text = format!(r#"{{"Records":[{a},{b},@"#);
    assert_eq!(
        describe(&read(text.as_bytes()).1),
        format!("failed: not valid JSON at byte {}", text.len() - 1)
    );
}

#[test]
fn emptiness() {
    assert_eq!(describe(&read(b"").1), "failed: empty file");
    assert_eq!(describe(&read(b" \n").1), "failed: empty file");
    assert_eq!(
        describe(&read(&gzip(b"")).1),
        "failed: empty file",
        "CloudTrail delivers a list of records, if an empty one"
    );
    assert_eq!(describe(&read(&gzip(br#"{"Records":[]}"#)).1), "read");
}

#[test]
fn gzip_of_one_or_more_members_with_every_header_field() {
    let (a, b) = (format!("[{}", record("A")), format!(",{}]", record("B")));
    let mut two = gzip(a.as_bytes());
    two.extend(gzip(b.as_bytes()));
    assert_eq!(read(&two).0, ["A", "B"]);
    two.extend([0; 512]);
    assert_eq!(
        describe(&read(&two).1),
        "read",
        "padding with zeros is no damage"
    );

    let mut encoder = flate2::GzBuilder::new()
        .extra(vec![1, 2, 3])
        .filename("x.json")
        .comment("c")
        .mtime(7)
        .write(Vec::new(), Compression::best());
    encoder
        .write_all(record("A").to_string().as_bytes())
        .unwrap();
    assert_eq!(read(&encoder.finish().unwrap()).0, ["A"]);
}

#[test]
fn damaged_gzip_says_how() {
    let file = json!({"Records": [record("A"), record("B")]}).to_string();
    let sound = gzip(file.as_bytes());
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        let (names, outcome) = read(&bytes);
        (names.len(), describe(&outcome))
    };
    let end = sound.len();
    assert_eq!(
        with(&|bytes| bytes[end - 8] ^= 1),
        (2, "failed: gzip checksum does not fit the data".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[end - 1] ^= 1),
        (2, "failed: gzip checksum does not fit the data".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes.extend(b"garbage")),
        (2, "failed: bytes after the end of the gzip data".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes.extend(b"\x1f\x8b")),
        (2, "failed: gzip ends early".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[2] = 9),
        (0, "failed: gzip header is damaged".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[3] = 0x80),
        (0, "failed: gzip header is damaged".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[10] = 0xff),
        (0, "failed: gzip data is damaged".to_owned())
    );
}

#[test]
fn other_compressions_are_named() {
    for (bytes, name) in [
        (&b"\x28\xb5\x2f\xfd0000"[..], "zstd"),
        (b"BZh91AY", "bzip2"),
        (b"PK\x03\x040000", "zip"),
    ] {
        assert_eq!(
            describe(&read(bytes).1),
            format!("failed: compressed with {name}: only gzip and plain text are read")
        );
    }
}

#[test]
fn cut_anywhere_gzip_gives_whole_records_and_a_failure() {
    let all: Vec<String> = (0..5).map(|n| format!("Event{n}")).collect();
    let file =
        json!({"Records": all.iter().map(|name| record(name)).collect::<Vec<_>>()}).to_string();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(file.as_bytes()).unwrap();
    let mut most = 0;
    for sound in [gzip(file.as_bytes()), encoder.finish().unwrap()] {
        for cut in 0..sound.len() {
            let (names, outcome) = read(&sound[..cut]);
            assert_eq!(names, all[..names.len()], "cut at {cut}");
            assert_eq!(outcome.undecodable, 0, "cut at {cut}");
            // One byte is not yet recognisable as gzip.
            assert!(!matches!(outcome.status, Status::Read), "cut at {cut}");
            assert!(
                cut < 2
                    || matches!(
                        outcome.status,
                        Status::Failed(Failure::Inflate(InflateError::Truncated))
                    ),
                "cut at {cut}"
            );
            if cut + 9 < sound.len() {
                most = most.max(names.len());
            }
        }
        assert_eq!(read(&sound).0, all);
    }
    assert!(most >= 4, "some cuts left records before them");
}

#[test]
fn nesting_a_hundred_thousand_deep_is_no_danger() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let (lists, objects) = (
        deep("[", "]"),
        format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
    );
    for bomb in [&lists, &objects] {
        let with = format!(
            r#"{{"Records":[{{"eventSource":"s","eventName":"A","requestParameters":{bomb},"x":{bomb}}},{bomb},{}]}}"#,
            record("B")
        );
        assert_eq!(read(with.as_bytes()).0, ["A", "B"]);
        assert!(matches!(
            read(bomb.as_bytes()).1.status,
            Status::Skipped(Skip::OtherJson)
        ));
        assert!(matches!(
            read(&bomb.as_bytes()[..bomb.len() - 1]).1.status,
            Status::Failed(Failure::Cut)
        ));
    }
    let wrapped = format!(
        "{}{}{}",
        "{\"Records\":[".repeat(5_000),
        record("A"),
        "]}".repeat(5_000)
    );
    assert_eq!(
        describe(&read(wrapped.as_bytes()).1),
        "skipped: JSON, but not CloudTrail's, other 1"
    );
    let detail = format!(
        "{}{}{}",
        "{\"detail\":".repeat(5_000),
        record("A"),
        "}".repeat(5_000)
    );
    assert!(read(detail.as_bytes()).0.is_empty());
}

#[test]
fn a_record_longer_than_memory_allows_fails_and_keeps_what_came_before() {
    let long = format!(
        r#"{{"Records":[{},{{"eventSource":"s","eventName":"B","x":"{}"}}]}}"#,
        record("A"),
        "x".repeat(3000)
    );
    let mut names = Vec::new();
    let outcome = Decoder::new().records_within(
        long.as_bytes(),
        3000,
        &mut each(|record, _| {
            names.push(record.event_name.to_string());
        }),
    );
    assert_eq!(names, ["A"]);
    assert!(matches!(outcome.status, Status::Failed(Failure::TooLong)));
    assert_eq!(
        Decoder::new()
            .records_within(long.as_bytes(), 3100, &mut each(|_, _| ()))
            .records,
        2
    );
}

#[test]
fn a_stream_far_longer_than_the_window_needs_no_more_memory() {
    let mut file = String::from(r#"{"Records":["#);
    for n in 0..3000 {
        file += &format!("{},", record(&format!("Event{n}")));
    }
    file += &format!("{}]}}", record("Last"));
    let mut count = 0;
    let outcome = Decoder::new().records_within(
        gzip(file.as_bytes()).as_slice(),
        1000,
        &mut each(|_, _| count += 1),
    );
    assert_eq!((count, describe(&outcome).as_str()), (3001, "read"));
}

#[test]
fn a_stream_that_swells_as_no_log_does_is_stopped() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..300 {
        encoder.write_all(&zeros).unwrap();
    }
    let outcome = read(&encoder.finish().unwrap()).1;
    assert_eq!(
        describe(&outcome),
        "failed: inflates to more than 400 times its size (--max-ratio)"
    );
}

#[test]
fn an_input_that_breaks_keeps_what_came_before() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let start = format!(r#"{{"Records":[{},"#, record("A"));
    let mut count = 0;
    let outcome = records(start.as_bytes().chain(Broken), |_, _| count += 1);
    assert_eq!(
        (count, describe(&outcome).as_str()),
        (1, "failed: read failed: gone")
    );
}

#[test]
fn the_place_of_the_damage_counts_from_the_start_of_the_stream() {
    let good = record("A").to_string();
    let text = format!("{}@", good.repeat(5000));
    let outcome = read(text.as_bytes()).1;
    assert_eq!(
        describe(&outcome),
        format!("failed: not valid JSON at byte {}", text.len() - 1)
    );
}
