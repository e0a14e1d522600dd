//! What a comparison gave once, to hold it against what it gives now.

use super::analysis::{Analysis, Arm, Role, Score};
use super::contrast::ContrastExamples;
use crate::run::comparison::RecordedComparison;
use crate::statistics;
use crate::statistics::claims::ExampleVariance;
use serde::{Deserialize, Serialize};

/// The newest format of the file, and the one that is written. Format 2 says by which kernels it was made, and has what
/// the analysis can be made from again.
const FORMAT: u32 = 2;

/// `expected.json`: everything of a comparison that does not depend on when and how fast it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    format: u32,
    /// The version of strata that made it.
    pub strata: String,
    /// What decides last bits: the kernels' revision, and the instructions that they use. Since format 2.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kernels: String,
    /// What a training is taken to be: see [`REVISION`](crate::training::REVISION). Since format 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<u32>,
    /// The processor it was made on, for people.
    pub cpu: String,
    /// Whether it was a quick look.
    pub quick: bool,
    /// The conclusion in a word: better, worse, not shown or not evidence. Since format 2.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verdict: String,
    /// The protocol that the conclusion rests on. Since format 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<ExpectedProtocol>,
    /// The conclusion.
    pub headline: String,
    /// The test scores of each arm.
    pub arms: Vec<ExpectedArm>,
    /// The digest of each run.
    pub runs: Vec<ExpectedRun>,
}

/// The scores of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedArm {
    /// Its name.
    pub name: String,
    /// Its role. Since format 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The number of scores of each search seed. Since format 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retrainings: Vec<u32>,
    /// The root seeds of its searches. Since format 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// Its test scores, by search seed and retraining.
    pub scores: Vec<f64>,
}

/// The protocol of a comparison: what a conclusion rests on besides scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedProtocol {
    /// The experiment's name.
    pub name: String,
    /// The name of its scores.
    pub score: String,
    /// With how many seeds each search was run.
    pub search_seeds: u32,
    /// With how many seeds each network was retrained for each search seed.
    pub retrain_seeds: u32,
    /// The number of test examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_examples: Option<u64>,
    /// True if scores are looked up in a table.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub looked_up: bool,
    /// The number of this look at the test examples, from 1.
    pub look: u32,
    /// The smallest difference of interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Reasons why it is no evidence whatever its figures are, each a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<String>,
    /// Variances over test examples of differences of arms, where contributions were recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ExpectedExamples>,
}

/// The variance over test examples of the difference of two arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedExamples {
    /// The first arm.
    pub first: String,
    /// The second arm.
    pub second: String,
    /// The variance of the difference's mean over test examples.
    pub variance: f64,
    /// The number of examples, or of groups of them.
    pub count: usize,
}

/// A run and the digest of everything that happened in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRun {
    /// Its folder's name.
    pub run: String,
    /// Its digest. In files of format 1 the run's name is part of it.
    pub digest: String,
}

/// How a comparison agrees with what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// To the last bit.
    Exactly,
    /// Other kernels or another processor round otherwise: the verdict is the same, and each arm's mean is within
    /// three standard errors of the difference. Each sentence says what differs.
    Nearly(Vec<String>),
    /// Not: each sentence says where.
    Not(Vec<String>),
}

