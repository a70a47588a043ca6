//! What the steps of reading cost in instructions, over the sample logs held in memory: inflating alone,
//! passing over every record, taking every record apart, and counting them all in a usage table. valgrind
//! knows AVX2 and not AVX-512, so the counts are those of the narrower way.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use gungraun::{library_benchmark, library_benchmark_group, main};
use rolefit::catalog::Catalog;
use rolefit::read::Selection;
use rolefit::trail::container::Sink;
use rolefit::trail::inflate::Inflate;
use rolefit::trail::{Decoder, Dedupe, Glance, Record};
use rolefit::usage::{Collector, Usage};

/// The log objects of the samples, gzipped.
fn samples() -> Vec<Vec<u8>> {
    fn visit(path: &Path, objects: &mut Vec<Vec<u8>>) {
        match fs::read_dir(path) {
            Ok(entries) => {
                let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
                paths.sort();
                paths.iter().for_each(|path| visit(path, objects));
            }
            Err(_) => objects.push(fs::read(path).unwrap()),
        }
    }
    let mut objects = Vec::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-logs/AWSLogs");
    visit(&samples, &mut objects);
    assert!(!objects.is_empty());
    objects
}

#[library_benchmark]
#[bench::samples(samples())]
fn inflate(objects: Vec<Vec<u8>>) -> u64 {
    let mut window = vec![0; 256 * 1024];
    let mut buffers = Inflate::new(std::io::empty());
    let mut total = 0;
    for object in &objects {
        let mut inflate = buffers.restart(object.as_slice());
        while let Ok(1..) = inflate.read(&mut window) {}
        total += inflate.inflated();
        buffers = inflate.restart(std::io::empty());
    }
    black_box(total)
}

#[library_benchmark]
#[bench::samples(samples())]
fn pass_over(objects: Vec<Vec<u8>>) -> u64 {
    struct Enough;
    impl Sink for Enough {
        fn glance(&mut self, _: &Glance<'_>) -> bool {
            true
        }
        fn record(&mut self, _: &Record<'_>, _: &[u8]) {}
    }
    let mut decoder = Decoder::new();
    let outcomes = objects.iter().map(|object| {
        let outcome = decoder.records_into(object.as_slice(), &mut Enough);
        outcome.records
    });
    black_box(outcomes.sum())
}

#[library_benchmark]
#[bench::samples(samples())]
fn take_apart(objects: Vec<Vec<u8>>) -> usize {
    let mut decoder = Decoder::new();
    let mut total = 0;
    for object in &objects {
        decoder.records(object.as_slice(), |record, _| total += record.event_name.len());
    }
    black_box(total)
}

#[library_benchmark]
#[bench::samples(samples())]
fn count(objects: Vec<Vec<u8>>) -> Usage {
    let (selection, dedupe) = (Selection::default(), Dedupe::new(1 << 16, true));
    let mut collector = Collector::new(Catalog::builtin(), &selection, &dedupe);
    let mut decoder = Decoder::new();
    for object in &objects {
        decoder.records_into(object.as_slice(), &mut collector);
    }
    black_box(collector.finish())
}

library_benchmark_group!(
    name = reading;
    benchmarks = inflate, pass_over, take_apart, count
);
main!(library_benchmark_groups = reading);
