//! Every layer class of `torch.nn` and what stands for it here, or why nothing does.
//!
//! The list of classes is PyTorch's own (tests/golden/layers.py writes it down); a test holds this table
//! against it and against the catalogue.

/// What stands for a class of `torch.nn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// These kinds of the catalogue.
    Kinds(&'static [&'static str]),
    /// No kind: why, and what to use.
    Absent(&'static str),
}

/// A class of `torch.nn` and its counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TorchClass {
    /// Its name in `torch.nn`.
    pub name: &'static str,
    /// What stands for it.
    pub counterpart: Counterpart,
}

const LOSS: &str = "a loss is not a layer: training takes it from the kind of output";
const LAZY: &str = "every kind infers its input's sizes, so the plain one is meant";
const CONTAINER: &str = "the language composes: a body's statements, `repeat`, `branch`, `dag`";
const CELL: &str = "one step of `rnn`, `gru` or `lstm`; the layer reads the whole sequence";
const DEVICES: &str = "a network is trained on one device";
const UNPOOL: &str = "needs the places that a max pool found, which no edge of a graph carries; use \
                      `upsample_nearest` or `conv_transpose2d`";
const FRACTIONAL: &str = "its windows are random, so its cost and its result would be too; use \
                          `adaptive_max_pool2d`";
const FOLD: &str = "overlapping patches as columns are a step of a convolution; use `patch_embedding` or \
                    `pixel_unshuffle`";
const TRANSFORMER: &str = "a composition: see search_spaces/transformer_encoder.space";
const CONSTANT: &str =
    "`pad` has zeros and three kinds of copies; other constants have not been needed";

const ALIGNED: &str =
    "superseded by Upsample, and it aligns corners; use `upsample_bilinear`, which does not";

