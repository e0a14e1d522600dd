//! Bars on a terminal: one for the run, and a line for each piece of work that is running.

use super::tally::{self, Tally};
use crate::cli::numbers;
use crate::run::{Event, Phase, Unit};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const COUNTED: &str = "{prefix} [{bar:28}] {pos}/{len}  {msg}  {eta} left";
const OPEN_ENDED: &str = "{prefix} {spinner} {pos} done  {msg}  {elapsed}";

/// Bars that are redrawn in place.
pub struct Bars {
    all: MultiProgress,
    run: ProgressBar,
    running: BTreeMap<Unit, ProgressBar>,
    tally: Tally,
    seconds: Option<f64>,
    /// About how long the final evaluation will take.
    last_phase: Option<f64>,
    finished: u64,
    began: Instant,
}

impl Bars {
    /// Bars on stderr.
    pub fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let run = all.add(ProgressBar::no_length());
        run.set_style(style(OPEN_ENDED));
        Self {
            all,
            run,
            running: BTreeMap::new(),
            tally: Tally::default(),
            seconds: None,
            last_phase: None,
            finished: 0,
            began: Instant::now(),
        }
    }

    /// Shows one event.
    pub fn see(&mut self, event: &Event) {
        let known = self.tally.take(event);
        match event {
            Event::Opened {
                folder,
                seconds,
                finished,
                earlier_looks,
                ..
            } => {
                self.note(&format!("run folder {}", folder.display()));
                if let Some(line) = tally::earlier_looks(earlier_looks) {
                    self.note(&line);
                }
                (self.seconds, self.finished) = (*seconds, *finished);
                self.run.enable_steady_tick(Duration::from_millis(250));
            }
            Event::Remark(remark) => self.note(&remark.to_string()),
            Event::Phase { phase, units } => self.begin(*phase, *units),
            Event::Started { unit, .. } => self.start(unit),
            Event::Epoch { unit, .. } => self.update(unit),
            Event::Finished {
                unit,
                score,
                seconds,
            } => {
                if matches!(unit, Unit::Selection { .. } | Unit::Retraining { .. }) {
                    self.note(&tally::finished(unit, *score, *seconds, known.as_ref()));
                }
                self.end(unit);
            }
            Event::Lost {
                unit,
                kind,
                message,
                ..
            } => {
                self.note(&tally::lost(unit, *kind, message));
                self.drop_bar(unit);
            }
            Event::Failed {
                unit,
                kind,
                message,
            } => {
                self.note(&format!("{unit} {}: {message}", kind.name()));
                self.end(unit);
            }
            Event::BestImproved { .. } => self.run.set_message(self.message()),
            Event::Searched { trials, reason } => self.note(&tally::searched(*trials, *reason)),
            Event::FinalPlanned { plan, bound } => self.note(&tally::final_planned(plan, *bound)),
            Event::FinalForecast { seconds } => {
                self.last_phase = Some(*seconds);
                self.note(&tally::final_forecast(*seconds));
            }
            Event::TestOpened { look, unwritten } => {
                self.note(&tally::test_opened(*look, unwritten.as_deref()));
            }
            Event::Interrupted { .. } | Event::Ended { .. } => self.close(),
        }
    }

    /// Takes the bars down.
    pub fn close(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
        self.run.finish_and_clear();
    }

    /// A line above the bars. That it can't be drawn is no reason to stop.
    fn note(&self, line: &str) {
        let _ = self.all.println(line);
    }

    fn begin(&mut self, phase: Phase, units: Option<u64>) {
        if let Some(line) = tally::phase(phase) {
            self.note(line);
        }
        self.began = Instant::now();
        let (prefix, position) = match phase {
            Phase::Search => ("trials", self.finished),
            Phase::FinalEvaluation => {
                self.last_phase = None;
                ("retraining", 0)
            }
            Phase::Ended => return self.close(),
        };
        self.run.set_prefix(prefix);
        self.run.set_position(position);
        match units {
            Some(units) => {
                self.run.set_style(style(COUNTED));
                self.run.set_length(units);
            }
            None => {
                self.run.set_style(style(OPEN_ENDED));
                self.run.unset_length();
            }
        }
        self.run.reset_eta();
        self.run.set_message(self.message());
    }

    /// The best so far, and what is left of a budget in seconds.
    fn message(&self) -> String {
        let mut out = self.tally.best();
        if let Some(seconds) = self.seconds {
            let left = (seconds - self.began.elapsed().as_secs_f64()).max(0.0);
            out.push_str(&format!("  {} of the budget left", numbers::seconds(left)));
        }
        if let Some(seconds) = self.last_phase {
            let about = numbers::seconds(seconds);
            out.push_str(&format!("  then about {about} of final evaluation"));
        }
        out
    }

    fn start(&mut self, unit: &Unit) {
        let bar = self.all.add(ProgressBar::no_length());
        bar.set_style(style("  {msg}"));
        self.running.insert(unit.clone(), bar);
        self.update(unit);
    }

    fn update(&self, unit: &Unit) {
        if let (Some(bar), Some(known)) = (self.running.get(unit), self.tally.running.get(unit)) {
            bar.set_message(format!("{unit}: {}", known.describe()));
        }
    }

    fn drop_bar(&mut self, unit: &Unit) {
        if let Some(bar) = self.running.remove(unit) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn end(&mut self, unit: &Unit) {
        self.drop_bar(unit);
        self.run.inc(1);
        self.run.set_message(self.message());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is well formed")
        .progress_chars("=> ")
}
