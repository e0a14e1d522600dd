//! Runs over a table.

use super::file::{BenchBudget, BenchError, BenchFile, Entry};
use crate::evaluation::{Table, TableError, as_cost};
use crate::random::{Purpose, Stream};
use crate::search::{
    Controller, Fidelity, Fitness, Moves, Observed, Proposal, SearchSettings, TrialId,
};
use crate::space::{Genome, ProductSpace, SearchSpace};
use num_bigint::BigUint;
use num_traits::Zero;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::path::Path;

/// The points of a curve.
pub const CURVE: usize = 40;

/// No run makes more trials, whatever its budget.
const MOST_TRIALS: u64 = 100_000_000;

/// Where a run stood at some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Simulated seconds, or trials where the budget is in trials.
    pub at: f64,
    /// The final score of the best so far by the search's score; nothing before the first result.
    pub last: Option<f64>,
}

/// What one run of one controller came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The number of the seed.
    pub seed: u64,
    /// Trials made.
    pub trials: u64,
    /// Simulated seconds spent.
    pub seconds: f64,
    /// The best score that the search saw.
    pub score: Option<f64>,
    /// The final score of the trial that had it; of equals the first.
    pub last: Option<f64>,
    /// After how many trials the best so far had the target as its final score.
    pub held: Option<u64>,
    /// After how many trials some trial had the target as its final score.
    pub met: Option<u64>,
    /// Whether the run ended because nothing was left to try.
    pub exhausted: bool,
    /// [`CURVE`] points, the last at the budget.
    pub curve: Vec<Point>,
}

/// A comparison made ready.
#[derive(Debug)]
pub struct Bench {
    file: BenchFile,
    space: SearchSpace,
    product: Option<ProductSpace>,
    columns: Columns,
}

/// The table by rows.
#[derive(Debug)]
struct Columns {
    /// For a product, the row of each index.
    rows: Vec<Option<u32>>,
    score: Vec<f64>,
    last: Vec<f64>,
    cost: Vec<f64>,
    /// Rows with the same number are the same network.
    same: Vec<usize>,
    /// For each controller, the columns of its further objectives.
    costs: Vec<Vec<Vec<f64>>>,
    table: Table,
}

impl Bench {
    /// Reads the space and the table; paths are relative to `base`.
    ///
    /// # Errors
    /// When one of them can't be read, or they don't fit.
    pub fn load(file: BenchFile, base: &Path) -> Result<Self, BenchError> {
        let space = file.compile_space(base)?;
        let product = ProductSpace::of(&space);
        let settings = &file.table;
        let table = Table::read(&base.join(&settings.file), &settings.key)?;
        let rows = match &product {
            Some(_) => rows_by_index(&space, &table, &file),
            None => Vec::new(),
        };
        if product.is_some() && rows.iter().all(Option::is_none) {
            let genome = space.get(&BigUint::zero());
            let key = genome.map(|genome| settings.of.key(&space, &genome));
            return Err(BenchError::Setting(format!(
                "no architecture of the space has a row in the table: the first one's key is `{}`; see \
                 `table.key` and `table.of`",
                key.unwrap_or_default()
            )));
        }
        let cost = match &settings.cost {
            None => vec![1.0; table.len()],
            Some(cost) => {
                let values = table.numbers(&cost.column)?.into_iter();
                values.map(|value| value * cost.times).collect()
            }
        };
        let further = |entry: &Entry| {
            let names = entry.search.costs();
            let costs = |name: &String| {
                let column = table.numbers(name)?.into_iter();
                let costs = column.map(|figure| as_cost(name, figure)).collect();
                Ok::<Vec<f64>, TableError>(costs)
            };
            names.iter().map(costs).collect()
        };
        let columns = Columns {
            rows,
            score: table.numbers(&settings.score)?,
            last: table.numbers(settings.last.as_ref().unwrap_or(&settings.score))?,
            cost,
            same: match &file.same {
                Some(column) => table.groups(column)?,
                None => (0..table.len()).collect(),
            },
            costs: file
                .controller
                .iter()
                .map(further)
                .collect::<Result<_, _>>()?,
            table,
        };
        Ok(Self {
            file,
            space,
            product,
            columns,
        })
    }

