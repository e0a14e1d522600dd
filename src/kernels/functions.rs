//! Functions of one value and their slopes, made of arithmetic alone so that loops over them are vectorised and
//! every platform computes the same.

use super::simd::Arithmetic;

/// A function of each value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pointwise {
    /// `x`.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` above zero, this much of it below.
    LeakyRelu(f32),
    /// `x` above zero, `alpha (exp(x) - 1)` below, all times a factor: alpha and the factor.
    Elu(f32, f32),
    /// `x` times the normal distribution's probability of less.
    Gelu,
    /// `gelu` by a tanh.
    GeluTanh,
    /// `x sigmoid(x)`.
    Silu,
    /// `x` times three straight lines.
    HardSwish,
    /// Three straight lines.
    HardSigmoid,
    /// `x tanh(log(1 + exp(x)))`.
    Mish,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

/// A function that loops are compiled for.
pub(super) trait Function: Copy {
    /// Whether its slope is nothing to compute twice.
    const CHEAP: bool;
    /// Its value.
    fn value<M: Arithmetic>(self, m: M, x: f32) -> f32;
    /// Its derivative.
    fn slope<M: Arithmetic>(self, m: M, x: f32) -> f32;
}

/// The same expression with the function's own type.
macro_rules! with_function {
    ($pointwise:expr, $f:ident => $body:expr) => {
        match $pointwise {
            Pointwise::Identity => {
                let $f = functions::Identity;
                $body
            }
            Pointwise::Relu => {
                let $f = functions::Relu;
                $body
            }
            Pointwise::Relu6 => {
                let $f = functions::Relu6;
                $body
            }
            Pointwise::LeakyRelu(slope) => {
                let $f = functions::LeakyRelu(slope);
                $body
            }
            Pointwise::Elu(alpha, factor) => {
                let $f = functions::Elu(alpha, factor);
                $body
            }
            Pointwise::Gelu => {
                let $f = functions::Gelu;
                $body
            }
            Pointwise::GeluTanh => {
                let $f = functions::GeluTanh;
                $body
            }
            Pointwise::Silu => {
                let $f = functions::Silu;
                $body
            }
            Pointwise::HardSwish => {
                let $f = functions::HardSwish;
                $body
            }
            Pointwise::HardSigmoid => {
                let $f = functions::HardSigmoid;
                $body
            }
            Pointwise::Mish => {
                let $f = functions::Mish;
                $body
            }
            Pointwise::Sigmoid => {
                let $f = functions::Sigmoid;
                $body
            }
            Pointwise::Tanh => {
                let $f = functions::Tanh;
                $body
            }
        }
    };
}
pub(super) use with_function;

macro_rules! functions {
    ($($cost:ident $name:ident $(($($field:ident: $ty:ty),*))?: |$m:ident, $x:ident| $value:expr, $slope:expr;)*) => {
        $(
            #[derive(Clone, Copy)]
            pub(super) struct $name $(($(pub $ty),*))?;
            impl Function for $name {
                const CHEAP: bool = $cost;
                #[inline(always)]
                fn value<M: Arithmetic>(self, $m: M, $x: f32) -> f32 {
                    let (Self $(($($field),*))?, _) = (self, $m);
                    $value
                }
                #[inline(always)]
                fn slope<M: Arithmetic>(self, $m: M, $x: f32) -> f32 {
                    let (Self $(($($field),*))?, _) = (self, $m);
                    $slope
                }
            }
        )*
    };
}

const CHEAP: bool = true;
const DEAR: bool = false;