const fn kinds(name: &'static str, kinds: &'static [&'static str]) -> TorchClass {
    TorchClass {
        name,
        counterpart: Counterpart::Kinds(kinds),
    }
}

const fn absent(name: &'static str, why: &'static str) -> TorchClass {
    TorchClass {
        name,
        counterpart: Counterpart::Absent(why),
    }
}

/// The classes of `torch.nn` in the order of their names.
pub static TORCH_CLASSES: &[TorchClass] = &[
    kinds("AdaptiveAvgPool1d", &["adaptive_avg_pool1d"]),
    kinds("AdaptiveAvgPool2d", &["adaptive_avg_pool2d"]),
    kinds("AdaptiveAvgPool3d", &["adaptive_avg_pool3d"]),
    absent("AdaptiveLogSoftmaxWithLoss", LOSS),
    kinds("AdaptiveMaxPool1d", &["adaptive_max_pool1d"]),
    kinds("AdaptiveMaxPool2d", &["adaptive_max_pool2d"]),
    kinds("AdaptiveMaxPool3d", &["adaptive_max_pool3d"]),
    kinds("AlphaDropout", &["alpha_dropout"]),
    kinds("AvgPool1d", &["avg_pool1d"]),
    kinds("AvgPool2d", &["avg_pool2d"]),
    kinds("AvgPool3d", &["avg_pool3d"]),
    absent("BCELoss", LOSS),
    absent("BCEWithLogitsLoss", LOSS),
    kinds("BatchNorm1d", &["batch_norm"]),
    kinds("BatchNorm2d", &["batch_norm"]),
    kinds("BatchNorm3d", &["batch_norm"]),
    kinds("Bilinear", &["bilinear"]),
    kinds("CELU", &["celu"]),
    absent("CTCLoss", LOSS),
    kinds("ChannelShuffle", &["channel_shuffle"]),
    kinds("CircularPad1d", &["pad"]),
    kinds("CircularPad2d", &["pad"]),
    kinds("CircularPad3d", &["pad"]),
    absent("ConstantPad1d", CONSTANT),
    absent("ConstantPad2d", CONSTANT),
    absent("ConstantPad3d", CONSTANT),
    absent("Container", CONTAINER),
    kinds("Conv1d", &["conv1d"]),
    kinds("Conv2d", &["conv2d"]),
    kinds("Conv3d", &["conv3d"]),
    kinds("ConvTranspose1d", &["conv_transpose1d"]),
    kinds("ConvTranspose2d", &["conv_transpose2d"]),
    kinds("ConvTranspose3d", &["conv_transpose3d"]),
    absent("CosineEmbeddingLoss", LOSS),
    kinds("CosineSimilarity", &["cosine_similarity"]),
    absent("CrossEntropyLoss", LOSS),
    kinds("CrossMapLRN2d", &["local_response_norm"]),
    absent("DataParallel", DEVICES),
    kinds("Dropout", &["dropout"]),
    kinds("Dropout1d", &["spatial_dropout"]),
    kinds("Dropout2d", &["spatial_dropout"]),
    kinds("Dropout3d", &["spatial_dropout"]),
    kinds("ELU", &["elu"]),
    kinds("Embedding", &["embedding"]),
    kinds("EmbeddingBag", &["embedding_bag"]),
    kinds("FeatureAlphaDropout", &["feature_alpha_dropout"]),
    kinds("Flatten", &["flatten"]),
    absent("Fold", FOLD),
    absent("FractionalMaxPool2d", FRACTIONAL),
    absent("FractionalMaxPool3d", FRACTIONAL),
    kinds("GELU", &["gelu"]),
    kinds("GLU", &["glu"]),
    kinds("GRU", &["gru"]),
    absent("GRUCell", CELL),
    absent("GaussianNLLLoss", LOSS),
    kinds("GroupNorm", &["group_norm"]),
    kinds("Hardshrink", &["hardshrink"]),
    kinds("Hardsigmoid", &["hard_sigmoid"]),
    kinds("Hardswish", &["hard_swish"]),
    kinds("Hardtanh", &["hardtanh"]),
    absent("HingeEmbeddingLoss", LOSS),
    absent("HuberLoss", LOSS),
    kinds("Identity", &["identity"]),
    kinds("InstanceNorm1d", &["instance_norm"]),
    kinds("InstanceNorm2d", &["instance_norm"]),
    kinds("InstanceNorm3d", &["instance_norm"]),
    absent("KLDivLoss", LOSS),
    absent("L1Loss", LOSS),
    kinds("LPPool1d", &["lp_pool1d"]),
    kinds("LPPool2d", &["lp_pool2d"]),
    kinds("LPPool3d", &["lp_pool3d"]),
    kinds("LSTM", &["lstm"]),
    absent("LSTMCell", CELL),
    kinds("LayerNorm", &["layer_norm", "layer_norm2d"]),
    absent("LazyBatchNorm1d", LAZY),
    absent("LazyBatchNorm2d", LAZY),
    absent("LazyBatchNorm3d", LAZY),
    absent("LazyConv1d", LAZY),
    absent("LazyConv2d", LAZY),
    absent("LazyConv3d", LAZY),
    absent("LazyConvTranspose1d", LAZY),
    absent("LazyConvTranspose2d", LAZY),
    absent("LazyConvTranspose3d", LAZY),
    absent("LazyInstanceNorm1d", LAZY),
    absent("LazyInstanceNorm2d", LAZY),
    absent("LazyInstanceNorm3d", LAZY),
    absent("LazyLinear", LAZY),
    kinds("LeakyReLU", &["leaky_relu"]),
    kinds("Linear", &["linear"]),
    absent("LinearCrossEntropyLoss", LOSS),
    kinds("LocalResponseNorm", &["local_response_norm"]),
    kinds("LogSigmoid", &["log_sigmoid"]),
    kinds("LogSoftmax", &["log_softmax"]),
    absent("MSELoss", LOSS),
    absent("MarginRankingLoss", LOSS),
    kinds("MaxPool1d", &["max_pool1d"]),
    kinds("MaxPool2d", &["max_pool2d"]),
    kinds("MaxPool3d", &["max_pool3d"]),
    absent("MaxUnpool1d", UNPOOL),
    absent("MaxUnpool2d", UNPOOL),
    absent("MaxUnpool3d", UNPOOL),
    kinds("Mish", &["mish"]),
    absent("Module", CONTAINER),
    absent("ModuleDict", CONTAINER),
    absent("ModuleList", CONTAINER),
    absent("MultiLabelMarginLoss", LOSS),
    absent("MultiLabelSoftMarginLoss", LOSS),
    absent("MultiMarginLoss", LOSS),
    kinds("MultiheadAttention", &["self_attention", "cross_attention"]),
    absent("NLLLoss", LOSS),
    absent("NLLLoss2d", LOSS),
    kinds("PReLU", &["prelu"]),
    kinds("PairwiseDistance", &["pairwise_distance"]),
    absent("ParameterDict", CONTAINER),
    absent("ParameterList", CONTAINER),
    kinds("PixelShuffle", &["pixel_shuffle"]),
    kinds("PixelUnshuffle", &["pixel_unshuffle"]),
    absent("PoissonNLLLoss", LOSS),
    kinds("RMSNorm", &["rms_norm"]),
    kinds("RNN", &["rnn"]),
    absent("RNNBase", CONTAINER),
    absent("RNNCell", CELL),
    absent("RNNCellBase", CONTAINER),
    kinds("RReLU", &["rrelu"]),
    kinds("ReLU", &["relu"]),
    kinds("ReLU6", &["relu6"]),
    kinds("ReflectionPad1d", &["pad"]),
    kinds("ReflectionPad2d", &["pad"]),
    kinds("ReflectionPad3d", &["pad"]),
    kinds("ReplicationPad1d", &["pad"]),
    kinds("ReplicationPad2d", &["pad"]),
    kinds("ReplicationPad3d", &["pad"]),
    kinds("SELU", &["selu"]),
    absent("Sequential", CONTAINER),
    kinds("SiLU", &["silu"]),
    kinds("Sigmoid", &["sigmoid"]),
    absent("SmoothL1Loss", LOSS),
    absent("SoftMarginLoss", LOSS),
    kinds("Softmax", &["softmax"]),
    kinds("Softmax2d", &["softmax"]),
    kinds("Softmin", &["softmin"]),
    kinds("Softplus", &["softplus"]),
    kinds("Softshrink", &["softshrink"]),
    kinds("Softsign", &["softsign"]),
    absent("SyncBatchNorm", DEVICES),
    kinds("Tanh", &["tanh"]),
    kinds("Tanhshrink", &["tanhshrink"]),
    kinds("Threshold", &["threshold"]),
    absent("Transformer", TRANSFORMER),
    absent("TransformerDecoder", TRANSFORMER),
    absent("TransformerDecoderLayer", TRANSFORMER),
    absent("TransformerEncoder", TRANSFORMER),
    absent("TransformerEncoderLayer", TRANSFORMER),
    absent("TripletMarginLoss", LOSS),
    absent("TripletMarginWithDistanceLoss", LOSS),
    kinds("Unflatten", &["reshape"]),
    absent("Unfold", FOLD),
    kinds("Upsample", &["upsample_nearest", "upsample_bilinear"]),
    absent("UpsamplingBilinear2d", ALIGNED),
    kinds("UpsamplingNearest2d", &["upsample_nearest"]),
    kinds("ZeroPad1d", &["pad"]),
    kinds("ZeroPad2d", &["pad"]),
    kinds("ZeroPad3d", &["pad"]),
];
