//! The characters that give JSON its structure, 64 bytes at a time: a block in, a bit for each byte out.
//!
//! This is the one module with `unsafe`: the calls into code for AVX2 and AVX-512 after the processor was asked
//! for them, their loads, and a hint to the cache. Every other processor does it with plain arithmetic; a test holds both ways to the
//! same answer.

/// Bytes looked at together.
pub(super) const BLOCK: usize = 64;
/// Bytes of a string looked at together.
pub(super) const CHUNK: usize = 32;

/// Where the characters of interest are: bit n stands for byte n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quote: u64,
    pub(super) backslash: u64,
    /// `{` and `[`.
    pub(super) open: u64,
    /// `}` and `]`.
    pub(super) close: u64,
    pub(super) colon: u64,
    pub(super) comma: u64,
    /// Below space: none of these may be in a string.
    pub(super) control: u64,
    /// Not ASCII.
    pub(super) high: u64,
}

/// A way to find them.
pub(super) trait Way {
    fn masks(block: &[u8; BLOCK]) -> Masks;
    /// Where the quotes are, and where what is not plain in a string: a backslash, a byte below space or
    /// one that is not ASCII.
    fn text(chunk: &[u8; CHUNK]) -> (u32, u32);
    /// Bit n: whether an odd number of bits up to and with n is set.
    fn parity(bits: u64) -> u64;
}

/// Plain arithmetic on words of eight bytes.
pub(super) struct Plain;

impl Way for Plain {
    #[inline(always)]
    fn masks(block: &[u8; BLOCK]) -> Masks {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        // The high bit of each byte that is zero.
        let zeros = |word: u64| !(((word & LOW) + LOW) | word | LOW);
        // High bits to eight bits in the order of the bytes.
        let gather = |high: u64| ((high >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56;
        let mut masks = Masks::default();
        for (at, chunk) in block.chunks_exact(8).enumerate() {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            let is = |byte: u8| gather(zeros(word ^ (ONES * u64::from(byte)))) << (8 * at);
            let folded = word | (ONES * 0x20);
            let is_folded = |byte: u8| gather(zeros(folded ^ (ONES * u64::from(byte)))) << (8 * at);
            masks.quote |= is(b'"');
            masks.backslash |= is(b'\\');
            masks.open |= is_folded(b'{');
            masks.close |= is_folded(b'}');
            masks.colon |= is(b':');
            masks.comma |= is(b',');
            masks.control |= gather(zeros(word & (ONES * 0xe0))) << (8 * at);
            masks.high |= gather(word & !LOW) << (8 * at);
        }
        masks
    }

    #[inline(always)]
    fn text(chunk: &[u8; CHUNK]) -> (u32, u32) {
        let (mut quotes, mut odd) = (0, 0);
        for (at, byte) in chunk.iter().enumerate() {
            quotes |= u32::from(*byte == b'"') << at;
            odd |= u32::from(*byte == b'\\' || !(0x20..0x80).contains(byte)) << at;
        }
        (quotes, odd)
    }

    #[inline(always)]
    fn parity(mut bits: u64) -> u64 {
        for step in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << step;
        }
        bits
    }
}

/// Work that can be done in any way.
pub(super) trait Task {
    /// What comes of it.
    type Output;

    /// Does it; must be `#[inline(always)]`, so that it is compiled for the instructions of its caller.
    fn run<W: Way>(self) -> Self::Output;
}

/// Does `task` in the fastest way that this processor has.
#[inline]
pub(super) fn fastest<T: Task>(task: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    {
        x86::fastest(task)
    }
    #[cfg(not(target_arch = "x86_64"))]
    task.run::<Plain>()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_min_epu8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask,
        _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512,
        _mm512_set1_epi8,
    };

    use std::sync::LazyLock;

    use super::{BLOCK, CHUNK, Masks, Plain, Task, Way};

    /// With AVX2 and the carry-less multiplication. Private: only `fastest` may use it.
    struct Avx2;

    impl Way for Avx2 {
        #[inline(always)]
        fn masks(block: &[u8; BLOCK]) -> Masks {
            #[expect(unsafe_code, reason = "used by `fastest` alone, which asked for AVX2")]
            // SAFETY: see the reason above.
            unsafe {
                masks(block)
            }
        }

        #[inline(always)]
        fn text(chunk: &[u8; CHUNK]) -> (u32, u32) {
            #[expect(unsafe_code, reason = "used by `fastest` alone, which asked for AVX2")]
            // SAFETY: see the reason above.
            unsafe {
                text(chunk)
            }
        }

