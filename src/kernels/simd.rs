//! Running a loop with the widest vectors that the processor has.

use pulp::Arch;

/// The path that this processor takes: `avx2+fma`, `neon` or `portable`. It decides the last bits of results.
pub fn path() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if let Arch::V3(_) = Arch::new() {
        return "avx2+fma";
    }
    #[cfg(target_arch = "aarch64")]
    if let Arch::Neon(_) = Arch::new() {
        return "neon";
    }
    let _ = Arch::new();
    "portable"
}

/// A product and a sum: rounded once where the processor has an instruction for it, and else twice.
pub(super) trait Arithmetic: Copy {
    /// `a b + c`.
    fn add_product(self, a: f32, b: f32, c: f32) -> f32;
}

/// Rounded once.
#[derive(Clone, Copy)]
pub(super) struct Fused;

/// Rounded twice.
#[derive(Clone, Copy)]
pub(super) struct Separate;

impl Arithmetic for Fused {
    #[inline(always)]
    fn add_product(self, a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl Arithmetic for Separate {
    #[inline(always)]
    fn add_product(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// A loop that is compiled for each path.
pub(super) trait Loop {
    /// Runs it. All it calls must be inlined.
    fn run<M: Arithmetic>(self, arithmetic: M);
}

/// Runs a loop on the processor's own path.
#[inline]
pub(super) fn vectorise<L: Loop>(work: L) {
    match Arch::new() {
        #[cfg(target_arch = "x86_64")]
        Arch::V3(simd) => simd.vectorize(With(work, Fused)),
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => work.run(Fused),
        _ => work.run(Separate),
    }
}

struct With<L, M>(L, M);

impl<L: Loop, M: Arithmetic> pulp::NullaryFnOnce for With<L, M> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run(self.1);
    }
}

/// A function whose loops are compiled once for each path; it runs the processor's own. All it calls must be inlined.
/// A first argument `m: impl Arithmetic` is given by the path and not by the caller.
macro_rules! vectorised {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident<$life:lifetime $(, $generic:ident: $bound:path)*>(
            $m:ident: impl Arithmetic, $($argument:ident: $ty:ty),* $(,)?
        ) $body:block
    ) => {
        $(#[$meta])*
        $visibility fn $name<$life $(, $generic: $bound)*>($($argument: $ty),*) {
            struct Work<$life $(, $generic)*> {
                life: std::marker::PhantomData<&$life ()>,
                $($argument: $ty),*
            }
            impl<$life $(, $generic: $bound)*> $crate::kernels::simd::Loop for Work<$life $(, $generic)*> {
                #[inline(always)]
                fn run<M: $crate::kernels::simd::Arithmetic>(self, $m: M) {
                    let Self { life: _, $($argument),* } = self;
                    $body
                }
            }
            let life = std::marker::PhantomData;
            $crate::kernels::simd::vectorise(Work { life, $($argument),* });
        }
    };
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident<$life:lifetime $(, $generic:ident: $bound:path)*>($($rest:tt)*) $body:block
    ) => {
        vectorised! {
            $(#[$meta])*
            $visibility fn $name<$life $(, $generic: $bound)*>(_m: impl Arithmetic, $($rest)*) $body
        }
    };
}
pub(super) use vectorised;
