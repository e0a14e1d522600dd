//! Scores out of nothing but the job: a hash stands for training.

use crate::architecture::Output;
use crate::evaluation::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished, TrialJob,
};
use crate::layers::Shape;
use crate::run::evaluators::Evaluators;
use crate::search::Fitness;
use sha2::{Digest, Sha256};

/// Evaluators whose networks fail in one of `fails` cases.
#[derive(Clone, Copy, Debug)]
pub struct Hashed {
    pub fails: u64,
}

impl Evaluators for Hashed {
    fn data_hash(&self) -> &str {
        "data"
    }

    fn split_hash(&self) -> &str {
        "split"
    }

    fn check(&self, _input: Shape, _output: Output) -> Result<(), String> {
        Ok(())
    }

    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(*self)
    }

    fn selection(&self) -> Option<Box<dyn Evaluator + '_>> {
        Some(Box::new(*self))
    }

    fn test_examples(&self) -> u64 {
        10
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        Box::new(*self)
    }
}

impl Evaluator for Hashed {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        _control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let network = network(job);
        let number = |of: &[u8], at: u64| {
            let mut hash = Sha256::new_with_prefix(of);
            hash.update(at.to_le_bytes());
            let digest = hash.finalize();
            u64::from_le_bytes(digest[..8].try_into().unwrap())
        };
        let unit = |at: u64| number(&network, at) as f64 / u64::MAX as f64;
        let checkpoint = |epochs: u64| number(&network, epochs ^ 0xc4ec).to_le_bytes().to_vec();
        let mut done = 0;
        if let Some(known) = job.start.checkpoint {
            // Going on from somewhere else would give other figures.
            assert_eq!(known, checkpoint(u64::from(job.start.epochs)));
            done = job.start.epochs;
        }
        let epochs = job.fidelity.epochs_of(job.recipe.epochs) as u32;
        for epoch in done + 1..=epochs {
            if number(&network, u64::from(epoch) ^ 0xfa11).is_multiple_of(self.fails) {
                return Err(Failure::new(FailureKind::Diverged, "as the hash has it"));
            }
            observe(EpochRecord {
                epoch,
                learning_rate: 0.1,
                train_loss: unit(u64::from(3 * epoch)),
                validation_loss: Some(unit(u64::from(3 * epoch + 1))),
                validation_accuracy: Some(unit(u64::from(3 * epoch + 2))),
                validation_score: None,
            });
        }
        let fitness = |epoch: u32| Fitness {
            score: unit(u64::from(3 * epoch + 2)),
            loss: unit(u64::from(3 * epoch + 1)),
        };
        let better = |held: u32, epoch: u32| match fitness(epoch).is_better_than(&fitness(held)) {
            true => epoch,
            false => held,
        };
        let best = (1..=epochs).fold(1, better);
        let Fitness { score, loss } = fitness(best);
        Ok(Finished {
            weights: Some(network.clone()),
            checkpoint: job.start.keep.then(|| checkpoint(u64::from(epochs))),
            best_epoch: Some(best),
            ..Finished::scored(score, loss)
        })
    }
}

/// What a network is before its first epoch, with what it inherits.
fn network(job: &TrialJob<'_>) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(job.number.to_le_bytes());
    hash.update(job.seed.0.to_le_bytes());
    if let Some(genome) = job.genome {
        hash.update(serde_json::to_vec(genome).unwrap());
    }
    hash.update(job.architecture.metrics().params.to_le_bytes());
    if let Some(inherited) = &job.start.inherited {
        hash.update(inherited.weights);
    }
    hash.finalize().to_vec()
}
