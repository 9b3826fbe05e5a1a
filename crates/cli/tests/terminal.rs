//! The program on a terminal, which here is a pseudo-terminal that answers where its cursor is: what a person sees and
//! may type, and in which state a shell gets the terminal back.
#![cfg(unix)]
#![expect(unsafe_code, reason = "pseudo-terminals and their modes come from foreign functions")]

mod tiny;

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::ptr::null_mut;
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tiny::model;

/// For a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("terminal");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("m.gguf"), model(&[])).expect("writable");
    folder
});

/// A terminal of 80 columns and 24 rows with a program on it.
struct Terminal {
    /// The end of the person.
    person: File,
    /// The end of the program, open so that the modes can be seen when it is gone.
    program: OwnedFd,
    child: Child,
    /// What the program has shown so far.
    shown: String,
}

impl Terminal {
    /// Starts `llama-rs` with these arguments, and these variables instead of those about colours.
    fn new(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let (mut person, mut program) = (-1, -1);
        let mut size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the pointers are those of variables of this function, or null where that is allowed.
        let code = unsafe {
            libc::openpty(&raw mut person, &raw mut program, null_mut(), null_mut(), &raw mut size)
        };
        assert_eq!(code, 0, "a pseudo-terminal can be opened");
        // SAFETY: both were opened just now, and nobody else has them.
        let (person, program) = unsafe { (File::from_raw_fd(person), OwnedFd::from_raw_fd(program)) };
        // The program must not have the end of the person, or it would not see that the person has gone.
        for (what, flag) in [(libc::F_SETFL, libc::O_NONBLOCK), (libc::F_SETFD, libc::FD_CLOEXEC)] {
            // SAFETY: no memory is concerned.
            assert_eq!(unsafe { libc::fcntl(person.as_raw_fd(), what, flag) }, 0);
        }
        // Who runs the tests may ignore signals, as nohup does; the program inherits and heeds that.
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            // SAFETY: no memory is concerned.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        let end = || Stdio::from(program.try_clone().expect("it is open"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
        command.args(args).current_dir(&*FOLDER).env("TERM", "xterm").env_remove("NO_COLOR");
        command.envs(variables.iter().copied()).stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().expect("the program starts");
        Self { person, program, child, shown: String::new() }
    }

    fn types(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).expect("the terminal takes it");
    }

    /// Reads until the program has shown `what` after all that was waited for before, and returns what came until then.
    fn wait_for(&mut self, what: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.shown.find(what) {
                let rest = self.shown.split_off(at + what.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            assert!(begun.elapsed() < PATIENCE, "waited for {what:?}, have {:?}", self.shown);
            self.read();
        }
    }

    /// Waits until the line editor takes a turn.
    fn wait_for_turn(&mut self) -> String {
        self.wait_for("\x1b[?2004h") + &self.wait_for("> ")
    }

    /// Takes what is there, or waits for a moment. False when there will be nothing more.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let n = match self.person.read(&mut bytes) {
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                sleep(Duration::from_millis(5));
                return true;
            }
            // So Linux says that nobody has the other end.
            Err(_) => 0,
        };
        let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
        if text.contains("\x1b[6n") {
            self.types("\x1b[1;1R");
        }
        self.shown += &text;
        n > 0
    }

    fn kill(&self, signal: libc::c_int) {
        let id = libc::pid_t::try_from(self.child.id()).expect("an id");
        // SAFETY: no memory is concerned; the child was not waited for, so the id is still its own.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    }

    /// Whether what is typed is passed on a line at a time and shown, as shells leave it.
    fn is_cooked(&self) -> bool {
        let mut modes = std::mem::MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the pointer is that of a variable of this function.
        assert_eq!(unsafe { libc::tcgetattr(self.program.as_raw_fd(), modes.as_mut_ptr()) }, 0);
        // SAFETY: it was filled just now.
        let flags = unsafe { modes.assume_init() }.c_lflag;
        flags & libc::ICANON != 0 && flags & libc::ECHO != 0
    }

    /// Waits for the end: how it ended, what was shown since the last wait, and whether the terminal is cooked then.
    fn end(mut self) -> (ExitStatus, String, bool) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "waited for the end, have {:?}", self.shown);
            self.read();
        };
        let is_cooked = self.is_cooked();
        // Only when nobody has the other end all that was written to it has come.
        self.program = File::open("/dev/null").expect("it is always there").into();
        while self.read() {}
        (status, self.shown, is_cooked)
    }
}

/// All that is shown by a program that nothing is typed to.
fn shown(args: &[&str], variables: &[(&str, &str)]) -> String {
    let (status, shown, _) = Terminal::new(args, variables).end();
    assert!(status.success(), "{args:?}: {shown}");
    // After the last erased line of the progress.
    shown.rsplit("\x1b[2K").next().unwrap_or_default().replace("\r\n", "\n")
}

const YES: [&str; 6] = ["run", "m.gguf", "-t", "1", "--grammar", "root ::= \"**yes**\""];