impl Expected {
    /// What a complete comparison gave.
    pub fn of(comparison: &RecordedComparison, analysis: &Analysis) -> Self {
        let host = comparison
            .runs()
            .first()
            .map(|(_, run)| &run.started().host);
        let arms = analysis.arms.iter().map(|arm| ExpectedArm {
            name: arm.name.clone(),
            role: Some(arm.role),
            retrainings: arm
                .by_search()
                .iter()
                .map(|(_, it)| it.len() as u32)
                .collect(),
            seeds: arm.seeds.clone(),
            scores: arm.values(),
        });
        let runs = comparison.runs().iter().map(|(part, run)| ExpectedRun {
            run: comparison.plan().folder(*part),
            digest: run.digest(),
        });
        Self {
            format: FORMAT,
            strata: comparison.strata().to_owned(),
            kernels: host.map_or_else(String::new, |host| host.kernels.clone()),
            training: host.and_then(|host| host.training),
            cpu: host.map_or_else(String::new, |host| host.cpu.clone()),
            quick: analysis.quick,
            verdict: analysis.verdict.word.to_owned(),
            protocol: Some(ExpectedProtocol::of(analysis)),
            headline: analysis.verdict.headline.clone(),
            arms: arms.collect(),
            runs: runs.collect(),
        }
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no such file, or of a newer format: in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(FORMAT) => Err(format!(
                "it is in format {found}, and this version of strata reads up to {FORMAT}"
            )),
            _ => serde_json::from_value(value).map_err(|error| error.to_string()),
        }
    }

    /// The analysis of the scores that the file holds: its headline follows from nothing else. Trials, sizes and
    /// times are not in it.
    ///
    /// # Errors
    /// When the file is of the first format, or contradicts itself: in words.
    pub fn analysis(&self) -> Result<Analysis, String> {
        let Some(protocol) = &self.protocol else {
            return Err(
                "it is in format 1, which does not say what its arms are; `strata compare EXPERIMENT --bless` \
                 writes it anew"
                    .to_owned(),
            );
        };
        let mut analysis = protocol.analysis();
        analysis.quick = self.quick;
        for arm in &self.arms {
            analysis.arms.push(arm.arm(protocol.looked_up)?);
        }
        analysis.conclude();
        Ok(analysis)
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("this is plain data");
        format!("{text}\n")
    }

    /// By what it was made, as far as the file says.
    pub fn made_by(&self) -> String {
        match &self.kernels[..] {
            "" => format!("kernels that it does not name, on {}", self.cpu),
            kernels => {
                let training = self.training.map_or_else(
                    || "the first revision".to_owned(),
                    |revision| format!("revision {revision}"),
                );
                format!("{kernels} and trainings of {training}, on {}", self.cpu)
            }
        }
    }

    /// How what was found now agrees with this.
    pub fn agrees(&self, found: &Self) -> Agreed {
        let other = self.other_conclusions(found);
        let figures = self.other_figures(found);
        if other.is_empty() && figures.is_empty() {
            return Agreed::Exactly;
        }
        // A file that does not name its kernels may have been made by others.
        let is_same = (&self.kernels, self.training) == (&found.kernels, found.training);
        if !self.kernels.is_empty() && is_same {
            return Agreed::Not([other, figures].concat());
        }
        let mut wrong = self.other_questions(found);
        wrong.extend(self.other_verdict(found));
        wrong.extend(self.arms.iter().filter_map(|then| then.is_far(found)));
        match wrong.is_empty() {
            true => Agreed::Nearly([other, figures].concat()),
            false => Agreed::Not(wrong),
        }
    }

    /// What was asked otherwise, so that nothing can be compared.
    fn other_questions(&self, found: &Self) -> Vec<String> {
        let mut other = Vec::new();
        if self.quick != found.quick {
            other.push("one is a quick look and the other is not".to_owned());
        }
        let names = |of: &Self| -> Vec<String> {
            let arms = of.arms.iter().map(|arm| arm.name.clone());
            arms.chain(of.runs.iter().map(|run| run.run.clone()))
                .collect()
        };
        let (then, now) = (names(self), names(found));
        let gone = then.iter().filter(|name| !now.contains(name));
        other.extend(gone.map(|name| format!("there is no {name}")));
        let new = now.iter().filter(|name| !then.contains(name));
        other.extend(new.map(|name| format!("{name} is not expected")));
        other
    }

    fn other_verdict(&self, found: &Self) -> Option<String> {
        let (then, now) = match self.verdict.is_empty() {
            // The word of the first format is its sentence.
            true => (&self.headline, &found.headline),
            false => (&self.verdict, &found.verdict),
        };
        (then != now).then(|| format!("the verdict is \"{now}\", expected \"{then}\""))
    }

    fn other_conclusions(&self, found: &Self) -> Vec<String> {
        let mut other = self.other_questions(found);
        other.extend(self.other_verdict(found));
        if self.headline != found.headline && !self.verdict.is_empty() {
            let (then, now) = (&self.headline, &found.headline);
            other.push(format!("the headline is \"{now}\", expected \"{then}\""));
        }
        other
    }

    /// The first score of each arm, and the digests, that are not the same to the last bit.
    fn other_figures(&self, found: &Self) -> Vec<String> {
        let arms = self.arms.iter().filter_map(|then| then.differs(found));
        let digest = |then: &ExpectedRun| {
            let now = found.runs.iter().find(|now| now.run == then.run)?;
            let text = || {
                format!(
                    "{}: digest {}, expected {}",
                    now.run, now.digest, then.digest
                )
            };
            // Digests of the first format were taken of the names too.
            (self.format > 1 && then.digest != now.digest).then(text)
        };
        arms.chain(self.runs.iter().filter_map(digest)).collect()
    }
}

