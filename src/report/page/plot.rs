//! Plots as SVG: drawn here, shown by any browser, and zoomed by the page's script where there is one.
//!
//! Colours are classes that the page's style fills in for light and dark. What a reader may point at has
//! its text in `data-tip` and in a `title`, so it is there without a script too.

use crate::report::words::escaped;
use std::fmt::Write;

/// The size of a plot in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 380.0;
/// Where its frame stands.
const LEFT: f64 = 74.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 54.0;

/// An axis.
#[derive(Clone, Debug)]
pub struct Axis {
    pub label: String,
    pub from: f64,
    pub to: f64,
    pub log: bool,
}

/// How a point is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Square,
    Diamond,
    Dot,
}

/// A point.
#[derive(Clone, Debug)]
pub struct Mark {
    pub x: f64,
    pub y: f64,
    /// An interval of y.
    pub whisker: Option<(f64, f64)>,
    pub class: String,
    pub shape: Shape,
    pub label: Option<String>,
    pub tip: String,
}

/// A line through points, or an area around them.
#[derive(Clone, Debug)]
pub struct Line {
    pub points: Vec<(f64, f64)>,
    pub class: String,
    pub area: bool,
}

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
    pub marks: Vec<Mark>,
}

impl Axis {
    /// An axis around numbers, with some room. On a logarithmic axis they must be positive.
    pub fn around(label: &str, values: impl Iterator<Item = f64>, log: bool) -> Self {
        let bounds = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = match bounds {
            (low, high) if low > high => (0.0, 1.0),
            bounds => bounds,
        };
        let (from, to) = if log {
            let (low, high) = (low.max(1.0), high.max(1.0));
            let room = libm::pow(high / low, 0.08).max(1.15);
            (low / room, high * room)
        } else {
            let room = (high - low).max(high.abs() * 1e-3).max(1e-9) * 0.06;
            (low - room, high + room)
        };
        Self {
            label: label.to_owned(),
            from,
            to,
            log,
        }
    }

    /// Where a value stands between the ends, from 0 to 1.
    pub fn place(&self, value: f64) -> f64 {
        if self.log {
            libm::log(value.max(1e-9) / self.from) / libm::log(self.to / self.from)
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }

    /// Round values on it.
    pub fn ticks(&self) -> Vec<f64> {
        if self.log && self.to / self.from > 20.0 {
            let first = libm::floor(libm::log10(self.from)) as i32;
            let last = libm::ceil(libm::log10(self.to)) as i32;
            let decades = (first..=last).flat_map(|power| {
                let steps: &[f64] = if self.to / self.from > 3e3 {
                    &[1.0]
                } else {
                    &[1.0, 3.0]
                };
                steps
                    .iter()
                    .map(move |step| step * libm::pow(10.0, f64::from(power)))
            });
            return decades
                .filter(|tick| (self.from..=self.to).contains(tick))
                .collect();
        }
        let step = round_step((self.to - self.from) / 6.0);
        let first = libm::ceil(self.from / step) as i64;
        let last = libm::floor(self.to / step) as i64;
        (first..=last).map(|number| number as f64 * step).collect()
    }

    /// A tick in words.
    pub fn tick(&self, value: f64) -> String {
        let size = self.from.abs().max(self.to.abs());
        if size >= 1000.0 {
            return short(value);
        }
        let step = round_step((self.to - self.from) / 6.0);
        let decimals = (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize;
        format!("{value:.decimals$}")
    }
}

fn round_step(about: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(about)));
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= about);
    factor.unwrap_or(10.0) * power
}