#[test]
fn a_terminal_obeys_no_model() {
    let grammar = r#"root ::= "a\x1b]0;title\x07\x9b2J""#;
    let run = ["run", "m.gguf", "-t", "1", "--grammar", grammar, "-p", "Hi"];
    for (more, want) in [
        (&[][..], "a]0;title2J\n"),
        (&["--plain"], "a\\u{1b}]0;title\\u{7}\\u{9b}2J\n"),
        (&["--raw"], "a\\u{1b}]0;title\\u{7}\\u{9b}2J\n"),
    ] {
        assert_eq!(shown(&[&run[..], more].concat(), &[]), want, "{more:?}");
    }
    let prompt = shown(&["run", "m.gguf", "-p", "a\x1b[31mb", "--template"], &[]);
    assert_eq!(prompt, "<|user|>a\\u{1b}[31mb<|assistant|>");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let grammar = r##"root ::= "**b** `c`\n# d""##;
    let run = ["run", "m.gguf", "-t", "1", "-p", "Hi", "--grammar", grammar];
    let (bold, reset) = ("\x1b[1mb\x1b[0m", "\x1b[0m");
    let coloured = format!("{reset}{bold} {reset}\x1b[33mc{reset}\n\x1b[1;36md{reset}\n");
    let colourless = format!("{reset}{bold} {reset}\x1b[4mc{reset}\n\x1b[1;4md{reset}\n");
    let plain = "**b** `c`\n# d\n".to_owned();
    for (name, value, want) in [
        ("NO_COLOR", "", &coloured),
        ("NO_COLOR", "1", &colourless),
        ("TERM", "dumb", &plain),
        ("TERM", "", &plain),
    ] {
        assert_eq!(&shown(&run, &[(name, value)]), want, "{name}={value}");
    }
}

#[test]
fn a_chat_is_typed() {
    let mut terminal = Terminal::new(&[&YES[..], &["-i"]].concat(), &[]);
    terminal.wait_for_turn();
    assert!(!terminal.is_cooked());
    // What is pasted is one message, however many lines it has.
    terminal.types("\x1b[200~one\rtwo\x1b[201~\r");
    assert!(terminal.wait_for_turn().contains("yes"));
    terminal.types("/save pasted.json\r");
    terminal.wait_for_turn();
    terminal.types("\x04");
    let (status, _, is_cooked) = terminal.end();
    assert!(status.success() && is_cooked, "{status}");
    let saved = fs::read_to_string(FOLDER.join("pasted.json")).expect("it was saved");
    assert!(saved.contains("one\\ntwo"), "{saved}");
}

#[test]
fn what_is_typed_during_an_answer_comes_after_it() {
    let long = ["run", "m.gguf", "-t", "1", "-i", "--grammar", "root ::= \"+\"{200}"];
    let mut terminal = Terminal::new(&long, &[]);
    terminal.wait_for_turn();
    terminal.types("Go\r");
    terminal.wait_for("+");
    terminal.types("/exit\r");
    let (status, shown, is_cooked) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(is_cooked && shown.starts_with(&"+".repeat(199)), "{shown:?}");
}

#[test]
fn a_chat_ends_with_its_terminal() {
    let mut terminal = Terminal::new(&[&YES[..], &["-i"]].concat(), &[]);
    terminal.wait_for_turn();
    let Terminal { person, program, mut child, .. } = terminal;
    drop((person, program));
    assert_eq!(child.wait().expect("it ends").code(), Some(129));
}

#[test]
fn many_lines_end_as_is_said() {
    let mut terminal = Terminal::new(&[&YES[..], &["-i", "-mli"]].concat(), &[]);
    assert!(terminal.wait_for_turn().contains("Say something, with \\ at its end; /help"));
    terminal.types("one\rtwo\\\r");
    assert!(terminal.wait_for_turn().contains("yes"));
    terminal.types("/save many.json\r");
    terminal.wait_for_turn();
    terminal.types("\x04");
    assert!(terminal.end().0.success());
    let saved = fs::read_to_string(FOLDER.join("many.json")).expect("it was saved");
    assert!(saved.contains("one\\ntwo\""), "{saved}");
}

#[test]
fn a_dumb_terminal_gets_lines() {
    let mut terminal = Terminal::new(&[&YES[..], &["-i"]].concat(), &[("TERM", "dumb")]);
    assert_eq!(terminal.wait_for("\n> "), "Say something; /help shows what else can be done.\r\n> ");
    assert!(terminal.is_cooked());
    terminal.types("Really?\n");
    assert_eq!(terminal.wait_for("> "), "Really?\r\n**yes**\r\n> ");
    terminal.types("\"\"\"\n/a\n\"\"\"\n");
    assert!(terminal.wait_for("yes**\r\n> ").contains("\n. "));
    terminal.types("\x04");
    let (status, shown, _) = terminal.end();
    assert!(status.success() && shown.ends_with('\n'), "{status} {shown}");
}

#[test]
fn the_shell_gets_its_terminal_back() {
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        let mut terminal = Terminal::new(&[&YES[..], &["-i"]].concat(), &[]);
        terminal.wait_for_turn();
        terminal.kill(signal);
        let (status, shown, is_cooked) = terminal.end();
        let expected = if signal == libc::SIGINT { (None, Some(130)) } else { (Some(signal), None) };
        assert_eq!((status.signal(), status.code()), expected);
        assert!(is_cooked && shown.ends_with("\x1b[0m\x1b[?2004l\x1b[?25h"), "{signal}: {shown:?}");
    }
    // In the middle of a heading.
    let endless = ["run", "m.gguf", "-t", "1", "-p", "Hi", "--grammar", "root ::= \"# \" [a-z]+"];
    let mut terminal = Terminal::new(&[&endless[..], &["--ignore-eos", "-c", "16384"]].concat(), &[]);
    terminal.wait_for("\x1b[1;36m");
    terminal.kill(libc::SIGTERM);
    let (status, shown, _) = terminal.end();
    assert_eq!(status.signal(), Some(libc::SIGTERM));
    assert!(shown.contains("\x1b[0m"), "{shown:?}");
}
