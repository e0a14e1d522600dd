//! An experiment made ready: texts read, spaces compiled, hashes taken.

use super::error::RunError;
use super::evaluators::Evaluators;
use super::experiment::{Experiment, ExperimentFile};
use super::files::{self, Files};
use super::folder::RunFolder;
use super::record::Started;
use crate::diagnostics::SourceFile;
use crate::language;
use crate::random::{Purpose, Seed};
use crate::search::{Ladder, SearchSettings};
use crate::space::{Candidate, Genome, Sampling, SearchSpace};
use crate::training::{Recipe, RecipeError};
use num_bigint::BigUint;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a run folder has the space.
const SPACE_PATH: &str = "space.space";

/// Where a run folder has a baseline.
fn baseline_path(name: &str) -> String {
    format!("baselines/{name}.space")
}

/// The texts that a run is made from.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    pub space: SourceFile,
    pub baselines: Vec<BaselineText>,
}

#[derive(Clone, Debug)]
pub(super) struct BaselineText {
    pub name: String,
    pub path: PathBuf,
    pub file: SourceFile,
}

impl Texts {
    /// The texts an experiment file names.
    pub fn given(file: &ExperimentFile) -> Result<Self, RunError> {
        let space = read_source(&file.base.join(&file.experiment.space))?;
        let paths = file.experiment.last.baselines.iter();
        let baselines = paths.map(|path| BaselineText::read(path, file.base.join(path)));
        Ok(Self {
            space,
            baselines: baselines.collect::<Result<_, _>>()?,
        })
    }

    /// The texts a run folder keeps, which must be those it was started with.
    pub fn kept(folder: &RunFolder, started: &Started) -> Result<Self, RunError> {
        let read = |path: &Path| read_source_on(folder.files(), path);
        let space = read(&folder.space())?;
        let paths = started.experiment.last.baselines.iter();
        let baselines = paths.map(|path| {
            let kept = folder.baseline(&stem(path));
            let file = read(&kept)?;
            Ok(BaselineText::new(path, kept, file))
        });
        let texts = Self {
            space,
            baselines: baselines.collect::<Result<_, RunError>>()?,
        };
        texts.check(started)?;
        Ok(texts)
    }

    /// The texts that files hold by the paths of [`as_files`](Self::as_files); they must be those that a run
    /// was started with.
    pub fn held(started: &Started, files: &[(String, Vec<u8>)]) -> Result<Self, RunError> {
        let text = |path: String| {
            let found = files.iter().find(|(known, _)| *known == path);
            let content = found.map(|(_, content)| String::from_utf8_lossy(content).into_owned());
            // One that is missing has another hash than it should have.
            SourceFile::new(path, content.unwrap_or_default())
        };
        let paths = started.experiment.last.baselines.iter();
        let baselines = paths.map(|path| BaselineText {
            name: stem(path),
            path: path.clone(),
            file: text(baseline_path(&stem(path))),
        });
        let texts = Self {
            space: text(SPACE_PATH.to_owned()),
            baselines: baselines.collect(),
        };
        texts.check(started)?;
        Ok(texts)
    }

    /// The texts by their paths in a run folder.
    pub fn as_files(&self) -> Vec<(String, Vec<u8>)> {
        let bytes = |file: &SourceFile| file.text().as_bytes().to_vec();
        let mut files = vec![(SPACE_PATH.to_owned(), bytes(&self.space))];
        for baseline in &self.baselines {
            files.push((baseline_path(&baseline.name), bytes(&baseline.file)));
        }
        files
    }

    /// The hashes of the baselines' texts.
    pub fn baseline_hashes(&self) -> Vec<String> {
        self.baselines
            .iter()
            .map(|baseline| hash(&baseline.file))
            .collect()
    }

    /// The hash of the space's text.
    pub fn space_hash(&self) -> String {
        hash(&self.space)
    }

    /// Copies the texts into a run folder.
    pub fn keep(&self, folder: &RunFolder) -> Result<(), RunError> {
        let files = folder.files();
        files.replace(&folder.space(), self.space.text().as_bytes())?;
        for baseline in &self.baselines {
            let path = folder.baseline(&baseline.name);
            files.create_folder(path.parent().unwrap_or(&path))?;
            files.replace(&path, baseline.file.text().as_bytes())?;
        }
        match self.baselines.first() {
            // The run folder is synced by who made it; a folder in it has names of its own.
            Some(first) => files.sync_folder(
                folder
                    .baseline(&first.name)
                    .parent()
                    .unwrap_or(folder.path()),
            ),
            None => Ok(()),
        }
    }

