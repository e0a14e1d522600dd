//! The golden numbers of a small reference implementation by SciPy, to nine digits.

use super::*;
use crate::statistics::holm;
use serde_json::Value;

fn close(ours: f64, theirs: f64, what: &str) {
    let error = (ours - theirs).abs() / theirs.abs().max(1e-300);
    let is_same = ours == theirs || error <= 1e-9;
    assert!(is_same, "{what}: {ours}, expected {theirs} ({error:e})");
}

fn check(claim: &Claim, d: f64, v: f64, nu: f64, what: &str) {
    // Differences of scores that are printed to twelve places.
    assert!(
        (claim.difference - d).abs() <= 1e-9 * d.abs(),
        "{what}: D {}",
        claim.difference
    );
    close(claim.error.variance, v, &format!("{what}: V"));
    close(claim.error.freedom, nu, &format!("{what}: nu"));
}

fn check_interval(claim: &Claim, low: f64, high: f64, what: &str) {
    let interval = claim.interval().expect("an interval");
    close(interval.low, low, &format!("{what}: low"));
    close(interval.high, high, &format!("{what}: high"));
}

fn check_p(claim: &Claim, p: f64, what: &str) {
    close(claim.p.expect("a p-value"), p, &format!("{what}: p"));
}

#[test]
fn students_distribution_is_that_of_scipy() {
    for (nu, t, p) in [
        (3.7, 2.1, 0.109_264_705_082_224_74),
        (1.2, 0.5, 0.693_248_687_165_321_8),
        (2.5, 12.0, 0.002_836_215_030_078_324_4),
        (1e6, 1.96, 0.049_996_067_585_269_85),
        (5.5, 0.0, 1.0),
        (68.123, -3.25, 0.001_794_611_425_879_684_6),
    ] {
        close(student_two_sided(nu, t), p, &format!("P({nu}, {t})"));
    }
    for (p, nu, t) in [
        (0.975, 3.7, 2.867_520_707_191_189_5),
        (0.8, 7.0, 0.896_029_644_313_765_3),
        (0.975, 261.4, 1.969_080_688_238_729_3),
        (0.95, 1.5, 3.705_180_820_096_75),
    ] {
        close(
            student_quantile(p, nu),
            t,
            &format!("quantile of {p}, {nu}"),
        );
    }
}

/// The scores of an arm of a committed comparison, by search.
fn committed(text: &str, arm: &str, searches: usize) -> Vec<Vec<f64>> {
    let file: Value = serde_json::from_str(text).unwrap();
    let arms = file["arms"].as_array().unwrap();
    let found = arms.iter().find(|it| it["name"] == arm).unwrap();
    let scores = found["scores"].as_array().unwrap();
    let scores: Vec<f64> = scores.iter().map(|it| it.as_f64().unwrap()).collect();
    let each = scores.len() / searches;
    scores.chunks(each).map(<[f64]>::to_vec).collect()
}

macro_rules! expected {
    ($name:literal) => {
        include_str!(concat!("../../../experiments/", $name, "/expected.json"))
    };
}

#[test]
fn committed_comparisons_have_the_golden_first_claims() {
    for (text, design, d, v, nu, bare, low, high) in [
        (
            expected!("mnist1d"),
            "mnist1d_fcn",
            0.002_533_333_333_33,
            2.587_301_587_302e-7,
            21.191_528_538_82,
            6.121_604_923_707e-5,
            0.001_476_108_673_265,
            0.003_590_557_993_401,
        ),
        (
            expected!("fashion_mnist"),
            "fashion_resnet",
            0.006_066_666_666_667,
            5.903_915_343_915e-6,
            15.610_752_802_01,
            0.024_139_021_231_38,
            0.000_905_268_192_880_8,
            0.011_228_065_140_45,
        ),
        (
            expected!("sms_spam"),
            "sms_kim",
            0.002_571_001_494_768,
            6.618_730_663_051e-7,
            22.959_665_915_16,
            0.004_381_148_178_675,
            0.000_887_869_452_388_4,
            0.004_254_133_537_148,
        ),
    ] {
        let x = committed(text, "evolution", 3);
        let y = committed(text, design, 1).concat();
        let claim = claim_1(Observations::Searches(&x), Observations::Network(&y));
        check(&claim, d, v, nu, design);
        check_interval(&claim, low, high, design);
        assert_eq!(claim.p, None, "no p-value of given networks is shown");
        let t = claim.difference / libm::sqrt(claim.error.variance);
        close(student_two_sided(claim.error.freedom, t), bare, design);
    }
}

