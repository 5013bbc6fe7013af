//! Nuclei of an image from Rust, by the C interface: rustc alone, no crate.
//!   rustc --edition 2021 detect.rs -L LIB -l nucdet && LD_LIBRARY_PATH=LIB ./detect WEIGHTS IMAGE.ppm
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::ptr::{null, null_mut};

// [declare]
#[repr(C)]
struct Options {
    size: usize,
    device: *const c_char,
    precision: *const c_char,
    threshold: *const f64,
    xi: *const f64,
    threads: i32,
    exact: i32,
    tile: i32,
    average: i32,
}

#[repr(C)]
struct Image {
    size: usize,
    pixels: *const c_void,
    height: i64,
    width: i64,
    channels: i32,
    kind: i32,
    order: i32,
    reserved: i32,
    row_stride: i64,
    pixel_stride: i64,
    channel_stride: i64,
    um_per_pixel: f64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Nucleus {
    pub x: f64,
    pub y: f64,
    pub score: f32,
    pub class_id: i32,
    pub class_probability: f32,
    reserved: u32,
}

type Progress = extern "C" fn(*mut c_void, i64, i64) -> c_int;

extern "C" {
    fn nucdet_version() -> *const c_char;
    fn nucdet_last_error() -> *const c_char;
    fn nucdet_detector_open(path: *const c_char, options: *const Options, result: *mut *mut c_void) -> i32;
    fn nucdet_detector_free(detector: *mut c_void);
    fn nucdet_detect(detector: *const c_void, image: *const Image, progress: Option<Progress>, user: *mut c_void,
                     result: *mut *mut c_void) -> i32;
    fn nucdet_detections_count(detections: *const c_void) -> usize;
    fn nucdet_detections_nuclei(detections: *const c_void) -> *const Nucleus;
    fn nucdet_detections_free(detections: *mut c_void);
}
// [declare]

// [wrap]
/// A detector may be used by any number of threads.
pub struct Detector(*mut c_void);
unsafe impl Send for Detector {}
unsafe impl Sync for Detector {}

fn done(status: i32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    // Text of this thread, which lasts until its next failure.
    Err(unsafe { CStr::from_ptr(nucdet_last_error()) }.to_string_lossy().into_owned())
}

impl Detector {
    pub fn open(path: &str, threshold: f64) -> Result<Detector, String> {
        let (path, cpu) = (CString::new(path).map_err(|e| e.to_string())?, CString::new("cpu").unwrap());
        let options = Options { size: std::mem::size_of::<Options>(), device: cpu.as_ptr(), precision: null(),
                                threshold: &threshold, xi: null(), threads: 0, exact: 0, tile: 0, average: 0 };
        let mut made = null_mut();
        done(unsafe { nucdet_detector_open(path.as_ptr(), &options, &mut made) })?;
        Ok(Detector(made))
    }

    /// RGB, 8 bits, rows without gaps.
    pub fn detect(&self, rgb: &[u8], width: usize, height: usize, um: f64) -> Result<Vec<Nucleus>, String> {
        assert_eq!(rgb.len(), width * height * 3);
        let image = Image { size: std::mem::size_of::<Image>(), pixels: rgb.as_ptr().cast(), height: height as i64,
                            width: width as i64, channels: 3, kind: 0, order: 0, reserved: 0, row_stride: 0,
                            pixel_stride: 0, channel_stride: 0, um_per_pixel: um };
        let mut found = null_mut();
        done(unsafe { nucdet_detect(self.0, &image, None, null_mut(), &mut found) })?;
        let count = unsafe { nucdet_detections_count(found) };
        let nuclei = match count {
            0 => Vec::new(),
            _ => unsafe { std::slice::from_raw_parts(nucdet_detections_nuclei(found), count) }.to_vec(),
        };
        unsafe { nucdet_detections_free(found) };
        Ok(nuclei)
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        unsafe { nucdet_detector_free(self.0) }
    }
}
// [wrap]

/// A binary PPM without comments: width, height, pixels.
fn read_ppm(path: &str) -> Result<(usize, usize, Vec<u8>), String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let mut at = 0;
    let mut word = || {
        let begin = at;
        while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        at += 1;
        String::from_utf8_lossy(&bytes[begin..(at - 1).min(bytes.len())]).into_owned()
    };
    let (magic, width, height, _most) = (word(), word(), word(), word());
    let size = |text: String| text.parse::<usize>().map_err(|e| format!("{path}: {e}"));
    let (width, height) = (size(width)?, size(height)?);
    if magic != "P6" || bytes.len() != at + width * height * 3 {
        return Err(format!("{path}: not an 8-bit binary PPM"));
    }
    Ok((width, height, bytes[at..].to_vec()))
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 3 {
        return Err("usage: detect WEIGHTS IMAGE.ppm".into());
    }
    eprintln!("nucdet {}", unsafe { CStr::from_ptr(nucdet_version()) }.to_string_lossy());
    // [use]
    let detector = Detector::open(&arguments[1], 0.3)?;
    let (width, height, rgb) = read_ppm(&arguments[2])?;
    for n in detector.detect(&rgb, width, height, 0.25)? {
        println!("{:.3},{:.3},{:.4}", n.x, n.y, n.score);
    }
    // [use]
    Ok(())
}
