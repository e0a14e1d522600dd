//! One bracket: candidates on rungs, and who goes on to the next.

use crate::search::{Fitness, TrialId};

/// A candidate on a rung.
#[derive(Clone, Debug)]
pub(super) struct Member<G> {
    pub trial: TrialId,
    pub genome: G,
    standing: Standing,
    promoted: bool,
}

/// What is known of a candidate on its rung.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    Running,
    /// It failed, or may not go on.
    Out,
    Ranked(Fitness),
}

/// A candidate's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub rung: usize,
    pub member: usize,
}

/// The candidates that reached a level, and their order by what is known.
#[derive(Clone, Debug)]
struct Rung<G> {
    /// How many candidates it takes; nothing: any number.
    size: Option<usize>,
    /// In the order of trials.
    members: Vec<Member<G>>,
    /// How many of them have a result or may not go on.
    known: usize,
    /// Those with a result, the best first; of equals the earliest.
    ranking: Vec<usize>,
    /// Those of the ranking that have not gone on, in its order.
    waiting: Vec<usize>,
}

/// Candidates on rungs. The first rung is on level `base` of the ladder.
#[derive(Clone, Debug)]
pub(super) struct Bracket<G> {
    eta: usize,
    base: usize,
    rungs: Vec<Rung<G>>,
}

impl<G: Clone> Bracket<G> {
    /// The bracket of Hyperband that begins on level `base` of `0..=top`: with s = top - base,
    /// ceil((top + 1) / (s + 1) eta^s) candidates, of which each rung keeps one in eta.
    pub fn of_hyperband(eta: u32, top: usize, base: usize) -> Self {
        let (eta, s) = (eta as usize, top - base);
        let power = eta.saturating_pow(s as u32);
        let first = (top + 1).saturating_mul(power).div_ceil(s + 1);
        let sizes = std::iter::successors(Some(first), |size| Some(size / eta));
        let rungs = sizes.take(s + 1).map(|size| Rung::new(Some(size)));
        Self {
            eta,
            base,
            rungs: rungs.collect(),
        }
    }

    /// A bracket that takes candidates for ever.
    pub fn endless(eta: u32, top: usize) -> Self {
        Self {
            eta: eta as usize,
            base: 0,
            rungs: (0..=top).map(|_| Rung::new(None)).collect(),
        }
    }

    /// The level of a rung.
    pub fn level(&self, rung: usize) -> usize {
        self.base + rung
    }

    /// The candidate at a place.
    pub fn member(&self, place: Place) -> &Member<G> {
        &self.rungs[place.rung].members[place.member]
    }

    /// Whether it takes a new candidate.
    pub fn has_room(&self) -> bool {
        let Rung { size, members, .. } = &self.rungs[0];
        size.is_none_or(|size| members.len() < size)
    }

    /// A candidate enters a rung, from the one below if it is a promotion.
    pub fn enter(&mut self, rung: usize, trial: TrialId, genome: G, promotes: Option<TrialId>) {
        if let Some(earlier) = promotes {
            self.rungs[rung - 1].promote(earlier);
        }
        self.rungs[rung].members.push(Member {
            trial,
            genome,
            standing: Standing::Running,
            promoted: false,
        });
    }

    /// A candidate, which was `genome` in the end, has a result.
    pub fn settle(&mut self, rung: usize, trial: TrialId, genome: &G, fitness: Option<Fitness>) {
        self.rungs[rung].settle(trial, genome, fitness);
    }

    /// A candidate may not go on; the next best takes its place.
    pub fn pass_over(&mut self, rung: usize, trial: TrialId) {
        self.rungs[rung].pass_over(trial);
    }

    /// Who goes on next: on the highest rung where somebody may, the best.
    pub fn next_promotion(&mut self) -> Option<Place> {
        self.shrink();
        (0..self.rungs.len() - 1).rev().find_map(|rung| {
            let member = *self.rungs[rung].waiting.first()?;
            let chosen = self.rungs[rung].rank(member) < self.chosen(rung);
            chosen.then_some(Place { rung, member })
        })
    }

