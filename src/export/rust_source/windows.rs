//! Operators that look at a window, a row or a sequence at a time.

use super::super::graph::Operator;
use super::calls::{Writer, number, whole, wholes, word};
use super::functions::Function;

/// How a window slides, as ONNX says it: sizes, steps, and the padding before and behind.
struct Window {
    kernel: Vec<i64>,
    strides: Vec<i64>,
    pads: Vec<(i64, i64)>,
}

impl Window {
    fn of(operator: &Operator) -> Option<Self> {
        let kernel = wholes(operator, "kernel_shape")?.clone();
        let (before, behind) = wholes(operator, "pads")?.split_at(kernel.len());
        let pads = before.iter().copied().zip(behind.iter().copied()).collect();
        let strides = wholes(operator, "strides")?.clone();
        Some(Self {
            kernel,
            strides,
            pads,
        })
    }

    /// The same in these dimensions only; the rest is one value wide.
    fn within(&self, places: std::ops::Range<usize>, wide: usize) -> Self {
        let kept = |values: &[i64]| {
            let mut values = values[places.clone()].to_vec();
            values.resize(wide, 1);
            values
        };
        let mut pads = self.pads[places.clone()].to_vec();
        pads.resize(wide, (0, 0));
        Self {
            kernel: kept(&self.kernel),
            strides: kept(&self.strides),
            pads,
        }
    }

    /// The options of a pool.
    fn options(&self, kind: &str) -> String {
        let Self {
            kernel,
            strides,
            pads,
        } = self;
        format!(
            "{kind}Options::new({kernel:?}).with_stride({strides:?}).with_padding_pairs({pads:?})"
        )
    }
}

