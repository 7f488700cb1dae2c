// Python's datetime.strftime() on Linux in the C locale.

/** A local date and time without a time zone. */
export class LocalTime {
  readonly #utc: Date;
  readonly #micro: number;

  private constructor(utc: Date, micro: number) {
    this.#utc = utc;
    this.#micro = micro;
  }

  /** The current time of this machine. */
  static now(): LocalTime {
    const now = new Date();
    const utc = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
    return new LocalTime(utc, utc.getUTCMilliseconds() * 1000);
  }

  /** @throws RangeError if the text is not a local ISO date-time such as 2026-11-28T15:04:05 */
  static parse(text: string): LocalTime {
    const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?$/.exec(
      text,
    );
    const [, ...parts] = match ?? [];
    const [year, month, day, hour, minute, second] = parts
      .slice(0, 6)
      .map((part) => Number(part ?? 0));
    const utc = new Date(Date.UTC(year!, month! - 1, day!, hour, minute, second));
    // Date.UTC maps years below 100 to the 20th century.
    if (match !== null) utc.setUTCFullYear(year!);
    const iso =
      match === null
        ? ''
        : utc
            .toISOString()
            .slice(0, 19)
            .replace(/^[+-]\d\d/, '');
    const pad = (value: number | undefined, width = 2): string =>
      String(value).padStart(width, '0');
    const given = `${pad(year, 4)}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}`;
    if (match === null || iso !== given || year === 0) {
      throw new RangeError(
        `"${text}" is not a local date and time. Write it like 2026-11-28T15:04:05`,
      );
    }
    return new LocalTime(utc, Number((parts[6] ?? '0').padEnd(6, '0')));
  }

  /** ISO form, with microseconds only if there are any. */
  toString(): string {
    const seconds = this.#utc.toISOString().slice(0, 19);
    return this.#micro === 0 ? seconds : `${seconds}.${String(this.#micro).padStart(6, '0')}`;
  }

