//! Search spaces against brute force and the literature's figures.

use num_bigint::BigUint;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeSet;
use std::path::Path;
use strata::evaluation::{KeyOf, Table};
use strata::language::compile;
use strata::random::{Purpose, Seed};
use strata::space::{Sampling, SearchSpace};

fn space(text: &str) -> SearchSpace {
    match compile(text) {
        Ok(compiled) => compiled.space,
        Err(diagnostics) => {
            let source = strata::diagnostics::SourceFile::new("test.space", text);
            panic!(
                "{}",
                strata::diagnostics::render(&source, &diagnostics, false)
            );
        }
    }
}

fn image(body: &str) -> SearchSpace {
    space(&format!(
        "space t\ninput image(channels: 1, height: 8, width: 8)\noutput classes(10)\n{body}"
    ))
}

fn count(space: &SearchSpace) -> u64 {
    u64::try_from(space.count().exact().unwrap()).unwrap()
}

/// Every index gives a genome that decodes, comes back to its index, and is like no other.
fn check_all(space: &SearchSpace) {
    let mut seen = BTreeSet::new();
    for index in 0..count(space) {
        let index = BigUint::from(index);
        let genome = space.get(&index).unwrap();
        let candidate = space.decode(&genome).unwrap();
        assert_eq!(
            candidate.architecture.output().shape(),
            space.output().shape()
        );
        assert_eq!(space.index_of(&genome).unwrap(), index, "{genome:?}");
        let decisions = space.decisions(&genome).unwrap();
        assert_eq!(
            decisions.len(),
            genome.len(),
            "addresses are unique: {decisions:?}"
        );
        assert!(seen.insert(genome));
    }
    let mut stream = Seed(1).stream(0, Purpose::Tool);
    for _ in 0..50 {
        for sampling in [Sampling::Prior, Sampling::Uniform] {
            let genome = space.sample(sampling, &mut stream);
            assert!(seen.contains(&genome), "{genome:?}");
            let mutant = space.mutate(&genome, 1, &mut stream);
            assert!(seen.contains(&mutant), "{mutant:?}");
            let other = space.sample(sampling, &mut stream);
            assert!(seen.contains(&space.crossover(&genome, &other, &mut stream)));
            assert!(seen.contains(&space.crossover_subtree(&genome, &other, &mut stream)));
            assert!(seen.contains(&space.resample_subtree(&genome, &mut stream)));
        }
    }
}

#[test]
fn a_network_without_choices_is_a_space_of_one() {
    let space = image("network { conv2d(8, kernel: 3) relu global_avg_pool linear(classes) }");
    assert_eq!(count(&space), 1);
    check_all(&space);
}

#[test]
fn independent_choices_multiply() {
    let space = image(
        "let w = 8 | 16\nblock unit(c) { conv2d(c, kernel: 1 | 3, padding: same)\nrelu | gelu }\n\
         network { unit(w) repeat 0..2 { unit(w) } global_avg_pool dropout(0.1 | 0.3)? linear(classes) }",
    );
    assert_eq!(count(&space), 2 * 4 * (1 + 4 + 16) * 3);
    check_all(&space);
}

#[test]
fn options_that_fit_no_shape_are_not_counted() {
    let space = image(
        "network { repeat 0..5 { max_pool2d(2) } conv2d(4, kernel: 3 | 1)\nglobal_avg_pool linear(classes) }",
    );
    // Sides 8, 4, 2, 1 and none: a kernel of 3 fits 8 and 4 only; five pools fit nothing.
    assert_eq!(count(&space), 2 + 2 + 1 + 1);
    check_all(&space);
}

#[test]
fn a_shared_body_is_decided_once_for_all_its_uses() {
    let space = image(
        "let cell(c) { conv2d(c, kernel: 1 | 3, padding: same)\nrelu | gelu | tanh }\n\
         network { cell(8) max_pool2d(2) cell(16) repeat 1..2 { cell(16) } global_avg_pool linear(classes) }",
    );
    assert_eq!(count(&space), 6 * 2);
    check_all(&space);
}

#[test]
fn a_shared_body_must_fit_all_its_uses_at_once() {
    let space = image(
        "let cell { conv2d(4, kernel: 1 | 3 | 5) }\n\
         network { cell cell global_avg_pool linear(classes) }",
    );
    assert_eq!(count(&space), 2);
    check_all(&space);
}

