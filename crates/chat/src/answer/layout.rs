//! How a family of models writes an answer, as data: tags of thinking, wrappers of text, and the shape of a call.

use super::json::Keys;

/// The form of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) thinking: Option<Thinking>,
    /// Wrappers of text and headers, which are no text themselves.
    pub(super) dropped: Vec<String>,
    pub(super) calls: Option<Calls>,
}

#[derive(Clone, Debug)]
pub(super) struct Thinking {
    /// Empty if the prompt has opened it already.
    pub(super) start: String,
    pub(super) end: String,
    /// It may begin again after text.
    pub(super) repeats: bool,
    /// What ends it besides, and means something by itself: a model may forget to close its thinking.
    pub(super) cut_by: Vec<String>,
}

impl Thinking {
    pub(super) fn new(start: &str, end: &str) -> Self {
        Self { start: start.to_owned(), end: end.to_owned(), repeats: false, cut_by: Vec::new() }
    }

    pub(super) fn cut_by(self, texts: &[&str]) -> Self {
        Self { cut_by: texts.iter().map(|&text| text.to_owned()).collect(), ..self }
    }
}

/// Where calls are, and what one looks like.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Around all calls; empty if there is none.
    pub(super) section: Tags,
    /// Around each call; the start may be empty within a section.
    pub(super) call: Tags,
    pub(super) shape: Shape,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) start: String,
    pub(super) end: String,
}

impl Tags {
    pub(super) fn new(start: &str, end: &str) -> Self {
        Self { start: start.to_owned(), end: end.to_owned() }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// `{"name": .., "arguments": {..}}`, or a list of such objects.
    Object(Keys),
    /// The name, a mark, and the arguments.
    Named(Named),
    /// `[name(key=value, ..), ..]`
    Python,
}

impl Default for Shape {
    fn default() -> Self {
        Self::Object(Keys::default())
    }
}

/// A call whose name is outside its arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// Between the start of the call and the name.
    pub(super) before_name: String,
    /// What is before that text is the id.
    pub(super) id_before_name: bool,
    /// What may come after the name; `{` and what else belongs to the arguments is not consumed.
    pub(super) after_name: Vec<String>,
    /// The name is within it, as in `functions.NAME:0`, which is the id.
    pub(super) name_in_id: bool,
    /// Between name and arguments, all up to this says nothing; empty if there is nothing.
    pub(super) skip_until: String,
    /// Between name and arguments: an id and what ends it.
    pub(super) id: Option<Tags>,
    pub(super) arguments: Arguments,
    /// After the arguments, before the end of the call.
    pub(super) close: String,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Arguments {
    /// A JSON object.
    #[default]
    Json,
    /// A tag for each argument.
    Tagged(Tagged),
    /// `{key:<|"|>text<|"|>,other:1}`
    Gemma,
    /// Tags that are the names of arguments, nested, with this text before each.
    Nested(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tagged {
    /// Before an argument's name.
    pub(super) start: String,
    /// Between name and value.
    pub(super) middle: Middle,
    /// After the value, the likeliest first.
    pub(super) end: Vec<String>,
    /// A value may be between `<![CDATA[` and `]]>`.
    pub(super) has_cdata: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Middle {
    Text(String),
    /// From one text to another, with something in between that says no more than the schema.
    Span(String, String),
}

impl Default for Middle {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Calls {
    /// Nothing marks a call but its being JSON.
    pub(super) fn is_bare(&self) -> bool {
        self.section.start.is_empty() && self.call.start.is_empty() && matches!(self.shape, Shape::Object(_))
    }
}

impl Named {
    /// Whether this text after a name belongs to what follows.
    pub(super) fn keeps(&self, mark: &str) -> bool {
        let starts_arguments = match &self.arguments {
            Arguments::Json | Arguments::Gemma => mark == "{",
            Arguments::Tagged(tagged) => mark == tagged.start,
            Arguments::Nested(_) => false,
        };
        starts_arguments || mark == self.close || self.id.as_ref().is_some_and(|id| mark == id.start)
    }
}
