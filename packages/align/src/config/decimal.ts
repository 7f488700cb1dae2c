// Numbers in flags and YAML files.

/** Decimal, with an optional exponent; underscores may separate digits. */
const form = /^[-+]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][-+]?\d+)?$/;

/**
 * Reads a decimal number: `8`, `1_000`, `1e-5`, `-.5`. Leading zeros have no effect.
 * @returns null if the text is not a number, or too large or too small for a double
 */
export function parseDecimal(text: string): number | null {
  const written = text.trim();
  if (!form.test(written)) return null;
  const value = Number(written.replaceAll('_', ''));
  const [mantissa = ''] = written.split(/e/i);
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(mantissa))) return null;
  return value;
}

/**
 * Why a text that looks like a number is not accepted as one of this type; null if it does not look
 * like a number.
 * @param type `integer` also needs an exact value
 */
export function numberFault(text: string, type: 'number' | 'integer'): string | null {
  const written = text.trim();
  if (/^[-+]?0[xob][\da-f_]+$/i.test(written)) return 'write it in decimal';
  if (/^[-+]?\.?(nan|inf(inity)?)$/i.test(written)) return 'it must be finite';
  if (/^[-+]?\d+,\d+$/.test(written)) return 'write the decimal point as a full stop';
  if (!form.test(written)) return null;
  const value = parseDecimal(written);
  if (value === null) return 'it is out of the range of 64-bit floating point';
  if (type === 'integer' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return `whole numbers must be within ±${Number.MAX_SAFE_INTEGER} to be exact`;
  }
  return null;
}