#[test]
fn tied_copies_share_and_free_copies_do_not() {
    let body = "{ conv2d(4, kernel: 1 | 3, padding: same)\nrelu | gelu }";
    let rest = "global_avg_pool linear(classes)";
    let tied = image(&format!("network {{ repeat 1..3 tied {body} {rest} }}"));
    let free = image(&format!("network {{ repeat 1..3 {body} {rest} }}"));
    assert_eq!(count(&tied), 3 * 4);
    assert_eq!(count(&free), 4 + 16 + 64);
    check_all(&tied);
    check_all(&free);
}

#[test]
fn branches_residuals_and_conditions_compose() {
    let space = image(
        "let wide = 4 | 8\nnetwork { conv2d(wide, kernel: 3, padding: same)\n\
         residual { conv2d(wide, kernel: 3 | 5, padding: same) }\n\
         residual(project: true) { conv2d(8, kernel: 3, stride: 2, padding: same) relu | tanh }\n\
         branch(merge: concat) { { conv2d(2, kernel: 1) } { max_pool2d(3, stride: 1, padding: same)? } }\n\
         if in.channels > 8 { relu | gelu } else { tanh }\n\
         if wide == 4 { identity } else { sigmoid | silu }\n\
         global_avg_pool linear(classes) }",
    );
    // After the branch there are 2 + 8 channels, so the first condition always holds.
    assert_eq!(count(&space), 2 * 2 * 2 * 2 + 2 * 2 * 2 * 2 * 2);
    check_all(&space);
}

fn from(input: &str, body: &str) -> SearchSpace {
    space(&format!(
        "space t\ninput {input}\noutput classes(2)\n{body}"
    ))
}

#[test]
fn a_merge_takes_arguments_and_only_those_that_fit() {
    let space = from(
        "sequence(length: 3, features: 4)",
        "network { branch(merge: cross_attention(heads: 1 | 2 | 3)) { { relu | gelu } { linear(6) } }\n\
         branch(merge: gated_sum) { { relu } { tanh } }\nglobal_avg_pool linear(classes) }",
    );
    // Three heads don't divide the four features of the first path; the second path's six don't matter.
    assert_eq!(count(&space), 2 * 2);
    check_all(&space);
}

#[test]
fn every_kind_of_input_has_its_sizes_and_its_projection() {
    for (input, body) in [
        (
            "volume(channels: 2, depth: 3, height: 4, width: 5)",
            "residual(project: true) { conv3d(in.depth * in.width, kernel: 1 | 3, stride: 2, padding: same) }\n\
             global_avg_pool",
        ),
        (
            "signal(channels: 2, length: 9)",
            "residual(project: true) { conv1d(in.length, kernel: 1 | 3, stride: 2, padding: same) }\nglobal_max_pool",
        ),
        (
            "sequence(length: 5, features: 3)",
            "residual(project: true) { linear(in.length * in.features)\ntanh | relu }\nglobal_avg_pool",
        ),
        (
            "tokens(length: 5, vocabulary: 3)",
            "embedding(in.length * in.vocabulary)\ntanh | relu\nglobal_avg_pool",
        ),
        (
            "vector(features: 3)",
            "linear(2 * in.features)\ntanh | relu",
        ),
    ] {
        let space = from(input, &format!("network {{ {body}\nlinear(classes) }}"));
        assert_eq!(count(&space), 2, "{input}");
        check_all(&space);
    }
}

#[test]
fn recursion_stops_at_its_limit() {
    let space = image(
        "limit depth 3\nblock grow { relu | { conv2d(2, kernel: 1) grow } | branch(merge: add) { { grow } { identity } } }\n\
         network { conv2d(2, kernel: 1) grow global_avg_pool linear(classes) }",
    );
    // f(1) = 1 and f(n) = 1 + f(n-1) + f(n-1).
    assert_eq!(count(&space), 7);
    check_all(&space);
}

