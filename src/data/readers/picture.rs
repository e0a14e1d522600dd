//! One picture: PNG or JPEG to bytes of one or three channels, and to another size.

use crate::data::DataError;
use png::{BitDepth, ColorType, Transformations};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The longest side of a picture.
const LONGEST_SIDE: usize = 1 << 14;

/// The most bytes that decoding takes.
const MOST_BYTES: usize = 1 << 30;

/// A picture of bytes, its channels pixel by pixel.
#[derive(Debug)]
pub(super) struct Picture {
    pub width: usize,
    pub height: usize,
    /// 1 for grey, 3 for colours.
    pub channels: usize,
    bytes: Vec<u8>,
}

impl Picture {
    /// The picture that a file's bytes hold, PNG or JPEG by the first of them. Alpha channels are left out, and of 16
    /// bits 8 are kept.
    ///
    /// # Errors
    /// When it is neither, damaged, or too large.
    pub fn decode(bytes: &[u8], file: &str) -> Result<Self, DataError> {
        let decoded = if bytes.starts_with(b"\x89PNG") {
            of_png(bytes)
        } else if bytes.starts_with(b"\xff\xd8") {
            of_jpeg(bytes)
        } else {
            Err("neither PNG nor JPEG by its first bytes".to_owned())
        };
        decoded.map_err(|error| {
            let problem =
                format!("can't be read as a picture ({error}); is the download complete?");
            DataError::format(file, problem)
        })
    }

    /// The picture in another size, by a linear filter that is as wide as a pixel of the smaller one.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let values: Vec<f32> = self.bytes.iter().map(|&byte| f32::from(byte)).collect();
        let row = self.width * self.channels;
        let values = stretched(&values, (1, self.height, row), height);
        let values = stretched(&values, (height, self.width, self.channels), width);
        let byte = |value: f32| libm::roundf(value.clamp(0.0, 255.0)) as u8;
        Self {
            width,
            height,
            channels: self.channels,
            bytes: values.into_iter().map(byte).collect(),
        }
    }

    /// The values from 0 to 255, channel by channel: three of them for a grey picture too, one grey one for colours.
    pub fn values(&self, channels: usize) -> Vec<f32> {
        let pixels = self.bytes.chunks_exact(self.channels);
        match (self.channels, channels) {
            (3, 1) => pixels.map(|pixel| f32::from(luma(pixel))).collect(),
            (own, _) => (0..channels)
                .flat_map(|channel| pixels.clone().map(move |pixel| pixel[channel % own]))
                .map(f32::from)
                .collect(),
        }
    }
}

/// The brightness of a pixel, by the weights of sRGB.
fn luma(pixel: &[u8]) -> u8 {
    const WEIGHTS: [u32; 3] = [2126, 7152, 722];
    let weighed = pixel.iter().zip(WEIGHTS);
    let sum: u32 = weighed
        .map(|(&byte, weight)| u32::from(byte) * weight)
        .sum();
    ((sum + 5_000) / 10_000) as u8
}

fn check_size(width: usize, height: usize) -> Result<(), String> {
    if width.max(height) > LONGEST_SIDE {
        return Err(format!(
            "{height}x{width} pixels, where {LONGEST_SIDE} a side are the limit"
        ));
    }
    Ok(())
}

