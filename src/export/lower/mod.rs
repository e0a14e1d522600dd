//! How each layer kind is written in ONNX's operators, at inference: the one table of this target.

mod attention;
mod convolution;
mod dense;
mod pooling;
mod recurrent;
mod shape;

use super::graph::{Lowered, Lowering};

/// Writes one layer.
///
/// # Errors
/// When there are no operators for it, or a weight is missing.
pub(super) fn lower(l: &mut Lowering<'_>) -> Lowered {
    let tables: [fn(&mut Lowering<'_>) -> Option<Lowered>; 9] = [
        dense::fully_connected,
        dense::activation,
        dense::gate,
        convolution::convolution,
        pooling::pooling,
        pooling::normalisation,
        attention::attention,
        recurrent::recurrent,
        shape::shape,
    ];
    let found = tables.iter().find_map(|table| table(l));
    found.unwrap_or_else(|| Err(l.site.unsupported("ONNX", "")))
}
