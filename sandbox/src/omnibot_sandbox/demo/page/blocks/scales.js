// The arithmetic of charts: round ticks, short numbers, which labels fit.

/**
 * Round numbers from below the least value to above the greatest, zero among them.
 * @param {number[]} values
 * @param {number} about how many
 * @returns {number[]} ascending, at least two
 */
export function ticks(values, about = 5) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / about));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => span / size <= about) ?? power * 10;
  const [from, to] = [Math.floor(low / step + 1e-9), Math.ceil((high || (low ? 0 : 1)) / step - 1e-9)];
  return Array.from({ length: Math.max(2, to - from + 1) }, (_, n) => Number(((from + n) * step).toPrecision(12)));
}

/** As `ticks`, but close around the values where zero says nothing: prices, an index. */
export function closeTicks(values, about = 5) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (!finite.length || low <= 0 || high - low > low) return ticks(values, about);
  const shifted = ticks([0, (high - low) * 1.1 || low], about);
  const step = shifted[1] - shifted[0];
  const from = Math.floor(low / step) * step;
  const count = Math.ceil((high - from) / step - 1e-9);
  return Array.from({ length: Math.max(2, count + 1) }, (_, n) => Number((from + n * step).toPrecision(12)));
}

const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20, maximumSignificantDigits: 12 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });

/** A number as an axis says it: 1.2M, 12.5, -300. */
export const shortNumber = (value) => (Math.abs(value) >= 10_000 ? short : plain).format(value);

/** A number, whole. */
export const fullNumber = (value) => plain.format(value);

/** A share in percent. */
export const percent = (share) => `${(share * 100).toLocaleString("en-US", { maximumFractionDigits: share < 0.1 ? 1 : 0 })}%`;

/**
 * Every how many labels one fits.
 * @param {string[]} labels
 * @param {number} width in pixels for all of them
 */
export function every(labels, width) {
  const widest = Math.max(...labels.map((label) => label.length)) * 6.4 + 10;
  return Math.max(1, Math.ceil((widest * labels.length) / width));
}
