//! The second half of the table: normalisation, noise, embeddings, attention, changes of form, merges.

use super::super::super::site::Site;
use super::{Call, Piece, all, number, one, python, to_sequence, tuple};
use crate::layers::{Shape, Value};

pub(super) fn normalisation(site: &Site<'_>) -> Option<Piece> {
    let (channels, rank) = (site.channels(), site.grid().len());
    let eps = || site.float("eps");
    let over = || match site.input() {
        Shape::Sequence { features, .. } => features.to_string(),
        other => tuple(&other.dimensions()),
    };
    one(match site.name() {
        "batch_norm" => Call::new(format!("nn.BatchNorm{}d", rank.max(1)))
            .arg("num_features", channels)
            .eps(1e-5, eps())
            .unless(number(0.1), "momentum", number(site.float("momentum")))
            .affine()
            .same("running_mean", "running_mean")
            .same("running_var", "running_var"),
        "layer_norm" => {
            let call = Call::new("nn.LayerNorm").arg("normalized_shape", over());
            call.eps(1e-5, eps()).affine()
        }
        "rms_norm" => {
            let call = Call::new("nn.RMSNorm").arg("normalized_shape", over());
            call.key("eps", number(eps())).weight()
        }
        "layer_norm2d" => {
            let call = Call::new("ChannelNorm").arg("normalized_shape", channels);
            call.eps(1e-5, eps()).affine()
        }
        "group_norm" => Call::new("nn.GroupNorm")
            .arg("num_groups", site.int("groups"))
            .arg("num_channels", channels)
            .eps(1e-5, eps())
            .affine(),
        "instance_norm" => {
            let call = Call::new(format!("nn.InstanceNorm{rank}d")).arg("num_features", channels);
            let call = call
                .eps(1e-5, eps())
                .flag(false, "affine", site.flag("affine"));
            if site.flag("affine") {
                call.affine()
            } else {
                call
            }
        }
        "local_response_norm" => Call::new("nn.LocalResponseNorm")
            .arg("size", site.int("size"))
            .key("alpha", number(site.float("alpha")))
            .key("beta", number(site.float("beta")))
            .key("k", number(site.float("k"))),
        "global_response_norm" => Call::new("GlobalResponseNorm")
            .arg("channels", channels)
            .eps(1e-5, eps())
            .affine(),
        "layer_scale" => {
            let trailing = if site.is_sequence() { 0 } else { rank };
            let call = Call::new("LayerScale").arg("channels", channels);
            call.arg("trailing", trailing).weight()
        }
        _ => return None,
    })
}

pub(super) fn stochastic(site: &Site<'_>) -> Option<Piece> {
    let rank = site.grid().len();
    let dropping = |class: String| one(Call::new(class).key("p", number(site.float("p"))));
    match site.name() {
        "dropout" => dropping("nn.Dropout".to_owned()),
        "spatial_dropout" => dropping(format!("nn.Dropout{rank}d")),
        "alpha_dropout" => dropping("nn.AlphaDropout".to_owned()),
        "feature_alpha_dropout" => dropping("nn.FeatureAlphaDropout".to_owned()),
        "drop_path" => dropping("DropPath".to_owned()),
        "gaussian_dropout" => dropping("GaussianDropout".to_owned()),
        "gaussian_noise" => one(Call::new("GaussianNoise").key("std", number(site.float("std")))),
        "gumbel_softmax" => one(Call::new("GumbelSoftmax")
            .key("tau", number(site.float("tau")))
            .key("hard", python(site.flag("hard")))
            .key("dim", site.feature_dim())),
        _ => None,
    }
}

pub(super) fn embedding(site: &Site<'_>) -> Option<Piece> {
    let (length, features) = match site.input() {
        Shape::Tokens { vocabulary, .. } => (vocabulary, site.output.features()?),
        Shape::Sequence { length, features } => (length, features),
        _ => return None,
    };
    let table = |class: &str| {
        let call = Call::new(class).arg("num_embeddings", length);
        one(call.arg("embedding_dim", features).weight())
    };
    let positions = |class: &str| {
        Call::new(class)
            .arg("length", length)
            .arg("features", features)
    };
    match site.name() {
        "embedding" => table("nn.Embedding"),
        "embedding_bag" => table("nn.EmbeddingBag"),
        "learned_positions" => one(positions("LearnedPositions").weight()),
        "sinusoidal_positions" => {
            one(positions("SinusoidalPositions").key("base", number(site.float("base"))))
        }
        "rotary_positions" => {
            one(Call::new("RotaryPositions").key("base", number(site.float("base"))))
        }
        "class_token" => one(Call::new("ClassToken").arg("features", features).weight()),
        _ => None,
    }
}

