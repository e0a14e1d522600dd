//! What a comparison gave once, to hold it against what it gives now.

use super::analysis::{Analysis, Arm, Role, Score};
use super::contrast::ContrastExamples;
use crate::run::comparison::RecordedComparison;
use crate::statistics::claims::ExampleVariance;
use serde::{Deserialize, Serialize};

/// The newest format of the file, and the one that is written. Format 2 has what the analysis can be made from again.
const FORMAT: u32 = 2;

/// `expected.json`: everything of a comparison that does not depend on when and how fast it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    format: u32,
    /// The version of strata that made it.
    pub strata: String,
    /// The processor it was made on.
    pub cpu: String,
    /// Whether it was a quick look.
    pub quick: bool,
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
    /// Its digest.
    pub digest: String,
}

/// How a comparison agrees with what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// To the last bit.
    Exactly,
    /// Another processor rounds otherwise: each arm's mean is within three standard errors.
    Nearly,
    /// Not: each sentence says where.
    Not(Vec<String>),
}

impl Expected {
    /// What a complete comparison gave.
    pub fn of(comparison: &RecordedComparison, analysis: &Analysis) -> Self {
        let first = comparison.runs().first();
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
            cpu: first.map_or_else(String::new, |(_, run)| run.started().host.cpu.clone()),
            quick: analysis.quick,
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

    /// How what was found now agrees with this.
    pub fn agrees(&self, found: &Self) -> Agreed {
        let mut wrong = Vec::new();
        if self.quick != found.quick {
            wrong.push("one is a quick look and the other is not".to_owned());
        }
        let same_machine = self.cpu == found.cpu;
        for (then, now) in self.runs.iter().zip(&found.runs) {
            if same_machine && then != now {
                wrong.push(format!(
                    "{}: digest {}, expected {}",
                    now.run, now.digest, then.digest
                ));
            }
        }
        for then in &self.arms {
            let now = found.arms.iter().find(|arm| arm.name == then.name);
            match now {
                None => wrong.push(format!("there is no arm {}", then.name)),
                Some(now) if same_machine && now.scores == then.scores => {}
                Some(now) => wrong.extend(then.differs(now, same_machine)),
            }
        }
        if self.runs.len() != found.runs.len() || self.arms.len() != found.arms.len() {
            wrong.push("there are other runs or arms".to_owned());
        }
        match wrong.is_empty() {
            false => Agreed::Not(wrong),
            true if same_machine => Agreed::Exactly,
            true => Agreed::Nearly,
        }
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

    /// Where another arm's scores are not these.
    fn differs(&self, now: &Self, same_machine: bool) -> Option<String> {
        let name = &self.name;
        if same_machine {
            let at = self
                .scores
                .iter()
                .zip(&now.scores)
                .position(|(a, b)| a != b)?;
            let (then, now) = (self.scores[at], now.scores[at]);
            return Some(format!(
                "{name}: score {} is {now}, expected {then}",
                at + 1
            ));
        }
        let deviation = crate::statistics::deviation(&self.scores).unwrap_or(0.0);
        let error = deviation / libm::sqrt(self.scores.len().max(1) as f64);
        let means = (
            crate::statistics::mean(&self.scores)?,
            crate::statistics::mean(&now.scores)?,
        );
        // Samples without any spread still differ by what one example more or less makes.
        let slack = 3.0 * std::f64::consts::SQRT_2 * error + 1e-3;
        let away = (means.0 - means.1).abs();
        (away > slack).then(|| {
            format!(
                "{name}: mean {:.4}, expected {:.4} within {slack:.4}",
                means.1, means.0
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(cpu: &str, score: f64) -> Expected {
        Expected {
            format: FORMAT,
            strata: "0".to_owned(),
            cpu: cpu.to_owned(),
            quick: false,
            protocol: None,
            headline: String::new(),
            arms: vec![ExpectedArm {
                name: "evolution".to_owned(),
                role: None,
                retrainings: Vec::new(),
                seeds: Vec::new(),
                scores: vec![0.974, 0.976, score],
            }],
            runs: vec![ExpectedRun {
                run: "evolution-1".to_owned(),
                digest: score.to_string(),
            }],
        }
    }

    #[test]
    fn the_same_machine_agrees_to_the_bit_and_another_nearly() {
        let then = expected("a", 0.975);
        assert_eq!(then.agrees(&expected("a", 0.975)), Agreed::Exactly);
        assert!(matches!(
            then.agrees(&expected("a", 0.975 + 1e-15)),
            Agreed::Not(_)
        ));
        assert_eq!(then.agrees(&expected("b", 0.976)), Agreed::Nearly);
        assert!(matches!(then.agrees(&expected("b", 0.5)), Agreed::Not(_)));
        assert_eq!(Expected::parse(&then.to_text()), Ok(then));
    }
}