    /// The question.
    pub fn file(&self) -> &BenchFile {
        &self.file
    }

    /// The simulated seconds of each row's trial.
    pub fn costs(&self) -> &[f64] {
        &self.columns.cost
    }

    /// Every run of every controller, in their order. Uses the current rayon pool; the result does not
    /// depend on it.
    pub fn run(&self) -> Vec<Vec<Run>> {
        let seeds = self.file.seeds;
        let work: Vec<(usize, u64)> = (0..self.file.controller.len())
            .flat_map(|entry| (0..seeds).map(move |seed| (entry, seed)))
            .collect();
        let runs: Vec<Run> = work
            .into_par_iter()
            .map(|(entry, seed)| self.run_one(entry, seed))
            .collect();
        let mut runs = runs.into_iter();
        let controllers = self.file.controller.iter();
        controllers
            .map(|_| runs.by_ref().take(seeds as usize).collect())
            .collect()
    }

    /// One run of one controller.
    pub fn run_one(&self, entry: usize, seed: u64) -> Run {
        let columns = &self.columns;
        match &self.product {
            Some(space) => {
                let row = |genome: &crate::space::ProductGenome| columns.rows[genome.0 as usize];
                self.simulate(space, row, entry, seed)
            }
            None => {
                let of = self.file.table.of;
                let row = |genome: &Genome| {
                    let row = columns.table.row(&of.key(&self.space, genome))?;
                    u32::try_from(row).ok()
                };
                self.simulate(&self.space, row, entry, seed)
            }
        }
    }

    fn simulate<M: Moves>(
        &self,
        space: &M,
        row: impl Fn(&M::Genome) -> Option<u32>,
        entry: usize,
        seed: u64,
    ) -> Run {
        let settings = &self.file.controller[entry].search;
        // The same seed for every controller: their runs are pairs.
        let root = self.file.seed.derive("bench", seed);
        let simulation = Simulation {
            space,
            row,
            columns: &self.columns,
            costs: &self.columns.costs[entry],
            controller: settings.build(space),
            stream: root.stream(0, Purpose::Propose),
            tried: (!settings.duplicates()).then(|| vec![false; self.columns.same.len()]),
            waiting: VecDeque::new(),
            budget: self.file.budget,
            target: self.file.target,
            run: Run {
                seed,
                trials: 0,
                seconds: 0.0,
                score: None,
                last: None,
                held: None,
                met: None,
                exhausted: false,
                curve: Vec::with_capacity(CURVE),
            },
        };
        simulation.run(settings)
    }
}

fn rows_by_index(space: &SearchSpace, table: &Table, file: &BenchFile) -> Vec<Option<u32>> {
    let genomes = space.iter_from(&BigUint::zero());
    let row = |genome| {
        let row = table.row(&file.table.of.key(space, &genome))?;
        u32::try_from(row).ok()
    };
    genomes.map(row).collect()
}

/// A trial whose result has not been told.
struct Waiting<G> {
    trial: TrialId,
    genome: G,
    row: Option<u32>,
}

struct Simulation<'a, M: Moves, R> {
    space: &'a M,
    row: R,
    columns: &'a Columns,
    costs: &'a [Vec<f64>],
    controller: Box<dyn Controller<M::Genome> + 'a>,
    stream: Stream,
    /// The networks that were tried, where they may not be tried again.
    tried: Option<Vec<bool>>,
    waiting: VecDeque<Waiting<M::Genome>>,
    budget: BenchBudget,
    target: Option<f64>,
    run: Run,
}

