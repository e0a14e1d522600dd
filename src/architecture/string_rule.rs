//! Sameness as NAS-Bench-201 defines it: two cells are one if their expressions are the same text.

use super::canonical::{self, CanonicalForm};
use super::{Architecture, Operation};

/// A network as one expression: a layer's text is applied to its input's text in parentheses, identity
/// is left out, zero and layers of zero are `#`, and a merge lists its inputs' texts in the order of
/// their letters.
///
/// This is coarser than isomorphism, since texts forget what is computed once and used twice, and finer
/// than [`functional`](Architecture::functional) equality, since sums keep their zeros and are sorted
/// level by level. By it NAS-Bench-201 has 6,466 different cells (Dong and Yang, NAS-Bench-201, 2020).
///
/// The text grows with the number of paths through the network, so it suits single cells.
pub(super) fn expression(architecture: &Architecture) -> CanonicalForm {
    let mut texts: Vec<String> = Vec::with_capacity(architecture.nodes().len());
    for node in architecture.nodes() {
        let mut inputs: Vec<&str> = node.inputs.iter().map(|id| texts[id.0].as_str()).collect();
        let text = match &node.operation {
            Operation::Input => "x".to_owned(),
            Operation::Layer(layer) if canonical::is_identity(layer, inputs.len()) => {
                inputs[0].to_owned()
            }
            Operation::Layer(layer) if layer.kind.name() == "zero" || inputs == ["#"] => {
                "#".to_owned()
            }
            Operation::Layer(layer) if layer.kind.name() == "add" => {
                inputs.sort_unstable();
                inputs.join("+")
            }
            Operation::Layer(layer) => {
                if !canonical::is_ordered(layer) {
                    inputs.sort_unstable();
                }
                format!("({})@{}", inputs.join(";"), canonical::label(layer))
            }
        };
        texts.push(text);
    }
    CanonicalForm::new(texts.pop().unwrap_or_default())
}