  get year(): number {
    return this.#utc.getUTCFullYear();
  }
  get month(): number {
    return this.#utc.getUTCMonth() + 1;
  }
  get day(): number {
    return this.#utc.getUTCDate();
  }
  get hour(): number {
    return this.#utc.getUTCHours();
  }
  get minute(): number {
    return this.#utc.getUTCMinutes();
  }
  get second(): number {
    return this.#utc.getUTCSeconds();
  }
  get microsecond(): number {
    return this.#micro;
  }
  /** 0 is Sunday. */
  get weekday(): number {
    return this.#utc.getUTCDay();
  }
  /** Starts at 1. */
  get dayOfYear(): number {
    const first = new Date(this.#utc);
    first.setUTCMonth(0, 1);
    return Math.round((this.#utc.getTime() - first.getTime()) / 86_400_000) + 1;
  }
  /** Seconds since 1970 in this machine's time zone. */
  get epoch(): number {
    const { year, month, day, hour, minute, second } = this;
    return Math.floor(new Date(year, month - 1, day, hour, minute, second).getTime() / 1000);
  }

  /** ISO 8601 year and week. */
  get isoWeek(): { year: number; week: number } {
    const weekday = (this.weekday + 6) % 7;
    let week = Math.floor((this.dayOfYear - 1 - weekday + 10) / 7);
    let { year } = this;
    if (week < 1) {
      year--;
      week = weeksIn(year);
    } else if (week > weeksIn(year)) {
      year++;
      week = 1;
    }
    return { year, week };
  }
}

const weeksIn = (year: number): number => {
  const lastDay = (of: number): number =>
    (of + Math.floor(of / 4) - Math.floor(of / 100) + Math.floor(of / 400)) % 7;
  return lastDay(year) === 4 || lastDay(year - 1) === 3 ? 53 : 52;
};

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Text, or a number with its default width and padding. */
type Piece = { number: number; width: number; pad: string } | { text: string };

const number = (value: number, width: number, pad = '0'): Piece => ({ number: value, width, pad });

const pieces: Record<string, (time: LocalTime) => Piece> = {
  a: (time) => ({ text: days[time.weekday]!.slice(0, 3) }),
  A: (time) => ({ text: days[time.weekday]! }),
  b: (time) => ({ text: months[time.month - 1]!.slice(0, 3) }),
  B: (time) => ({ text: months[time.month - 1]! }),
  c: (time) => ({ text: strftime(time, '%a %b %e %H:%M:%S %Y') }),
  C: (time) => number(Math.floor(time.year / 100), 1),
  d: (time) => number(time.day, 2),
  D: (time) => ({ text: strftime(time, '%m/%d/%y') }),
  e: (time) => number(time.day, 2, ' '),
  F: (time) => ({ text: strftime(time, '%Y-%m-%d') }),
  g: (time) => number(time.isoWeek.year % 100, 2),
  G: (time) => number(time.isoWeek.year, 1),
  h: (time) => ({ text: months[time.month - 1]!.slice(0, 3) }),
  H: (time) => number(time.hour, 2),
  I: (time) => number(time.hour % 12 || 12, 2),
  j: (time) => number(time.dayOfYear, 3),
  k: (time) => number(time.hour, 2, ' '),
  l: (time) => number(time.hour % 12 || 12, 2, ' '),
  m: (time) => number(time.month, 2),
  M: (time) => number(time.minute, 2),
  n: () => ({ text: '\n' }),
  p: (time) => ({ text: time.hour < 12 ? 'AM' : 'PM' }),
  P: (time) => ({ text: time.hour < 12 ? 'am' : 'pm' }),
  r: (time) => ({ text: strftime(time, '%I:%M:%S %p') }),
  R: (time) => ({ text: strftime(time, '%H:%M') }),
  s: (time) => number(time.epoch, 1),
  S: (time) => number(time.second, 2),
  t: () => ({ text: '\t' }),
  T: (time) => ({ text: strftime(time, '%H:%M:%S') }),
  u: (time) => number(time.weekday || 7, 1),
  U: (time) => number(Math.floor((time.dayOfYear + 6 - time.weekday) / 7), 2),
  V: (time) => number(time.isoWeek.week, 2),
  w: (time) => number(time.weekday, 1),
  W: (time) => number(Math.floor((time.dayOfYear + 6 - ((time.weekday + 6) % 7)) / 7), 2),
  x: (time) => ({ text: strftime(time, '%m/%d/%y') }),
  X: (time) => ({ text: strftime(time, '%H:%M:%S') }),
  y: (time) => number(time.year % 100, 2),
  Y: (time) => number(time.year, 1),
  '%': () => ({ text: '%' }),
};

/** Replaces the codes that Python handles itself. Without a time zone, %z and %Z are empty. */
const own = (time: LocalTime, format: string): string =>
  format.replace(/%([\s\S])/g, (whole, code) => {
    if (code === 'f') return String(time.microsecond).padStart(6, '0');
    return code === 'z' || code === 'Z' ? '' : whole;
  });

// Codes that accept the modifiers E and O, which have no effect in the C locale.
const modified: Record<string, RegExp> = { E: /[cCnpPrRstTuxXyY%]/, O: /[^aAcDFxXY]/ };

/** Formats the time. Codes unknown to glibc are copied. */
export const strftime = (time: LocalTime, format: string): string =>
  own(time, format).replace(
    /%([_0^#-]*)(\d*)([EO]?)([\s\S])/g,
    (whole, flags: string, digits: string, modifier: string, code: string) => {
      const width = Number(digits);
      if (code === 'z') return '';
      if (code === 'Z') return shaped({ text: '' }, flags, width, code);
      const known = modifier === '' || modified[modifier]!.test(code);
      const piece = known && Object.hasOwn(pieces, code) ? pieces[code]!(time) : { text: whole };
      return shaped(piece, flags, width, code);
    },
  );

const shaped = (piece: Piece, flags: string, width: number, code: string): string => {
  const padding = [...flags].filter((flag) => '_0-'.includes(flag)).at(-1);
  if ('number' in piece) {
    const digits = String(piece.number);
    if (padding === '-') return digits.padStart(width, ' ');
    const pad = padding === '_' ? ' ' : padding === '0' ? '0' : piece.pad;
    return digits.padStart(Math.max(width, piece.width), pad);
  }
  let { text } = piece;
  if (flags.includes('^') && code !== 'P') text = text.toUpperCase();
  if (flags.includes('#')) {
    if (code === 'p') text = text.toLowerCase();
    else if ('aAbBh'.includes(code)) text = text.toUpperCase();
  }
  return text.padStart(width, padding === '0' ? '0' : ' ');
};