        #[inline(always)]
        fn parity(bits: u64) -> u64 {
            #[expect(unsafe_code, reason = "used by `fastest` alone, which asked for it")]
            // SAFETY: see the reason above.
            unsafe {
                parity(bits)
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn masks(block: &[u8; BLOCK]) -> Masks {
        let (low, high) = block.split_at(32);
        #[expect(
            unsafe_code,
            reason = "both halves have 32 bytes; no alignment is asked for"
        )]
        // SAFETY: see the reason above.
        let (low, high): (__m256i, __m256i) = unsafe {
            (
                _mm256_loadu_si256(low.as_ptr().cast()),
                _mm256_loadu_si256(high.as_ptr().cast()),
            )
        };
        let bits = |low: __m256i, high: __m256i| {
            u64::from(_mm256_movemask_epi8(low).cast_unsigned())
                | u64::from(_mm256_movemask_epi8(high).cast_unsigned()) << 32
        };
        let is = |low: __m256i, high: __m256i, byte: u8| {
            let byte = _mm256_set1_epi8(byte.cast_signed());
            bits(_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte))
        };
        let space = _mm256_set1_epi8(0x20);
        let (low_folded, high_folded) = (_mm256_or_si256(low, space), _mm256_or_si256(high, space));
        let last = _mm256_set1_epi8(0x1f);
        Masks {
            quote: is(low, high, b'"'),
            backslash: is(low, high, b'\\'),
            open: is(low_folded, high_folded, b'{'),
            close: is(low_folded, high_folded, b'}'),
            colon: is(low, high, b':'),
            comma: is(low, high, b','),
            control: bits(
                _mm256_cmpeq_epi8(_mm256_min_epu8(low, last), low),
                _mm256_cmpeq_epi8(_mm256_min_epu8(high, last), high),
            ),
            high: bits(low, high),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn text(chunk: &[u8; CHUNK]) -> (u32, u32) {
        #[expect(
            unsafe_code,
            reason = "a chunk has 32 bytes; no alignment is asked for"
        )]
        // SAFETY: see the reason above.
        let chunk: __m256i = unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) };
        let is = |byte: u8| _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8(byte.cast_signed()));
        // As signed bytes, what is below space or not ASCII is less than space.
        let odd = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), chunk);
        let odd = _mm256_or_si256(odd, is(b'\\'));
        (
            _mm256_movemask_epi8(is(b'"')).cast_unsigned(),
            _mm256_movemask_epi8(odd).cast_unsigned(),
        )
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn parity(bits: u64) -> u64 {
        let all = _mm_set1_epi8(-1);
        let bits = _mm_set_epi64x(0, bits.cast_signed());
        _mm_cvtsi128_si64(_mm_clmulepi64_si128(bits, all, 0)).cast_unsigned()
    }

    /// With 64 bytes in one register. Private: only `fastest` may use it.
    struct Avx512;

    impl Way for Avx512 {
        #[inline(always)]
        fn masks(block: &[u8; BLOCK]) -> Masks {
            #[expect(
                unsafe_code,
                reason = "used by `inside` alone, after AVX-512 was asked for"
            )]
            // SAFETY: see the reason above.
            unsafe {
                wide_masks(block)
            }
        }

        #[inline(always)]
        fn text(chunk: &[u8; CHUNK]) -> (u32, u32) {
            Avx2::text(chunk)
        }

        #[inline(always)]
        fn parity(bits: u64) -> u64 {
            Avx2::parity(bits)
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn wide_masks(block: &[u8; BLOCK]) -> Masks {
        #[expect(
            unsafe_code,
            reason = "a block has 64 bytes; no alignment is asked for"
        )]
        // SAFETY: see the reason above.
        let all: __m512i = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        let byte = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let folded = _mm512_or_si512(all, byte(0x20));
        Masks {
            quote: _mm512_cmpeq_epi8_mask(all, byte(b'"')),
            backslash: _mm512_cmpeq_epi8_mask(all, byte(b'\\')),
            open: _mm512_cmpeq_epi8_mask(folded, byte(b'{')),
            close: _mm512_cmpeq_epi8_mask(folded, byte(b'}')),
            colon: _mm512_cmpeq_epi8_mask(all, byte(b':')),
            comma: _mm512_cmpeq_epi8_mask(all, byte(b',')),
            control: _mm512_cmplt_epu8_mask(all, byte(0x20)),
            high: _mm512_movepi8_mask(all),
        }
    }

    /// What this processor has, from the least to the most.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(super) enum Level {
        Plain,
        Avx2,
        Avx512,
    }

    pub(super) static LEVEL: LazyLock<Level> = LazyLock::new(|| {
        let avx2 = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("pclmulqdq");
        let avx512 = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw");
        match (avx2, avx512) {
            (true, true) => Level::Avx512,
            (true, false) => Level::Avx2,
            _ => Level::Plain,
        }
    });

    #[inline]
    pub(super) fn fastest<T: Task>(task: T) -> T::Output {
        at(*LEVEL, task)
    }

    /// Does `task` with what `level` stands for, or with what this processor has if that is less.
    #[inline]
    pub(super) fn at<T: Task>(level: Level, task: T) -> T::Output {
        #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
        fn narrow<T: Task>(task: T) -> T::Output {
            task.run::<Avx2>()
        }
        #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq,avx512f,avx512bw")]
        fn wide<T: Task>(task: T) -> T::Output {
            task.run::<Avx512>()
        }
        match level.min(*LEVEL) {
            Level::Plain => task.run::<Plain>(),
            #[expect(
                unsafe_code,
                reason = "the processor was asked for every one of these instructions"
            )]
            // SAFETY: see the reason above.
            Level::Avx2 => unsafe { narrow(task) },
            #[expect(
                unsafe_code,
                reason = "the processor was asked for every one of these instructions"
            )]
            // SAFETY: see the reason above.
            Level::Avx512 => unsafe { wide(task) },
        }
    }
}

