// Slack's date formats: `{date_short} at {time}`, in the viewer's own time zone.

const DAY = 86_400_000;
const part = (options) => (date) => new Intl.DateTimeFormat("en-US", options).format(date);
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
const two = (number) => String(number).padStart(2, "0");

function ordinal(day) {
  const suffix = { 1: "st", 2: "nd", 3: "rd" };
  return `${day}${(day % 100 > 10 && day % 100 < 14 ? "" : suffix[day % 10]) || "th"}`;
}

/** "today", "yesterday", "tomorrow", or what `otherwise` says. */
function pretty(date, now, otherwise) {
  const days = Math.round((midnight(date) - midnight(now)) / DAY);
  return { [-1]: "yesterday", 0: "today", 1: "tomorrow" }[days] || otherwise(date);
}

function ago(date, now) {
  const seconds = Math.round((date - now) / 1000);
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const [unit, size] = units.find(([, least]) => Math.abs(seconds) >= least) || ["second", 1];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
}

const month = part({ month: "long" });
const plain = (date) => `${month(date)} ${ordinal(date.getDate())}`;
const long = (date) => `${part({ weekday: "long" })(date)}, ${plain(date)}, ${date.getFullYear()}`;
const short = part({ month: "short", day: "numeric", year: "numeric" });

const TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`,
  date_slash: (d) => `${two(d.getMonth() + 1)}/${two(d.getDate())}/${d.getFullYear()}`,
  date_long: long,
  date_long_full: (d) => `${month(d)} ${d.getDate()}, ${d.getFullYear()}`,
  date_long_pretty: (d, now) => pretty(d, now, long),
  date: plain,
  date_pretty: (d, now) => pretty(d, now, plain),
  date_short: short,
  date_short_pretty: (d, now) => pretty(d, now, short),
  day_divider_pretty: (d, now) => pretty(d, now,
    (it) => (it.getFullYear() === now.getFullYear() ? `${part({ weekday: "long" })(it)}, ${plain(it)}` : long(it))),
  time: part({ hour: "numeric", minute: "2-digit" }),
  time_secs: part({ hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago,
};

/**
 * A moment in words.
 * @param {number} seconds since 1970
 * @param {string} format with tokens such as `{date_long}`; unknown ones stay
 * @param {Date} [now] what "today" is
 * @returns {string | undefined} undefined when the number is no moment
 */
export function formatDate(seconds, format, now = new Date()) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  return format.replace(/\{(\w+)\}/g, (whole, name) => (TOKENS[name] ? TOKENS[name](date, now) : whole));
}

/** The same moment, whole, for a tooltip. */
export const fullDate = (seconds) => formatDate(seconds, "{date_long} at {time_secs}");