/// A large number in few letters: `120k`, `1.5M`.
pub fn short(value: f64) -> String {
    let (scaled, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let text = if scaled < 10.0 {
        format!("{scaled:.1}")
    } else {
        format!("{scaled:.0}")
    };
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

impl Plot {
    /// The plot as a figure with a caption.
    pub fn figure(&self, caption: &str) -> String {
        format!(
            "<figure class=\"plot\">{}<figcaption>{caption}</figcaption></figure>\n",
            self.svg()
        )
    }

    fn svg(&self) -> String {
        let mut out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" tabindex=\"0\" \
             data-x=\"{},{},{}\" data-y=\"{},{},{}\" data-frame=\"{LEFT},{TOP},{},{}\">",
            escaped(&self.title),
            self.x.from,
            self.x.to,
            u8::from(self.x.log),
            self.y.from,
            self.y.to,
            u8::from(self.y.log),
            WIDTH - RIGHT,
            HEIGHT - BOTTOM,
        );
        self.axes(&mut out);
        let (width, height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
        let _ = write!(
            out,
            "<svg class=\"inside\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"{LEFT} {TOP} {width} {height}\">"
        );
        for line in &self.lines {
            self.line(line, &mut out);
        }
        for mark in &self.marks {
            self.mark(mark, &mut out);
        }
        out.push_str("</svg></svg>");
        out
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn axes(&self, out: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        out.push_str("<g class=\"axes\">");
        for tick in self.y.ticks() {
            let y = self.at_y(tick);
            let _ = write!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"ty\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                y + 4.5,
                self.y.tick(tick)
            );
        }
        for tick in self.x.ticks() {
            let x = self.at_x(tick);
            let _ = write!(
                out,
                "<line class=\"v\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{:.1}\"/>\
                 <text class=\"tx\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 5.0,
                bottom + 21.0,
                self.x.tick(tick)
            );
        }
        let _ = write!(
            out,
            "</g><line class=\"base\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
             <text class=\"name\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <text class=\"name\" transform=\"translate(17 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 8.0,
            escaped(&self.x.label),
            f64::midpoint(TOP, bottom),
            escaped(&self.y.label),
        );
    }

    fn line(&self, line: &Line, out: &mut String) {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|&(x, y)| format!("{:.1},{:.1}", self.at_x(x), self.at_y(y)))
            .collect();
        let tag = if line.area { "polygon" } else { "polyline" };
        let kind = if line.area { "area" } else { "line" };
        let points = points.join(" ");
        let _ = write!(
            out,
            "<{tag} class=\"{kind} {}\" points=\"{points}\"/>",
            line.class
        );
    }

    fn mark(&self, mark: &Mark, out: &mut String) {
        let (x, y) = (self.at_x(mark.x), self.at_y(mark.y));
        let tip = escaped(&mark.tip);
        let _ = write!(
            out,
            "<g class=\"mark {}\" transform=\"translate({x:.1} {y:.1})\" data-tip=\"{tip}\"><title>{tip}</title>",
            mark.class
        );
        if let Some((low, high)) = mark.whisker {
            let _ = write!(
                out,
                "<line class=\"whisker\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
                self.at_y(low) - y,
                self.at_y(high) - y
            );
        }
        out.push_str(match mark.shape {
            Shape::Circle => "<circle r=\"6\"/>",
            Shape::Square => "<rect x=\"-5.5\" y=\"-5.5\" width=\"11\" height=\"11\"/>",
            Shape::Diamond => "<path d=\"M0-7.5L7.5 0L0 7.5L-7.5 0Z\"/>",
            Shape::Dot => "<circle r=\"3.2\"/>",
        });
        if let Some(label) = &mark.label {
            let (side, anchor) = if x > WIDTH * 0.72 {
                (-11.0, "end")
            } else {
                (11.0, "start")
            };
            let label = escaped(label);
            let _ = write!(
                out,
                "<text x=\"{side}\" y=\"4.5\" text-anchor=\"{anchor}\">{label}</text>"
            );
        }
        out.push_str("</g>");
    }
}

/// The scores of one arm along a line: each a dot, the mean a bar, its interval a band.
pub fn strip(
    axis: &Axis,
    values: &[f64],
    mean: f64,
    interval: Option<(f64, f64)>,
    class: &str,
) -> String {
    const WIDTH: f64 = 260.0;
    let at = |value: f64| 8.0 + axis.place(value).clamp(0.0, 1.0) * (WIDTH - 16.0);
    let mut out = format!(
        "<svg class=\"strip {class}\" viewBox=\"0 0 {WIDTH} 30\" aria-hidden=\"true\">\
         <line class=\"rail\" x1=\"0\" x2=\"{WIDTH}\" y1=\"15\" y2=\"15\"/>"
    );
    if let Some((low, high)) = interval {
        let (low, high) = (at(low), at(high));
        let _ = write!(
            out,
            "<rect class=\"band\" x=\"{low:.1}\" width=\"{:.1}\" y=\"7\" height=\"16\" rx=\"3\"/>",
            (high - low).max(2.0)
        );
    }
    for (index, value) in values.iter().enumerate() {
        // Equal scores lie beside each other.
        let lane = [0.0, -4.5, 4.5, -2.2, 2.2][index % 5];
        let place = axis.place(*value);
        let class = if (0.0..=1.0).contains(&place) {
            ""
        } else {
            " class=\"out\""
        };
        let _ = write!(
            out,
            "<circle{class} cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.6\"/>",
            at(*value),
            15.0 + lane
        );
    }
    let mean = at(mean);
    let _ = write!(
        out,
        "<line class=\"mean\" x1=\"{mean:.1}\" x2=\"{mean:.1}\" y1=\"4\" y2=\"26\"/></svg>"
    );
    out
}

/// The ticks of the strips above it.
pub fn strip_axis(axis: &Axis) -> String {
    const WIDTH: f64 = 260.0;
    let mut out =
        format!("<svg class=\"strip axis\" viewBox=\"0 0 {WIDTH} 22\" aria-hidden=\"true\">");
    let ticks = axis.ticks();
    let every = ticks.len().div_ceil(5).max(1);
    for tick in ticks.iter().step_by(every) {
        let x = 8.0 + axis.place(*tick) * (WIDTH - 16.0);
        let _ = write!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"4\"/><text x=\"{x:.1}\" y=\"17\">{}</text>",
            axis.tick(*tick)
        );
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::around("x", [0.8912, 0.9972].into_iter(), false);
        let ticks: Vec<String> = axis.ticks().iter().map(|tick| axis.tick(*tick)).collect();
        assert_eq!(ticks, ["0.90", "0.92", "0.94", "0.96", "0.98", "1.00"]);
        let axis = Axis::around("params", [1_200.0, 170_000.0].into_iter(), true);
        let ticks: Vec<String> = axis.ticks().iter().map(|tick| axis.tick(*tick)).collect();
        assert_eq!(ticks, ["1k", "3k", "10k", "30k", "100k"]);
    }

    #[test]
    fn an_axis_around_nothing_or_one_number_has_a_length() {
        for values in [vec![], vec![0.0], vec![0.5], vec![1.0, 1.0]] {
            for log in [false, true] {
                let axis = Axis::around("x", values.clone().into_iter(), log);
                assert!(axis.from < axis.to, "{axis:?}");
                assert!(axis.ticks().len() < 20, "{axis:?}");
            }
        }
    }

    #[test]
    fn numbers_are_shortened() {
        let shown = [950.0, 1_000.0, 1_500.0, 118_058.0, 2_340_000.0].map(short);
        assert_eq!(shown, ["950", "1k", "1.5k", "118k", "2.3M"]);
    }
}
