//! Convolutions, and the blocks made of them.

use super::super::graph::{Attribute, Lowered, Lowering};
use super::dense::clip;
use crate::layers::Value;

/// How a convolution slides.
#[derive(Clone, Copy)]
struct Slide {
    kernel: usize,
    stride: usize,
    padding: (usize, usize),
    dilation: usize,
    groups: usize,
    rank: usize,
}

impl Slide {
    fn attributes(self) -> Vec<(&'static str, Attribute)> {
        let each = |value: usize| Attribute::Wholes(vec![value as i64; self.rank]);
        let (low, high) = self.padding;
        let pads = [vec![low as i64; self.rank], vec![high as i64; self.rank]].concat();
        vec![
            ("kernel_shape", each(self.kernel)),
            ("strides", each(self.stride)),
            ("pads", Attribute::Wholes(pads)),
            ("dilations", each(self.dilation)),
            ("group", Attribute::Whole(self.groups as i64)),
        ]
    }
}

pub(super) fn convolution(l: &mut Lowering<'_>) -> Option<Lowered> {
    let name = l.site.name();
    let rank = l.site.grid().len();
    let channels = l.site.channels();
    let is = |stem: &str| name.strip_prefix(stem).is_some_and(|rest| rest.len() == 2);
    let point = Slide {
        kernel: 1,
        stride: 1,
        padding: (0, 0),
        dilation: 1,
        groups: 1,
        rank,
    };
    let x = l.x();
    let bias = |l: &Lowering<'_>, name: &'static str| l.site.flag("bias").then_some(name);
    Some(match name {
        "pointwise_conv" => conv(l, &x, "weight", bias(l, "bias"), point),
        "patch_embedding" => patches(l, point),
        "bottleneck" | "inverted_bottleneck" => block(l, point),
        "ws_conv2d" => standardised(l, window(l, point)),
        "causal_conv1d" => {
            let (kernel, dilation) = (l.site.int("kernel"), l.site.int("dilation"));
            let slide = Slide {
                kernel,
                dilation,
                stride: l.site.int("stride"),
                padding: (dilation * (kernel - 1), 0),
                groups: l.site.int("groups"),
                rank,
            };
            conv(l, &x, "weight", bias(l, "bias"), slide)
        }
        _ if is("conv") => conv(l, &x, "weight", bias(l, "bias"), window(l, point)),
        _ if is("depthwise_conv") => {
            let slide = Slide {
                groups: channels,
                ..window(l, point)
            };
            conv(l, &x, "weight", bias(l, "bias"), slide)
        }
        _ if is("separable_conv") => {
            let slide = Slide {
                groups: channels,
                ..window(l, point)
            };
            let depthwise = conv(l, &x, "depthwise.weight", None, slide);
            depthwise
                .and_then(|y| conv(l, &y, "pointwise.weight", bias(l, "pointwise.bias"), point))
        }
        _ if is("conv_transpose") => transposed(l, point),
        _ => return None,
    })
}

/// The window that the layer's arguments describe.
fn window(l: &Lowering<'_>, point: Slide) -> Slide {
    let (kernel, dilation) = (l.site.int("kernel"), l.site.int("dilation"));
    let has_groups = !l.site.name().contains("wise") && !l.site.name().contains("separable");
    Slide {
        kernel,
        dilation,
        stride: l.site.int("stride"),
        padding: l.site.padding(kernel, dilation),
        groups: if has_groups { l.site.int("groups") } else { 1 },
        ..point
    }
}

fn conv(l: &mut Lowering<'_>, x: &str, weight: &str, bias: Option<&str>, slide: Slide) -> Lowered {
    let weight = l.weight(weight)?;
    let bias = bias.map(|bias| l.weight(bias)).transpose()?;
    let mut inputs = vec![x, &weight];
    inputs.extend(bias.as_deref());
    Ok(l.op("Conv", &inputs, &slide.attributes()))
}