#[test]
fn recipe_decisions_multiply_and_decode() {
    let space = image(
        "recipe { learning_rate: 0.01 | 0.1, batch_size: 32 | 64 | 128 }\n\
         network { global_avg_pool relu | gelu\nlinear(classes) }",
    );
    assert_eq!(count(&space), 12);
    check_all(&space);
    let last = space
        .decode(&space.get(&BigUint::from(11u8)).unwrap())
        .unwrap();
    assert_eq!(last.recipe["batch_size"].to_string(), "128");
}

const NB201: &str = "space nb201\ninput image(channels: 3, height: 32, width: 32)\noutput classes(10)\n\
    block unit(c, k) { relu conv2d(c, kernel: k, padding: same, bias: false) batch_norm }\n\
    let cell(c) { dag { nodes 4\nedges all\n\
    edge zero | identity | unit(c, 1) | unit(c, 3) | avg_pool2d(3, stride: 1, padding: same)\nmerge add\noutput last } }\n\
    network { conv2d(16, kernel: 3, padding: same, bias: false) batch_norm\nrepeat 5 { cell(16) }\n\
    residual(project: true) { unit(32, 3) max_pool2d(2) }\nrepeat 5 { cell(32) } global_avg_pool linear(classes) }";

#[test]
fn nasbench201_has_15625_cells() {
    assert_eq!(count(&space(NB201)), 15_625);
}

#[test]
fn nasbench201_folds_to_4930_functions() {
    let space = space(NB201);
    let mut forms = std::collections::BTreeMap::<String, u32>::new();
    for index in 0..15_625u32 {
        let genome = space.get(&BigUint::from(index)).unwrap();
        let form = space.decode(&genome).unwrap().architecture.functional();
        *forms.entry(form.as_str().to_owned()).or_default() += 1;
    }
    assert_eq!(forms.len(), 4930);
    let dead: Vec<u32> = forms
        .iter()
        .filter(|(form, _)| form.contains("=dead>"))
        .map(|(_, &n)| n)
        .collect();
    assert_eq!(dead, [341]);
}

/// The shipped space builds the benchmark's own networks: what its table says of them, without training, holds.
#[test]
fn networks_of_nasbench201_cost_what_its_table_says() {
    let space = space(&super::corpus::read(Path::new(
        "search_spaces/nasbench201.space",
    )));
    let table = Table::read(Path::new("data/nb201_cifar10.csv.gz"), "ops").unwrap();
    let [params, macs] = ["c10_params_m", "c10_macs_m"].map(|name| table.numbers(name).unwrap());
    let cells = space.iter_from(&BigUint::ZERO).step_by(25);
    for genome in cells {
        let key = KeyOf::Decisions.key(&space, &genome);
        let row = table.row(&key).unwrap();
        let metrics = space.decode(&genome).unwrap().architecture.metrics();
        let near = |found: u64, millions: f64| (found as f64 / 1e6 - millions).abs() < 1e-4;
        assert!(
            near(metrics.params, params[row]),
            "{key}: {} params",
            metrics.params
        );
        assert!(
            near(metrics.macs, macs[row]),
            "{key}: {} MACs",
            metrics.macs
        );
    }
}

/// NAS-Bench-201's cell by itself.
const NB201_CELL: &str = "space nb201\ninput image(channels: 4, height: 4, width: 4)\noutput classes(10)\n\
    block unit(c, k) { relu conv2d(c, kernel: k, padding: same, bias: false) batch_norm }\n\
    network { dag { nodes 4\nedges all\n\
    edge zero | identity | unit(4, 1) | unit(4, 3) | avg_pool2d(3, stride: 1, padding: same)\nmerge add\noutput last }\n\
    global_avg_pool linear(classes) }";

/// For each cell its operations, as six digits for the edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3, and its
/// class by the paper's rule.
fn nasbench201_classes() -> Vec<(String, String)> {
    const NAMES: [&str; 5] = [
        "none",
        "skip_connect",
        "nor_conv_1x1",
        "nor_conv_3x3",
        "avg_pool_3x3",
    ];
    const EDGES: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];
    let space = space(NB201_CELL);
    let cells = space.iter_from(&BigUint::ZERO).map(|genome| {
        let option = |(from, to): (usize, usize)| {
            let end = format!("node[{to}]/from[{from}]");
            let found = genome.iter().find(|(address, _)| address.ends_with(&end));
            found.unwrap().1 as usize
        };
        let options = EDGES.map(option);
        let named: Vec<_> = EDGES
            .iter()
            .zip(options)
            .map(|(&(from, to), at)| (from, to, NAMES[at]))
            .collect();
        let digits = options.iter().map(usize::to_string).collect();
        (digits, strata::architecture::nasbench201_text(&named))
    });
    cells.collect()
}

