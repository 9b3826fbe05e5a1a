//! A compiled grammar: byte automata, one for each rule that must be called, all others being part of them. Plain
//! data: the machine runs it.

use crate::TokenId;

/// Index of a step.
pub(super) type StepId = u32;
/// Index of a routine.
pub(super) type RoutineId = u32;

/// The step that ends every routine.
pub(super) const RETURN: StepId = 0;

/// One step of an automaton.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The routine is through.
    Return,
    /// A byte of this range, then on.
    Byte { low: u8, high: u8, next: StepId },
    /// This token as a whole, then on.
    Token { id: TokenId, next: StepId },
    /// Any token but this as a whole, then on.
    NotToken { id: TokenId, next: StepId },
    /// A text of a routine, then on. Before linking it names a rule.
    Call { routine: RoutineId, next: StepId },
    /// Any of these.
    Split(Box<[StepId]>),
}

/// A compiled grammar.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// The first is the whole text.
    pub(super) routines: Vec<Routine>,
    pub(super) bytes: ByteClasses,
}

/// An automaton that is called, because a rule refers to itself or is large.
#[derive(Debug)]
pub(super) struct Routine {
    /// Whether it has the empty text.
    pub(super) is_nullable: bool,
    /// A routine comes after those that can begin with it.
    pub(super) rank: u32,
    /// The steps at its beginning that read something.
    pub(super) leaves: Vec<StepId>,
    /// What it can call before it reads anything, and where it goes on: only routines of higher rank.
    pub(super) calls: Vec<(RoutineId, StepId)>,
}

/// Bytes that no step of a grammar tells apart.
#[derive(Debug)]
pub(super) struct ByteClasses {
    class_of: [u8; 256],
    first_of: Vec<u8>,
}

impl ByteClasses {
    pub(super) fn new(steps: &[Step]) -> Self {
        let mut begins = [false; 257];
        begins[0] = true;
        for step in steps {
            if let &Step::Byte { low, high, .. } = step {
                begins[usize::from(low)] = true;
                begins[usize::from(high) + 1] = true;
            }
        }
        let (mut class_of, mut first_of) = ([0; 256], Vec::new());
        for byte in 0..=u8::MAX {
            if begins[usize::from(byte)] {
                first_of.push(byte);
            }
            class_of[usize::from(byte)] = (first_of.len() - 1) as u8;
        }
        Self { class_of, first_of }
    }

    pub(super) fn len(&self) -> usize {
        self.first_of.len()
    }

    #[inline]
    pub(super) fn of(&self, byte: u8) -> usize {
        self.class_of[usize::from(byte)].into()
    }

    /// A byte of the class.
    pub(super) fn example(&self, class: usize) -> u8 {
        self.first_of[class]
    }
}
