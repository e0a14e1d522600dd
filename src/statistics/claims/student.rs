//! Student's distribution with any degrees of freedom.

use super::beta::regularised;

/// The probability that a number of Student's distribution with `freedom` degrees is further from 0 than `t`.
pub fn student_two_sided(freedom: f64, t: f64) -> f64 {
    let square = t * t;
    if square == 0.0 {
        return 1.0;
    }
    if square.is_infinite() {
        return 0.0;
    }
    let (x, y) = (freedom / (freedom + square), square / (freedom + square));
    regularised(x, y, 0.5 * freedom, 0.5)
}

/// The probability that a number of Student's distribution with `freedom` degrees is above `t`.
pub fn student_above(freedom: f64, t: f64) -> f64 {
    let tail = 0.5 * student_two_sided(freedom, t);
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// The number that Student's distribution with `freedom` degrees is below with probability `p`, by
/// bisection to the last bits.
pub fn student_quantile(p: f64, freedom: f64) -> f64 {
    if p < 0.5 {
        return -student_quantile(1.0 - p, freedom);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while student_above(freedom, high) > 1.0 - p && high < 1e18 {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if student_above(freedom, middle) > 1.0 - p {
            low = middle;
        } else {
            high = middle;
        }
    }
}
