//! Writes a trail to measure with: `make_trail FOLDER [NAME=VALUE …]`, the same bytes for the same arguments.
//!
//! | name | default | what it sets |
//! |---|---|---|
//! | `seed` | 1 | every random choice |
//! | `files` | 250 | log objects |
//! | `least`, `most` | 500, 20000 | records per object, log-uniform |
//! | `assumed` | 85 | percent of records made by sessions of roles |
//! | `lambda` | 85 | percent of records made by execution roles of Lambda |
//! | `roles` | 200 | execution roles, three accounts together; beside them 60 others |
//! | `days` | 30 | the window |
//! | `copies` | 0 | percent of objects delivered a second time, as by a second trail |
//! | `start` | 0 | first object's number: parts made apart add up to one trail |
//!
//! FOLDER/logs holds the trail under the names CloudTrail gives, FOLDER/snapshot what `fit` needs.
//! Shapes are those of real records (key order, forms of Lambda's calls); sizes, Zipf shares of calls and
//! the share of never-seen S3 keys are declared in `words.rs`.

mod random;
mod record;
mod snapshot;
mod words;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use random::Random;
use record::Writer;
use words::World;

/// 2026-09-01T00:00:00Z.
const START: i64 = 1_788_220_800;

/// The arguments.
#[derive(Clone, Copy)]
struct Options {
    seed: u64,
    files: u64,
    least: u64,
    most: u64,
    assumed: u64,
    lambda: u64,
    roles: u64,
    days: u64,
    copies: u64,
    start: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("make_trail FOLDER [NAME=VALUE …]")?;
    let mut options = Options {
        seed: 1,
        files: 250,
        least: 500,
        most: 20_000,
        assumed: 85,
        lambda: 85,
        roles: 200,
        days: 30,
        copies: 0,
        start: 0,
    };
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or("NAME=VALUE is wanted")?;
        let value: u64 = value.parse()?;
        match name {
            "seed" => options.seed = value,
            "files" => options.files = value,
            "least" => options.least = value.max(1),
            "most" => options.most = value.max(1),
            "assumed" => options.assumed = value.min(100),
            "lambda" => options.lambda = value.min(100),
            "roles" => options.roles = value.max(3),
            "days" => options.days = value.max(1),
            "copies" => options.copies = value.min(100),
            "start" => options.start = value,
            _ => return Err(format!("no such name: {name}").into()),
        }
    }
    let folder = Path::new(&folder);
    let world = World::new(options.seed, options.roles);
    snapshot::write(&folder.join("snapshot"), &world)?;
    let next = AtomicU64::new(0);
    let totals = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> std::io::Result<()> {
                    loop {
                        let file = next.fetch_add(1, Ordering::Relaxed);
                        if file >= options.files {
                            return Ok(());
                        }
                        let made = object(&options, &world, folder, file)?;
                        for (total, made) in totals.iter().zip(made) {
                            total.fetch_add(made, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| "a worker panicked")??;
        }
        Ok(())
    })?;
    let [records, raw, gz] = totals.map(AtomicU64::into_inner);
    #[expect(clippy::print_stdout, reason = "an example's result")]
    {
        println!(
            "records={records} gz={gz} raw={raw} ratio={:.2} mean={}",
            raw as f64 / gz.max(1) as f64,
            raw / records.max(1)
        );
    }
    Ok(())
}

/// Writes one log object; gives its records, raw bytes and stored bytes.
fn object(options: &Options, world: &World, folder: &Path, file: u64) -> std::io::Result<[u64; 3]> {
    let mut random = Random::new(options.seed ^ (options.start + file).wrapping_mul(0x9e37_79b9));
    let (least, most) = (options.least as f64, options.most.max(options.least) as f64);
    let records = (least * (most / least).powf(random.unit())).round() as u64;
    let place = &world.places[random.below(world.places.len() as u64) as usize];
    let span = options.days * 86_400;
    let at = START + (span * file / options.files.max(1)) as i64;
    let mut writer = Writer::new(world, place, options.assumed, options.lambda, at, records);
    let text = writer.object(&mut random, records);
    let mut gz = GzEncoder::new(Vec::with_capacity(text.len() / 6), Compression::new(6));
    gz.write_all(text)?;
    let gz = gz.finish()?;
    let stamp = words::time(at + 600);
    let (year, month, day) = (&stamp[..4], &stamp[5..7], &stamp[8..10]);
    let (account, region) = (&place.account, &place.region);
    let logs = folder.join(format!(
        "logs/AWSLogs/{account}/CloudTrail/{region}/{year}/{month}/{day}"
    ));
    fs::create_dir_all(&logs)?;
    let copies = 1 + u64::from(random.below(100) < options.copies);
    for _ in 0..copies {
        let clock = stamp[11..16].replace(':', "");
        let unique = random.text(16, random::MIXED);
        let name =
            format!("{account}_CloudTrail_{region}_{year}{month}{day}T{clock}Z_{unique}.json.gz");
        fs::write(logs.join(name), &gz)?;
    }
    Ok([
        records * copies,
        text.len() as u64 * copies,
        gz.len() as u64 * copies,
    ])
}
