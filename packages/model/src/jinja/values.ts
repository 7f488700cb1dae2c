/**
 * A float whose value is a whole number, which JavaScript cannot tell from an integer: Python writes `20.0` where it
 * writes `20` for the integer. Other floats are plain numbers; integers are plain numbers, or bigint beyond 2^53.
 */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}