functions! {
    CHEAP Identity: |m, x| x, { let _ = x; 1.0 };
    CHEAP Relu: |m, x| if x < 0.0 { 0.0 } else { x }, if x > 0.0 { 1.0 } else { 0.0 };
    CHEAP Relu6: |m, x| clamp(x, 0.0, 6.0), if x > 0.0 && x < 6.0 { 1.0 } else { 0.0 };
    DEAR Sigmoid: |m, x| sigmoid(m, x), { let s = sigmoid(m, x); s * (1.0 - s) };
    DEAR Tanh: |m, x| tanh(m, x), { let t = tanh(m, x); 1.0 - t * t };
    DEAR Silu: |m, x| x * sigmoid(m, x), { let s = sigmoid(m, x); s * m.add_product(x, 1.0 - s, 1.0) };
    DEAR Gelu: |m, x| x * normal(m, x), m.add_product(x, density(m, x), normal(m, x));
    DEAR GeluTanh: |m, x| 0.5 * x * (1.0 + tanh(m, gelu_inside(m, x))), {
        let t = tanh(m, gelu_inside(m, x));
        let inside = GELU * m.add_product(3.0 * CUBE * x, x, 1.0);
        0.5 * m.add_product(x * (1.0 - t * t), inside, 1.0 + t)
    };
    CHEAP HardSigmoid: |m, x| clamp(m.add_product(x, SIXTH, 0.5), 0.0, 1.0), if x > -3.0 && x < 3.0 { SIXTH } else { 0.0 };
    CHEAP HardSwish: |m, x| x * clamp(m.add_product(x, SIXTH, 0.5), 0.0, 1.0), {
        let inside = m.add_product(x, 2.0 * SIXTH, 0.5);
        if x < -3.0 { 0.0 } else if x > 3.0 { 1.0 } else { inside }
    };
    DEAR Mish: |m, x| x * mish_gate(m, x).0, { let (gate, slope) = mish_gate(m, x); m.add_product(x, slope, gate) };
    CHEAP LeakyRelu(slope: f32): |m, x| if x > 0.0 { x } else { slope * x }, if x > 0.0 { 1.0 } else { slope };
    DEAR Elu(alpha: f32, factor: f32): |m, x| factor * if x > 0.0 { x } else { alpha * expm1(m, x) },
        factor * if x > 0.0 { 1.0 } else { alpha * exp(m, x) };
}

const SIXTH: f32 = 1.0 / 6.0;
/// `sqrt(2 / pi)`.
const GELU: f32 = 0.797_884_6;
const CUBE: f32 = 0.044_715;

#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    // What is not a number stays what it is.
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

#[inline(always)]
fn gelu_inside<M: Arithmetic>(m: M, x: f32) -> f32 {
    GELU * x * m.add_product(CUBE * x, x, 1.0)
}

/// `tanh(softplus(x))` and its slope, by `e = exp(x)`.
#[inline(always)]
fn mish_gate<M: Arithmetic>(m: M, x: f32) -> (f32, f32) {
    let e = exp(m, if x > 20.0 { 20.0 } else { x });
    let n = e * (e + 2.0);
    let d = n + 2.0;
    (n / d, 4.0 * e * (e + 1.0) / (d * d))
}