#[test]
fn nasbench201_has_6466_cells_by_the_papers_rule() {
    let classes = nasbench201_classes();
    assert_eq!(classes.len(), 15_625);
    let different: BTreeSet<&String> = classes.iter().map(|(_, class)| class).collect();
    assert_eq!(different.len(), 6466);
}

#[test]
fn the_papers_rule_gives_the_classes_of_the_table() {
    let Some(table) = super::shared_data::table("nb201_cifar10.csv.gz") else {
        return;
    };
    let classes: std::collections::BTreeMap<_, _> = nasbench201_classes().into_iter().collect();
    let mut known = std::collections::BTreeMap::<&str, &str>::new();
    let mut seen = BTreeSet::new();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let (operations, iso) = (cells[2], cells[3]);
        let class = classes[operations].as_str();
        assert_eq!(*known.entry(iso).or_insert(class), class, "{row}");
        seen.insert(class);
    }
    assert_eq!((known.len(), seen.len()), (6466, 6466));
}

#[test]
fn a_darts_cell_has_1037664180_wirings() {
    let cell = "let cell(c) { dag { inputs 2\nnodes 4\nedges choose(2)\n\
        edge max_pool2d(3, stride: 1, padding: same) | avg_pool2d(3, stride: 1, padding: same) | identity | \
        separable_conv2d(c, kernel: 3) | separable_conv2d(c, kernel: 5) | \
        conv2d(c, kernel: 3, padding: same, dilation: 2) | conv2d(c, kernel: 5, padding: same, dilation: 2)\n\
        merge add\noutput concat } conv2d(c, kernel: 1) }";
    let space = image(&format!(
        "{cell}\nnetwork {{ conv2d(8, kernel: 1) repeat 3 carry 2 {{ cell(8) }} global_avg_pool linear(classes) }}"
    ));
    assert_eq!(count(&space), 1_037_664_180);
    let mut stream = Seed(1).stream(0, Purpose::Tool);
    for _ in 0..200 {
        let genome = space.sample(Sampling::Uniform, &mut stream);
        let index = space.index_of(&genome).unwrap();
        assert_eq!(space.get(&index).unwrap(), genome);
        let mutant = space.mutate(&genome, 1, &mut stream);
        assert!(space.decode(&mutant).is_ok());
    }
}

#[test]
fn a_space_without_architectures_says_where() {
    let text = "space t\ninput image(channels: 1, height: 8, width: 8)\noutput classes(10)\n\
        network {\n    conv2d(8, kernel: 3)\n    conv2d(8, kernel: 9)\n    global_avg_pool\n    linear(classes)\n}";
    let diagnostics = compile(text).unwrap_err();
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let span = diagnostics[0].span;
    assert_eq!(&text[span.start..span.end], "conv2d(8, kernel: 9)");
}

#[test]
fn bounds_on_costs_are_met_by_construction_and_counted_exactly() {
    let body = "let w = 2 | 3 | 5\nblock unit(c) { conv2d(c, kernel: 1 | 3, padding: same)\nrelu? }\n\
        network { unit(w) repeat 0..2 { residual { unit(w) } | unit(w) } max_pool2d(2) | identity\n\
        global_avg_pool linear(classes) }";
    let free = image(body);
    let bounds = "require params <= 250 and macs < 9000\nrequire count(conv2d) >= 2\nrequire count(unit) <= 2\n";
    let bounded = image(&format!("{bounds}{body}"));
    let mut expected = 0;
    for index in 0..count(&free) {
        let genome = free.get(&BigUint::from(index)).unwrap();
        let architecture = free.decode(&genome).unwrap().architecture;
        let cost = architecture.metrics();
        let layers = architecture.nodes().iter().filter_map(|node| node.layer());
        let convolutions = layers.filter(|layer| layer.kind.name() == "conv2d").count();
        expected += u64::from(cost.params <= 250 && cost.macs < 9000 && convolutions == 2);
    }
    assert!(
        expected > 20 && expected < count(&free),
        "{expected} of {}",
        count(&free)
    );
    assert_eq!(count(&bounded), expected);
    check_all(&bounded);
}

