//! The table of controllers: their names, what they do, and the settings that each takes with their
//! defaults. Help, documentation and the messages about experiments follow from it.

use super::settings::ControllerKind;

/// A controller for people.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Which.
    pub kind: ControllerKind,
    /// Its name in experiments.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// The settings it takes, each with its default as TOML.
    pub settings: &'static [(&'static str, &'static str)],
}

impl Description {
    /// Whether it takes a setting of this name.
    pub fn takes(&self, setting: &str) -> bool {
        self.settings.iter().any(|(name, _)| *name == setting)
    }
}

/// Successive halving, in one bracket or in several.
const HALVING: &[(&str, &str)] = &[
    ("fidelity", "\"epochs\""),
    ("eta", "3"),
    ("min_fidelity", "0.1"),
    ("sampling", "\"prior\""),
    ("duplicates", "false"),
];

/// The same, its candidates children of those that came highest.
const GUIDED_HALVING: &[(&str, &str)] = &[
    ("fidelity", "\"epochs\""),
    ("eta", "3"),
    ("min_fidelity", "0.1"),
    ("population", "16"),
    ("sample", "4"),
    ("edits", "1"),
    ("random_share", "0.25"),
    ("inherit", "false"),
    ("sampling", "\"prior\""),
    ("duplicates", "false"),
];

/// Every controller, the simplest first.
pub const CONTROLLERS: &[Description] = &[
    Description {
        kind: ControllerKind::Random,
        name: "random",
        summary: "independent draws",
        source: "Bergstra and Bengio, 2012",
        settings: &[("sampling", "\"prior\""), ("duplicates", "false")],
    },
    Description {
        kind: ControllerKind::Exhaustive,
        name: "exhaustive",
        summary: "everything, in the order of indices",
        source: "",
        settings: &[],
    },
    Description {
        kind: ControllerKind::Evolution,
        name: "evolution",
        summary: "regularized evolution: the best of a sample has a child, the oldest dies",
        source: "Real, Aggarwal, Huang and Le, 2019",
        settings: &[
            ("population", "16"),
            ("sample", "4"),
            ("crossover", "0.0"),
            ("edits", "1"),
            ("aging", "true"),
            ("inherit", "false"),
            ("sampling", "\"prior\""),
            ("duplicates", "false"),
        ],
    },
    Description {
        kind: ControllerKind::SuccessiveHalving,
        name: "successive_halving",
        summary: "many are trained a little, and the best of each level go on",
        source: "Jamieson and Talwalkar, 2016; Li et al., 2020",
        settings: HALVING,
    },
    Description {
        kind: ControllerKind::Hyperband,
        name: "hyperband",
        summary: "successive halving in brackets, which begin on ever higher levels",
        source: "Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, 2018",
        settings: HALVING,
    },
    Description {
        kind: ControllerKind::EvolutionHalving,
        name: "evolution_halving",
        summary: "successive halving of children of those that came highest",
        source: "after Falkner, Klein and Hutter, 2018; Awad, Mallik and Hutter, 2021",
        settings: GUIDED_HALVING,
    },
    Description {
        kind: ControllerKind::EvolutionHyperband,
        name: "evolution_hyperband",
        summary: "Hyperband of children of those that came highest",
        source: "after Falkner, Klein and Hutter, 2018; Awad, Mallik and Hutter, 2021",
        settings: GUIDED_HALVING,
    },
    Description {
        kind: ControllerKind::MuPlusLambda,
        name: "mu_plus_lambda",
        summary: "evolution with crossover in which the best of parents and offspring survive",
        source: "Schwefel, 1981",
        settings: &[
            ("population", "16"),
            ("offspring", "8"),
            ("sample", "2"),
            ("crossover", "0.5"),
            ("edits", "1"),
            ("sampling", "\"prior\""),
            ("duplicates", "false"),
        ],
    },
    Description {
        kind: ControllerKind::LocalSearch,
        name: "local_search",
        summary: "tries what is one decision away, moves to what is better, starts anew where nothing is",
        source: "White, Nolen and Savani, 2021",
        settings: &[
            ("initial", "8"),
            ("step", "\"first\""),
            ("sampling", "\"prior\""),
            ("duplicates", "false"),
        ],
    },
    Description {
        kind: ControllerKind::Nsga2,
        name: "nsga2",
        summary: "evolution by several objectives: the front survives, where it is least crowded",
        source: "Deb, Pratap, Agarwal and Meyarivan, 2002",
        settings: &[
            ("objectives", "[\"score\", \"params\"]"),
            ("population", "24"),
            ("offspring", "12"),
            ("sample", "2"),
            ("crossover", "0.5"),
            ("edits", "1"),
            ("sampling", "\"prior\""),
            ("duplicates", "false"),
        ],
    },
    Description {
        kind: ControllerKind::Predictor,
        name: "predictor",
        summary: "a forest learns scores from decisions and chooses among children of the best",
        source: "after White, Neiswanger and Savani, 2021",
        settings: &[
            ("initial", "16"),
            ("population", "8"),
            ("candidates", "64"),
            ("members", "16"),
            ("refit", "1"),
            ("encoding", "\"counts\""),
            ("acquisition", "\"upper\""),
            ("sampling", "\"prior\""),
            ("duplicates", "false"),
        ],
    },
];

/// What each setting means, in the order of the documentation.
pub const SETTINGS: &[(&str, &str)] = &[
    ("population", "how many trials may be parents"),
    ("sample", "how many of them compete to be a parent"),
    ("crossover", "the probability that a child has two parents"),
    ("edits", "how many decisions of a child are changed"),
    (
        "aging",
        "whether the oldest of the population dies; otherwise the worst does",
    ),
    ("offspring", "after how many results survivors are chosen"),
    (
        "objectives",
        "what is to be good at once: `score`, and further figures by their names: `params`, `macs`, \
         `activation_bytes`, `layers`, `depth`, `receptive_field`, or one that the evaluator gives",
    ),
    (
        "initial",
        "how many draws come first; in local search before every climb",
    ),
    (
        "step",
        "when local search moves: to the `first` neighbour that is better, or to the `best` of all",
    ),
    (
        "candidates",
        "how many candidates the model judges for a trial",
    ),
    ("members", "how many trees the model has"),
    ("refit", "after how many results the model is made anew"),
    (
        "encoding",
        "what the model sees: `decisions` by address, or also `counts` of options whatever the number \
         of the repeat",
    ),
    (
        "acquisition",
        "how the model's guess and its doubt become one figure: `thompson`, `mean` or `upper`",
    ),
    (
        "fidelity",
        "what grows from level to level: `epochs`, `data` (the share of the training examples), or the \
         name of a `let` of the space that gives the width",
    ),
    (
        "eta",
        "of how many candidates one goes on to the next level, which is that many times as much",
    ),
    (
        "min_fidelity",
        "the least share of a full evaluation, above 0",
    ),
    (
        "random_share",
        "the share of new candidates that are drawn afresh",
    ),
    (
        "inherit",
        "whether a child begins with the weights of its first parent, in every layer that is the same in both",
    ),
    (
        "sampling",
        "how fresh architectures are drawn: `prior`, by the weights of the space, or `uniform`",
    ),
    (
        "duplicates",
        "whether a network may be tried more than once; otherwise another is asked for",
    ),
];

/// The description of a controller.
///
/// # Panics
/// Never: the table has a row for every kind, which a test sees to.
pub fn description(kind: ControllerKind) -> &'static Description {
    let found = CONTROLLERS
        .iter()
        .find(|description| description.kind == kind);
    found.expect("every kind has a row in the table")
}
