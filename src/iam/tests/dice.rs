//! Chance that repeats exactly, for tests.

/// A xorshift generator; the seed is its state and must not be 0.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    /// One of several.
    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// How many random cases to try: few in every run, many with `ROLEFIT_FULL` in the environment.
pub(crate) fn rounds(quick: usize, full: usize) -> usize {
    if std::env::var_os("ROLEFIT_FULL").is_some() {
        full
    } else {
        quick
    }
}
