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

/// A function that is compiled once for each path and runs the processor's own. All it calls must be inlined.
macro_rules! vectorised {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident<$life:lifetime $(, $generic:ident: $bound:path)*>(
            $($argument:ident: $ty:ty),* $(,)?
        ) $body:block
    ) => {
        $(#[$meta])*
        $visibility fn $name<$life $(, $generic: $bound)*>($($argument: $ty),*) {
            struct Operation<$life $(, $generic)*> {
                life: std::marker::PhantomData<&$life ()>,
                $($argument: $ty),*
            }
            impl<$life $(, $generic: $bound)*> pulp::NullaryFnOnce for Operation<$life $(, $generic)*> {
                type Output = ();
                #[inline(always)]
                fn call(self) {
                    let Self { life: _, $($argument),* } = self;
                    $body
                }
            }
            let life = std::marker::PhantomData;
            pulp::Arch::new().dispatch(Operation { life, $($argument),* });
        }
    };
}
pub(super) use vectorised;