fn of_png(bytes: &[u8]) -> Result<Picture, String> {
    let limits = png::Limits { bytes: MOST_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    // Palettes and bits become bytes.
    decoder.set_transformations(Transformations::EXPAND);
    let text = |error: png::DecodingError| error.to_string();
    let mut reader = decoder.read_info().map_err(text)?;
    let (width, height) = reader.info().size();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    let size = reader.output_buffer_size();
    let size = size.filter(|&size| size <= MOST_BYTES);
    let mut buffer = vec![0; size.ok_or("it is too large")?];
    let info = reader.next_frame(&mut buffer).map_err(text)?;
    buffer.truncate(info.buffer_size());
    if info.bit_depth == BitDepth::Sixteen {
        let byte = |pair: &[u8]| {
            let value = u32::from(u16::from_be_bytes([pair[0], pair[1]]));
            ((value + 128) / 257) as u8
        };
        buffer = buffer.chunks_exact(2).map(byte).collect();
    }
    let (channels, with_alpha) = match info.color_type {
        ColorType::Grayscale => (1, 1),
        ColorType::GrayscaleAlpha => (1, 2),
        ColorType::Rgba => (3, 4),
        _ => (3, 3),
    };
    let pixels = buffer.chunks_exact(with_alpha);
    let bytes: Vec<u8> = pixels
        .flat_map(|pixel| &pixel[..channels])
        .copied()
        .collect();
    Ok(Picture {
        width,
        height,
        channels,
        bytes,
    })
}

/// Whether the end of the picture comes after its last scan: the decoder would make grey of what is missing.
fn is_whole(bytes: &[u8]) -> bool {
    let last = |marker| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    last(0xd9) > last(0xda)
}

fn of_jpeg(bytes: &[u8]) -> Result<Picture, String> {
    if !is_whole(bytes) {
        return Err("it has no end".to_owned());
    }
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(LONGEST_SIDE)
        .set_max_height(LONGEST_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| error.to_string())?;
    let (channels, space) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (1, ColorSpace::Luma),
        _ => (3, ColorSpace::RGB),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let bytes = decoder.decode().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;
    check_size(width, height)?;
    if bytes.len() != width * height * channels {
        return Err("its pixels are not as many as its header says".to_owned());
    }
    Ok(Picture {
        width,
        height,
        channels,
        bytes,
    })
}

/// Values `[outer, size, inner]` as `[outer, new, inner]`: each from those around its place, by a triangle.
fn stretched(values: &[f32], (outer, size, inner): (usize, usize, usize), new: usize) -> Vec<f32> {
    let mut out = vec![0.0; outer * new * inner];
    let ratio = size as f32 / new as f32;
    // Where pixels grow fewer, each is made of all that it covers.
    let width = ratio.max(1.0);
    for to in 0..new {
        let centre = (to as f32 + 0.5) * ratio;
        let first = (libm::floorf(centre - width).max(0.0) as usize).min(size - 1);
        let end = (libm::ceilf(centre + width) as usize).clamp(first + 1, size);
        let weight = |from: usize| (1.0 - ((from as f32 - (centre - 0.5)) / width).abs()).max(0.0);
        let weights: Vec<f32> = (first..end).map(weight).collect();
        let sum: f32 = weights.iter().sum();
        for lane in 0..outer * inner {
            let (before, behind) = (lane / inner, lane % inner);
            let at = |from: usize| values[(before * size + from) * inner + behind];
            let mean = (first..end)
                .zip(&weights)
                .map(|(from, w)| at(from) * (w / sum));
            out[(before * new + to) * inner + behind] = mean.sum();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, bytes: &[u8]) -> Picture {
        Picture {
            width,
            height: bytes.len() / width,
            channels: 1,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn a_smaller_picture_is_made_of_all_that_it_covers() {
        let rows = [0, 0, 100, 100, 0, 0, 100, 100].repeat(2);
        let half = grey(4, &rows).resized(2, 2);
        assert_eq!(half.values(1), [14.0, 86.0, 14.0, 86.0]);
        assert_eq!(grey(2, &[7, 7, 7, 7]).resized(5, 3).values(1), [7.0; 15]);
    }

    #[test]
    fn a_larger_picture_has_lines_between_pixels() {
        let wide = grey(2, &[0, 100]).resized(4, 1);
        assert_eq!(wide.values(1), [0.0, 25.0, 75.0, 100.0]);
    }

    #[test]
    fn grey_and_colours_become_each_other() {
        let colour = Picture {
            width: 1,
            height: 2,
            channels: 3,
            bytes: vec![255, 0, 0, 10, 20, 30],
        };
        assert_eq!(colour.values(3), [255.0, 10.0, 0.0, 20.0, 0.0, 30.0]);
        assert_eq!(colour.values(1), [54.0, 19.0]);
        assert_eq!(grey(2, &[1, 2]).values(3), [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn bytes_that_are_no_picture_say_so() {
        for bytes in [&b""[..], b"BM", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"] {
            let error = Picture::decode(bytes, "x").unwrap_err().to_string();
            assert!(error.contains("can't be read as a picture"), "{error}");
        }
    }
}
