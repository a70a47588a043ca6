//! The corpus of the fuzz targets: what long runs of `scripts/fuzz` found worth keeping, run with every test.

use std::fs;

use crate::program::home;

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    clippy::expect_used,
    reason = "a target that cannot go on has found something"
)]
#[expect(unreachable_pub, reason = "it is a crate of its own elsewhere")]
mod targets;

#[test]
fn the_corpus_of_every_target_holds() {
    for (name, target) in targets::TARGETS {
        let folder = home().join("fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            target(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 3, "{name} has a corpus: {inputs}");
    }
}