    fn check(&self, started: &Started) -> Result<(), RunError> {
        let mut pairs = vec![(
            self.space.name().to_owned(),
            self.space_hash(),
            &started.space_hash,
        )];
        for (baseline, then) in self.baselines.iter().zip(&started.baseline_hashes) {
            pairs.push((
                baseline.path.display().to_string(),
                hash(&baseline.file),
                then,
            ));
        }
        match pairs.into_iter().find(|(_, now, then)| now != *then) {
            None => Ok(()),
            Some((what, now, then)) => Err(RunError::Changed {
                what,
                now,
                then: then.clone(),
            }),
        }
    }
}

impl BaselineText {
    fn read(named: &Path, path: PathBuf) -> Result<Self, RunError> {
        let file = read_source(&path)?;
        Ok(Self::new(named, path, file))
    }

    fn new(named: &Path, path: PathBuf, file: SourceFile) -> Self {
        let name = stem(named);
        Self { name, path, file }
    }
}

/// A network that the winner is compared with.
#[derive(Debug)]
pub(super) struct Baseline {
    pub name: String,
    pub candidate: Candidate,
}

/// An experiment with its spaces.
#[derive(Debug)]
pub(super) struct Setup {
    pub experiment: Experiment,
    pub space: Arc<SearchSpace>,
    pub baselines: Vec<Baseline>,
}

impl Setup {
    pub fn compile(experiment: Experiment, texts: &Texts) -> Result<Self, RunError> {
        let space = Arc::new(compile_source(&texts.space)?);
        let baselines: Vec<Baseline> = texts
            .baselines
            .iter()
            .map(Baseline::compile)
            .collect::<Result<_, _>>()?;
        for (index, baseline) in baselines.iter().enumerate() {
            if baselines[..index]
                .iter()
                .any(|other| other.name == baseline.name)
            {
                let message = format!(
                    "two baselines are called `{}`; rename a file",
                    baseline.name
                );
                return Err(RunError::Setting {
                    key: "final.baselines".to_owned(),
                    message,
                });
            }
        }
        Ok(Self {
            experiment,
            space,
            baselines,
        })
    }

