const minus = '\u2212';

/** A number with at least three significant digits and a true minus sign. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${minus}∞`;
  const size = Math.abs(value);
  const text =
    size === 0
      ? '0'
      : size < 1e-3 || size >= 1e6
        ? size.toExponential(1).replace('.0e', 'e').replace('e+', 'e')
        : size >= 1000
          ? Math.round(size).toLocaleString('en-US')
          : size.toPrecision(3);
  return (value < 0 ? minus : '') + text.replace('e-', `e${minus}`);
}

/** What a number is: a share from 0 to 1, a number of things, or anything else. */
export type Unit = 'share' | 'count' | 'number';

export function formatterOf(unit: Unit): (value: number) => string {
  if (unit === 'share') return formatShare;
  return unit === 'count' ? formatCount : formatNumber;
}

/** A mean of counts is no whole number. */
const formatCount = (value: number): string =>
  Number.isInteger(value)
    ? (value < 0 ? minus : '') + Math.abs(value).toLocaleString('en-US')
    : formatNumber(value);

/** A share from 0 to 1 as a percentage. */
export function formatShare(value: number): string {
  const percent = value * 100;
  const rounded = Math.abs(percent - Math.round(percent)) < 0.05 ? 0 : 1;
  return `${percent < 0 ? minus : ''}${Math.abs(percent).toFixed(rounded)}%`;
}
