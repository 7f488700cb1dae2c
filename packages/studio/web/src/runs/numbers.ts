// Numbers of runs in words.

/** `0.693`, `1,234`, `1.2e-5`. */
export const numberText = (value: number | null | undefined): string => textOf(value, 4);

function textOf(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const text =
    size === 0
      ? '0'
      : size < 1e-3 || size >= 1e6
        ? size
            .toExponential(digits - 2)
            .replace(/\.?0*e/, 'e')
            .replace('e+', 'e')
        : size >= 1000
          ? size.toLocaleString('en', { maximumFractionDigits: Math.max(0, digits - 4) })
          : String(Number(size.toPrecision(digits)));
  return value < 0 ? `−${text}` : text;
}

/** A share from 0 to 1 as a percentage. */
export const shareText = (value: number): string =>
  Number.isFinite(value) ? `${numberText(Number((100 * value).toFixed(1)))}%` : numberText(value);

/** Texts of ticks, with as many digits as tell them apart; null: no text. */
export function tickTexts(ticks: readonly (number | null)[], share = false): string[] {
  const factor = share ? 100 : 1;
  const unit = share ? '%' : '';
  const known = ticks.filter((one) => one !== null);
  const textsOf = (digits: number): string[] =>
    known.map((one) => `${textOf(one * factor, digits)}${unit}`);
  let digits = 4;
  while (digits < 12 && new Set(textsOf(digits)).size < new Set(known).size) digits += 1;
  return ticks.map((one) => (one === null ? '' : `${textOf(one * factor, digits)}${unit}`));
}

/** `45 s`, `3 min`, `2 h 10 min`, `3 d 4 h`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** An option's value as it is written in a YAML file. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
    return value.join(', ');
  return JSON.stringify(value);
}
