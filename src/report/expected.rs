//! What a comparison gave once, to hold it against what it gives now.

use super::analysis::Analysis;
use crate::run::comparison::RecordedComparison;
use serde::{Deserialize, Serialize};

/// The newest format of the file, and the one that is written.
const FORMAT: u32 = 1;

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
    /// Its test scores, by search seed and retraining.
    pub scores: Vec<f64>,
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

impl ExpectedArm {
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
            headline: String::new(),
            arms: vec![ExpectedArm {
                name: "evolution".to_owned(),
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
