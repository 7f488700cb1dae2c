/** Converts an int64 to a number. @throws RangeError if the number would differ. */
export function exactNumber(value: bigint): number {
  const number = Number(value);
  if (BigInt(number) !== value) {
    throw new RangeError(
      `${value} is not exact as a JavaScript number. Read it with toTypedArray()`,
    );
  }
  return number;
}