#[test]
fn committed_comparisons_have_the_golden_second_claims() {
    for (text, searches, design, d, v, p, low, high) in [
        (
            expected!("mnist1d"),
            3,
            "mnist1d_fcn",
            0.002_533_333_333_33,
            1.638_730_158_73e-6,
            0.186_395_956_889_8,
            -0.002_974_617_038_404,
            0.008_041_283_705_07,
        ),
        (
            expected!("fashion_mnist"),
            3,
            "fashion_resnet",
            0.006_066_666_666_667,
            3.095_675_485_009e-5,
            0.389_406_664_031_2,
            -0.017_872_774_559_04,
            0.030_006_107_892_37,
        ),
        (
            expected!("sms_spam"),
            3,
            "sms_kim",
            0.002_571_001_494_768,
            1.158_788_570_56e-6,
            0.139_532_762_357_8,
            -0.002_060_676_907_182,
            0.007_202_679_896_718,
        ),
        (
            expected!("digits"),
            3,
            "resnet_small",
            0.001_299_907_149_489,
            3.596_279_230_391e-6,
            0.563_836_623_037_6,
            -0.006_859_582_534_689,
            0.009_459_396_833_668,
        ),
        (
            expected!("breast_cancer"),
            5,
            "breast_cancer_linear",
            -0.004_210_526_315_789,
            9.264_389_042_782e-6,
            0.238_757_555_146_5,
            -0.012_661_319_693_5,
            0.004_240_267_061_917,
        ),
    ] {
        let x = committed(text, "evolution", searches);
        let y = committed(text, design, 1).concat();
        let claim = claim_2(Observations::Searches(&x), Observations::Network(&y));
        check(&claim, d, v, (searches - 1) as f64, design);
        check_p(&claim, p, design);
        check_interval(&claim, low, high, design);
    }
    let x = committed(expected!("mnist1d"), "evolution", 3);
    close(searches_variance(&x), 1.524_444_444_444e-6, "v_A");
}

#[test]
fn searches_of_the_committed_table_have_the_golden_claims() {
    let text = expected!("nasbench201");
    let design = committed(text, "nasbench201_conv3x3", 20)[0][0];
    for (arm, d, v, p, low, high) in [
        (
            "local_search",
            0.382_315,
            0.004_404_869_435_526,
            1.498_443_481_034e-5,
            0.243_402_688_002_7,
            0.521_227_311_997_3,
        ),
        (
            "evolution",
            0.176_08,
            0.011_538_986_294_74,
            0.117_629_083_135_3,
            -0.048_751_960_940_82,
            0.400_911_960_940_8,
        ),
    ] {
        let x = committed(text, arm, 20);
        let claim = claim_2(Observations::Searches(&x), Observations::Known(design));
        check(&claim, d, v, 19.0, arm);
        check_p(&claim, p, arm);
        check_interval(&claim, low, high, arm);
    }
}

#[test]
fn searches_against_random_search_have_the_golden_claims() {
    for (text, searches, arm, d, p) in [
        (
            expected!("mnist1d"),
            3,
            "evolution",
            0.002_133_333_333_333,
            0.239_387_698_333_5,
        ),
        (
            expected!("fashion_mnist"),
            3,
            "evolution",
            -0.000_755_555_555_555_6,
            0.597_456_920_623_2,
        ),
        (
            expected!("nasbench201"),
            20,
            "local_search",
            0.428_065,
            0.000_183_413_692_676_6,
        ),
        (
            expected!("nasbench201"),
            20,
            "evolution",
            0.221_83,
            0.072_943_451_982_61,
        ),
    ] {
        let x = committed(text, arm, searches);
        let random = committed(text, "random", searches);
        let claim = paired(&x, &random, None);
        close(claim.difference, d, arm);
        close(claim.error.freedom, (searches - 1) as f64, arm);
        check_p(&claim, p, arm);
        if d == 0.002_133_333_333_333 {
            check_interval(&claim, -0.003_406_535_117_284, 0.007_673_201_783_95, arm);
        }
    }
}