impl ExpectedProtocol {
    fn of(analysis: &Analysis) -> Self {
        let between = |first: &Arm, second: &Arm| {
            let examples = analysis.examples_between(first, second)?;
            Some(ExpectedExamples {
                first: first.name.clone(),
                second: second.name.clone(),
                variance: examples.variance,
                count: examples.count,
            })
        };
        let pairs = analysis.contrasts.iter().filter_map(|contrast| {
            between(
                analysis.arm(&contrast.first)?,
                analysis.arm(&contrast.second)?,
            )
        });
        Self {
            name: analysis.name.clone(),
            score: analysis.score_name.clone(),
            search_seeds: analysis.search_seeds,
            retrain_seeds: analysis.retrain_seeds,
            test_examples: analysis.test_examples,
            looked_up: analysis.looked_up,
            look: analysis.look,
            margin: analysis.margin,
            reservations: analysis.reservations.clone(),
            examples: pairs.collect(),
        }
    }

    /// An analysis of no arms yet.
    fn analysis(&self) -> Analysis {
        let examples = self.examples.iter().map(|it| ContrastExamples {
            first: it.first.clone(),
            second: it.second.clone(),
            examples: ExampleVariance {
                variance: it.variance,
                count: it.count,
            },
        });
        Analysis {
            search_seeds: self.search_seeds,
            retrain_seeds: self.retrain_seeds,
            test_examples: self.test_examples,
            looked_up: self.looked_up,
            look: self.look,
            margin: self.margin,
            reservations: self.reservations.clone(),
            examples: examples.collect(),
            ..Analysis::empty(self.name.clone(), self.score.clone())
        }
    }
}

impl ExpectedArm {
    /// The arm with its scores, and nothing of what was found.
    fn arm(&self, looked_up: bool) -> Result<Arm, String> {
        let role = self
            .role
            .ok_or_else(|| format!("{}: it has no role", self.name))?;
        let counted: u32 = self.retrainings.iter().sum();
        if counted as usize != self.scores.len() {
            return Err(format!(
                "{}: it has {} scores, and its search seeds have {counted}",
                self.name,
                self.scores.len()
            ));
        }
        let mut arm = Arm::empty(self.name.clone(), role);
        arm.known = looked_up && role != Role::RandomNetworks;
        arm.seeds.clone_from(&self.seeds);
        let seeds = (1..).zip(&self.retrainings);
        let places = seeds.flat_map(|(seed, &count)| (1..=count).map(move |number| (seed, number)));
        let scores = places.zip(&self.scores);
        arm.scores
            .extend(scores.map(|((search_seed, retraining), &value)| Score {
                search_seed,
                retraining,
                value,
                contributions: None,
            }));
        Ok(arm)
    }