    /// How many of a rung's best may go on as things stand.
    fn chosen(&self, rung: usize) -> usize {
        match self.rungs[rung + 1].size {
            Some(size) if self.rungs[rung].is_decided() => size,
            Some(_) => 0,
            None => self.rungs[rung].known / self.eta,
        }
    }

    /// Rungs below which too few succeeded take as many as did.
    fn shrink(&mut self) {
        for rung in 1..self.rungs.len() {
            let below = &self.rungs[rung - 1];
            if let Some(size) = self.rungs[rung].size
                && below.is_decided()
            {
                let most = below.ranking.len();
                self.rungs[rung].size = Some(size.min(most));
            }
        }
    }

    /// Whether every rung is full and known.
    pub fn is_decided(&mut self) -> bool {
        self.shrink();
        self.rungs.iter().all(Rung::is_decided)
    }

    /// Whether a candidate may still be promoted; nothing if it is not here. Of an endless rung the
    /// better half may: others would need too many worse ones to come.
    pub fn may_go_on(&self, trial: TrialId) -> Option<bool> {
        let mut found = self.rungs.iter().enumerate();
        let (rung, member) = found.find_map(|(at, rung)| Some((at, rung.find(trial)?)))?;
        let here = &self.rungs[rung];
        let Member {
            standing, promoted, ..
        } = here.members[member];
        let last = rung + 1 == self.rungs.len();
        let enough = match (standing, here.size) {
            (Standing::Running, _) => true,
            (Standing::Out, _) => false,
            (Standing::Ranked(_), None) => here.rank(member) < here.ranking.len().div_ceil(2),
            (Standing::Ranked(_), Some(_)) => {
                !here.is_decided() || !last && here.rank(member) < self.chosen(rung)
            }
        };
        Some(!last && !promoted && enough)
    }
}

impl<G: Clone> Rung<G> {
    fn new(size: Option<usize>) -> Self {
        Self {
            size,
            members: Vec::new(),
            known: 0,
            ranking: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn find(&self, trial: TrialId) -> Option<usize> {
        let found = self
            .members
            .binary_search_by_key(&trial, |member| member.trial);
        found.ok()
    }

    fn settle(&mut self, trial: TrialId, genome: &G, fitness: Option<Fitness>) {
        let Some(member) = self.find(trial) else {
            return;
        };
        self.members[member].genome = genome.clone();
        self.known += 1;
        self.members[member].standing = fitness.map_or(Standing::Out, Standing::Ranked);
        if fitness.is_some() {
            for list in [&mut self.ranking, &mut self.waiting] {
                let place = list.partition_point(|&other| is_before(&self.members, other, member));
                list.insert(place, member);
            }
        }
    }

    fn promote(&mut self, trial: TrialId) {
        if let Some(member) = self.find(trial) {
            self.members[member].promoted = true;
            self.waiting.retain(|&other| other != member);
        }
    }

    fn pass_over(&mut self, trial: TrialId) {
        if let Some(member) = self.find(trial) {
            self.members[member].standing = Standing::Out;
            self.waiting.retain(|&other| other != member);
            self.ranking.retain(|&other| other != member);
        }
    }

    /// How many of the ranking are before a member of it.
    fn rank(&self, member: usize) -> usize {
        self.ranking
            .partition_point(|&other| is_before(&self.members, other, member))
    }

    /// Whether it is full and known.
    fn is_decided(&self) -> bool {
        let full = self.size.is_some_and(|size| self.members.len() >= size);
        full && self.known == self.members.len()
    }
}

/// Whether one member with a result comes before another.
fn is_before<G>(members: &[Member<G>], one: usize, other: usize) -> bool {
    let fitness = |at: usize| match members[at].standing {
        Standing::Ranked(fitness) => Some(fitness),
        Standing::Running | Standing::Out => None,
    };
    let order = Fitness::compare_results(fitness(one).as_ref(), fitness(other).as_ref());
    order.reverse().then(one.cmp(&other)).is_lt()
}
