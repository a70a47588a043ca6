//! Serves the folders of ROOT as buckets, on loopback: `serve_s3 ROOT PORT`. Prints its address and stays.

use std::path::Path;

use rolefit_aws_tests::{FakeS3, KEY_ID, SECRET};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, root, port] = arguments.as_slice() else {
        eprintln!("usage: serve_s3 ROOT PORT");
        std::process::exit(2);
    };
    let port = port.parse().expect("PORT is a number");
    let server = FakeS3::start_on(Path::new(root), port, |_| None);
    println!("{} {KEY_ID} {SECRET}", server.url);
    loop {
        std::thread::park();
    }
}