/// Scores and mean contributions of arms whose answers are given by a rule.
struct Answers {
    scores: Vec<Vec<f64>>,
    means: Vec<f64>,
}

impl Answers {
    fn of(
        searches: usize,
        retrainings: usize,
        n: usize,
        wrong: impl Fn(usize, usize, usize) -> bool,
    ) -> Self {
        let answer = |s, r, i| f64::from(u8::from(!wrong(s, r, i)));
        let score = |s, r| (0..n).map(|i| answer(s, r, i)).sum::<f64>() / n as f64;
        let scores = (0..searches).map(|s| (0..retrainings).map(|r| score(s, r)).collect());
        let all = || (0..searches).flat_map(|s| (0..retrainings).map(move |r| (s, r)));
        let mean =
            |i| all().map(|(s, r)| answer(s, r, i)).sum::<f64>() / (searches * retrainings) as f64;
        Self {
            scores: scores.collect(),
            means: (0..n).map(mean).collect(),
        }
    }
}

#[test]
fn examples_are_counted_as_in_the_golden_case() {
    let x = Answers::of(8, 3, 40, |s, r, i| i % 9 == s || (i + r) % 17 == 0);
    let y = Answers::of(1, 24, 40, |_, j, i| i % 5 == 0 || (3 * i + j) % 13 == 0);
    let examples = ExampleVariance::between(&x.means, &y.means);
    let sides = (
        Observations::Searches(&x.scores),
        Observations::Network(&y.scores[0]),
    );
    close(searches_variance(&x.scores), 4.402_281_746_032e-5, "v_A");
    close(variance(&y.scores[0]) / 24.0, 6.793_478_260_87e-6, "v_D");
    close(examples.variance, 0.003_660_412_215_099_715, "v_X");
    let second = claim_2(sides.0, sides.1);
    close(second.difference, 0.097_916_666_666_67, "D");
    close(second.error.freedom, 7.0, "nu");
    check_p(&second, 2.555_935_532_601e-6, "claim 2");
    check_interval(
        &second,
        0.081_060_312_745_45,
        0.114_773_020_587_9,
        "claim 2",
    );
    let third = claim_3(sides.0, sides.1, examples);
    check(
        &third,
        0.097_916_666_666_67,
        0.003_711_228_510_821,
        40.057_849_512_46,
        "claim 3",
    );
    check_p(&third, 0.115_842_782_229_5, "claim 3");
    check_interval(&third, -0.025_201_410_794_71, 0.221_034_744_128, "claim 3");
}

#[test]
fn the_third_claim_is_never_surer_than_the_second() {
    let x = Answers::of(5, 2, 12, |s, r, i| {
        (7 * s + 3 * r + 5 * i + s * i).is_multiple_of(11)
    });
    let y = Answers::of(1, 4, 12, |_, j, i| (4 * j + 5 * i + j * i) % 7 < 2);
    let examples = ExampleVariance::between(&x.means, &y.means);
    let sides = (
        Observations::Searches(&x.scores),
        Observations::Network(&y.scores[0]),
    );
    close(examples.variance, 0.005_675_505_050_505_051_5, "v_X");
    let second = claim_2(sides.0, sides.1);
    close(second.error.variance, 0.027_847_222_222_22, "claim 2: V");
    close(second.error.freedom, 3.0, "claim 2: nu");
    check_p(&second, 0.091_929_396_877_21, "claim 2");
    check_interval(&second, -0.122_736_979_997, 0.939_403_646_663_7, "claim 2");
    let third = claim_3(sides.0, sides.1, examples);
    close(third.error.variance, 0.033_522_727_272_73, "claim 3: V");
    close(third.error.freedom, 4.320_025_547_669, "claim 3: nu");
    close(
        third.difference / libm::sqrt(third.error.variance),
        2.230_206_935_582,
        "claim 3: t",
    );
    check_p(&third, 0.091_929_396_877_21, "claim 3");
    assert_eq!(third.interval(), second.interval());
    let first = claim_1(sides.0, sides.1);
    close(first.error.freedom, 3.014_962_219_458, "claim 1: nu");
    check_interval(&first, -0.121_249_119_898_1, 0.937_915_786_564_8, "claim 1");
    let with_examples = claim_1x(sides.0, sides.1, examples);
    close(
        with_examples.error.freedom,
        4.319_965_482_295,
        "claim 1x: nu",
    );
    check_p(&with_examples, 0.084_604_230_428_37, "claim 1x");
    let alone = Answers::of(1, 2, 12, |s, r, i| {
        (7 * s + 3 * r + 5 * i + s * i).is_multiple_of(11)
    });
    let examples = ExampleVariance::between(&alone.means, &y.means);
    let one = claim_1x(Observations::Searches(&alone.scores), sides.1, examples);
    check(
        &one,
        0.375,
        0.041_351_010_101_01,
        6.264_455_039_214,
        "one network",
    );
    check_p(&one, 0.112_649_009_406_5, "one network");
    check_interval(
        &one,
        -0.117_530_577_842_8,
        0.867_530_577_842_8,
        "one network",
    );
}

