//! The beta distribution.

use crate::statistics::Interval;

/// The most steps of the continued fraction; it needs about the root of the larger parameter.
const STEPS: u32 = 100_000;

/// The probability that a number of the beta distribution with `a` and `b` is below `x`: the regularised
/// incomplete beta function.
pub fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    regularised(x, 1.0 - x, a, b)
}

/// As [`beta_below`], with `y` = 1 - x given as exactly as it is known.
pub(super) fn regularised(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - front(y, x, b, a) * fraction(y, b, a);
    }
    front(x, y, a, b) * fraction(x, a, b)
}

/// x^a y^b / (a B(a, b)).
fn front(x: f64, y: f64, a: f64, b: f64) -> f64 {
    // A logarithm near 1 is exact only by the distance from it.
    let log = |value: f64, rest: f64| match value > 0.5 {
        true => libm::log1p(-rest),
        false => libm::log(value),
    };
    libm::exp(a * log(x, y) + b * log(y, x) - log_beta(a, b)) / a
}

/// The continued fraction of the incomplete beta function, by the method of Lentz (1976).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let held = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / held(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / held(1.0 + term * d);
            c = held(1.0 + term / c);
            change = c * d;
            result *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

/// The logarithm of the beta function.
fn log_beta(a: f64, b: f64) -> f64 {
    let (large, small) = if a < b { (b, a) } else { (a, b) };
    if large < 20.0 {
        return libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    }
    // Logarithms of two large gammas would cancel to the last bits; Stirling's series is subtracted by hand.
    let both = large + small;
    let difference = -(both - 0.5) * libm::log1p(small / large) - small * libm::log(large) + small;
    libm::lgamma(small) + difference + stirling(large) - stirling(both)
}

/// The rest of Stirling's series of the logarithm of gamma, for 20 and more.
fn stirling(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let inner = 1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0);
    (1.0 / 12.0 - square * (1.0 / 360.0 - square * inner)) / x
}

/// The number that one of the beta distribution is below with probability `p`, by bisection to the last bits.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_below(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The 95% interval of a probability by which `hits` of `of` trials came out, by Clopper and Pearson (1934).
pub fn clopper_pearson(hits: usize, of: usize) -> Interval {
    let (k, n) = (hits as f64, of as f64);
    Interval {
        low: match hits {
            0 => 0.0,
            _ => beta_quantile(0.025, k, n - k + 1.0),
        },
        high: match hits < of {
            false => 1.0,
            true => beta_quantile(0.975, k + 1.0, n - k),
        },
    }
}
