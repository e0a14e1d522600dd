//! Images whose channels come last to planes of tiles, one for each point, and back.

use super::matrices::Matrix;
use super::transforms::{collect, spread};
use pulp::Simd;

/// Values apart that the tiles of an image begin, along both axes.
pub const STEP: usize = 4;

/// How images are cut into tiles.
#[derive(Clone, Copy, Debug)]
pub struct Tiling {
    /// Rows and columns of an image.
    pub size: [usize; 2],
    /// Tiles along both axes.
    pub tiles: [usize; 2],
    /// Rows and columns of the first tile that lie before the image.
    pub before: usize,
    /// Channels, a multiple of eight.
    pub channels: usize,
}

impl Tiling {
    /// Values of an image.
    pub fn image(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// Tiles of an image.
    pub fn count(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// The number of each tile of an image, and where it begins.
    fn origins(self) -> impl Iterator<Item = (usize, [isize; 2])> {
        let place = move |tile: usize| (tile * STEP) as isize - self.before as isize;
        (0..self.count()).map(move |tile| {
            let [row, column] = [tile / self.tiles[1], tile % self.tiles[1]];
            (tile, [place(row), place(column)])
        })
    }

    /// The part of a tile's rows or columns that lies inside.
    #[inline(always)]
    fn inside<const V: usize>(&self, axis: usize, origin: isize) -> [bool; V] {
        let mut inside = [false; V];
        for (i, inside) in inside.iter_mut().enumerate() {
            *inside = (0..self.size[axis] as isize).contains(&(origin + i as isize));
        }
        inside
    }
}

/// The tiles of images at the points of `M`.
#[inline(always)]
pub fn spread_images<S: Simd, M: Matrix<P, V>, const P: usize, const V: usize>(
    simd: S,
    tiling: Tiling,
    images: &[f32],
    planes: &mut [f32],
    stride: usize,
) {
    let vectors = tiling.channels / S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    let mut half = [[zero; V]; P];
    let (planes, _) = S::as_mut_simd_f32s(planes);
    let stride = stride / S::F32_LANES;
    for (number, image) in images.chunks_exact(tiling.image()).enumerate() {
        let (image, _) = S::as_simd_f32s(image);
        for (tile, origin) in tiling.origins() {
            let rows = tiling.inside::<V>(0, origin[0]);
            let columns = tiling.inside::<V>(1, origin[1]);
            let at = (number * tiling.count() + tile) * vectors;
            for vector in 0..vectors {
                for column in 0..V {
                    let mut values = [zero; V];
                    if columns[column] {
                        let x = (origin[1] + column as isize) as usize;
                        for row in 0..V {
                            if rows[row] {
                                let y = (origin[0] + row as isize) as usize;
                                values[row] = image[(y * tiling.size[1] + x) * vectors + vector];
                            }
                        }
                    }
                    let points = spread::<S, M, P, V>(simd, &values);
                    for point in 0..P {
                        half[point][column] = points[point];
                    }
                }
                for row in 0..P {
                    let points = spread::<S, M, P, V>(simd, &half[row]);
                    let planes = &mut planes[row * P * stride..(row + 1) * P * stride];
                    for column in 0..P {
                        planes[column * stride + at + vector] = points[column];
                    }
                }
            }
        }
    }
}

/// What tiles at the points of `M` give to images: added to a bias or, where there is none, to what is there.
#[inline(always)]
pub fn collect_images<S: Simd, M: Matrix<P, V>, const P: usize, const V: usize>(
    simd: S,
    tiling: Tiling,
    planes: &[f32],
    stride: usize,
    images: &mut [f32],
    bias: Option<&[f32]>,
) {
    let vectors = tiling.channels / S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    let mut half = [[zero; P]; V];
    let (planes, _) = S::as_simd_f32s(planes);
    let stride = stride / S::F32_LANES;
    let bias = bias.map(|bias| S::as_simd_f32s(bias).0);
    for (number, image) in images.chunks_exact_mut(tiling.image()).enumerate() {
        let (image, _) = S::as_mut_simd_f32s(image);
        for (tile, origin) in tiling.origins() {
            let rows = tiling.inside::<V>(0, origin[0]);
            let columns = tiling.inside::<V>(1, origin[1]);
            let at = (number * tiling.count() + tile) * vectors;
            for vector in 0..vectors {
                for row in 0..P {
                    let planes = &planes[row * P * stride..(row + 1) * P * stride];
                    let mut points = [zero; P];
                    for column in 0..P {
                        points[column] = planes[column * stride + at + vector];
                    }
                    let values = collect::<S, M, P, V>(simd, &points);
                    for column in 0..V {
                        half[column][row] = values[column];
                    }
                }
                let bias = bias.map(|bias| bias[vector]);
                for column in 0..V {
                    if !columns[column] {
                        continue;
                    }
                    let x = (origin[1] + column as isize) as usize;
                    let values = collect::<S, M, P, V>(simd, &half[column]);
                    for row in 0..V {
                        if rows[row] {
                            let y = (origin[0] + row as isize) as usize;
                            let to = &mut image[(y * tiling.size[1] + x) * vectors + vector];
                            *to = simd.add_f32s(bias.unwrap_or(*to), values[row]);
                        }
                    }
                }
            }
        }
    }
}

/// Turns the first `V` by `V` planes into what they are at the points of `M`, `P` by `P` planes.
#[inline(always)]
pub fn spread_planes<S: Simd, M: Matrix<P, V>, const P: usize, const V: usize>(
    simd: S,
    planes: &mut [f32],
    stride: usize,
) {
    let mut half = [[simd.splat_f32s(0.0); V]; P];
    let (planes, _) = S::as_mut_simd_f32s(planes);
    let stride = stride / S::F32_LANES;
    for at in 0..stride {
        for column in 0..V {
            let mut values = [simd.splat_f32s(0.0); V];
            for row in 0..V {
                values[row] = planes[(row * V + column) * stride + at];
            }
            let points = spread::<S, M, P, V>(simd, &values);
            for point in 0..P {
                half[point][column] = points[point];
            }
        }
        for row in 0..P {
            let points = spread::<S, M, P, V>(simd, &half[row]);
            for column in 0..P {
                planes[(row * P + column) * stride + at] = points[column];
            }
        }
    }
}

/// Turns `P` by `P` planes into what those at the points of `M` give to values, the first `V` by `V` planes.
#[inline(always)]
pub fn collect_planes<S: Simd, M: Matrix<P, V>, const P: usize, const V: usize>(
    simd: S,
    planes: &mut [f32],
    stride: usize,
) {
    let mut half = [[simd.splat_f32s(0.0); P]; V];
    let (planes, _) = S::as_mut_simd_f32s(planes);
    let stride = stride / S::F32_LANES;
    for at in 0..stride {
        for row in 0..P {
            let mut points = [simd.splat_f32s(0.0); P];
            for column in 0..P {
                points[column] = planes[(row * P + column) * stride + at];
            }
            let values = collect::<S, M, P, V>(simd, &points);
            for column in 0..V {
                half[column][row] = values[column];
            }
        }
        for column in 0..V {
            let values = collect::<S, M, P, V>(simd, &half[column]);
            for row in 0..V {
                planes[(row * V + column) * stride + at] = values[row];
            }
        }
    }
}