/// The normal distribution's probability of less than `x`.
#[inline(always)]
fn normal<M: Arithmetic>(m: M, x: f32) -> f32 {
    0.5 * (1.0 + erf(m, x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The normal distribution's density.
#[inline(always)]
fn density<M: Arithmetic>(m: M, x: f32) -> f32 {
    0.398_942_3 * exp(m, -0.5 * x * x)
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(super) fn sigmoid<M: Arithmetic>(m: M, x: f32) -> f32 {
    1.0 / (1.0 + exp(m, -x))
}

/// The exponential, at least 1.2e-38 and at most 2.4e38: a power of two and a polynomial of the rest.
#[inline(always)]
pub(super) fn exp<M: Arithmetic>(m: M, x: f32) -> f32 {
    /// Adding it rounds to an integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = clamp(x, -87.0, 88.3);
    let shifted = m.add_product(x, std::f32::consts::LOG2_E, ROUND);
    let power = shifted - ROUND;
    // The logarithm of two in two parts, the first short enough to multiply exactly.
    let r = m.add_product(power, -0.693_359_4, x);
    let r = m.add_product(power, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    p = m.add_product(p, r, 1.398_199_9e-3);
    p = m.add_product(p, r, 8.333_452e-3);
    p = m.add_product(p, r, 4.166_579_6e-2);
    p = m.add_product(p, r, 1.666_666_5e-1);
    p = m.add_product(p, r, 0.5);
    let fraction = m.add_product(p * r, r, r) + 1.0;
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    fraction * f32::from_bits(exponent)
}

/// `exp(x) - 1` for `x <= 0`, exact where it is small.
#[inline(always)]
fn expm1<M: Arithmetic>(m: M, x: f32) -> f32 {
    let mut p = 1.0 / 720.0;
    for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        p = m.add_product(p, x, c);
    }
    if x > -0.3 { p * x } else { exp(m, x) - 1.0 }
}

/// The hyperbolic tangent as a quotient of polynomials.
#[inline(always)]
pub(super) fn tanh<M: Arithmetic>(m: M, x: f32) -> f32 {
    let x = clamp(x, -7.905_311, 7.905_311);
    let s = x * x;
    let mut p = -2.760_768_5e-16;
    for c in [
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_3e-5,
        6.372_619_4e-4,
        4.893_524_6e-3,
    ] {
        p = m.add_product(p, s, c);
    }
    let mut q = 1.198_258_4e-6;
    for c in [1.185_347e-4, 2.268_434_6e-3, 4.893_525e-3] {
        q = m.add_product(q, s, c);
    }
    x * p / q
}

/// The error function as a quotient of polynomials.
#[inline(always)]
fn erf<M: Arithmetic>(m: M, x: f32) -> f32 {
    let x = clamp(x, -4.0, 4.0);
    let s = x * x;
    let mut p = -2.726_142_3e-10;
    for c in [
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ] {
        p = m.add_product(p, s, c);
    }
    let mut q = -1.456_607_2e-5;
    for c in [
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329e-3,
        -1.426_473_9e-2,
    ] {
        q = m.add_product(q, s, c);
    }
    x * p / q
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Fused, Separate};
    use super::*;

    fn close(name: &str, ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, tolerance: f64) {
        for step in -12_000..=12_000 {
            let x = step as f32 / 1000.0;
            let (a, b) = (f64::from(ours(x)), exact(f64::from(x)));
            let scale = b.abs().max(1e-3);
            assert!(
                (a - b).abs() <= tolerance * scale,
                "{name}({x}) = {a}, not {b}"
            );
        }
    }

    #[test]
    fn functions_are_those_of_libm_to_a_few_last_bits() {
        check(Fused);
        check(Separate);
    }

    fn check<M: Arithmetic>(m: M) {
        close("exp", |x| exp(m, x), libm::exp, 5e-7);
        close("tanh", |x| tanh(m, x), libm::tanh, 5e-7);
        close("erf", |x| erf(m, x), libm::erf, 5e-7);
        let exact = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        close("sigmoid", |x| sigmoid(m, x), exact, 1e-6);
        let below = |x: f64| libm::expm1(x.min(0.0));
        close("expm1", |x| expm1(m, x.min(0.0)), below, 1e-6);
    }

    #[test]
    fn slopes_are_those_of_the_values() {
        let all = [
            Pointwise::Identity,
            Pointwise::Relu,
            Pointwise::Relu6,
            Pointwise::LeakyRelu(0.1),
            Pointwise::Elu(1.5, 1.1),
            Pointwise::Gelu,
            Pointwise::GeluTanh,
            Pointwise::Silu,
            Pointwise::HardSwish,
            Pointwise::HardSigmoid,
            Pointwise::Mish,
            Pointwise::Sigmoid,
            Pointwise::Tanh,
        ];
        use crate::kernels::functions;
        for pointwise in all {
            for step in -799..800 {
                let (x, h) = (step as f32 / 100.0 + 0.003, 1e-3f32);
                let kinks = [-3.0f32, 0.0, 3.0, 6.0];
                if kinks.iter().any(|kink| (x - kink).abs() <= 2.0 * h) {
                    continue;
                }
                let (slope, near) = with_function!(pointwise, f => (f.slope(Fused, x), (f.value(Fused, x + h) - f.value(Fused, x - h)) / (2.0 * h)));
                assert!(
                    (slope - near).abs() < 4e-3,
                    "{pointwise:?} at {x}: {slope}, not {near}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        use crate::kernels::functions;
        for pointwise in [
            Pointwise::Relu,
            Pointwise::Relu6,
            Pointwise::Silu,
            Pointwise::Gelu,
            Pointwise::Tanh,
            Pointwise::Mish,
        ] {
            assert!(
                with_function!(pointwise, f => f.value(Fused, f32::NAN)).is_nan(),
                "{pointwise:?}"
            );
        }
    }

    #[test]
    fn far_from_zero_nothing_overflows() {
        for x in [-1e30f32, -200.0, 200.0, 1e30] {
            assert!(
                exp(Fused, x).is_finite()
                    && tanh(Fused, x).is_finite()
                    && erf(Fused, x).is_finite()
                    && sigmoid(Fused, x).is_finite()
            );
        }
    }
}
