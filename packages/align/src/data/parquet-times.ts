// Dates, times and durations of Parquet as text in ISO 8601, with all their digits.

/** Units of a second's fraction, and how many digits they have. */
export const digitsOf = { SECONDS: 0, MILLIS: 3, MICROS: 6, NANOS: 9 } as const;

/** The parts of a count of units: whole seconds, and the fraction as text (`.5`, or nothing). */
const split = (count: bigint, digits: number): { seconds: bigint; fraction: string } => {
  const perSecond = 10n ** BigInt(digits);
  const rest = ((count % perSecond) + perSecond) % perSecond;
  const decimals = digits === 0 ? '' : `${rest}`.padStart(digits, '0').replace(/0+$/, '');
  return { seconds: (count - rest) / perSecond, fraction: decimals === '' ? '' : `.${decimals}` };
};

/** @param days since 1970 */
export const isoDate = (days: number): string =>
  new Date(days * 86_400_000).toISOString().split('T')[0]!;

/**
 * A point in time, without a time zone: `2024-02-29T12:00:00.000005`.
 * @param since 1970, in units with `digits` digits of a second's fraction
 */
export const isoDateTime = (since: bigint, digits: number): string => {
  const { seconds, fraction } = split(since, digits);
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, -5)}${fraction}`;
};

/**
 * A time of day: `12:00:00.5`.
 * @throws Error for a number of seconds that no day has
 */
export const isoTime = (since: bigint, digits: number): string => {
  const { seconds, fraction } = split(since, digits);
  if (seconds < 0n || seconds >= 86_400n) throw new Error(`a time of day of ${seconds} seconds`);
  return `${new Date(Number(seconds) * 1000).toISOString().slice(11, 19)}${fraction}`;
};

/** A duration of days, hours, minutes and seconds, as pydantic writes it: `-P1DT2H0.5S`. */
export const isoDuration = (count: bigint, digits: number): string => {
  const { seconds, fraction } = split(count < 0n ? -count : count, digits);
  const part = (value: bigint, unit: string): string => (value === 0n ? '' : `${value}${unit}`);
  const rest = seconds % 60n;
  const time = [
    part((seconds / 3600n) % 24n, 'H'),
    part((seconds / 60n) % 60n, 'M'),
    rest === 0n && fraction === '' ? '' : `${rest}${fraction}S`,
  ].join('');
  const days = part(seconds / 86_400n, 'D');
  const sign = count < 0n ? '-' : '';
  if (time === '') return `${sign}P${days === '' ? 'T0S' : days}`;
  return `${sign}P${days}T${time}`;
};
