//! A generator of random numbers that gives the same ones for the same seed, for ever and on every
//! machine, which no library promises. It is no source of secrets.

/// xoshiro256++ (Blackman & Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021), seeded
/// by SplitMix64 as its authors advise.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut split_mix = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Self([split_mix(), split_mix(), split_mix(), split_mix()])
    }

    /// The generator's next 64 bits, each of them uniform.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1).
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `p`.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform from 0 to `n - 1`; 0 for `n` = 0. The bias of the multiplication is below 2^-32 for
    /// `n` < 2^32.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Exponentially distributed with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Puts the items in a random order, each order equally likely (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut rng = Rng::new(2014);
        let first: Vec<u64> = (0..3).map(|_| rng.bits()).collect();
        assert_eq!(
            first,
            [14_412_750_752_135_708_724, 1_970_104_489_111_500_680, 2_191_885_889_410_271_186]
        );
    }

    #[test]
    fn probabilities_and_means_are_as_asked_for() {
        let mut rng = Rng::new(1);
        let n = 100_000;
        let ones = (0..n).filter(|_| rng.chance(0.02)).count();
        assert!((1850..2150).contains(&ones), "{ones}");
        let mean = (0..n).map(|_| rng.exponential(3.0)).sum::<f64>() / f64::from(n);
        assert!((2.95..3.05).contains(&mean), "{mean}");
    }
}