/// Does `task` in every way that this processor has.
#[cfg(test)]
pub(super) fn in_every_way<T: Task + Clone>(task: &T) -> Vec<T::Output> {
    #[cfg(target_arch = "x86_64")]
    {
        use x86::Level::{Avx2, Avx512, Plain};
        let levels = [Plain, Avx2, Avx512].into_iter();
        levels.map(|level| x86::at(level, task.clone())).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    vec![task.clone().run::<Plain>()]
}

/// Asks for the cache line of a place, where the processor can be asked.
#[inline]
pub(in super::super) fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a hint, and of a place that is there")]
    // SAFETY: see the reason above.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(block: &[u8; BLOCK]) -> Masks {
        let of = |is: &dyn Fn(u8) -> bool| {
            (0..BLOCK).fold(0, |bits, at| bits | u64::from(is(block[at])) << at)
        };
        Masks {
            quote: of(&|b| b == b'"'),
            backslash: of(&|b| b == b'\\'),
            open: of(&|b| matches!(b, b'{' | b'[')),
            close: of(&|b| matches!(b, b'}' | b']')),
            colon: of(&|b| b == b':'),
            comma: of(&|b| b == b','),
            control: of(&|b| b < 0x20),
            high: of(&|b| b >= 0x80),
        }
    }

    fn ways() -> usize {
        if cfg!(target_arch = "x86_64") { 3 } else { 1 }
    }

    #[derive(Clone)]
    struct Look<'b>(&'b [u8; BLOCK]);

    impl Task for Look<'_> {
        type Output = Masks;

        #[inline(always)]
        fn run<W: Way>(self) -> Masks {
            W::masks(self.0)
        }
    }

    #[derive(Clone)]
    struct Parity(u64);

    impl Task for Parity {
        type Output = u64;

        #[inline(always)]
        fn run<W: Way>(self) -> u64 {
            W::parity(self.0)
        }
    }

    #[derive(Clone)]
    struct Text<'b>(&'b [u8; CHUNK]);

    impl Task for Text<'_> {
        type Output = (u32, u32);

        #[inline(always)]
        fn run<W: Way>(self) -> (u32, u32) {
            W::text(self.0)
        }
    }

    fn check(block: &[u8; BLOCK]) {
        for chunk in block.as_chunks::<CHUNK>().0 {
            let of = |is: &dyn Fn(u8) -> bool| {
                (0..CHUNK).fold(0, |bits, at| bits | u32::from(is(chunk[at])) << at)
            };
            let slow = (
                of(&|b| b == b'"'),
                of(&|b| b == b'\\' || !(0x20..0x80).contains(&b)),
            );
            assert_eq!(in_every_way(&Text(chunk)), [slow; 3][..ways()]);
        }
        assert_eq!(in_every_way(&Look(block)), [slow(block); 3][..ways()]);
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=255 {
            check(&[byte; BLOCK]);
            for at in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[at] = byte;
                check(&block);
            }
        }
    }

    proptest! {
        #[test]
        fn any_block(block in prop::collection::vec(any::<u8>(), BLOCK)) {
            check(&block.try_into().unwrap());
        }

        #[test]
        fn parity_is_the_same_in_all_ways(bits in any::<u64>()) {
            let slow = (0..64).fold(0, |out, at| {
                out | u64::from((bits << (63 - at)).count_ones() % 2) << at
            });
            prop_assert_eq!(in_every_way(&Parity(bits)), [slow; 3][..ways()].to_vec());
        }
    }
}