    /// What the search's scores are called.
    pub fn score_name(&self) -> &'static str {
        self.experiment.score_name(self.space.output())
    }

    /// What the final test's scores are called.
    pub fn test_score_name(&self) -> &'static str {
        self.experiment.test_score_name(self.space.output())
    }

    /// Whether the networks fit the data and their settings the recipe.
    pub fn check(&self, evaluators: &dyn Evaluators) -> Result<(), RunError> {
        let fits = |space: &str, input, output| {
            let unfit = |message| RunError::Unfit {
                space: space.to_owned(),
                message,
            };
            evaluators.check(input, output).map_err(unfit)
        };
        fits(self.space.name(), self.space.input(), self.space.output())?;
        for baseline in &self.baselines {
            let architecture = &baseline.candidate.architecture;
            fits(&baseline.name, architecture.input(), architecture.output())?;
            self.check_recipe(&baseline.candidate)?;
        }
        self.check_score()?;
        let specimen = self.specimen();
        self.check_recipe(&specimen)?;
        self.check_fidelity(&specimen)?;
        self.check_prefilter()
    }

    fn check_score(&self) -> Result<(), RunError> {
        let Experiment {
            evaluator, score, ..
        } = &self.experiment;
        let checked = score.map_or(Ok(()), |score| {
            evaluator.check_score(score, self.space.output())
        });
        checked.map_err(|message| RunError::Setting {
            key: "score".to_owned(),
            message,
        })
    }

    /// What a search climbs, if it tries candidates at several fidelities.
    fn ladder(&self) -> Result<Option<Ladder>, RunError> {
        let ladder = self.search_settings().ladder(&*self.space);
        ladder.map_err(|message| RunError::Setting {
            key: "search.fidelity".to_owned(),
            message,
        })
    }

    fn check_fidelity(&self, specimen: &Candidate) -> Result<(), RunError> {
        let refused = |message| RunError::Setting {
            key: "search.fidelity".to_owned(),
            message,
        };
        let ladder = self.ladder()?;
        let levels = ladder.as_ref().map_or(&[][..], |ladder| ladder.levels());
        let few = levels.iter().any(|level| level.fidelity.epochs.is_some());
        if few && specimen.recipe.contains_key("epochs") {
            let message = "the space decides `epochs`, so they can't be the fidelity too; set \
                           `fidelity = \"data\"`, or take them out of the space's recipe";
            return Err(refused(message.to_owned()));
        }
        Ok(())
    }

    /// Whether children begin with weights of their parents.
    pub fn inherits(&self) -> bool {
        self.experiment.search.inherit.unwrap_or(false)
    }

    /// The network of a genome.
    pub fn candidate(&self, genome: &Genome) -> Result<Candidate, RunError> {
        self.space.decode(genome).map_err(|error| RunError::Unfit {
            space: self.space.name().to_owned(),
            message: error.to_string(),
        })
    }

    /// The search's settings, with what it has to know of the recipe.
    pub fn search_settings(&self) -> SearchSettings {
        SearchSettings {
            full_epochs: u32::try_from(self.experiment.recipe.epochs).unwrap_or(u32::MAX),
            ..self.experiment.search.clone()
        }
    }

    fn check_recipe(&self, candidate: &Candidate) -> Result<(), RunError> {
        let recipe = self.recipe(candidate)?;
        recipe.validate().map_err(unfit_recipe)?;
        let (input, output) = (
            candidate.architecture.input(),
            candidate.architecture.output(),
        );
        recipe.validate_for(input, output).map_err(unfit_recipe)
    }

    /// Some network of the space: all of them decide the same settings.
    fn specimen(&self) -> Candidate {
        let mut stream = Seed(0).stream(0, Purpose::Tool);
        let genome = self.space.sample(Sampling::Prior, &mut stream);
        self.space
            .decode(&genome)
            .expect("a sampled genome is in the space")
    }

    /// A network drawn from the space as the experiment draws fresh ones.
    pub fn random_network(&self, number: u32) -> Candidate {
        let seed = self.experiment.seed.derive("random network", 0);
        let mut stream = seed.stream(u64::from(number), Purpose::Decode);
        let genome = self.space.sample(
            self.experiment.search.sampling.unwrap_or(Sampling::Prior),
            &mut stream,
        );
        self.space
            .decode(&genome)
            .expect("a sampled genome is in the space")
    }

    /// The experiment's recipe with what the space decided.
    pub fn recipe(&self, candidate: &Candidate) -> Result<Recipe, RunError> {
        let mut recipe = self.experiment.recipe.clone();
        for (name, value) in &candidate.recipe {
            recipe.set(name, *value).map_err(|error| RunError::Unfit {
                space: self.space.name().to_owned(),
                message: error.to_string(),
            })?;
        }
        Ok(recipe)
    }
}

impl Baseline {
    fn compile(text: &BaselineText) -> Result<Self, RunError> {
        let space = compile_source(&text.file)?;
        if !space.is_single() {
            let (path, count) = (text.path.clone(), space.indices().to_string());
            return Err(RunError::Baseline { path, count });
        }
        let genome = space
            .get(&BigUint::ZERO)
            .expect("a space of one has a first genome");
        let candidate = space
            .decode(&genome)
            .expect("the space's own genome is in it");
        Ok(Self {
            name: text.name.clone(),
            candidate,
        })
    }
}

fn unfit_recipe(error: RecipeError) -> RunError {
    RunError::Setting {
        key: "recipe".to_owned(),
        message: error.to_string(),
    }
}

fn read_source(path: &Path) -> Result<SourceFile, RunError> {
    read_source_on(&Files::of_machine(), path)
}

fn read_source_on(files: &Files, path: &Path) -> Result<SourceFile, RunError> {
    let name = path.display().to_string();
    Ok(SourceFile::new(name, files.read_text(path)?))
}

fn compile_source(file: &SourceFile) -> Result<SearchSpace, RunError> {
    language::compile(file.text())
        .map(|compiled| compiled.space)
        .map_err(|diagnostics| RunError::Text {
            file: file.clone(),
            diagnostics,
        })
}

fn hash(file: &SourceFile) -> String {
    files::sha256(file.text().as_bytes())
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