impl<M: Moves, R: Fn(&M::Genome) -> Option<u32>> Simulation<'_, M, R> {
    fn run(mut self, settings: &SearchSettings) -> Run {
        let most = self.budget.trials.unwrap_or(MOST_TRIALS);
        let seconds = self.budget.seconds.unwrap_or(f64::INFINITY);
        while self.run.trials < most && self.run.seconds < seconds {
            let trial = TrialId(self.run.trials);
            let Some((genome, row)) = self.propose(trial) else {
                self.run.exhausted = true;
                break;
            };
            self.count(row);
            self.waiting.push_back(Waiting { trial, genome, row });
            if self.waiting.len() as u64 >= settings.lookahead {
                self.tell_first();
            }
        }
        self.draw_up_to(f64::INFINITY);
        self.run
    }

    /// What is tried next, with its row in the table.
    fn propose(&mut self, trial: TrialId) -> Option<(M::Genome, Option<u32>)> {
        for attempt in 0..self.controller.patience() {
            let Proposal { genome, .. } = self.controller.ask(trial, attempt, &mut self.stream);
            let row = (self.row)(&genome);
            if self.is_new(row) {
                return Some((genome, row));
            }
        }
        self.what_is_left()
    }

    /// Whether a row may be tried; from then on it was.
    fn is_new(&mut self, row: Option<u32>) -> bool {
        let (Some(tried), Some(row)) = (&mut self.tried, row) else {
            return true;
        };
        let network = self.columns.same[row as usize];
        !std::mem::replace(&mut tried[network], true)
    }

    /// The first untried architecture from a random index on, where the space is a product.
    fn what_is_left(&mut self) -> Option<(M::Genome, Option<u32>)> {
        let count = self.columns.rows.len() as u64;
        if count == 0 {
            return None;
        }
        let start = self.stream.below(count);
        let index = (0..count)
            .map(|step| (start + step) % count)
            .find(|&index| {
                let row = self.columns.rows[index as usize];
                let network = |row: u32| self.columns.same[row as usize];
                let tried = self.tried.as_ref();
                row.is_some_and(|row| tried.is_some_and(|tried| !tried[network(row)]))
            })?;
        let row = self.columns.rows[index as usize];
        self.is_new(row);
        Some((self.space.at(&BigUint::from(index))?, row))
    }

    /// Spends what a trial costs and looks at what it gave.
    fn count(&mut self, row: Option<u32>) {
        let row = row.map(|row| row as usize);
        let cost = row.map_or(0.0, |row| self.columns.cost[row]);
        let by_time = self.budget.seconds.is_some();
        let after = if by_time {
            self.run.seconds + cost
        } else {
            (self.run.trials + 1) as f64
        };
        self.draw_up_to(after);
        self.run.trials += 1;
        self.run.seconds += cost;
        let Some(row) = row else {
            return;
        };
        let (score, last) = (self.columns.score[row], self.columns.last[row]);
        if self.run.score.is_none_or(|held| score > held) {
            self.run.score = Some(score);
            self.run.last = Some(last);
        }
        let reached = |score: Option<f64>| self.target.is_some_and(|target| score >= Some(target));
        if self.run.met.is_none() && reached(Some(last)) {
            self.run.met = Some(self.run.trials);
        }
        if self.run.held.is_none() && reached(self.run.last) {
            self.run.held = Some(self.run.trials);
        }
    }

    /// Adds the curve's points before `after`, when the next result is in.
    fn draw_up_to(&mut self, after: f64) {
        let whole = match self.budget {
            BenchBudget {
                seconds: Some(seconds),
                ..
            } => seconds,
            BenchBudget { trials, .. } => trials.unwrap_or(MOST_TRIALS) as f64,
        };
        while self.run.curve.len() < CURVE {
            let at = whole * (self.run.curve.len() + 1) as f64 / CURVE as f64;
            if at >= after {
                return;
            }
            let last = self.run.last;
            self.run.curve.push(Point { at, last });
        }
    }

    fn tell_first(&mut self) {
        let Some(waiting) = self.waiting.pop_front() else {
            return;
        };
        let Waiting { trial, genome, row } = waiting;
        let result = match row.map(|row| row as usize) {
            None => Observed {
                genome,
                fidelity: Fidelity::FULL,
                fitness: None,
                costs: Vec::new(),
            },
            Some(row) => Observed {
                genome,
                fidelity: Fidelity::FULL,
                fitness: Some(Fitness {
                    score: self.columns.score[row],
                    loss: 0.0,
                }),
                costs: self.costs.iter().map(|column| column[row]).collect(),
            },
        };
        self.controller.tell(trial, &result);
    }
}