pub(super) fn attention(site: &Site<'_>) -> Option<Piece> {
    let features = site.channels();
    match site.name() {
        "self_attention" => {
            let bias = site.flag("bias");
            one(Call::new("SelfAttention")
                .arg("features", features)
                .arg("heads", site.int("heads"))
                .arg("kv_heads", site.int("kv_heads"))
                .flag(false, "causal", site.flag("causal"))
                .flag(false, "rotary", site.flag("rotary"))
                .flag(true, "bias", bias)
                .linear("in_proj", "in_proj", bias)
                .linear("out_proj", "out_proj", bias))
        }
        "cross_attention" => {
            let bias = site.flag("bias");
            let call = Call::new("CrossAttention")
                .arg("features", features)
                .arg("others", site.inputs[1].features()?)
                .arg("heads", site.int("heads"))
                .flag(true, "bias", bias)
                .linear("q_proj", "q_proj", false)
                .linear("k_proj", "k_proj", false)
                .linear("v_proj", "v_proj", false)
                .linear("out_proj", "out_proj", bias);
            one(if bias {
                call.same("in_proj_bias", "in_proj.bias")
            } else {
                call
            })
        }
        "squeeze_excite" => one(Call::new("SqueezeExcite")
            .arg("channels", features)
            .arg("hidden", (features / site.int("reduction")).max(1))
            .linear("fc1", "fc1", true)
            .linear("fc2", "fc2", true)),
        "eca" => {
            let call = Call::new("ECA").arg("kernel", site.int("kernel"));
            one(call.same("conv.weight", "weight"))
        }
        "spatial_attention" => {
            let call = Call::new("SpatialAttention").arg("kernel", site.int("kernel"));
            one(call.same("conv.weight", "weight"))
        }
        _ => None,
    }
}

pub(super) fn recurrent(site: &Site<'_>) -> Option<Piece> {
    let class = match site.name() {
        "rnn" => "nn.RNN",
        "gru" => "nn.GRU",
        "lstm" => "nn.LSTM",
        _ => return None,
    };
    let both = site.flag("bidirectional");
    let mut call = Call::new("Recurrent")
        .arg("kind", class)
        .arg("features", site.channels())
        .arg("hidden", site.int("hidden"))
        .flag(false, "last", site.is("output", "last"))
        .flag(false, "bidirectional", both);
    if site.name() == "rnn" && site.is("nonlinearity", "relu") {
        call = call.key("nonlinearity", "\"relu\"");
    }
    for suffix in &["", "_reverse"][..1 + usize::from(both)] {
        for (name, turned) in [
            ("weight_ih", true),
            ("weight_hh", true),
            ("bias_ih", false),
            ("bias_hh", false),
        ] {
            let ours = format!("{name}_l0{suffix}");
            call = call.source(&format!("rnn.{name}_l0{suffix}"), &ours, turned);
        }
    }
    one(call)
}