impl Writer<'_> {
    pub(super) fn window(&self, operator: &Operator) -> Option<String> {
        match operator.kind {
            "BatchNormalization" => self.batch_norm(operator),
            "LayerNormalization" => self.layer_norm(operator),
            "MaxPool" => self.pool(operator, "max", "MaxPool", ""),
            "AveragePool" => {
                let count = whole(operator, "count_include_pad").unwrap_or(1) == 1;
                let setting = format!(".with_count_include_pad({count})");
                self.pool(operator, "avg", "AvgPool", &setting)
            }
            "Conv" => self.convolution(operator),
            "ConvTranspose" => self.transposed(operator),
            "Pad" => self.pad(operator),
            "Resize" => self.resize(operator),
            "RNN" | "GRU" | "LSTM" => self.recurrent(operator),
            _ => None,
        }
    }

    fn batch_norm(&self, operator: &Operator) -> Option<String> {
        let values: Vec<String> = operator
            .inputs
            .iter()
            .map(|input| self.value(input))
            .collect();
        let eps = number(operator, "epsilon")?;
        Some(format!(
            "module::batch_norm({}, {eps:?})",
            values.join(", ")
        ))
    }

    /// burn normalises the last dimension only, so the others are laid out along it.
    fn layer_norm(&self, operator: &Operator) -> Option<String> {
        let (axis, eps) = (
            usize::try_from(whole(operator, "axis")?).ok()?,
            number(operator, "epsilon")?,
        );
        let [x, weight, bias] = [0, 1, 2].map(|at| self.value(&operator.inputs[at]));
        if axis + 1 == operator.rank {
            return Some(format!(
                "module::layer_norm({x}, {weight}, Some({bias}), {eps:?})"
            ));
        }
        let sizes = &self.graph.floats.get(&operator.inputs[1])?.shape;
        let back: String = sizes.iter().map(|size| format!(", {size}")).collect();
        let last = operator.rank - 1;
        Some(format!(
            "module::layer_norm({x}.flatten::<2>({axis}, {last}), {weight}.flatten(0, {0}), \
             Some({bias}.flatten(0, {0})), {eps:?}).reshape([-1{back}])",
            sizes.len() - 1
        ))
    }

    fn pool(&self, operator: &Operator, name: &str, kind: &str, setting: &str) -> Option<String> {
        let (x, window) = (self.value(&operator.inputs[0]), Window::of(operator)?);
        let options = |window: &Window| window.options(kind) + setting;
        Some(match window.kernel.len() {
            rank @ (1 | 2) => format!("module::{name}_pool{rank}d({x}, {})", options(&window)),
            _ => {
                self.uses(Function::ByPlanes);
                let pool =
                    |window: Window| format!("|x| module::{name}_pool2d(x, {})", options(&window));
                let (plane, depth) = (window.within(1..3, 2), window.within(0..1, 2));
                format!("by_planes({x}, {}, {})", pool(plane), pool(depth))
            }
        })
    }

    fn bias(&self, operator: &Operator) -> String {
        let bias = operator.inputs.get(2);
        bias.map_or_else(
            || "None".to_owned(),
            |bias| format!("Some({})", self.value(bias)),
        )
    }

    fn convolution(&self, operator: &Operator) -> Option<String> {
        let (mut x, window) = (self.value(&operator.inputs[0]), Window::of(operator)?);
        let (strides, pads) = (&window.strides, &window.pads);
        let mut padding: Vec<i64> = pads.iter().map(|pair| pair.0).collect();
        if pads.iter().any(|pair| pair.0 != pair.1) {
            x = format!("{x}.pad({pads:?}, 0.0_f32)");
            padding.fill(0);
        }
        let (dilations, groups) = (wholes(operator, "dilations")?, whole(operator, "group")?);
        Some(format!(
            "module::conv{}d({x}, {}, {}, ConvOptions::new({strides:?}, {padding:?}, {dilations:?}, {groups}))",
            pads.len(),
            self.value(&operator.inputs[1]),
            self.bias(operator)
        ))
    }

    fn transposed(&self, operator: &Operator) -> Option<String> {
        let (x, window) = (self.value(&operator.inputs[0]), Window::of(operator)?);
        let padding: Vec<i64> = window.pads.iter().map(|pair| pair.0).collect();
        let (dilations, groups) = (wholes(operator, "dilations")?, whole(operator, "group")?);
        let more = wholes(operator, "output_padding")?;
        Some(format!(
            "module::conv_transpose{}d({x}, {}, {}, \
             ConvTransposeOptions::new({:?}, {padding:?}, {more:?}, {dilations:?}, {groups}))",
            padding.len(),
            self.value(&operator.inputs[1]),
            self.bias(operator),
            window.strides
        ))
    }

    fn pad(&self, operator: &Operator) -> Option<String> {
        let (x, pads) = (
            self.value(&operator.inputs[0]),
            self.wholes(&operator.inputs[1])?,
        );
        let (before, behind) = pads.split_at(operator.rank);
        let pairs: Vec<(&i64, &i64)> = before.iter().zip(behind).collect();
        let mode = match word(operator, "mode")? {
            "reflect" => "PadMode::Reflect",
            "edge" => "PadMode::Edge",
            "constant" => "PadMode::Constant(0.0)",
            _ => {
                self.uses(Function::Wrapped);
                let around = pairs.iter().enumerate().filter(|(_, pair)| *pair.0 > 0);
                let wrap = |x: String, axis: usize, margin: &i64| {
                    format!("wrapped({x}, {axis}, {margin})")
                };
                return Some(around.fold(x, |x, (axis, pair)| wrap(x, axis, pair.0)));
            }
        };
        Some(format!("{x}.pad({pairs:?}, {mode})"))
    }

    fn resize(&self, operator: &Operator) -> Option<String> {
        let scales = &self.graph.floats.get(&operator.inputs[2])?.values;
        let (function, name) = match word(operator, "mode")? {
            "nearest" => (Function::Repeated, "repeated"),
            _ => (Function::Interpolated, "interpolated"),
        };
        self.uses(function);
        let grid = scales.iter().enumerate().skip(2);
        let x = self.value(&operator.inputs[0]);
        Some(grid.fold(x, |x, (axis, scale)| {
            format!("{name}({x}, {axis}, {scale})")
        }))
    }

    fn recurrent(&self, operator: &Operator) -> Option<String> {
        let values: Vec<String> = operator
            .inputs
            .iter()
            .map(|input| self.value(input))
            .collect();
        let (function, name) = match operator.kind {
            "GRU" => (Function::Gru, "gru"),
            "LSTM" => (Function::Lstm, "lstm"),
            _ if Self::first_word(operator, "activations") == Some("Relu") => {
                (Function::ReluRnn, "relu_rnn")
            }
            _ => (Function::Rnn, "rnn"),
        };
        self.uses(function);
        Some(format!("{name}({})", values.join(", ")))
    }
}