fn transposed(l: &mut Lowering<'_>, point: Slide) -> Lowered {
    let whole = |l: &Lowering<'_>, name: &str| match l.site.value(name) {
        Value::Int(value) => value,
        _ => 0,
    };
    let padding = whole(l, "padding") as usize;
    let slide = Slide {
        kernel: l.site.int("kernel"),
        stride: l.site.int("stride"),
        dilation: l.site.int("dilation"),
        groups: l.site.int("groups"),
        padding: (padding, padding),
        ..point
    };
    let mut attributes = slide.attributes();
    let more = vec![whole(l, "output_padding"); slide.rank];
    attributes.push(("output_padding", Attribute::Wholes(more)));
    let weight = l.weight("weight")?;
    let x = l.x();
    let mut inputs = vec![x, weight];
    if l.site.flag("bias") {
        inputs.push(l.weight("bias")?);
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Ok(l.op("ConvTranspose", &inputs, &attributes))
}

/// The filters don't change any more, so they are standardised here.
fn standardised(l: &mut Lowering<'_>, slide: Slide) -> Lowered {
    let (weight, eps) = (l.tensor("weight")?.clone(), l.site.float("eps"));
    let size = weight.values.len() / weight.shape[0];
    let standard = |filter: &[f32]| {
        let numbers = filter.iter().map(|&value| f64::from(value));
        let mean = numbers.clone().sum::<f64>() / size as f64;
        let variance = numbers.map(|v| (v - mean) * (v - mean)).sum::<f64>() / size as f64;
        let scale = libm::sqrt(variance + eps);
        let scaled = move |&value: &f32| ((f64::from(value) - mean) / scale) as f32;
        filter.iter().map(scaled).collect::<Vec<f32>>()
    };
    let values = weight.values.chunks(size).flat_map(standard).collect();
    let (x, weight) = (l.x(), l.floats(weight.shape, values));
    let mut inputs = vec![x, weight];
    if l.site.flag("bias") {
        inputs.push(l.weight("bias")?);
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Ok(l.op("Conv", &inputs, &slide.attributes()))
}

fn patches(l: &mut Lowering<'_>, point: Slide) -> Lowered {
    let patch = l.site.int("patch");
    let slide = Slide {
        kernel: patch,
        stride: patch,
        ..point
    };
    let x = l.x();
    let bias = l.site.flag("bias").then_some("bias");
    let y = conv(l, &x, "weight", bias, slide)?;
    let [positions, features] = l.site.output.dimensions()[..] else {
        return Err(l.site.unsupported("ONNX", ""));
    };
    let rows = l.reshape(&y, &[features, positions]);
    Ok(l.transpose(&rows, &[0, 2, 1]))
}

/// Batch normalisation by what training has counted.
pub(super) fn batch_norm(l: &mut Lowering<'_>, x: &str, prefix: &str, eps: f64) -> Lowered {
    let names = ["weight", "bias", "running_mean", "running_var"];
    let mut inputs = vec![x.to_owned()];
    for name in names {
        inputs.push(l.weight(&format!("{prefix}{name}"))?);
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Ok(l.op(
        "BatchNormalization",
        &inputs,
        &[("epsilon", Attribute::Number(eps as f32))],
    ))
}

fn block(l: &mut Lowering<'_>, point: Slide) -> Lowered {
    let inverted = l.site.name() == "inverted_bottleneck";
    let kernel = l.site.int("kernel");
    let groups = if inverted {
        l.site.channels() * l.site.int("expand")
    } else {
        1
    };
    let total = kernel - 1;
    let middle = Slide {
        kernel,
        stride: l.site.int("stride"),
        padding: (total / 2, total - total / 2),
        groups,
        ..point
    };
    let mut stages = vec![
        ("conv1.weight", "bn1.", point),
        ("conv2.weight", "bn2.", middle),
        ("conv3.weight", "bn3.", point),
    ];
    if inverted && l.site.int("expand") == 1 {
        stages.remove(0);
    }
    let mut x = l.x();
    for (index, (weight, norm, slide)) in stages.iter().enumerate() {
        let y = conv(l, &x, weight, None, *slide)?;
        let y = batch_norm(l, &y, norm, 1e-5)?;
        x = match (index + 1 == stages.len(), inverted) {
            (true, _) => y,
            (false, true) => clip(l, &y, 0.0, 6.0),
            (false, false) => l.op("Relu", &[&y], &[]),
        };
    }
    Ok(x)
}