/// Whether tests that take minutes are asked for.
pub fn slow() -> bool {
    std::env::var_os("STRATA_SLOW_TESTS").is_some()
}

fn shipped() -> Vec<(String, SearchSpace)> {
    super::corpus::space_files("search_spaces")
        .into_iter()
        .map(|path| {
            (
                path.display().to_string(),
                space(&super::corpus::read(&path)),
            )
        })
        .collect()
}

#[test]
fn the_literatures_spaces_have_their_published_sizes() {
    let published = [
        ("nasbench201", 15_625u128),
        ("nats_size", 32_768),
        ("nasbench_macro", 6_561),
        ("darts", 1_037_664_180 * 1_037_664_180),
        ("ofa_mobilenetv3", (81u128 + 729 + 6561).pow(5)),
    ];
    let spaces = shipped();
    for (name, size) in published {
        let (_, space) = spaces
            .iter()
            .find(|(_, space)| space.name() == name)
            .unwrap();
        assert_eq!(space.count().exact(), Some(&BigUint::from(size)), "{name}");
    }
}

#[test]
fn indices_and_genomes_of_every_shipped_space_are_inverse() {
    let draws = if slow() { 100_000 } else { 500 };
    shipped().into_par_iter().for_each(|(path, space)| {
        let mut stream = Seed(7).stream(0, Purpose::Tool);
        for turn in 0..draws {
            let index = stream.below_big(&space.indices());
            let genome = space.get(&index).unwrap();
            assert_eq!(space.index_of(&genome).unwrap(), index, "{path}");
            if turn >= 500 {
                continue;
            }
            space.decode(&genome).unwrap();
            let drawn = space.sample(Sampling::Prior, &mut stream);
            let index = space.index_of(&drawn).unwrap();
            assert_eq!(space.get(&index).unwrap(), drawn, "{path}");
            let mutant = space.mutate(&drawn, 1, &mut stream);
            assert!(space.index_of(&mutant).is_ok(), "{path}");
            assert_eq!(mutant == drawn, space.is_single(), "{path}");
        }
    });
}

/// NAS-Bench-101's cell by itself, on a tensor small enough to be quick.
const NB101: &str = "space nb101\ninput image(channels: 4, height: 4, width: 4)\noutput classes(2)\n\
    network { dag { nodes 2..7\nedges subset(max: 9)\n\
    node conv2d(4, kernel: 3, padding: same) | conv2d(4, kernel: 1) | max_pool2d(3, stride: 1, padding: same)\n\
    merge add\noutput concat } global_avg_pool linear(classes) }";

/// How many labelled cells there are, and how many different ones by their number of vertices.
fn nasbench101_cells(space: &SearchSpace) -> (u64, Vec<usize>) {
    let mut forms: Vec<BTreeSet<String>> = vec![BTreeSet::new(); 6];
    for index in 0..count(space) {
        let genome = space.get(&BigUint::from(index)).unwrap();
        let nodes = genome
            .iter()
            .find(|(address, _)| address.ends_with("/nodes"));
        let form = space.decode(&genome).unwrap().architecture.canonical();
        forms[nodes.unwrap().1 as usize].insert(form.as_str().to_owned());
    }
    (count(space), forms.iter().map(BTreeSet::len).collect())
}

#[test]
fn nasbench101_has_as_many_different_cells_as_published() {
    let (_, different) = nasbench101_cells(&space(&NB101.replace("2..7", "2..6")));
    assert_eq!(different[..5], [1, 6, 84, 2_441, 62_010]);
    // Cells of seven vertices take a minute more.
    if slow() {
        let (labelled, different) = nasbench101_cells(&space(NB101));
        assert_eq!(labelled, 1_293_208);
        assert_eq!(different, [1, 6, 84, 2_441, 62_010, 359_082]);
    } else {
        eprintln!("skipped: cells of seven vertices; set STRATA_SLOW_TESTS=1 to check them");
    }
}

