/** An int64 as a number. @throws RangeError where the number would be another. */
export function exactNumber(value: bigint): number {
  const number = Number(value);
  if (BigInt(number) !== value) {
    throw new RangeError(`${value} is no exact JavaScript number: read it by toTypedArray()`);
  }
  return number;
}