    /// The same arm of what was found.
    fn now<'a>(&self, found: &'a Expected) -> Option<&'a Self> {
        found.arms.iter().find(|arm| arm.name == self.name)
    }

    /// Where the scores of the same arm are others.
    fn differs(&self, found: &Expected) -> Option<String> {
        let (name, now) = (&self.name, &self.now(found)?.scores);
        if self.scores.len() != now.len() {
            let (then, now) = (self.scores.len(), now.len());
            return Some(format!("{name}: {now} scores, expected {then}"));
        }
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        let at = self.scores.iter().zip(now).position(|pair| !same(pair))?;
        let (then, now) = (self.scores[at], now[at]);
        Some(format!(
            "{name}: score {} is {now}, expected {then}",
            at + 1
        ))
    }

    /// Whether the mean of the same arm is farther away than chance explains.
    fn is_far(&self, found: &Expected) -> Option<String> {
        let (name, now) = (&self.name, self.now(found)?);
        let (Some(then_mean), Some(now_mean)) = (
            statistics::mean(&self.scores),
            statistics::mean(&now.scores),
        ) else {
            let is_same = self.scores.is_empty() == now.scores.is_empty();
            return (!is_same).then(|| format!("{name}: one of the two has no score"));
        };
        // The spread of what is expected, for both: one of what was found would excuse the scores that it comes from.
        let error = std::f64::consts::SQRT_2 * self.standard_error();
        // Samples without any spread still differ by what one example more or less makes.
        let slack = 3.0 * error + 1e-3;
        ((then_mean - now_mean).abs() > slack).then(|| {
            format!("{name}: mean {now_mean:.4}, expected {then_mean:.4} within {slack:.4}")
        })
    }

    /// The standard error of the mean: with a score or a search as the observation, whichever says more. Scores of one
    /// search's network are closer to one another than to another's.
    fn standard_error(&self) -> f64 {
        let error = |values: &[f64]| {
            let deviation = statistics::deviation(values).unwrap_or(0.0);
            deviation / libm::sqrt(values.len().max(1) as f64)
        };
        let mut rest = &self.scores[..];
        let mut means = Vec::new();
        for &count in &self.retrainings {
            let (of_one, others) = rest.split_at(rest.len().min(count as usize));
            means.extend(statistics::mean(of_one));
            rest = others;
        }
        error(&self.scores).max(error(&means))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "kernels 3 (avx2+fma)";
    const THERE: &str = "kernels 3 (neon)";

    fn expected(kernels: &str, score: f64) -> Expected {
        Expected {
            format: FORMAT,
            strata: "0".to_owned(),
            kernels: kernels.to_owned(),
            training: Some(2),
            cpu: "a".to_owned(),
            quick: false,
            verdict: "better".to_owned(),
            protocol: None,
            headline: "It is better.".to_owned(),
            arms: vec![ExpectedArm {
                name: "evolution".to_owned(),
                role: None,
                retrainings: vec![1, 1, 1],
                seeds: Vec::new(),
                scores: vec![0.974, 0.976, score],
            }],
            runs: vec![ExpectedRun {
                run: "evolution-1".to_owned(),
                digest: score.to_string(),
            }],
        }
    }

    fn is_not(agreed: &Agreed) -> bool {
        matches!(agreed, Agreed::Not(_))
    }

    #[test]
    fn the_same_kernels_agree_to_the_bit_and_others_nearly() {
        let then = expected(HERE, 0.975);
        assert_eq!(then.agrees(&expected(HERE, 0.975)), Agreed::Exactly);
        assert_eq!(then.agrees(&expected(THERE, 0.975)), Agreed::Exactly);
        assert!(is_not(&then.agrees(&expected(HERE, 0.975 + 1e-15))));
        let Agreed::Nearly(told) = then.agrees(&expected(THERE, 0.976)) else {
            panic!("it is near");
        };
        assert_eq!(
            told,
            [
                "evolution: score 3 is 0.976, expected 0.975",
                "evolution-1: digest 0.976, expected 0.975"
            ]
        );
        assert!(is_not(&then.agrees(&expected(THERE, 0.5))));
        assert_eq!(Expected::parse(&then.to_text()), Ok(then));
    }

    #[test]
    fn the_processor_is_not_what_decides() {
        let then = expected(HERE, 0.975);
        let now = Expected {
            cpu: "b".to_owned(),
            ..expected(HERE, 0.976)
        };
        assert!(is_not(&then.agrees(&now)));
    }

    #[test]
    fn another_verdict_is_a_difference_with_any_kernels() {
        let then = expected(HERE, 0.975);
        for kernels in [HERE, THERE] {
            let mut now = expected(kernels, 0.975);
            now.verdict = "not shown".to_owned();
            let Agreed::Not(wrong) = then.agrees(&now) else {
                panic!("the verdicts differ");
            };
            let wanted = "the verdict is \"not shown\", expected \"better\"";
            assert!(wrong.contains(&wanted.to_owned()), "{wrong:?}");
        }
        // A sentence has figures in it, which other kernels give otherwise.
        let mut now = expected(THERE, 0.975);
        now.headline = "It is better, p = 0.01.".to_owned();
        assert!(matches!(then.agrees(&now), Agreed::Nearly(_)));
        now.kernels = HERE.to_owned();
        assert!(is_not(&then.agrees(&now)));
    }

    #[test]
    fn other_arms_and_runs_are_named() {
        let then = expected(HERE, 0.975);
        let mut now = expected(THERE, 0.975);
        now.arms[0].name = "random".to_owned();
        let Agreed::Not(wrong) = then.agrees(&now) else {
            panic!("the arms differ");
        };
        assert_eq!(
            wrong,
            ["there is no evolution", "random is not expected"].map(str::to_owned)
        );
    }

    #[test]
    fn one_search_is_one_observation_of_how_far_a_mean_may_be() {
        let arm = |scores: &[f64]| ExpectedArm {
            name: "evolution".to_owned(),
            role: None,
            retrainings: vec![3, 3],
            seeds: Vec::new(),
            scores: scores.to_vec(),
        };
        let one = arm(&[0.90, 0.90, 0.90, 0.94, 0.94, 0.94]);
        let deviation = 0.04 / libm::sqrt(2.0);
        let wanted = deviation / libm::sqrt(2.0);
        assert!((one.standard_error() - wanted).abs() < 1e-12);
    }

    #[test]
    fn a_file_of_the_first_format_is_read_and_its_digests_are_of_older_journals() {
        let text = r#"{"format":1,"strata":"0","cpu":"a","quick":false,"headline":"It is better.",
            "arms":[{"name":"evolution","scores":[0.974,0.976,0.975]}],
            "runs":[{"run":"evolution-1","digest":"of another rule"}]}"#;
        let then = Expected::parse(text).unwrap();
        assert_eq!(then.agrees(&expected(HERE, 0.975)), Agreed::Exactly);
        assert!(matches!(
            then.agrees(&expected(HERE, 0.976)),
            Agreed::Nearly(_)
        ));
        let mut now = expected(HERE, 0.976);
        now.headline = "It is worse.".to_owned();
        assert!(is_not(&then.agrees(&now)));
    }
}