#[test]
fn a_canonical_form_does_not_depend_on_the_order_of_nodes() {
    let space = space(NB101);
    let mut stream = Seed(3).stream(0, Purpose::Tool);
    for _ in 0..10_000 {
        let genome = space.sample(Sampling::Uniform, &mut stream);
        let architecture = space.decode(&genome).unwrap().architecture;
        let relabelled = relabel(&architecture, &mut stream);
        assert_eq!(architecture.canonical(), relabelled.canonical());
        assert_eq!(architecture.functional(), relabelled.functional());
    }
}

/// The same network with its nodes in another topological order and its inputs in any.
fn relabel(
    architecture: &strata::architecture::Architecture,
    stream: &mut strata::random::Stream,
) -> strata::architecture::Architecture {
    use strata::architecture::NodeId;
    let mut json = architecture.to_json();
    let (mut order, mut place) = (Vec::new(), vec![None; json.nodes.len() + 1]);
    place[0] = Some(0);
    while order.len() < json.nodes.len() {
        let ready: Vec<usize> = (0..json.nodes.len())
            .filter(|&node| place[node + 1].is_none())
            .filter(|&node| {
                json.nodes[node]
                    .inputs
                    .iter()
                    .all(|input| place[input.0].is_some())
            })
            .collect();
        let next = ready[stream.index(ready.len())];
        order.push(next);
        place[next + 1] = Some(order.len());
    }
    json.nodes = order
        .into_iter()
        .map(|node| {
            let mut node = json.nodes[node].clone();
            for input in &mut node.inputs {
                *input = NodeId(place[input.0].unwrap());
            }
            stream.shuffle(&mut node.inputs);
            node
        })
        .collect();
    strata::architecture::Architecture::from_json(&json).unwrap()
}

/// Every network of up to five operations between input and output, as a brute-force key (the smallest
/// of its encodings under every renumbering) and as a canonical form: they must agree on what is the
/// same.
#[test]
fn canonical_forms_agree_with_brute_force_isomorphism() {
    let mut forms = std::collections::BTreeMap::new();
    let mut keys = std::collections::BTreeMap::new();
    let mut networks = 0;
    for count in 1..=5usize {
        let orders = permutations(count);
        every_graph(count, &mut |graph| {
            networks += 1;
            let key = orders
                .iter()
                .map(|order| renumbered(graph, order))
                .min()
                .unwrap();
            let form = network(graph).canonical().as_str().to_owned();
            assert_eq!(
                forms.entry(form.clone()).or_insert_with(|| key.clone()),
                &key,
                "{graph:?}"
            );
            assert_eq!(
                keys.entry(key).or_insert_with(|| form.clone()),
                &form,
                "{graph:?}"
            );
        });
    }
    assert!(
        networks > 20_000 && keys.len() > 2_000,
        "{networks} {}",
        keys.len()
    );
}

/// For each operation: which of two kinds it is, and what it reads, a bit each; bit 0 is the input.
type Graph = Vec<(bool, u32)>;

/// Calls `visit` on every graph of `count` operations of which the last is the output and every one
/// leads there.
fn every_graph(count: usize, visit: &mut dyn FnMut(&Graph)) {
    fn extend(graph: &mut Graph, count: usize, visit: &mut dyn FnMut(&Graph)) {
        let at = graph.len();
        if at == count {
            let read = graph.iter().fold(0, |read, (_, sources)| read | sources);
            // All but the output are read.
            if (1..count).all(|v| read >> v & 1 == 1) {
                visit(graph);
            }
            return;
        }
        for sources in 1..1u32 << (at + 1) {
            for kind in [false, true] {
                if kind && at + 1 == count {
                    continue;
                }
                graph.push((kind, sources));
                extend(graph, count, visit);
                graph.pop();
            }
        }
    }
    extend(&mut Vec::new(), count, visit);
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let shorter = permutations(last);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, last);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..count).map(|at| insert(order, at)).collect::<Vec<_>>())
        .collect()
}

