//! `docs/chat.md`: what a chat on a terminal looks like, recorded from a real one. tmux is the terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{compare, models, repository};

#[derive(Args)]
pub(crate) struct Options {
    /// A llama-rs that is built already; default: build one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// What is typed, line by line.
const TURNS: &[&str] = &[
    "/help",
    "What is the capital of France? Answer in one sentence.",
    "And which river flows through it?",
    "/tokens",
    "/undo",
    "Write a Rust function that adds two numbers. Only the code.",
    "/exit",
];

const WIDTH: &str = "96";
const HEIGHT: &str = "40";
/// What a chat and a shell show when it is the user's turn.
const PROMPTS: [&str; 2] = [">", "$"];
/// A prompt that stays for so long is meant.
const QUIET: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(300);

const HEAD: &str = "# A chat\n\nWhat `llama-rs run` looks like on a terminal: SmolLM2, a model of 135 million parameters that \
                    knows little,\nbut answers at once. `cargo xtask record-chat` recorded it with tmux; colours and \
                    bold type are lost on the way.\n\n````text\n";

pub(crate) fn run(options: &Options) -> Result<()> {
    let has_tmux = Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success());
    ensure!(has_tmux, "tmux does not run here: install it (package tmux)");
    let program = compare::ours(options.program.as_deref())?;
    let cache = models::ensure(&["smollm2".to_owned()])?;
    let terminal = Terminal::open(&program, &cache)?;
    terminal.wait_for("/help")?;
    for turn in TURNS {
        terminal.say(turn)?;
    }
    let page = format!("{HEAD}{}\n````\n", terminal.text()?.trim_end());
    let path = repository().join("docs/chat.md");
    fs::write(&path, page).with_context(|| path.display().to_string())?;
    println!("{}", path.display());
    Ok(())
}

/// A tmux server of our own with one shell, which ends when this is dropped.
struct Terminal;

impl Terminal {
    fn open(program: &Path, cache: &Path) -> Result<Self> {
        // The shell shows what was typed to start the program, and stays when the program is gone.
        let shell = "env PS1='$ ' bash --norc --noprofile";
        tmux(&["-f", "/dev/null", "new-session", "-d", "-x", WIDTH, "-y", HEIGHT, shell])?;
        let terminal = Self;
        let folder = program.parent().context("a program is in a folder")?;
        terminal.line(&format!("PATH={}:$PATH; cd {}; clear", folder.display(), cache.display()))?;
        sleep(Duration::from_secs(1));
        tmux(&["clear-history"])?;
        terminal.line("llama-rs run smollm2-135m-instruct.gguf -n 150 --temp 0.2 -s 7")?;
        Ok(terminal)
    }

    fn line(&self, text: &str) -> Result<()> {
        tmux(&["send-keys", "-l", text])?;
        tmux(&["send-keys", "Enter"]).map(drop)
    }

    fn wait_for(&self, what: &str) -> Result<()> {
        let begun = Instant::now();
        while !self.text()?.contains(what) {
            ensure!(begun.elapsed() < PATIENCE, "nothing said `{what}`:\n{}", self.text()?);
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Types a line and waits until it is the user's turn again.
    fn say(&self, text: &str) -> Result<()> {
        self.line(text)?;
        let begun = Instant::now();
        let (mut last, mut since) = (String::new(), Instant::now());
        while begun.elapsed() < PATIENCE {
            sleep(Duration::from_millis(250));
            let now = self.text()?;
            if now != last {
                (last, since) = (now, Instant::now());
                continue;
            }
            let end = last.trim_end().lines().last().unwrap_or_default().trim();
            if PROMPTS.contains(&end) && since.elapsed() >= QUIET {
                return Ok(());
            }
        }
        bail!("`{text}` was not answered in {PATIENCE:?}")
    }

    /// All that was on the screen so far.
    fn text(&self) -> Result<String> {
        tmux(&["capture-pane", "-p", "-S", "-"])
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(tmux(&["kill-server"]));
    }
}

/// Tells our own server, which has nothing to do with the user's.
fn tmux(args: &[&str]) -> Result<String> {
    let output = Command::new("tmux").args(["-L", "llama-rs-record"]).args(args).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "tmux {}: {}", args.join(" "), error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
