//! JSON that arrives in pieces: where a value ends, and a call written as an object, read key by key. Each byte is
//! looked at once.

/// Follows one JSON value to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    has_begun: bool,
}

/// What a character means for the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// White space before it.
    Before,
    Inside,
    /// Its last character.
    Last,
    /// The value ended before this character.
    Past,
    Wrong,
}

impl Value {
    /// Nothing of it has come.
    pub(super) fn is_new(&self) -> bool {
        !self.has_begun
    }

    pub(super) fn step(&mut self, c: char) -> Step {
        if self.in_string {
            match (self.is_escaped, c) {
                (true, _) => self.is_escaped = false,
                (_, '\\') => self.is_escaped = true,
                (_, '"') => {
                    self.in_string = false;
                    return if self.depth == 0 { Step::Last } else { Step::Inside };
                }
                _ => {}
            }
            return Step::Inside;
        }
        if !self.has_begun && c.is_whitespace() {
            return Step::Before;
        }
        let first = !std::mem::replace(&mut self.has_begun, true);
        match c {
            '"' if first || self.depth > 0 => self.in_string = true,
            '{' | '[' if first || self.depth > 0 => self.depth += 1,
            '}' | ']' if self.depth > 0 => {
                self.depth -= 1;
                return if self.depth == 0 { Step::Last } else { Step::Inside };
            }
            _ if self.depth > 0 => {}
            // A number or a word ends where something else begins.
            'a'..='z' | 'A'..='Z' | '0'..='9' | '+' | '-' | '.' => {}
            _ => return if first { Step::Wrong } else { Step::Past },
        }
        Step::Inside
    }
}

/// The names of the keys of a call.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// Keys under which the tool's name is found.
    pub(super) name: Vec<String>,
    pub(super) arguments: Vec<String>,
    pub(super) id: Vec<String>,
    /// The only key is the name, and its value the arguments.
    pub(super) name_is_key: bool,
}

impl Default for Keys {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            name: list(&["name"]),
            arguments: list(&["arguments", "parameters"]),
            id: list(&["id", "call_id", "tool_call_id"]),
            name_is_key: false,
        }
    }
}

/// A call written as one JSON object.
#[derive(Debug, Default)]
pub(super) struct Call {
    state: State,
    /// Objects that are open: 1, or 2 within `"function": {..}`.
    depth: usize,
    key: String,
    text: String,
    pub(super) name: Option<String>,
    pub(super) id: Option<String>,
    /// Arguments that have come, from where the caller took the last ones.
    pub(super) arguments: String,
    pub(super) has_arguments: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    KeyOrEnd,
    Key(Value),
    Colon,
    Value(Value, Use),
    CommaOrEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Name,
    Arguments,
    Id,
    Ignored,
    /// Decided by the first character: an object that holds the call, or something else.
    Nested,
}

/// Where a call stands after a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    Done,
    Wrong,
}

impl Call {
    pub(super) fn step(&mut self, c: char, keys: &Keys) -> Progress {
        if !matches!(self.state, State::Value(..) | State::Key(_)) && c.is_whitespace() {
            return Progress::Open;
        }
        match &mut self.state {
            State::Open if c == '{' => {
                self.depth = 1;
                self.state = State::KeyOrEnd;
            }
            State::KeyOrEnd if c == '"' => {
                self.key.clear();
                self.key.push(c);
                let mut value = Value::default();
                value.step(c);
                self.state = State::Key(value);
            }
            State::KeyOrEnd | State::CommaOrEnd if c == '}' => return self.close(),
            State::CommaOrEnd if c == ',' => self.state = State::KeyOrEnd,
            State::Key(value) => {
                self.key.push(c);
                if value.step(c) == Step::Last {
                    self.state = State::Colon;
                }
            }
            State::Colon if c == ':' => return self.open_value(keys),
            State::Value(..) => return self.value(c),
            _ => return Progress::Wrong,
        }
        Progress::Open
    }

    fn open_value(&mut self, keys: &Keys) -> Progress {
        let Ok(key) = serde_json::from_str::<String>(&self.key) else { return Progress::Wrong };
        let is = |names: &[String]| names.contains(&key);
        let usage = if keys.name_is_key {
            self.name = Some(key);
            Use::Arguments
        } else if is(&keys.name) && self.name.is_none() {
            Use::Name
        } else if is(&keys.arguments) && !self.has_arguments {
            Use::Arguments
        } else if is(&keys.id) {
            Use::Id
        } else if key == "function" {
            Use::Nested
        } else {
            Use::Ignored
        };
        self.has_arguments |= usage == Use::Arguments;
        self.text.clear();
        self.state = State::Value(Value::default(), usage);
        Progress::Open
    }

    fn value(&mut self, c: char) -> Progress {
        let State::Value(value, usage) = &mut self.state else { return Progress::Wrong };
        if *usage == Use::Nested && !c.is_whitespace() {
            if c == '{' && self.depth == 1 {
                self.depth = 2;
                self.state = State::KeyOrEnd;
                return Progress::Open;
            }
            // `"function": "name"`
            *usage = if c == '"' { Use::Name } else { Use::Ignored };
        }
        let (step, usage) = (value.step(c), *usage);
        match step {
            Step::Before => {}
            Step::Wrong => return Progress::Wrong,
            Step::Inside | Step::Last => match usage {
                Use::Arguments => self.arguments.push(c),
                _ => self.text.push(c),
            },
            Step::Past => {}
        }
        if !matches!(step, Step::Last | Step::Past) {
            return Progress::Open;
        }
        self.state = State::CommaOrEnd;
        match (usage, serde_json::from_str::<serde_json::Value>(&self.text)) {
            (Use::Name, Ok(serde_json::Value::String(name))) => self.name = Some(name),
            (Use::Name, _) => return Progress::Wrong,
            (Use::Id, Ok(serde_json::Value::String(id))) => self.id = Some(id),
            (Use::Id, Ok(serde_json::Value::Number(id))) => self.id = Some(id.to_string()),
            _ => {}
        }
        match step {
            Step::Past if c.is_whitespace() => Progress::Open,
            Step::Past if c == ',' => {
                self.state = State::KeyOrEnd;
                Progress::Open
            }
            Step::Past if c == '}' => self.close(),
            Step::Past => Progress::Wrong,
            _ => Progress::Open,
        }
    }

    fn close(&mut self) -> Progress {
        self.depth -= 1;
        self.state = State::CommaOrEnd;
        match self.depth {
            0 if self.name.is_some() => Progress::Done,
            0 => Progress::Wrong,
            _ => Progress::Open,
        }
    }
}
