//! What comes back from an engine: pieces of text as they are made, then how it ended. Both ends of the channel are
//! here; who fills it is not.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokenizer::TokenId;

use crate::{Error, Result};

/// A token of an answer, and the text that is certain since.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Whole characters. Empty where the token only begins a character, or what may become a stop string: its text
    /// comes with a later piece, or with [`Done`].
    pub text: String,
    pub token: TokenId,
    /// If they were asked for.
    pub logprobs: Option<Logprobs>,
}

/// Natural logarithms of probabilities before any sampler.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logprobs {
    /// Of the token that was chosen.
    pub chosen: f32,
    /// Of the most likely tokens, best first.
    pub top: Vec<(TokenId, f32)>,
}

/// One step of an answer.
#[derive(Debug)]
pub enum Event {
    Piece(Piece),
    /// The last event.
    Done(Done),
}

/// How an answer ended.
#[derive(Debug)]
pub struct Done {
    /// Text that was held back and turned out to belong to the answer.
    pub text: String,
    pub finish: Finish,
    pub stats: Stats,
}

/// Why an answer ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finish {
    /// The model ended it.
    EndOfGeneration,
    /// This stop string was complete.
    StopString(String),
    /// It has as many tokens as were asked for.
    Length,
    /// Prompt and answer fill the context.
    ContextFull,
    /// Nobody wanted it any more.
    Cancelled,
    /// It could not go on; what came before is right.
    Failed(Error),
}

/// What an answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub n_prompt: usize,
    /// Tokens of the prompt that were remembered from earlier requests and not computed again.
    pub n_reused: usize,
    pub n_generated: usize,
    /// From submission to the first step.
    pub waited: Duration,
    /// From there to the first token of the answer.
    pub prompt_time: Duration,
    /// From there to the end.
    pub generate_time: Duration,
    /// Seed of the draws, if any were made.
    pub seed: Option<u32>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Completion {
    pub text: String,
    pub tokens: Vec<TokenId>,
    pub finish: Finish,
    pub stats: Stats,
}

/// The events of one request, in order. Dropping it cancels the request; reading slowly pauses the request, and no
/// other.
#[derive(Debug)]
pub struct Answer {
    pieces: Receiver<Piece>,
    ticket: Arc<Ticket>,
    is_over: bool,
}

/// What both ends of an answer share.
pub(crate) struct Ticket {
    /// Pieces sent and not read.
    n_unread: AtomicUsize,
    capacity: usize,
    is_cancelled: AtomicBool,
    /// The request waits for its reader.
    is_paused: AtomicBool,
    done: Mutex<Option<Done>>,
    /// Why the engine is gone.
    obituary: Arc<OnceLock<String>>,
    /// Tells the engine that something above has changed.
    wake: Box<dyn Fn() + Send + Sync>,
}

/// The engine's end of an answer.
#[derive(Debug)]
pub(crate) struct Outlet {
    pieces: SyncSender<Piece>,
    ticket: Arc<Ticket>,
}

/// Both ends of an answer, of which at most `capacity` pieces are under way.
pub(crate) fn answer(
    capacity: usize,
    obituary: Arc<OnceLock<String>>,
    wake: impl Fn() + Send + Sync + 'static,
) -> (Outlet, Answer) {
    let capacity = capacity.max(1);
    let ticket = Arc::new(Ticket {
        n_unread: AtomicUsize::new(0),
        capacity,
        is_cancelled: AtomicBool::new(false),
        is_paused: AtomicBool::new(false),
        done: Mutex::new(None),
        obituary,
        wake: Box::new(wake),
    });
    let (sender, pieces) = sync_channel(capacity);
    (Outlet { pieces: sender, ticket: Arc::clone(&ticket) }, Answer { pieces, ticket, is_over: false })
}

impl Answer {
    /// The next event, if it comes in time. `Ok(None)` after the last one.
    ///
    /// # Errors
    /// [`TimedOut`]: nothing has come yet.
    pub fn next_within(&mut self, time: Duration) -> Result<Option<Event>, TimedOut> {
        if self.is_over {
            return Ok(None);
        }
        match self.pieces.recv_timeout(time) {
            Ok(piece) => Ok(Some(self.read(piece))),
            Err(RecvTimeoutError::Timeout) => Err(TimedOut),
            Err(RecvTimeoutError::Disconnected) => Ok(Some(self.end())),
        }
    }