#[test]
fn degenerate_samples_have_the_golden_second_claims() {
    let floor = [
        [0.90, 0.92],
        [0.92, 0.90],
        [0.91, 0.91],
        [0.90, 0.92],
        [0.91, 0.91],
    ]
    .map(Vec::from);
    let y = [0.89, 0.90, 0.91, 0.90, 0.89, 0.90];
    let claim = claim_2(Observations::Searches(&floor), Observations::Network(&y));
    close(searches_variance(&floor), 1.2e-5, "floor");
    close(variance(&y) / 6.0, 9.444_444_444_444e-6, "v_D");
    close(claim.error.freedom, 4.0, "floor: nu");
    check_p(&claim, 0.065_401_694_259_81, "floor");
    check_interval(
        &claim,
        -0.001_190_536_037_914,
        0.024_523_869_371_25,
        "floor",
    );

    let equal = claim_2(
        Observations::Searches(&vec![vec![0.9, 0.9]; 5]),
        Observations::Network(&[0.9; 10]),
    );
    assert_eq!(
        (equal.difference, equal.p, equal.interval()),
        (0.0, Some(1.0), None)
    );
    let apart = claim_2(
        Observations::Searches(&vec![vec![0.9, 0.9]; 8]),
        Observations::Network(&[0.8; 24]),
    );
    close(apart.difference, 0.1, "apart");
    assert_eq!((apart.p, apart.interval()), (Some(0.007_812_5), None));

    let y = [0.88, 0.89, 0.90, 0.91, 0.87];
    let claim = claim_2(
        Observations::Searches(&vec![vec![0.9, 0.9]; 5]),
        Observations::Network(&y),
    );
    close(claim.error.variance, 5e-5, "identical winners: V");
    check_p(&claim, 0.230_199_641_080_5, "identical winners");
    check_interval(
        &claim,
        -0.009_632_431_614_776,
        0.029_632_431_614_78,
        "identical winners",
    );

    let ties = [0.9, 0.9, 0.91, 0.91, 0.9].map(|score| vec![score]);
    let claim = claim_2(
        Observations::Searches(&ties),
        Observations::Network(&[0.89, 0.9, 0.9, 0.89, 0.9]),
    );
    close(claim.error.variance, 1.2e-5, "one retraining: V");
    check_p(&claim, 0.082_086_279_834_73, "one retraining");
    check_interval(
        &claim,
        -0.001_617_887_973_257,
        0.017_617_887_973_26,
        "one retraining",
    );
}

#[test]
fn one_and_two_searches_have_the_golden_claims() {
    let (x, y) = ([vec![0.90, 0.91, 0.92]], [0.88, 0.89, 0.90]);
    let sides = (Observations::Searches(&x), Observations::Network(&y));
    let second = claim_2(sides.0, sides.1);
    close(second.difference, 0.02, "one search");
    assert_eq!((second.p, second.interval()), (None, None));
    let first = claim_1(sides.0, sides.1);
    close(first.error.variance, 6.666_666_666_667e-5, "one search: V");
    close(first.error.freedom, 4.0, "one search: nu");
    check_interval(
        &first,
        -0.002_669_579_355_275,
        0.042_669_579_355_28,
        "one search",
    );

    let x = [vec![0.90, 0.91], vec![0.93, 0.92]];
    let claim = claim_2(
        Observations::Searches(&x),
        Observations::Network(&[0.88, 0.89, 0.90, 0.91]),
    );
    close(
        claim.error.variance,
        0.000_141_666_666_666_7,
        "two searches: V",
    );
    close(claim.error.freedom, 1.0, "two searches: nu");
    check_p(&claim, 0.341_752_025_582_3, "two searches");
    check_interval(
        &claim,
        -0.131_234_086_203,
        0.171_234_086_203,
        "two searches",
    );
}

