//! Sameness as NAS-Bench-201 defines it: two cells are one if their expressions are the same text.

/// One edge of a cell: from, to, and the operation on it by the benchmark's name.
pub type NamedEdge<'a> = (usize, usize, &'a str);

/// The text of a cell by the rule of NAS-Bench-201's authors (Dong and Yang, 2020), by which there are
/// 6,466 different ones.
///
/// Vertex 0 is `0`. What arrives over an edge is `(source)@operation`, for `skip_connect` the source
/// itself, and for `none` or from a source that is `#` just `#`; a vertex joins what arrives in the
/// order of letters. Texts forget what is computed once and used twice, so the rule is coarser than
/// isomorphism there; they keep zeros and sort nested sums level by level, so it is finer than
/// [`functional`](super::Architecture::functional) equality.
///
/// `edges` stand in the order of the vertices they lead to, and the last of those is the output.
pub fn nasbench201_text(edges: &[NamedEdge<'_>]) -> String {
    let vertices = edges.iter().map(|(_, to, _)| to + 1).max().unwrap_or(1);
    let mut texts = vec!["0".to_owned()];
    for vertex in 1..vertices {
        let arriving = edges.iter().filter(|(_, to, _)| *to == vertex);
        let mut parts: Vec<String> = arriving
            .map(|&(from, _, operation)| match operation {
                "skip_connect" => texts[from].clone(),
                _ if operation == "none" || texts[from] == "#" => "#".to_owned(),
                _ => format!("({})@{operation}", texts[from]),
            })
            .collect();
        parts.sort_unstable();
        texts.push(parts.join("+"));
    }
    texts.pop().unwrap_or_default()
}
