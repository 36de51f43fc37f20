// Times in the viewer's own zone and language.

const CLOCK = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat([], { weekday: "long", month: "long", day: "numeric" });
const DAY_AND_YEAR = new Intl.DateTimeFormat([], { year: "numeric", month: "long", day: "numeric" });
const WHOLE = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "medium" });
const RELATIVE = new Intl.RelativeTimeFormat([], { numeric: "auto" });
const ISO = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

export const dateOf = (ts) => new Date(Number(ts) * 1000);
export const clock = (ts) => CLOCK.format(dateOf(ts));
// Without "AM" or "PM": for where there is no room.
export const shortClock = (ts) => CLOCK.formatToParts(dateOf(ts)).filter((part) => part.type !== "dayPeriod")
  .map((part) => part.value).join("").trim();
export const withSeconds = (at) => SECONDS.format(new Date(at * 1000));
export const iso = (ts) => dateOf(ts).toISOString(); // for programs
export const whole = (ts) => WHOLE.format(dateOf(ts));
// A name for the day that sorts and compares. Formatting is slow, so what was found out is kept.
const days = new Map();
export function dayKey(ts) {
  let day = days.get(ts);
  if (!day) days.set(ts, day = ISO.format(dateOf(ts)));
  return day;
}

const capital = (words) => words[0].toLocaleUpperCase() + words.slice(1);

export function dayName(key) {
  const days = Math.round((Date.parse(key) - Date.parse(ISO.format(new Date()))) / 86_400_000);
  if (days > -2) return capital(RELATIVE.format(days, "day"));
  const date = new Date(`${key}T12:00`), thisYear = date.getFullYear() === new Date().getFullYear();
  return (thisYear ? DAY : DAY_AND_YEAR).format(date);
}

// "today at 9:41"
export function dayAndTime(ts) {
  const name = dayName(dayKey(ts));
  return `${name[0].toLocaleLowerCase()}${name.slice(1)} at ${clock(ts)}`;
}
