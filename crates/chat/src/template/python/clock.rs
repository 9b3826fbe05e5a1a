//! A civil date and time, and `strftime`. Knows no time zones: who sets the clock chooses one.

use std::fmt::Write as _;

use minijinja::Error;

use super::invalid;

/// What the clock shows when a template asks for the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Moment {
    /// The moment that is `seconds` after the start of 1970, counted without leap seconds.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years start in March here, so that the leap day is the last one (H. Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let small = |n: i64| u8::try_from(n).unwrap_or_default();
        Self {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: small(month),
            day: small(day_of_year - (153 * march_month + 2) / 5 + 1),
            hour: small(second / 3600),
            minute: small(second / 60 % 60),
            second: small(second % 60),
        }
    }

    /// Reads `2026-10-03T14:05:09`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', ' '])?;
        let date: Vec<&str> = date.split('-').collect();
        let time: Vec<&str> = time.trim_end_matches('Z').split(':').collect();
        let ([year, month, day], [hour, minute, second]) = (date.as_slice(), time.as_slice()) else {
            return None;
        };
        let number = |text: &str, low: u8, high: u8| {
            text.parse().ok().filter(|n| text.len() == 2 && (low..=high).contains(n))
        };
        let moment = Self {
            year: year.parse().ok().filter(|_| year.len() == 4)?,
            month: number(month, 1, 12)?,
            day: number(day, 1, 31)?,
            hour: number(hour, 0, 23)?,
            minute: number(minute, 0, 59)?,
            second: number(second, 0, 59)?,
        };
        (u32::from(moment.day) <= moment.days_in_month()).then_some(moment)
    }

    fn days_in_month(self) -> u32 {
        match self.month {
            2 if self.is_leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    fn is_leap_year(self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn day_of_year(self) -> u32 {
        let before = (1..self.month).map(|month| Self { month, ..self }.days_in_month()).sum::<u32>();
        before + u32::from(self.day)
    }

    /// 0 is Sunday.
    fn weekday(self) -> usize {
        let years = i64::from(self.year) - 1;
        let days = years * 365 + years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
        usize::try_from((days + i64::from(self.day_of_year())).rem_euclid(7)).unwrap_or(0)
    }

    /// The text that a `strftime` pattern asks for.
    pub(super) fn format(self, pattern: &str) -> Result<String, Error> {
        let mut out = String::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let (is_bare, code) = match chars.next() {
                Some('-') => (true, chars.next()),
                code => (false, code),
            };
            let Some(code) = code else { return Err(invalid("strftime: the pattern ends in `%`")) };
            self.code(&mut out, code, is_bare)?;
        }
        Ok(out)
    }

    fn code(self, out: &mut String, code: char, is_bare: bool) -> Result<(), Error> {
        let hour12 = (self.hour + 11) % 12 + 1;
        let (month, weekday) = (MONTHS[usize::from(self.month.clamp(1, 12)) - 1], WEEKDAYS[self.weekday()]);
        let (width, number) = match code {
            'Y' => (1, self.year.unsigned_abs()),
            'y' => (2, self.year.unsigned_abs() % 100),
            'm' => (2, self.month.into()),
            'd' => (2, self.day.into()),
            'H' => (2, self.hour.into()),
            'I' => (2, hour12.into()),
            'M' => (2, self.minute.into()),
            'S' => (2, self.second.into()),
            'j' => (3, self.day_of_year()),
            'w' => (1, u32::try_from(self.weekday()).unwrap_or(0)),
            'u' => (1, u32::try_from((self.weekday() + 6) % 7 + 1).unwrap_or(0)),
            'e' => return write_all(out, format_args!("{:2}", self.day)),
            'f' => return write_all(out, format_args!("000000")),
            'B' => return write_all(out, format_args!("{month}")),
            'b' | 'h' => return write_all(out, format_args!("{}", &month[..3])),
            'A' => return write_all(out, format_args!("{weekday}")),
            'a' => return write_all(out, format_args!("{}", &weekday[..3])),
            'p' => return write_all(out, format_args!("{}", if self.hour < 12 { "AM" } else { "PM" })),
            'F' => return self.format("%Y-%m-%d").map(|text| out.push_str(&text)),
            'T' | 'X' => return self.format("%H:%M:%S").map(|text| out.push_str(&text)),
            'R' => return self.format("%H:%M").map(|text| out.push_str(&text)),
            'D' | 'x' => return self.format("%m/%d/%y").map(|text| out.push_str(&text)),
            'c' => return self.format("%a %b %e %H:%M:%S %Y").map(|text| out.push_str(&text)),
            'Z' | 'z' => return Ok(()),
            'n' => return write_all(out, format_args!("\n")),
            't' => return write_all(out, format_args!("\t")),
            '%' => return write_all(out, format_args!("%")),
            other => return Err(invalid(format!("strftime: `%{other}` is not known"))),
        };
        let width = if is_bare { 1 } else { width };
        write_all(out, format_args!("{number:0width$}"))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

fn write_all(out: &mut String, text: std::fmt::Arguments<'_>) -> Result<(), Error> {
    out.write_fmt(text).map_err(Error::from)
}