    /// Asks the request to end. The answer goes on to its last event, which says what there was.
    pub fn cancel(&self) {
        self.ticket.is_cancelled.store(true, Ordering::SeqCst);
        (self.ticket.wake)();
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// What made the request fail. To keep the text before it, read the events.
    pub fn complete(mut self) -> Result<Completion> {
        let (mut text, mut tokens) = (String::new(), Vec::new());
        loop {
            match self.next().expect("the last event is `Done`") {
                Event::Piece(piece) => {
                    text.push_str(&piece.text);
                    tokens.push(piece.token);
                }
                Event::Done(Done { finish: Finish::Failed(error), .. }) => return Err(error),
                Event::Done(Done { text: rest, finish, stats }) => {
                    text.push_str(&rest);
                    return Ok(Completion { text, tokens, finish, stats });
                }
            }
        }
    }

    fn read(&self, piece: Piece) -> Event {
        self.ticket.n_unread.fetch_sub(1, Ordering::SeqCst);
        if self.ticket.is_paused.swap(false, Ordering::SeqCst) {
            (self.ticket.wake)();
        }
        Event::Piece(piece)
    }

    fn end(&mut self) -> Event {
        self.is_over = true;
        let done = self.ticket.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        Event::Done(done.unwrap_or_else(|| {
            let cause = self.ticket.obituary.get().map_or("it is gone", String::as_str).to_owned();
            let finish = Finish::Failed(Error::EngineStopped { cause });
            Done { text: String::new(), finish, stats: Stats::default() }
        }))
    }
}

impl Iterator for Answer {
    type Item = Event;

    /// Waits for the next event.
    fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        Some(match self.pieces.recv() {
            Ok(piece) => self.read(piece),
            Err(_) => self.end(),
        })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.is_over {
            self.cancel();
        }
    }
}

/// No event has come in the time given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no event yet")]
pub struct TimedOut;

impl Outlet {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.ticket.is_cancelled.load(Ordering::SeqCst)
    }

    /// Whether a piece can be sent at once. If not, the engine is woken when it can.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = || self.ticket.n_unread.load(Ordering::SeqCst) < self.ticket.capacity;
        if has_room() {
            return true;
        }
        self.ticket.is_paused.store(true, Ordering::SeqCst);
        // The reader may have read the last piece before it could see the flag.
        has_room()
    }

    /// There must be room.
    pub(crate) fn send(&self, piece: Piece) {
        self.ticket.n_unread.fetch_add(1, Ordering::SeqCst);
        // Fails where nobody listens: the next step sees that the request is cancelled.
        let _ = self.pieces.try_send(piece);
    }

    /// The last event; it is read after all pieces.
    pub(crate) fn finish(self, done: Done) {
        *self.ticket.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("n_unread", &self.n_unread).finish_non_exhaustive()
    }
}

impl Finish {
    /// Whether the answer is whole: it ended by itself, as asked, or at the limit that was asked for.
    pub fn is_regular(&self) -> bool {
        matches!(self, Self::EndOfGeneration | Self::StopString(_) | Self::Length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends, the reason why the engine is gone, and how often it was woken.
    fn pair(capacity: usize) -> (Outlet, Answer, Arc<OnceLock<String>>, Arc<AtomicUsize>) {
        let (obituary, woken) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&woken);
        let wake = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let (outlet, answer) = answer(capacity, Arc::clone(&obituary), wake);
        (outlet, answer, obituary, woken)
    }

    fn piece(token: TokenId) -> Piece {
        Piece { token, ..Piece::default() }
    }

    fn done(finish: Finish) -> Done {
        Done { text: "end".into(), finish, stats: Stats::default() }
    }

    #[test]
    fn a_full_channel_wakes_the_engine_when_it_is_read() {
        let (outlet, mut answer, _, woken) = pair(2);
        for token in 0..2 {
            assert!(outlet.has_room());
            outlet.send(piece(token));
        }
        assert!(!outlet.has_room());
        assert!(matches!(answer.next(), Some(Event::Piece(Piece { token: 0, .. }))));
        assert!(outlet.has_room());
        assert!(matches!(answer.next(), Some(Event::Piece(Piece { token: 1, .. }))));
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        assert!(matches!(answer.next_within(Duration::ZERO), Err(TimedOut)));
    }

    #[test]
    fn the_end_comes_last_and_once() {
        let (outlet, mut answer, _, woken) = pair(1);
        outlet.send(piece(7));
        outlet.finish(done(Finish::Length));
        assert!(matches!(answer.next(), Some(Event::Piece(Piece { token: 7, .. }))));
        assert!(matches!(
            answer.next_within(Duration::ZERO),
            Ok(Some(Event::Done(Done { finish: Finish::Length, .. })))
        ));
        assert!(answer.next().is_none() && matches!(answer.next_within(Duration::ZERO), Ok(None)));
        drop(answer);
        assert_eq!(woken.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_dropped_answer_is_cancelled() {
        let (outlet, answer, _, woken) = pair(1);
        assert!(!outlet.is_cancelled());
        drop(answer);
        assert!(outlet.is_cancelled() && woken.load(Ordering::SeqCst) == 1);
        outlet.send(piece(1));
    }

    #[test]
    fn an_engine_that_is_gone_says_why() {
        let (outlet, answer, obituary, _) = pair(1);
        obituary.set("lightning".into()).expect("once");
        drop(outlet);
        let error = answer.complete().expect_err("nothing came").to_string();
        assert!(error.contains("lightning"), "{error}");
    }
}
