//! The curves of a comparison as a drawing.

use super::report::Report;
use crate::statistics;
use std::fmt::Write;

const WIDTH: f64 = 810.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 45.0;

/// Okabe and Ito's colours, which most colour-blind people can tell apart.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999",
];

/// Mean final score of the best so far over the budget, a line for each controller, as SVG. `unit` names
/// the horizontal axis.
pub fn curves_svg(report: &Report, unit: &str) -> String {
    let axes = Axes::of(report);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    axes.draw(&mut out, unit);
    for (number, row) in report.controllers.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let dashes = match number / COLOURS.len() {
            0 => "",
            1 => " stroke-dasharray=\"6 3\"",
            _ => " stroke-dasharray=\"2 2\"",
        };
        let points: Vec<String> = row
            .curve
            .iter()
            .filter_map(|point| {
                let mean = point.mean?;
                (mean >= axes.low).then(|| format!("{:.1},{:.1}", axes.x(point.at), axes.y(mean)))
            })
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
            points.join(" ")
        );
        let (x, y) = (WIDTH - RIGHT + 15.0, TOP + 12.0 + 20.0 * number as f64);
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            x + 22.0,
            x + 28.0,
            y + 4.0,
            escaped(&row.name)
        );
    }
    out.push_str("</svg>\n");
    out
}

struct Axes {
    end: f64,
    low: f64,
    high: f64,
}

impl Axes {
    /// All of the horizontal axis; of the vertical one what the ends of the curves need, and half of the
    /// curves from a tenth on. One that starts far below the others would flatten them all.
    fn of(report: &Report) -> Self {
        let rows = || report.controllers.iter();
        let points = || rows().flat_map(|row| &row.curve);
        let end = points().map(|point| point.at).fold(0.0, f64::max);
        let high = points().filter_map(|point| point.mean);
        let high = high.fold(f64::NEG_INFINITY, f64::max);
        let early = rows().filter_map(|row| row.curve.get(row.curve.len() / 10)?.mean);
        let early = statistics::median(&early.collect::<Vec<f64>>());
        let last = rows().filter_map(|row| row.curve.last()?.mean);
        let low = last.chain(early).fold(f64::INFINITY, f64::min);
        let margin = ((high - low) * 0.05).max(1e-9);
        if low.is_finite() && high.is_finite() {
            let (low, high) = (low - margin, high + margin);
            Self { end, low, high }
        } else {
            let (low, high) = (0.0, 1.0);
            Self { end, low, high }
        }
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + at / self.end.max(1e-9) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, out: &mut String, unit: &str) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for value in ticks(self.low, self.high) {
            let y = self.y(value);
            let _ = writeln!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                short(value)
            );
        }
        for value in ticks(0.0, self.end) {
            let x = self.x(value);
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                short(value)
            );
        }
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {TOP} V{bottom} H{right}\" fill=\"none\" stroke=\"#333\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text x=\"{LEFT}\" y=\"{}\">mean final score of the best so far</text>",
            (LEFT + right) / 2.0,
            HEIGHT - 8.0,
            escaped(unit),
            TOP - 12.0
        );
    }
}

/// About five round numbers between two others.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    if !(rough > 0.0 && rough.is_finite()) {
        return Vec::new();
    }
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    let first = libm::ceil(low / step);
    (0..12)
        .map(|number| (first + f64::from(number)) * step)
        .take_while(|value| *value <= high)
        .collect()
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if trimmed.is_empty() { "0" } else { trimmed }.to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let fine = ticks(93.41, 94.13);
        assert_eq!(
            fine.iter().map(|&tick| short(tick)).collect::<Vec<_>>(),
            ["93.6", "93.8", "94"]
        );
    }
}
