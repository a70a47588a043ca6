//! Random numbers and names, the same for the same seed.

use std::io::Write;

/// Letters and digits, as in the names of log objects and in many ids.
pub(crate) const MIXED: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The letters of access keys and role ids.
pub(crate) const KEYS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Hexadecimal digits.
pub(crate) const HEX: &[u8; 16] = b"0123456789abcdef";

/// `xorshift64*`.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give neighbouring streams.
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// Where it stands, to derive others from.
    pub(crate) fn seed(&self) -> u64 {
        self.0
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// From 0 up to, not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `0..end`, the first far more often than the last.
    pub(crate) fn zipf(&mut self, end: u64) -> u64 {
        ((end as f64 + 1.0).powf(self.unit()) - 1.0) as u64
    }

    pub(crate) fn text(&mut self, length: usize, letters: &[u8]) -> String {
        let mut out = Vec::with_capacity(length);
        self.write(&mut out, length, letters);
        String::from_utf8_lossy(&out).into_owned()
    }

    pub(crate) fn write(&mut self, out: &mut Vec<u8>, length: usize, letters: &[u8]) {
        let (mut bits, mut left) = (0, 0);
        for _ in 0..length {
            if left == 0 {
                (bits, left) = (self.next(), 8);
            }
            out.push(letters[(bits as u8) as usize % letters.len()]);
            bits >>= 8;
            left -= 1;
        }
    }

    pub(crate) fn uuid(&mut self, out: &mut Vec<u8>) {
        for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
            if at > 0 {
                out.push(b'-');
            }
            self.write(out, length, HEX);
        }
    }

    pub(crate) fn number(&mut self, out: &mut Vec<u8>, end: u64) {
        let number = self.below(end);
        let _ = write!(out, "{number}");
    }
}
