//! Several claims, and several looks at the same test examples.

/// The level of the look with this number, from 1, at the same test examples: .04 for the first, and for
/// the others shares of .01 that add up to it.
pub fn alpha(look: u32) -> f64 {
    if look <= 1 {
        return 0.04;
    }
    let past = f64::from(look - 1);
    0.01 * 6.0 / (std::f64::consts::PI * std::f64::consts::PI * past * past)
}

/// The p-value of "all of these": the largest, which needs no correction (an intersection-union test,
/// Berger 1982). Nothing where one of them has none, or there are none.
pub fn largest(p_values: &[Option<f64>]) -> Option<f64> {
    let larger = |a: Option<f64>, b: &Option<f64>| Some(a?.max((*b)?));
    p_values.iter().skip(1).fold(*p_values.first()?, larger)
}
