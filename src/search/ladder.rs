//! Ladders of fidelities: what a search with several fidelities climbs.

use super::{Fidelity, Moves};

/// One step of a ladder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// How much of a full evaluation it is.
    pub fidelity: Fidelity,
    /// Where widths are the fidelity: the highest option that is taken.
    pub widest: Option<u32>,
}

/// Fidelities from the lowest to the full one.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    levels: Vec<Level>,
    /// Where widths are the fidelity: the decision that gives the width.
    width: Option<String>,
}

/// What a ladder is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct LadderSettings {
    /// `epochs`, `data`, or the name of a top-level `let` that gives the width.
    pub fidelity: String,
    /// By how much one level is more than the one below; at least 2.
    pub eta: u32,
    /// The least share of a full evaluation, above 0.
    pub min_fidelity: f64,
    /// The epochs of a full evaluation, at least 1.
    pub epochs: u32,
}

impl Ladder {
    /// The ladder that these settings mean in `space`.
    ///
    /// # Errors
    /// When the fidelity is neither epochs nor data, nor a `let` of the space with several options.
    pub fn new<M: Moves>(space: &M, settings: &LadderSettings) -> Result<Self, String> {
        let mut shares = vec![1.0];
        let eta = f64::from(settings.eta);
        // A share that is the least but for rounding is still one.
        while shares[shares.len() - 1] / eta >= settings.min_fidelity * (1.0 - 1e-9) {
            shares.push(shares[shares.len() - 1] / eta);
        }
        shares.reverse();
        let plain = |fidelity| Level {
            fidelity,
            widest: None,
        };
        let mut levels: Vec<Level> = match settings.fidelity.as_str() {
            "epochs" => {
                let of =
                    |share: f64| libm::round(share * f64::from(settings.epochs)).max(1.0) as u32;
                let epochs = shares.into_iter().map(of);
                let fewer = epochs.filter(|&epochs| epochs < settings.epochs);
                fewer.map(Fidelity::of_epochs).map(plain).collect()
            }
            "data" => {
                let fewer = shares.into_iter().filter(|&share| share < 1.0);
                fewer.map(Fidelity::of_data).map(plain).collect()
            }
            name => return Self::of_width(space, name),
        };
        levels.push(plain(Fidelity::FULL));
        levels.dedup();
        let width = None;
        Ok(Self { levels, width })
    }

    fn of_width<M: Moves>(space: &M, name: &str) -> Result<Self, String> {
        let options = space.options(name).filter(|&options| options > 1);
        let options = options.ok_or_else(|| {
            format!(
                "`fidelity` needs `epochs`, `data`, or a `let` of the space with several options; \
                 `{name}` is none"
            )
        })?;
        let level = |widest| Level {
            fidelity: Fidelity::FULL,
            widest,
        };
        let narrow = (0..options - 1).map(|option| level(Some(option)));
        Ok(Self {
            levels: narrow.chain([level(None)]).collect(),
            width: Some(name.to_owned()),
        })
    }

    /// The levels, the lowest first.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// A genome as it is evaluated at a level: with the widest option that the level allows, or the
    /// next wider one that makes a network of the space.
    pub fn at_level<M: Moves>(&self, space: &M, genome: &M::Genome, level: usize) -> M::Genome {
        let (Some(name), Some(widest)) = (&self.width, self.levels[level].widest) else {
            return genome.clone();
        };
        let mut own = 0;
        space.decisions(genome, &mut |address, option| {
            if address == name {
                own = option;
            }
        });
        let mut narrower = (widest..own).filter_map(|option| space.with(genome, name, option));
        narrower.next().unwrap_or_else(|| genome.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;
    use crate::random::{Purpose, Seed};
    use crate::space::{Sampling, SearchSpace};

    fn space() -> SearchSpace {
        let text = "space s\ninput image(channels: 1, height: 8, width: 8)\noutput classes(10)\n\
                    let wide = 4 | 8 | 16\n\
                    network {\n flatten\n repeat 1..2 { linear(wide)\n relu | tanh }\n linear(classes)\n}\n";
        language::compile(text).unwrap().space
    }

    fn ladder(fidelity: &str, min_fidelity: f64, epochs: u32) -> Result<Ladder, String> {
        let settings = LadderSettings {
            fidelity: fidelity.to_owned(),
            eta: 3,
            min_fidelity,
            epochs,
        };
        Ladder::new(&space(), &settings)
    }

    fn fidelities(ladder: &Ladder) -> Vec<Fidelity> {
        ladder.levels().iter().map(|level| level.fidelity).collect()
    }

    #[test]
    fn levels_grow_by_eta_up_to_the_full_fidelity() {
        let epochs = fidelities(&ladder("epochs", 1.0 / 27.0, 27).unwrap());
        let wanted = [1, 3, 9].map(Fidelity::of_epochs);
        assert_eq!(epochs, [&wanted[..], &[Fidelity::FULL]].concat());
        let few = fidelities(&ladder("epochs", 0.01, 2).unwrap());
        assert_eq!(few, [Fidelity::of_epochs(1), Fidelity::FULL]);
        assert_eq!(
            fidelities(&ladder("epochs", 1.0, 9).unwrap()),
            [Fidelity::FULL]
        );
        let data = fidelities(&ladder("data", 0.3, 9).unwrap());
        assert_eq!(data, [Fidelity::of_data(1.0 / 3.0), Fidelity::FULL]);
    }

    #[test]
    fn a_level_of_width_takes_the_widest_option_it_allows() {
        let (space, ladder) = (space(), ladder("wide", 1.0, 1).unwrap());
        assert_eq!(ladder.levels().len(), 3);
        let mut stream = Seed(1).stream(0, Purpose::Tool);
        for _ in 0..50 {
            let genome = space.sample(Sampling::Prior, &mut stream);
            let own = genome.get("wide").unwrap();
            for level in 0..3 {
                let narrowed = ladder.at_level(&space, &genome, level as usize);
                assert_eq!(narrowed.get("wide"), Some(own.min(level)));
                assert!(narrowed.distance(&genome) <= 1);
                assert!(space.decode(&narrowed).is_ok());
            }
        }
    }

    #[test]
    fn a_name_that_gives_no_width_is_refused() {
        let error = ladder("wiide", 1.0, 1).unwrap_err();
        assert!(error.contains("`wiide` is none"), "{error}");
    }
}