pub(super) fn shape(site: &Site<'_>) -> Option<Piece> {
    let unflatten = |sizes: &[usize]| {
        Call::new("nn.Unflatten")
            .arg("dim", 1)
            .arg("unflattened_size", tuple(sizes))
    };
    let out = site.output.dimensions();
    let rank = out.len();
    match (site.name(), site.input()) {
        ("flatten", _) => one(Call::new("nn.Flatten")),
        ("reshape", _) => all(vec![Call::new("nn.Flatten"), unflatten(&out)]),
        ("to_sequence" | "to_signal", Shape::Vector { .. }) => one(unflatten(&out)),
        ("to_sequence", Shape::Sequence { .. }) => Some(Piece::Expression("{0}".to_owned())),
        ("to_sequence", _) => all(to_sequence().to_vec()),
        ("to_signal", Shape::Sequence { .. }) => {
            one(Call::new("Transpose").arg("first", 1).arg("second", 2))
        }
        ("to_signal", _) => one(Call::new("nn.Flatten").arg("start_dim", 2)),
        ("transpose", _) => one(Call::new("Transpose")
            .arg("first", rank - 1)
            .arg("second", rank)),
        ("permute", _) => {
            let Value::Name(order) = site.value("order") else {
                return None;
            };
            let places = order
                .chars()
                .map(|letter| "chw".find(letter).unwrap_or(0) + 1);
            let call = Call::new("Permute").arg("order", 0);
            one(places.fold(call, |call, place| call.arg("order", place)))
        }
        ("select_position", _) => {
            let position = if site.is("position", "first") {
                "0"
            } else {
                "-1"
            };
            one(Call::new("SelectPosition").arg("position", position))
        }
        ("flip", _) => {
            let dim = if site.is_sequence() { 1 } else { rank };
            one(Call::new("Flip").arg("dim", dim))
        }
        ("crop", _) => one(Call::new("Crop").arg("margin", site.int("margin"))),
        ("zero", _) => one(out
            .iter()
            .fold(Call::new("Zero"), |call, size| call.arg("size", size))),
        _ => None,
    }
}

pub(super) fn resize(site: &Site<'_>) -> Option<Piece> {
    let rank = site.grid().len();
    let upsample = |mode: &str| {
        let call = Call::new("nn.Upsample").key("scale_factor", site.int("scale"));
        one(call.key("mode", format!("\"{mode}\"")))
    };
    match site.name() {
        "upsample_nearest" => upsample("nearest"),
        "upsample_bilinear" => upsample(["linear", "bilinear", "trilinear"][rank - 1]),
        "pad" => {
            let class = match site.value("mode") {
                Value::Name("reflect") => "nn.ReflectionPad",
                Value::Name("replicate") => "nn.ReplicationPad",
                Value::Name("circular") => "nn.CircularPad",
                _ => "nn.ZeroPad",
            };
            let call = Call::new(format!("{class}{rank}d"));
            one(call.arg("padding", site.int("margin")))
        }
        "channel_shuffle" => {
            let (groups, channels) = (site.int("groups"), site.channels());
            let mut sizes = vec![groups, channels / groups];
            sizes.extend(site.grid());
            all(vec![
                Call::new("nn.Unflatten")
                    .arg("dim", 1)
                    .arg("unflattened_size", tuple(&sizes[..2])),
                Call::new("Transpose").arg("first", 1).arg("second", 2),
                Call::new("nn.Flatten")
                    .arg("start_dim", 1)
                    .arg("end_dim", 2),
            ])
        }
        "pixel_shuffle" => {
            one(Call::new("nn.PixelShuffle").arg("upscale_factor", site.int("scale")))
        }
        "pixel_unshuffle" => {
            one(Call::new("nn.PixelUnshuffle").arg("downscale_factor", site.int("scale")))
        }
        _ => None,
    }
}

pub(super) fn merge(site: &Site<'_>) -> Option<Piece> {
    let count = site.inputs.len();
    let joined = |with: &str| {
        let places: Vec<String> = (0..count).map(|place| format!("{{{place}}}")).collect();
        places.join(with)
    };
    Some(Piece::Expression(match site.name() {
        "add" => joined(" + "),
        "mul" => joined(" * "),
        "concat" => format!("torch.cat([{}], dim={})", joined(", "), site.feature_dim()),
        "mean" => format!("({}) / {count}", joined(" + ")),
        "max" => (1..count).fold("{0}".to_owned(), |so_far, place| {
            format!("torch.maximum({so_far}, {{{place}}})")
        }),
        "gated_sum" => return one(Call::new("GatedSum").arg("inputs", count).weight()),
        "cosine_similarity" => {
            return one(Call::new("CosineSimilarity").key("eps", number(site.float("eps"))));
        }
        "pairwise_distance" => {
            let call = Call::new("nn.PairwiseDistance").key("eps", number(site.float("eps")));
            return one(call.key("keepdim", "True"));
        }
        _ => return None,
    }))
}
