//! How many architectures there are: exactly, or as an estimate that says so.

use num_bigint::BigUint;

/// The number of architectures of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly this many.
    Exact(BigUint),
    /// A space under constraints that are beyond exact counting.
    Estimate(Estimate),
}

impl Count {
    /// The number, where it is exact.
    pub fn exact(&self) -> Option<&BigUint> {
        match self {
            Self::Exact(count) => Some(count),
            Self::Estimate(_) => None,
        }
    }

    /// Whether there is exactly one architecture.
    pub fn is_one(&self) -> bool {
        self.exact() == Some(&BigUint::from(1u8))
    }
}

/// A count by sampling: of `drawn` uniform draws from a space without its constraints, `admitted` met
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// How many architectures there are without the constraints, exactly.
    pub unconstrained: BigUint,
    /// Uniform draws made.
    pub drawn: u64,
    /// Draws that met the constraints: at least one.
    pub admitted: u64,
}

/// The standard normal's 97.5% quantile.
const Z: f64 = 1.959_963_984_540_054;

impl Estimate {
    /// The share of draws that met the constraints.
    pub fn acceptance_rate(&self) -> f64 {
        self.admitted as f64 / self.drawn as f64
    }

    /// The most likely count.
    pub fn likely(&self) -> BigUint {
        &self.unconstrained * self.admitted / self.drawn
    }

    /// The 95% confidence interval of the count (Wilson's score interval, 1927).
    pub fn interval(&self) -> (BigUint, BigUint) {
        let (n, p) = (self.drawn as f64, self.acceptance_rate());
        let centre = p + Z * Z / (2.0 * n);
        let spread = Z * libm::sqrt(p * (1.0 - p) / n + Z * Z / (4.0 * n * n));
        let bound = |share: f64| self.share(share / (1.0 + Z * Z / n));
        (bound(centre - spread), bound(centre + spread))
    }

    fn share(&self, share: f64) -> BigUint {
        const SCALE: f64 = (1u64 << 53) as f64;
        let parts = (share.clamp(0.0, 1.0) * SCALE) as u64;
        (&self.unconstrained * parts) >> 53u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        let estimate = Estimate {
            unconstrained: BigUint::from(10u8).pow(12),
            drawn: 100,
            admitted: 10,
        };
        assert_eq!(estimate.likely(), BigUint::from(10u8).pow(11));
        // SciPy 1.16: binomtest(10, 100).proportion_ci(method="wilson") = (0.0552291, 0.1743657).
        let (low, high) = estimate.interval();
        assert_eq!(low / BigUint::from(10_000_000u32), BigUint::from(5522u32));
        assert_eq!(high / BigUint::from(10_000_000u32), BigUint::from(17436u32));
    }
}