#[test]
fn degenerate_pairs_and_known_designs_have_the_golden_claims() {
    let single = |scores: &[f64]| -> Vec<Vec<f64>> { scores.iter().map(|&it| vec![it]).collect() };
    let same = single(&[0.9, 0.91, 0.92]);
    let claim = paired(&same, &same, None);
    assert_eq!((claim.difference, claim.p), (0.0, Some(1.0)));
    let (x, y) = ([0.75, 1.0, 0.5, 0.25, 0.625], [0.5, 0.75, 0.25, 0.0, 0.375]);
    let claim = paired(&single(&x), &single(&y), None);
    assert_eq!((claim.difference, claim.p), (0.25, Some(0.0625)));

    let (x, y) = (
        [0.99, 0.992, 0.99, 0.993, 0.991],
        [0.988, 0.992, 0.99, 0.990, 0.991],
    );
    let (x, y) = (single(&x), single(&y));
    let claim = paired(&x, &y, None);
    check(&claim, 0.001, 4e-7, 4.0, "zeros");
    check_p(&claim, 0.189_003_658_455_2, "zeros");
    let examples = ExampleVariance {
        variance: 0.0008 * 0.0008,
        count: 1000,
    };
    let claim = paired(&x, &y, Some(examples));
    check(
        &claim,
        0.001,
        1.04e-6,
        26.765_645_436_17,
        "zeros with examples",
    );
    check_p(&claim, 0.335_580_465_201_1, "zeros with examples");
    check_interval(
        &claim,
        -0.001_093_322_369_878,
        0.003_093_322_369_878,
        "zeros with examples",
    );

    let x = single(&[0.94, 0.95, 0.93, 0.96, 0.95, 0.94]);
    let examples = ExampleVariance {
        variance: 0.002 * 0.002,
        count: 1000,
    };
    let claim = claim_3(
        Observations::Searches(&x),
        Observations::Known(0.93),
        examples,
    );
    close(claim.error.variance, 2.233_333_333_333e-5, "known: V");
    close(claim.error.freedom, 7.418_067_320_719, "known: nu");
    check_p(&claim, 0.017_224_549_680_34, "known");
    check_interval(&claim, 0.003_951_632_564_813, 0.026_048_367_435_19, "known");
}

fn with_error(difference: f64, variance: f64, freedom: f64) -> Claim {
    Claim {
        difference,
        error: Component { variance, freedom },
        p: Some(0.5),
        half_width: None,
    }
}

#[test]
fn equivalence_and_what_could_be_shown_have_the_golden_numbers() {
    let narrow = 0.0015 * 0.0015;
    for (d, v, nu, p) in [
        (0.001, narrow, 9.0, 0.012_881_395_833_943_42),
        (-0.004, narrow, 9.0, 0.260_853_463_540_707_93),
        (0.001, 0.003 * 0.003, 36.5, 0.095_342_297_065_923_16),
    ] {
        let found = equivalence(&with_error(d, v, nu), 0.005).unwrap();
        close(found, p, "equivalence");
    }
    let least = least_difference(&with_error(0.0, narrow, 9.0), 0.05).unwrap();
    close(least, 0.004_718_341_533_725_61, "least difference");
    let square = |value: f64| value * value;
    for (searches, design, examples, count, smallest, found) in [
        (square(0.002), square(0.0013), 0.0, 1000, 0.003, (7, 1000)),
        (
            square(0.0087) + square(0.0081) / 3.0,
            square(0.0048),
            square(0.0015),
            3000,
            0.01,
            (11, 3000),
        ),
        (
            square(0.0087),
            square(0.0048),
            square(0.004),
            3000,
            0.01,
            (14, 7535),
        ),
    ] {
        let spread = Spread {
            searches,
            design,
            retrainings: 3,
            examples,
            count,
        };
        let needed = needed(&spread, smallest, 0.05);
        assert_eq!((needed.searches, needed.examples), (Some(found.0), found.1));
    }
}

