//! Where the cache is, what the catalogue may hold, and reading archives made here. No network.

use std::ffi::OsStr;
use std::io::Write;

use super::*;

#[test]
fn cache_folder_prefers_the_own_variable() {
    let check = |set: &[(&str, &str)], expect: Option<&str>| {
        let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        assert_eq!(cache_folder(variable).ok(), expect.map(PathBuf::from), "{set:?}");
    };
    check(&[(CACHE_VARIABLE, "/c"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/c"));
    check(&[(CACHE_VARIABLE, ""), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/x/llama-rs"));
    check(&[("HOME", "/h")], Some("/h/.cache/llama-rs"));
    check(&[("USERPROFILE", "/u")], Some("/u/.cache/llama-rs"));
    check(&[], None);
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let error = select(&["smollm3".to_owned()]).err().expect("there is no smollm3").to_string();
    assert!(error.contains("smollm3") && error.contains("smollm2, gemma3"), "{error}");
    assert_eq!(select(&[]).expect("none means all").len(), ITEMS.len());
}

#[test]
fn the_catalogue_is_sound() {
    let mut paths = std::collections::BTreeSet::new();
    for item in ITEMS.iter().chain(LARGE_ITEMS) {
        assert!(!item.packages.is_empty(), "{}", item.name);
        for file in item.files() {
            assert!(paths.insert(file.path), "{} twice", file.path);
            assert!(file.sha256.len() == 64 && file.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(
                ["gguf", "jinja", "gbnf", "json", "zip"]
                    .map(|end| Some(OsStr::new(end)))
                    .contains(&Path::new(file.path).extension())
            );
        }
    }
}

#[test]
fn a_file_with_other_bytes_is_not_published() {
    let cache = Temporary::new("publish");
    let staged = cache.0.join("staged");
    let empty = File {
        path: "vocab/empty.gguf",
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };
    fs::write(&staged, "x").unwrap();
    let error = publish(&staged, &empty, &cache.0).unwrap_err().to_string();
    assert!(error.contains(empty.sha256) && error.contains("2d711642b726b044"), "{error}");
    assert!(!cache.0.join(empty.path).exists());

    fs::write(&staged, "").unwrap();
    publish(&staged, &empty, &cache.0).unwrap();
    assert!(cache.0.join(empty.path).exists() && !staged.exists());
}

#[test]
fn members_come_out_of_archives() {
    let folder = Temporary::new("archives");
    let wheel = folder.0.join("a.whl");
    let mut zip = zip::ZipWriter::new(fs::File::create(&wheel).unwrap());
    zip.start_file("pkg/data", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"weights").unwrap();
    zip.finish().unwrap();
    let mut bytes = Vec::new();
    archive::copy_zip_member(&wheel, "pkg/data", &mut bytes).unwrap();
    assert_eq!(bytes, b"weights");
    assert!(archive::copy_zip_member(&wheel, "pkg/other", &mut bytes).is_err());
    assert!(archive::copy_zip_member(&folder.0.join("none"), "pkg/data", &mut bytes).is_err());

    let source = folder.0.join("a.tar.gz");
    let gzip = flate2::write::GzEncoder::new(fs::File::create(&source).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (path, text) in [("a/models/v.gguf", "vocab"), ("a/models/deep/w", "no"), ("a/other", "no")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
    let out = folder.0.join("out");
    archive::unpack_tar_folder(&source, "a/models", &out).unwrap();
    let names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["v.gguf"]);
    assert_eq!(fs::read(out.join("v.gguf")).unwrap(), b"vocab");
}

/// A folder of this test alone, removed at its end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("llama-rs-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