/// The graph's operations in another order: kinds, and what each reads by its new number.
fn renumbered(graph: &Graph, order: &[usize]) -> Vec<(bool, u32)> {
    let mut out = vec![(false, 0); graph.len()];
    for (vertex, &(kind, sources)) in graph.iter().enumerate() {
        let mut renamed = sources & 1;
        for (source, &place) in order.iter().enumerate() {
            if sources >> (source + 1) & 1 == 1 {
                renamed |= 2 << place;
            }
        }
        out[order[vertex]] = (kind, renamed);
    }
    out
}

/// The graph as a network of activations on sums.
fn network(graph: &Graph) -> strata::architecture::Architecture {
    use strata::architecture::{Builder, Output};
    use strata::layers::{Layer, Shape, find};
    let layer = |name: &str| Layer::plain(find(name).unwrap()).unwrap();
    let mut builder = Builder::new(Shape::Vector { features: 3 });
    let mut made = vec![Builder::INPUT];
    for &(kind, sources) in graph {
        let inputs: Vec<_> = (0..made.len())
            .filter(|&v| sources >> v & 1 == 1)
            .map(|v| made[v])
            .collect();
        let sum = match inputs.as_slice() {
            [only] => *only,
            _ => builder.push(layer("add"), inputs, String::new()).unwrap(),
        };
        let name = if kind { "tanh" } else { "relu" };
        made.push(builder.push(layer(name), vec![sum], String::new()).unwrap());
    }
    builder
        .finish(made[made.len() - 1], Output::Classes(3))
        .unwrap()
}

/// Pearson's statistic of uniform draws, as a number of standard deviations from what is expected.
pub fn deviation(space: &SearchSpace, draws: usize, seed: u64) -> f64 {
    let size = usize::try_from(&space.indices()).unwrap();
    let mut seen = vec![0u32; size];
    let mut stream = Seed(seed).stream(0, Purpose::Tool);
    for _ in 0..draws {
        let genome = space.sample(Sampling::Uniform, &mut stream);
        let index = space.index_of(&genome).unwrap();
        seen[usize::try_from(&index).unwrap()] += 1;
    }
    let expected = draws as f64 / size as f64;
    let squares = seen
        .iter()
        .map(|&seen| f64::from(seen) - expected)
        .map(|off| off * off / expected);
    let freedom = (size - 1) as f64;
    (squares.sum::<f64>() - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn uniform_draws_are_uniform() {
    let bounded = image(
        "let w = 2 | 3 | 5\nlet cell(c) { conv2d(c, kernel: 1 | 3, padding: same)\nrelu? }\n\
         network { cell(w) repeat 0..2 { residual { cell(w) } | cell(4) } global_avg_pool linear(classes) }\n\
         require params <= 250 and depth > 3",
    );
    for seed in 0..3 {
        let deviation = deviation(&bounded, 20_000, seed);
        assert!(deviation.abs() < 4.0, "bounded, seed {seed}: {deviation}");
    }
    let mut tested = 0;
    for (path, space) in shipped() {
        let size = u32::try_from(&space.indices()).unwrap_or(u32::MAX);
        if (100..50_000).contains(&size) {
            let deviation = deviation(&space, 10 * size as usize, 3);
            assert!(deviation.abs() < 4.0, "{path}: {deviation}");
            tested += 1;
        }
    }
    assert!(tested >= 5, "{tested}");
}

/// Draws from every shipped space decode and meet their constraints, and some are built; 100,000 each
/// where slow tests are asked for.
#[test]
fn every_draw_from_a_shipped_space_decodes() {
    let draws = if slow() { 100_000 } else { 200 };
    shipped().into_par_iter().for_each(|(path, space)| {
        let mut stream = Seed(11).stream(0, Purpose::Tool);
        for turn in 0..if space.is_single() { 1 } else { draws } {
            let sampling = if turn % 2 == 0 {
                Sampling::Prior
            } else {
                Sampling::Uniform
            };
            let genome = space.sample(sampling, &mut stream);
            let candidate = space
                .decode(&genome)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(candidate.architecture.output(), space.output());
            if path.contains("digits_cnn") {
                let metrics = candidate.architecture.metrics();
                assert!(
                    metrics.params <= 200_000 && metrics.macs <= 5_000_000,
                    "{path}: {genome:?}"
                );
            }
            if slow() && turn < 3 {
                super::networks::check(&candidate.architecture, turn as u64);
            }
        }
    });
}