#[test]
fn counts_levels_and_families_have_the_golden_numbers() {
    for (hits, of, low, high) in [
        (7, 8, 0.473_490_329_124_793_44, 0.996_840_276_468_748_1),
        (8, 8, 0.630_583_352_447_180_7, 1.0),
        (0, 5, 0.0, 0.521_823_750_104_981_4),
    ] {
        let interval = clopper_pearson(hits, of);
        close(interval.low, low, "Clopper and Pearson's lower end");
        close(interval.high, high, "Clopper and Pearson's upper end");
    }
    for (look, level) in [
        (1, 0.04),
        (2, 0.006_079_271_018_540_266),
        (3, 0.001_519_817_754_635_066_6),
        (4, 0.000_675_474_557_615_585_1),
        (10, 7.505_272_862_395_391e-5),
    ] {
        close(alpha(look), level, "level of a look");
    }
    for (ours, theirs) in holm(&[0.01, 0.04, 0.03, 0.005])
        .into_iter()
        .zip([0.03, 0.06, 0.06, 0.02])
    {
        close(ours, theirs, "Holm");
    }
    assert_eq!(largest(&[Some(0.1), Some(0.3)]), Some(0.3));
    assert_eq!(largest(&[Some(0.1), None]), None);
    assert_eq!(largest(&[]), None);
}

#[test]
fn searches_level_with_a_figure_count_half() {
    let searches = [0.9, 0.9, 0.9, 0.95, 0.8].map(|score| vec![score]);
    assert_eq!(searches_above(&searches, 0.9), 2);
    assert_eq!(searches_above(&searches, 0.85), 4);
}

#[test]
fn searches_may_have_unequal_numbers_of_retrainings() {
    let searches = [vec![0.90, 0.92], vec![0.93], vec![0.91, 0.93, 0.95]];
    // Winners' means are .91, .93 and .93; the floor is of the two that were trained more than once.
    let of_means = variance(&[0.91, 0.93, 0.93]);
    let floor = (variance(&searches[0]) / 2.0 + variance(&searches[2]) / 3.0) / 2.0;
    close(
        searches_variance(&searches),
        of_means.max(floor) / 3.0,
        "v_A",
    );
    close(
        Observations::Searches(&searches).mean(),
        (0.91 + 0.93 + 0.93) / 3.0,
        "mean",
    );
    // A winner that was trained once says nothing of retraining, so nothing is said of these networks.
    let claim = claim_1(Observations::Searches(&searches), Observations::Known(0.9));
    assert_eq!(claim.interval(), None);
}

#[test]
fn rounding_is_no_difference() {
    let noise: Vec<Vec<f64>> = (0..8)
        .map(|s| vec![0.1 + 0.2 + 1e-17 * f64::from(s)])
        .collect();
    let claim = claim_2(
        Observations::Searches(&noise),
        Observations::Network(&[0.3; 12]),
    );
    assert_eq!((claim.difference, claim.p), (0.0, Some(1.0)));
}

#[test]
fn distributions_of_any_freedom_are_those_of_scipy() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/claims.json")).unwrap();
    let cases = |kind: &str, least: usize| -> Vec<Value> {
        let cases = golden[kind].as_array().unwrap().clone();
        assert!(cases.len() >= least, "{kind} has {} cases", cases.len());
        cases
    };
    let number = |case: &Value, name: &str| case[name].as_f64().unwrap();
    for case in cases("two_sided", 190) {
        let (nu, t) = (number(&case, "freedom"), number(&case, "t"));
        let ours = student_two_sided(nu, t);
        // SciPy underflows where no test is decided.
        if number(&case, "p") > 1e-280 {
            close(ours, number(&case, "p"), &format!("P({nu}, {t})"));
        }
    }
    for case in cases("quantiles", 190) {
        let (nu, p) = (number(&case, "freedom"), number(&case, "p"));
        let (ours, theirs) = (student_quantile(p, nu), number(&case, "t"));
        let is_same = (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0);
        assert!(is_same, "quantile of {p}, {nu}: {ours}, SciPy's {theirs}");
    }
    for case in cases("intervals", 25) {
        let hits = case["hits"].as_u64().unwrap() as usize;
        let of = case["of"].as_u64().unwrap() as usize;
        let interval = clopper_pearson(hits, of);
        close(
            interval.low,
            number(&case, "low"),
            &format!("{hits} of {of}: low"),
        );
        close(
            interval.high,
            number(&case, "high"),
            &format!("{hits} of {of}: high"),
        );
    }
}
